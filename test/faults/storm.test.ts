import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ACKNOWLEDGEMENT, createPool, createSigner, type Post, send } from '../support/client.ts';
import { notificationsOfPayment, shuffled } from '../support/facts.ts';
import { ordersOf } from '../support/orders.ts';
import { type OwnServer, sql, startOwnServer } from '../support/postgres.ts';
import {
  endPrograms,
  environmentOf,
  makeDirectory,
  type ReceiverProcess,
  removeDirectory,
  startProcessReady,
} from '../support/receiver.ts';
import { ROUNDS } from './load.ts';

const REPLICAS = 4;
const PAYMENTS = 50;
const TIMES = 8;
const CONNECTIONS_A_REPLICA = 8;

const signer = createSigner();
const directory = makeDirectory();
let server: OwnServer;

beforeAll(async () => {
  server = await startOwnServer();
});
afterAll(async () => {
  await endPrograms();
  await server.stop();
  removeDirectory(directory);
});

const notificationsOf = (number: number): readonly Post[] =>
  notificationsOfPayment(number).map((fields) => signer.sign(fields));

/** Sends all that a replica gets, over several connections; gives back the answers. */
const deliver = async ({ address }: ReceiverProcess, posts: readonly Post[]): Promise<readonly string[]> => {
  const pool = createPool(CONNECTIONS_A_REPLICA);
  try {
    const answers = await Promise.all(posts.map(async (post) => await send(address, post, pool)));
    return answers.map(({ status, text }) => `${status} ${text}`);
  } finally {
    pool.destroy();
  }
};

const storm = async (): Promise<void> => {
  const url = await server.createDatabase();
  const env = { ...environmentOf(directory, signer), DATABASE_URL: url };
  const replicas = await Promise.all(Array.from({ length: REPLICAS }, async () => await startProcessReady(env)));
  const posts = Array.from({ length: PAYMENTS }, (_, number) => notificationsOf(number)).flat();
  const deliveries = shuffled(Array.from({ length: TIMES }, () => posts).flat());
  const answers = await Promise.all(
    replicas.map(
      async (replica, mine) =>
        await deliver(
          replica,
          deliveries.filter((_, index) => index % REPLICAS === mine),
        ),
    ),
  );
  expect(new Set(answers.flat())).toEqual(new Set([`200 ${ACKNOWLEDGEMENT}`]));

  const [replica] = replicas as [ReceiverProcess];
  const stored = await replica.notifications();
  expect(stored).toHaveLength(posts.length);
  expect(stored.reduce((sum, one) => sum + one.deliveries, 0)).toBe(deliveries.length);
  expect(new Set(stored.map(({ outcome }) => outcome))).toEqual(new Set(['APPLIED']));

  const orders = await ordersOf(replica);
  expect(orders).toHaveLength(PAYMENTS);
  expect(
    orders.filter(({ status, capturedAmount }) => status !== 'CAPTURED' || capturedAmount?.value !== '100'),
  ).toEqual([]);
  const shared = orders.filter(({ attention }) => attention.some(({ code }) => code === 'CONTRADICTORY_IDENTITY'));
  expect(shared).toHaveLength(PAYMENTS / 5);
  expect(orders.filter(({ fulfillable }) => fulfillable)).toHaveLength(PAYMENTS - PAYMENTS / 5);

  expect(await sql(url, 'select deadlocks from pg_stat_database where datname = current_database()')).toEqual([
    { deadlocks: '0' },
  ]);
  expect(server.log()).not.toContain('deadlock');
  for (const one of replicas) {
    one.kill('SIGTERM');
    expect(await one.exited).toBe(0);
  }
};

test(
  `a storm: ${PAYMENTS * 4} notifications, ${TIMES} times each, shuffled, on four replicas at once`,
  async () => {
    for (let round = 0; round < ROUNDS; round += 1) await storm();
  },
  60_000 * ROUNDS,
);
