import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory, type ReceiverProcess, removeDirectory } from '../support/receiver.ts';
import { assertResendsCount, assertWell, envOf, freshSamples, rebuildAll, startedReady, stopped } from './aftermath.ts';
import type { Campaign } from './campaign.ts';
import { createLedger, deliver, type Sample } from './ledger.ts';
import { createRandom } from './random.ts';
import { compileShim } from './shim.ts';
import { type CampaignStore, createStore } from './stores.ts';

const DAY_MS = 24 * 60 * 60_000;
const NANOSECONDS = 1_000_000n;
const CHANGES = ['a day ahead', 'a day back', 'stopped', 'right again', 'restarted'] as const;
const CHANGES_A_ROUND = 6;
const NOTIFICATIONS = 30;
/** Fewer than the forgeries of a batch: a limit that waits for a clock that stands still would never let them in. */
const UNVERIFIED_A_SECOND = 2;

/** The wall clock of a process. */
interface Clock {
  /** Milliseconds that it is ahead. */
  readonly set: (ahead: number, isStopped: boolean) => void;
  readonly env: Readonly<Record<string, string>>;
  readonly close: () => void;
}

const createClock = (): Clock => {
  const directory = makeDirectory();
  const file = join(directory, 'clock');
  writeFileSync(file, Buffer.alloc(16));
  const state = openSync(file, 'r+');
  return {
    set: (ahead, isStopped) => {
      const words = Buffer.alloc(16);
      words.writeBigInt64LE(BigInt(ahead) * NANOSECONDS, 0);
      words.writeBigInt64LE(isStopped ? BigInt(Date.now() + ahead) * NANOSECONDS : 0n, 8);
      writeSync(state, words, 0, words.length, 0);
    },
    env: { LD_PRELOAD: compileShim('clock'), CLOCK_STATE: file },
    close: () => {
      closeSync(state);
      removeDirectory(directory);
    },
  };
};

/** Receipts must show that the clock of the service was where it was put, and no receipt ends before it began. */
const assertReceipts = async ({ query }: CampaignStore, ahead: ReadonlySet<number>): Promise<void> => {
  const rows = await query('select first_received_at as first, last_received_at as last from notifications');
  const backwards = rows.filter(({ first, last }) => Number(last) < Number(first));
  if (backwards.length > 0) throw new Error(`${backwards.length} were received for the last time before the first`);
  const days = new Set(rows.map(({ first }) => Math.round((Number(first) - Date.now()) / DAY_MS) * DAY_MS));
  const missing = [...ahead].filter((milliseconds) => !days.has(milliseconds));
  if (missing.length > 0) throw new Error(`nothing was received ${missing.join(', ')} ms away from now`);
};

const round = async (seed: number): Promise<void> => {
  const random = createRandom(seed);
  const store = await createStore(seed % 2 === 0 ? 'postgres' : 'sqlite');
  const ledger = createLedger();
  const clock = createClock();
  const env = { ...envOf(store), ...clock.env, UNVERIFIED_MAX_PER_SECOND: String(UNVERIFIED_A_SECOND) };
  const passed: string[] = [];
  const seen = new Set<number>();
  let ahead = 0;
  let isStopped = false;
  let receiver: ReceiverProcess = await startedReady(env);
  const send = async (samples: readonly Sample[]): Promise<void> =>
    await deliver(receiver.address, { ledger, samples, insists: true });
  try {
    for (let count = 0; count < CHANGES_A_ROUND; count += 1) {
      const change = random.pick(CHANGES);
      passed.push(change);
      if (change === 'a day ahead') ahead += DAY_MS;
      if (change === 'a day back') ahead -= DAY_MS;
      if (change === 'right again') ahead = 0;
      if (change !== 'restarted') isStopped = change === 'stopped';
      clock.set(ahead, isStopped);
      seen.add(ahead);
      if (change === 'restarted') {
        await stopped(receiver);
        receiver = await startedReady(env);
      }
      await send(freshSamples(random, NOTIFICATIONS));
      await send(ledger.lines().flatMap(({ sample }) => (random.chance(0.2) ? [sample] : [])));
    }
    await stopped(receiver);
    await assertReceipts(store, seen);
    // Orders are as of the clock that was wrong; as of the right one nothing more may change.
    await rebuildAll(store);
    await assertWell({ store, ledger });
    await assertResendsCount({ store, ledger });
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new Error(`${store.kind}; the clock was ${passed.join(', ')}: ${what}`, { cause: error });
  } finally {
    clock.close();
    store.remove();
  }
};

/** The wall clock jumps by a day, or stands still: nothing is lost, miscounted or held up. */
export const clock: Campaign = { name: 'clock', short: 1, long: 100, round };
