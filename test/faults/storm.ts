import assert from 'node:assert/strict';
import { ACKNOWLEDGEMENT, createPool, createSigner, type Post, send } from '../support/client.ts';
import type { Order } from '../../src/order/order.ts';
import { captureResult, type Fields, jpy, notificationsOfPayment, paymentResult } from '../support/facts.ts';
import { ordersOf } from '../support/orders.ts';
import { sql } from '../support/postgres.ts';
import { environmentOf, type ReceiverProcess, startProcessReady } from '../support/receiver.ts';
import type { Campaign, Extent } from './campaign.ts';
import { createRandom, type Random } from './random.ts';
import { sharedServer } from './stores.ts';

const REPLICAS = 4;
const PAYMENTS = 50;
/** A notification is sent eight times at most. */
const TIMES: Readonly<Record<Extent, number>> = { whole: 8, part: 3 };
const CONNECTIONS_A_REPLICA = 8;
const CAPTURES: Readonly<Record<Extent, number>> = { whole: 1_000, part: 200 };
const TIMES_A_CAPTURE = 2;

const signer = createSigner();

const manyPayments = (): readonly Post[] =>
  Array.from({ length: PAYMENTS }, (_, number) => notificationsOfPayment(number))
    .flat()
    .map((fields) => signer.sign(fields));

const THE_PAYMENT = { paymentId: 'P-great', paymentRequestId: 'R-great' };
const captureOf = (_: unknown, number: number): Fields =>
  captureResult('S', { paymentId: THE_PAYMENT.paymentId, captureId: `C-${number}`, captureAmount: jpy('1') });
const onePayment = (captures: number): readonly Post[] =>
  [
    paymentResult('S', { ...THE_PAYMENT, paymentAmount: jpy(String(captures)) }),
    ...Array.from({ length: captures }, captureOf),
  ].map((fields) => signer.sign(fields));

/** Sends all that a replica gets, over several connections; gives back the different answers. */
const deliver = async ({ address }: ReceiverProcess, posts: readonly Post[]): Promise<readonly string[]> => {
  const pool = createPool(CONNECTIONS_A_REPLICA);
  const answers = new Set<string>();
  const waiting = posts.values();
  const connection = async (): Promise<void> => {
    for (const post of waiting) {
      const { status, text } = await send(address, post, pool);
      answers.add(`${status} ${text}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS_A_REPLICA }, connection));
    return [...answers];
  } finally {
    pool.destroy();
  }
};

interface Storm {
  readonly posts: readonly Post[];
  readonly times: number;
  /** What the orders must say. */
  readonly check: (orders: readonly Order[]) => void;
}

/** Everything so many times, in an order of its own, shared out between the replicas. */
const sendAll = async (
  replicas: readonly ReceiverProcess[],
  { posts, times }: Storm,
  random: Random,
): Promise<void> => {
  const deliveries = random.shuffled(Array.from({ length: times }, () => posts).flat());
  const answers = await Promise.all(
    replicas.map(
      async (replica, mine) =>
        await deliver(
          replica,
          deliveries.filter((_, index) => index % REPLICAS === mine),
        ),
    ),
  );
  assert.deepEqual(new Set(answers.flat()), new Set([`200 ${ACKNOWLEDGEMENT}`]));
};

const many = (times: number): Storm => ({
  posts: manyPayments(),
  times,
  check: (orders) => {
    assert.equal(orders.length, PAYMENTS);
    assert.deepEqual(
      orders.filter(({ status, capturedAmount }) => status !== 'CAPTURED' || capturedAmount?.value !== '100'),
      [],
    );
    // Every tenth shares its paymentRequestId with the one before: nobody can say which of the two is the order's.
    const shared = orders.filter(({ attention }) => attention.some(({ code }) => code === 'CONTRADICTORY_IDENTITY'));
    assert.equal(shared.length, PAYMENTS / 5);
    assert.equal(orders.filter(({ fulfillable }) => fulfillable).length, PAYMENTS - PAYMENTS / 5);
  },
});

const great = (captures: number): Storm => ({
  posts: onePayment(captures),
  times: TIMES_A_CAPTURE,
  check: (orders) =>
    assert.deepEqual(
      orders.map(({ status, fulfillable, capturedAmount }) => [status, fulfillable, capturedAmount?.value]),
      [['CAPTURED', true, String(captures)]],
    ),
});

const round = async (seed: number, extent: Extent): Promise<void> => {
  const weather = seed % 2 === 0 ? great(CAPTURES[extent]) : many(TIMES[extent]);
  const server = await sharedServer();
  const url = await server.createDatabase();
  const env = { ...environmentOf('', signer), DATABASE_URL: url };
  const replicas = await Promise.all(Array.from({ length: REPLICAS }, async () => await startProcessReady(env)));
  await sendAll(replicas, weather, createRandom(seed));

  const [replica] = replicas as [ReceiverProcess];
  const stored = await replica.notifications();
  assert.equal(stored.length, weather.posts.length);
  const miscounted = stored.filter(({ deliveries, outcome }) => deliveries !== weather.times || outcome !== 'APPLIED');
  assert.deepEqual(miscounted, []);
  weather.check(await ordersOf(replica));
  const deadlocks = 'select deadlocks from pg_stat_database where datname = current_database()';
  assert.deepEqual(await sql(url, deadlocks), [{ deadlocks: '0' }]);
  assert.ok(!server.log().includes('deadlock'));
  for (const one of replicas) {
    one.kill('SIGTERM');
    assert.equal(await one.exited, 0);
  }
};

/**
 * Everything again and again, shuffled, on four replicas at once: each is stored once, every delivery is counted, and
 * the orders say what they would have said in any other order. Odd seeds: many payments, eight times; even ones: one
 * payment with a thousand captures, twice.
 */
export const storm: Campaign = { name: 'storm', short: 2, long: 100, round };
