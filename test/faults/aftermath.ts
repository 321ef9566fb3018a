import { fileURLToPath } from 'node:url';
import { createSigner } from '../support/client.ts';
import {
  becomesReady,
  type Environment,
  environmentOf,
  type Program,
  runProgram,
  startProcess,
  type ReceiverProcess,
} from '../support/receiver.ts';
import { deliver, type Ledger, samplesOf, type Sample } from './ledger.ts';
import type { Random } from './random.ts';
import type { CampaignStore } from './stores.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

const signer = createSigner();
const stranger = createSigner(signer.clientId);

/** The configuration of every service that a campaign starts on this database. */
export const envOf = ({ url }: Pick<CampaignStore, 'url'>): Environment => ({
  ...environmentOf('', signer),
  DATABASE_URL: url,
  // What the strangers send is to be kept, however fast they are.
  UNVERIFIED_MAX_PER_SECOND: '100000',
});

/** So many notifications that nobody has sent yet, a tenth of them forged. */
export const freshSamples = (random: Random, count: number): readonly Sample[] =>
  samplesOf({ signer, stranger }, { name: random.bytes(4).toString('hex'), count, random });

/** Throws where a program did not end with 0. */
export const exitOf = async (program: Program): Promise<void> => {
  const code = await program.exited;
  if (code !== 0) throw new Error(`ended with ${code}: ${JSON.stringify(program.output())}`);
};

export const command = (env: Environment, ...values: readonly string[]): Program =>
  runProgram(env, [process.execPath, CLI, ...values]);

export const startedReady = async (env: Environment): Promise<ReceiverProcess> => {
  const receiver = await startProcess(env);
  await becomesReady(receiver);
  // A process that was killed leaves its log, and so nothing to be alarmed about.
  if (receiver.log().some(({ msg }) => msg === 'the database was not closed'))
    throw new Error('a start took what a kill had left for what a hand had copied');
  return receiver;
};

export const stopped = async (receiver: ReceiverProcess): Promise<void> => {
  receiver.kill('SIGTERM');
  await exitOf(receiver);
};

/** A database, and what was sent to the services that had it. */
export interface Kept {
  readonly store: CampaignStore;
  readonly ledger: Ledger;
}

/** Derives every order again, by the clock as it is. */
export const rebuildAll = async (store: Pick<CampaignStore, 'url'>): Promise<void> =>
  await exitOf(command(envOf(store), 'rebuild', '--json'));

/** Laws 1 and 4 of what a service left that is gone, whatever it was doing: throws where they do not hold. */
export const assertWell = async ({ store, ledger }: Kept): Promise<void> => {
  const left = store.snapshot();
  const env = envOf(left);
  try {
    // One that ended before it had made its database leaves nothing to rebuild.
    if (ledger.lines().every(({ acknowledged }) => acknowledged === 0)) await exitOf(command(env, 'migrate'));
    // Law 4. It opens the store first, as the next start would.
    const rebuild = command(env, 'rebuild', '--json');
    await exitOf(rebuild);
    const { changed } = JSON.parse(rebuild.output().stdout) as { readonly changed: number };
    if (changed !== 0) throw new Error(`rebuilding the orders changed ${changed}`);
    await left.assertIntact();
    ledger.check(await left.contents());
  } finally {
    left.remove();
  }
};

/** Law 2: whatever was ever sent comes again, is acknowledged, and counts once more. */
export const assertResendsCount = async ({ store, ledger }: Kept, env = envOf(store)): Promise<void> => {
  const receiver = await startedReady(env);
  const before = await store.contents();
  const samples = ledger.lines().map(({ sample }) => sample);
  await deliver(receiver.address, { ledger, samples, insists: true });
  const after = await store.contents();
  ledger.check(after);
  const wrong = (['notifications', 'unverified'] as const).flatMap((what) =>
    [...after[what]].filter(([id, { deliveries }]) => deliveries !== (before[what].get(id)?.deliveries ?? 0) + 1),
  );
  if (wrong.length > 0) throw new Error(`${wrong.length} resends were not counted once, among them ${wrong[0]?.[0]}`);
  if (after.notifications.size + after.unverified.size !== samples.length) throw new Error('a resend is not stored');
  await stopped(receiver);
};
