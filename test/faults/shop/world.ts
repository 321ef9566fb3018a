import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ACKNOWLEDGEMENT, type Address, createSigner, eventually, send } from '../../support/client.ts';
import {
  becomesReady,
  type Environment,
  makeDirectory,
  type Program,
  type ReceiverProcess,
  runProgram,
  startProcess,
} from '../../support/receiver.ts';
import { command, envOf, exitOf } from '../aftermath.ts';
import type { Random } from '../random.ts';
import type { CampaignStore } from '../stores.ts';
import { type Between, startBetween } from './between.ts';
import type { Step } from './stories.ts';

const SHOP = fileURLToPath(new URL('../../../deploy/shop/shop.mjs', import.meta.url));

export const signer = createSigner();

/** Paynotify, the shop, and what stands between them. */
export interface World {
  readonly random: Random;
  readonly between: Between;
  /** Those that run. */
  readonly replicas: Set<ReceiverProcess>;
  /** Another one, once it was copied. */
  store: CampaignStore;
  /** Of paynotify's configuration, what this campaign has otherwise. */
  readonly more: Environment;
  /** The shop's own database. */
  readonly ledger: string;
  shop: { readonly program: Program; readonly address: Address } | null;
}

export const createWorld = async (store: CampaignStore, random: Random, more: Environment = {}): Promise<World> => {
  const ends: { world: World | null } = { world: null };
  const between = await startBetween({
    shop: () => ends.world?.shop?.address ?? null,
    admin: () => [...(ends.world?.replicas ?? [])].at(-1)?.admin ?? null,
  });
  ends.world = {
    random,
    between,
    replicas: new Set(),
    store,
    more,
    ledger: join(makeDirectory(), 'shop.db'),
    shop: null,
  };
  return ends.world;
};

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;

export const environmentIn = ({ store, between, more }: World): Environment => ({
  ...envOf(store),
  ANTOM_CLIENT_ID: signer.clientId,
  ANTOM_PUBLIC_KEY: signer.publicKey,
  CALLBACK_URL: between.callbackUrl,
  CALLBACK_SECRETS: SECRET,
  ...more,
});

export const startReplica = async (world: World): Promise<void> => {
  const replica = await startProcess(environmentIn(world));
  await becomesReady(replica);
  world.replicas.add(replica);
};

/** Ends a replica by a signal; it must end well where it is asked to. */
export const endReplica = async (
  { replicas }: World,
  replica: ReceiverProcess,
  signal: 'SIGKILL' | 'SIGTERM',
): Promise<void> => {
  replicas.delete(replica);
  replica.kill(signal);
  const code = await replica.exited;
  if (signal === 'SIGTERM' && code !== 0)
    throw new Error(`a replica ended with ${code}: ${JSON.stringify(replica.output())}`);
};

export const startShop = async (world: World): Promise<void> => {
  const program = runProgram(
    { PORT: '0', LEDGER: world.ledger, PAYNOTIFY_URL: world.between.adminUrl, CALLBACK_SECRETS: SECRET },
    [process.execPath, SHOP],
  );
  const port = await eventually(
    'the shop',
    () => /listens on .*:(\d+)/.exec(program.output().stdout)?.[1],
    (found) => found !== undefined,
  );
  world.shop = { program, address: { host: '127.0.0.1', port: Number(port) } };
};

export const endShop = async (world: World, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
  const { shop } = world;
  world.shop = null;
  shop?.program.child.kill(signal);
  const code = await shop?.program.exited;
  if (signal === 'SIGTERM' && code !== 0) throw new Error(`the shop ended with ${code}`);
};

export const runCommand = async (world: World, ...values: readonly string[]): Promise<unknown> => {
  const program = command(environmentIn(world), ...values, '--json');
  await exitOf(program);
  return JSON.parse(program.output().stdout) as unknown;
};

/** Does steps one after the other until each is stored, whatever happens meanwhile to whom they are addressed to. */
export const insistOn = async (world: World, steps: readonly Step[]): Promise<void> => {
  for (const step of steps) {
    for (let times = 0; !(await isDone(world, step)); times += 1) {
      if (times > 2_000) throw new Error(`never accepted: ${JSON.stringify(step)}`);
      await pause(50);
    }
  }
};

const isDone = async ({ replicas, random }: World, step: Step): Promise<boolean> => {
  if (replicas.size === 0) return false;
  const { address, admin } = random.pick([...replicas]);
  const { status, text } =
    step.kind === 'notification'
      ? await send(address, step.post).catch(() => UNREACHABLE)
      : await send(admin, {
          method: 'PUT',
          target: step.path,
          headers: [['Content-Type', 'application/json']],
          body: Buffer.from(JSON.stringify(step.body)),
        }).catch(() => UNREACHABLE);
  if (status >= 400 && status !== 503) throw new Error(`${JSON.stringify(step)}: ${status} ${text}`);
  return step.kind === 'notification' ? text === ACKNOWLEDGEMENT : status === 200 || status === 201;
};

const UNREACHABLE = { status: 503, text: '' };

/** What the shop knows of an order, and what it has shipped. */
export interface KnownOrder {
  readonly client_id: string;
  readonly order_id: string;
  readonly revision: number;
  readonly status: string;
  readonly fulfillable: number;
}
export interface Parcel {
  readonly shop_order: string;
  readonly client_id: string;
  readonly order_id: string;
  readonly revision: number;
}

/** Reads the shop's ledger with a connection of our own. */
export const readLedger = ({
  ledger,
}: Pick<World, 'ledger'>): { readonly orders: readonly KnownOrder[]; readonly parcels: readonly Parcel[] } => {
  const db = new DatabaseSync(ledger, { readOnly: true, timeout: 5_000 });
  try {
    const orders = db.prepare("select * from orders where status <> 'REPLACED'").all() as unknown as KnownOrder[];
    return { orders, parcels: db.prepare('select * from parcels').all() as unknown as Parcel[] };
  } finally {
    db.close();
  }
};
