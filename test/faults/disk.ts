import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually, get } from '../support/client.ts';
import { becomesReady, fileIn, makeDirectory, type ReceiverProcess, startProcess } from '../support/receiver.ts';
import { assertResendsCount, assertWell, envOf, freshSamples, stopped } from './aftermath.ts';
import type { Campaign } from './campaign.ts';
import { createLedger, deliver, type Ledger } from './ledger.ts';
import { createRandom, type Random } from './random.ts';
import { compileShim } from './shim.ts';
import { type CampaignStore, sqliteIn } from './stores.ts';

const { EIO, ENOSPC, EROFS } = constants.errno;
/** How a call fails once; the last one writes half of what it is given, and then the disk is full. */
const ONCE = { EIO, ENOSPC, 'short write': -1 } as const;
const WAYS = Object.keys(ONCE) as readonly (keyof typeof ONCE)[];
const STANDING = ['full', 'read-only', 'slow'] as const;
/** Every so many rounds one of the standing faults, and otherwise the next call fails once. */
const STANDING_EVERY = 7;
const SLOW_MS = 200;
const NOTIFICATIONS = 24;
const ENDS_WITHIN_MS = 10_000;

/** The numbers that `shim/disk.c` shares with us, in its order. */
const FIELDS = ['calls', 'failsAt', 'how', 'failed', 'standing', 'slow'] as const;
type Field = (typeof FIELDS)[number];

/** A disk that fails as it is told, under a service that is running. */
interface Disk {
  readonly set: (field: Field, value: number) => void;
  readonly get: (field: Field) => number;
}

interface Stage {
  readonly random: Random;
  readonly disk: Disk;
  readonly store: CampaignStore;
  readonly ledger: Ledger;
  readonly start: () => Promise<ReceiverProcess>;
}

const WORD = 8;

const onStage = async (random: Random, act: (stage: Stage) => Promise<void>): Promise<void> => {
  const directory = makeDirectory();
  const store = sqliteIn(directory);
  const stateDirectory = makeDirectory();
  const file = join(stateDirectory, 'state');
  writeFileSync(file, Buffer.alloc(WORD * WORD));
  const state = openSync(file, 'r+');
  const disk: Disk = {
    set: (field, value) => {
      const word = Buffer.alloc(WORD);
      word.writeBigInt64LE(BigInt(value));
      writeSync(state, word, 0, WORD, FIELDS.indexOf(field) * WORD);
    },
    get: (field) => {
      const word = Buffer.alloc(WORD);
      readSync(state, word, 0, WORD, FIELDS.indexOf(field) * WORD);
      return Number(word.readBigInt64LE());
    },
  };
  const env = {
    ...envOf(store),
    LD_PRELOAD: compileShim('disk'),
    DISK_DIRECTORY: dirname(fileIn(directory)),
    DISK_STATE: file,
  };
  try {
    await act({ random, disk, store, ledger: createLedger(), start: async () => await startProcess(env) });
  } finally {
    closeSync(state);
    store.remove();
  }
};

/** Resolves once it is ready, or has ended; true where it is ready. */
const readyOrEnded = async (receiver: ReceiverProcess): Promise<boolean> => {
  try {
    await becomesReady(receiver);
    return true;
  } catch (error) {
    // Its end breaks a connection a moment before it is told of.
    const ended = Promise.race([receiver.exited.then(() => true), pause(ENDS_WITHIN_MS, false)]);
    if (await ended) return false;
    throw error;
  }
};

/** pino's number for `error`; `fatal` is above it. */
const ERROR_LEVEL = 50;
const complaints = (receiver: ReceiverProcess): number =>
  receiver.log().filter(({ level }) => Number(level) >= ERROR_LEVEL).length;

/** A service may give up, if it says why in one line that a person can act on, and says so with its exit code. */
const assertSaidWhy = async (receiver: ReceiverProcess): Promise<void> => {
  const code = await receiver.exited;
  if (code === 0 || typeof code !== 'number' || complaints(receiver) === 0)
    throw new Error(`ended with ${code}, and did not say why: ${JSON.stringify(receiver.output())}`);
};

/** Everything that a service does: it starts, stores, reads, and ends. */
const schedule = async ({ random, ledger, start }: Stage): Promise<void> => {
  const receiver = await start();
  if (await readyOrEnded(receiver)) {
    const samples = freshSamples(random, NOTIFICATIONS);
    await deliver(receiver.address, { ledger, samples, insists: true });
    await get(receiver.admin, '/api/orders?after=0').catch(() => null);
    const isThere = await readyOrEnded(receiver);
    const missing = ledger.lines().filter(({ acknowledged }) => acknowledged === 0);
    if (isThere && missing.length > 0) throw new Error(`${missing.length} were neither stored nor refused`);
    if (isThere) receiver.kill('SIGTERM');
  }
  if ((await receiver.exited) !== 0) await assertSaidWhy(receiver);
};

let counted: Promise<number> | null = null;
/** Where the machine halts, fewer notifications share a transaction, and there are up to half as many calls again. */
const COUNTS = 3;

/** How many calls the schedule makes at least, where none fails. */
const countCalls = async (): Promise<number> => {
  let fewest = Infinity;
  for (let count = 0; count < COUNTS; count += 1)
    await onStage(createRandom(0), async (stage) => {
      await schedule(stage);
      fewest = Math.min(fewest, stage.disk.get('calls'));
    });
  return fewest;
};

const GOLDEN = 0.618;
const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/**
 * In steps of it each call is reached before any comes again: it has no divisor in common with their number. By the
 * golden section the first few are spread out, and none is so near to the end that a shorter run does not come to it.
 */
const strideOf = (calls: number): number => {
  let stride = Math.ceil(calls * GOLDEN);
  while (divisor(stride, calls) !== 1) stride += 1;
  return stride;
};

/** Of this process: how many rounds had a call that failed, and how many ended before it came to that. */
export const reached = { failed: 0, notReached: 0 };

const failOnce = async (seed: number): Promise<void> => {
  const number = seed - Math.ceil(seed / STANDING_EVERY);
  const calls = await (counted ??= countCalls());
  const failsAt = ((Math.floor(number / WAYS.length) * strideOf(calls)) % calls) + 1;
  const way = WAYS[number % WAYS.length] as keyof typeof ONCE;
  await onStage(createRandom(seed), async (stage) => {
    stage.disk.set('how', ONCE[way]);
    stage.disk.set('failsAt', failsAt);
    try {
      await schedule(stage);
      reached[stage.disk.get('failed') === 0 ? 'notReached' : 'failed'] += 1;
      await assertWell(stage);
      await assertResendsCount(stage);
    } catch (error) {
      const call = String.fromCharCode(stage.disk.get('failed') || 63);
      const what = error instanceof Error ? error.message : String(error);
      throw new Error(`${way} at call ${failsAt} of at least ${calls} (${call}): ${what}`, { cause: error });
    }
  });
};

const acknowledgedIn = (ledger: Ledger): number =>
  ledger.lines().reduce((sum, { acknowledged }) => sum + acknowledged, 0);

/** Nothing can be written for a while: nothing is acknowledged then, and afterwards everything is. */
const standFor = async ({ random, disk, ledger, start }: Stage, errno: number): Promise<void> => {
  const receiver = await start();
  await becomesReady(receiver);
  await deliver(receiver.address, { ledger, samples: freshSamples(random, NOTIFICATIONS), insists: true });
  const before = acknowledgedIn(ledger);
  disk.set('standing', errno);
  const refused = freshSamples(random, NOTIFICATIONS);
  await deliver(receiver.address, { ledger, samples: refused });
  await eventually('not ready', receiver.readiness, ({ status }) => status === 503);
  if (acknowledgedIn(ledger) !== before) throw new Error('acknowledged while nothing could be written');
  disk.set('standing', 0);
  await becomesReady(receiver);
  await deliver(receiver.address, { ledger, samples: refused, insists: true });
  await stopped(receiver);
};

/** One that starts where nothing can be written waits for it, or says why it does not. */
const startUnder = async ({ disk, start }: Stage, errno: number): Promise<void> => {
  disk.set('standing', errno);
  const receiver = await start();
  await eventually(
    'a line that says why',
    () => complaints(receiver),
    (count) => count > 0,
  );
  disk.set('standing', 0);
  if (await readyOrEnded(receiver)) await stopped(receiver);
  else await assertSaidWhy(receiver);
};

const slowly = async ({ random, disk, ledger, start }: Stage): Promise<void> => {
  disk.set('slow', SLOW_MS * 1_000);
  const receiver = await start();
  await becomesReady(receiver);
  await deliver(receiver.address, { ledger, samples: freshSamples(random, NOTIFICATIONS), insists: true });
  await stopped(receiver);
};

const stand = async (seed: number): Promise<void> => {
  const fault = STANDING[(seed / STANDING_EVERY) % STANDING.length] as (typeof STANDING)[number];
  await onStage(createRandom(seed), async (stage) => {
    try {
      if (fault === 'slow') await slowly(stage);
      else {
        const errno = fault === 'full' ? ENOSPC : EROFS;
        await startUnder(stage, errno);
        await standFor(stage, errno);
      }
      await assertWell(stage);
      await assertResendsCount(stage);
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      throw new Error(`the disk was ${fault}: ${what}`, { cause: error });
    }
  });
};

/** The disk fails a call, or is full, read-only or slow: never a wrong acknowledgement, and no damage. Of SQLite. */
export const disk: Campaign = {
  name: 'disk',
  short: 4,
  long: 1_200,
  round: async (seed) => await (seed % STANDING_EVERY === 0 ? stand(seed) : failOnce(seed)),
};
