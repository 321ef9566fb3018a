import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import { rebuildOrders } from '../../src/upkeep/rebuild.ts';
import { createPool, createSigner, type Post, send } from '../support/client.ts';
import { captureResult, jpy, paymentResult } from '../support/facts.ts';
import {
  endPrograms,
  type Environment,
  environmentOf,
  fileIn,
  idOf,
  makeDirectory,
  query,
  type ReceiverProcess,
  removeDirectory,
  startProcessReady,
} from '../support/receiver.ts';

const ROUNDS = 50;
/** Each has a database of its own, on which its rounds follow one another. */
const LANES = 2;
const CONNECTIONS = 8;
const NOTIFICATIONS_A_ROUND = 60;
const LONGEST_LIFE_MS = 150;
const RULES = { captureRequired: 'always', captureMode: 'AUTOMATIC', production: false } as const;

const signer = createSigner();
const stranger = createSigner(signer.clientId);
const directories = Array.from({ length: LANES }, makeDirectory);
/** Fifty starts are what takes the time here: compiled code is kept between them. */
const cache = makeDirectory();
const envOf = (directory: string): Environment => ({
  ...environmentOf(directory, signer),
  UNVERIFIED_MAX_PER_SECOND: '100000',
  NODE_COMPILE_CACHE: cache,
});

beforeAll(async () => {
  const warm = makeDirectory();
  const receiver = await startProcessReady(envOf(warm));
  receiver.kill('SIGTERM');
  expect(await receiver.exited).toBe(0);
  removeDirectory(warm);
});
afterAll(async () => {
  await endPrograms();
  for (const directory of [...directories, cache]) removeDirectory(directory);
});

interface Sample {
  readonly post: Post;
  /** Null where nobody signed it for us. */
  readonly paymentId: string | null;
}

/** Distinct ones: payments, a capture after every fourth, and now and then a forgery. */
const samplesOf = (round: number): readonly Sample[] =>
  Array.from({ length: NOTIFICATIONS_A_ROUND }, (_, index) => {
    const paymentId = `P-${round}-${index - (index % 5 === 4 ? 1 : 0)}`;
    if (index % 10 === 7) return { post: stranger.sign(paymentResult('S', { paymentId })), paymentId: null };
    const fields =
      index % 5 === 4
        ? captureResult('S', { paymentId, captureId: `C-${paymentId}`, captureAmount: jpy('120') })
        : paymentResult('S', { paymentId, paymentRequestId: `R-${paymentId}`, paymentAmount: jpy('120') });
    return { post: signer.sign(fields), paymentId };
  });

/** Sends over several connections until the process is gone; returns what was acknowledged. */
const loadUntilKilled = async (receiver: ReceiverProcess, samples: readonly Sample[]): Promise<readonly Sample[]> => {
  const acknowledged: Sample[] = [];
  const pool = createPool(CONNECTIONS);
  const waiting = [...samples];
  const deliver = async (): Promise<void> => {
    for (let sample = waiting.shift(); sample !== undefined; sample = waiting.shift()) {
      const { status } = await send(receiver.address, sample.post, pool);
      if (status === 200) acknowledged.push(sample);
    }
  };
  const connections = Promise.allSettled(Array.from({ length: CONNECTIONS }, deliver));
  await pause(Math.random() * LONGEST_LIFE_MS);
  receiver.kill('SIGKILL');
  expect(await receiver.exited).toBe('SIGKILL');
  await connections;
  pool.destroy();
  return acknowledged;
};

interface Contents {
  readonly notifications: ReadonlySet<string>;
  readonly orders: ReadonlySet<string>;
  readonly unverified: ReadonlySet<string>;
}

const contentsOf = (directory: string): Contents => {
  const column = (sql: string): ReadonlySet<string> => new Set(query(directory, sql).map((row) => String(row['it'])));
  return {
    notifications: column('select lower(hex(digest)) as it from notifications'),
    orders: column('select order_key as it from orders'),
    unverified: column('select lower(hex(body)) as it from unverified'),
  };
};

const isKept = ({ post, paymentId }: Sample, { notifications, orders, unverified }: Contents): boolean =>
  paymentId === null
    ? unverified.has(post.body.toString('hex'))
    : notifications.has(idOf(post.body)) && orders.has(paymentId);

/** Starts on the file that the last kill left, looks for all that was ever acknowledged, and is killed in turn. */
const runLane = async (directory: string, rounds: readonly number[]): Promise<readonly Sample[]> => {
  const acknowledged: Sample[] = [];
  for (const round of rounds) {
    const samples = samplesOf(round);
    const receiver = await startProcessReady(envOf(directory));
    expect(receiver.log().filter(({ msg }) => msg === 'the database was not closed')).toEqual([]);
    const contents = contentsOf(directory);
    expect(acknowledged.filter((sample) => !isKept(sample, contents))).toEqual([]);
    acknowledged.push(...(await loadUntilKilled(receiver, samples)));
  }
  return acknowledged;
};

test(`${ROUNDS} times killed under load, nothing that was acknowledged is lost, and no order is half derived`, async () => {
  const lanes = directories.map(async (directory, lane) => {
    const rounds = Array.from({ length: ROUNDS }, (_, round) => round).filter((round) => round % LANES === lane);
    const acknowledged = await runLane(directory, rounds);
    const contents = contentsOf(directory);
    expect(acknowledged.filter((sample) => !isKept(sample, contents))).toEqual([]);
    expect(query(directory, 'pragma integrity_check')).toMatchObject([{ integrity_check: 'ok' }]);
    const store = await openSqlite({ file: fileIn(directory), rules: RULES });
    expect(await rebuildOrders(store)).toEqual({ orders: contents.orders.size, changed: 0 });
    await store.close();
    return acknowledged;
  });
  const acknowledged = (await Promise.all(lanes)).flat();
  expect(acknowledged.filter(({ paymentId }) => paymentId !== null).length).toBeGreaterThan(ROUNDS);
  expect(acknowledged.filter(({ paymentId }) => paymentId === null).length).toBeGreaterThan(0);
  // Not one round came to its end unharmed by chance: most were killed with notifications still to come.
  expect(acknowledged.length).toBeLessThan(ROUNDS * NOTIFICATIONS_A_ROUND);
}, 180_000);
