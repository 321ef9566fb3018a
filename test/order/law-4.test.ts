import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { handlers } from '../../src/handlers/index.ts';
import { readStored } from '../../src/handlers/read-stored.ts';
import type { OrderRules } from '../../src/order/rules.ts';
import { openPostgres } from '../../src/store/postgres/postgres-store.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import { CLIENT, type Fields, result } from '../support/facts.ts';
import { startServer, type TestServer } from '../support/postgres.ts';
import { askedOf, deriveOrders, RULES } from './core.ts';
import { describeLaw4 } from './law-4.case.ts';
import { type ReceivedNotification, tellOrders, toTold } from './oracle/tell-orders.ts';
import { arrivals, permutations, standing, worldOf, worlds } from './world.ts';

const rules: fc.Arbitrary<OrderRules> = fc.record({
  captureRequired: fc.constantFrom('always', 'methods'),
  noCaptureMethods: fc.constantFrom([], ['NEWPAY']),
  captureMode: fc.constantFrom('AUTOMATIC', 'MANUAL'),
  requireRegistration: fc.boolean(),
  production: fc.boolean(),
});

const notified = (fields: Fields): ReceivedNotification => ({ clientId: CLIENT, body: JSON.stringify(fields) });
const answered = (fields: Fields): ReceivedNotification => ({ ...notified(fields), askedAbout: 'P1' });
const REFUNDED: Fields = { result: result('S'), paymentStatus: 'SUCCESS' };
const REFUND: Fields = { transactionType: 'REFUND', transactionId: 'F1', transactionStatus: 'SUCCESS' };

test('the worlds hold every kind that has a handler', () => {
  const handled = handlers.filter(({ read }) => read({}).outcome !== 'UNHANDLED').map(({ kind }) => kind);
  const received = fc
    .sample(worlds({ least: 8, most: 14, registrations: 0 }), { numRuns: 200, seed: 1 })
    .flatMap((world) => world.received);
  const kinds = new Set(received.map((one) => readStored({ asked: askedOf(one), body: Buffer.from(one.body) }).kind));
  expect(kinds).toContain('INQUIRY');
  // A subscription's payment is read as any payment is.
  expect(handled.filter((kind) => kind !== 'SUBSCRIPTION_PAYMENT' && !kinds.has(kind))).toEqual([]);
});

describe('an order is a function of the set (pure core)', () => {
  test('is the same however the set arrives, and what the oracle tells of it', () => {
    const arriving = worlds({ least: 0, most: 14, registrations: 4 }).chain((world) =>
      fc.tuple(arrivals(world), arrivals(world), rules),
    );
    fc.assert(
      fc.property(arriving, ([one, another, rule]) => {
        const orders = deriveOrders({ ...worldOf(one), rules: rule });
        expect(deriveOrders({ ...worldOf(another), rules: rule })).toEqual(orders);
        const { received, registrations } = worldOf(one);
        expect(orders.map(toTold)).toEqual(
          tellOrders({ received, registrations: standing(registrations), rules: rule }),
        );
      }),
      { numRuns: 50 },
    );
  });

  // Of thousands of random worlds one has it.
  test.each([
    ['a refund', notified({ notifyType: 'REFUND_RESULT', ...REFUNDED, paymentId: 'P1', refundId: 'F1' })],
    ['another answer', answered({ ...REFUNDED, paymentId: 'P1', transactions: [REFUND] })],
  ])('holds an unreadable answer by the refund that it legibly states, and %s too', (_, stated) => {
    const received = [stated, answered({ ...REFUNDED, paymentId: null, transactions: [REFUND] })];
    const orders = deriveOrders({ received, registrations: [], rules: RULES }).map(toTold);
    expect(orders).toMatchObject([{ paymentId: 'P1', refunds: [{ refundId: 'F1' }] }]);
    expect(orders[0]?.attention).toContainEqual({ code: 'UNREADABLE_NOTIFICATION', settled: false });
    expect(tellOrders({ received, registrations: [], rules: RULES })).toEqual(orders);
  });

  test('is the same in all permutations of up to six notifications', () => {
    fc.assert(
      fc.property(worlds({ least: 3, most: 6, registrations: 2 }), ({ received, registrations }) => {
        const current = standing(registrations);
        const orders = deriveOrders({ received, registrations: current, rules: RULES });
        const differing = permutations(received).filter(
          (permutation) =>
            !isDeepStrictEqual(deriveOrders({ received: permutation, registrations: current, rules: RULES }), orders),
        );
        expect(differing).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });
});

describe('PostgreSQL', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  describeLaw4(
    'PostgreSQL',
    async (inForce) => await openPostgres({ url: await server.createDatabase(), rules: inForce }),
  );
});

describe('SQLite', () => {
  let directory: string;
  let opened = 0;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'paynotify-law-4-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  describeLaw4('SQLite', async (inForce) => {
    opened += 1;
    return (await openSqlite({ file: join(directory, `${opened}.db`), rules: inForce })).own;
  });
});
