import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Order } from '../../src/order/order.ts';
import { FOLDED_ABOVE } from '../../src/order/fold.ts';
import { toRecordEntry } from '../../src/store/entries.ts';
import { createReads, createWrites } from '../../src/store/operations.ts';
import { openForWriting } from '../../src/store/sqlite/connect.ts';
import { createDatabase as createSqlite } from '../../src/store/sqlite/database.ts';
import { hostsOf, migratePostgres, sessionFor } from '../../src/store/postgres/connect.ts';
import { createConnections } from '../../src/store/postgres/connections.ts';
import { createDatabase as createPostgres } from '../../src/store/postgres/transaction.ts';
import type { Database, Transaction } from '../../src/store/transaction.ts';
import { deriveOrders } from '../order/core.ts';
import { amount, captureResult, CLIENT, type Fields, jpy, paymentPending, paymentResult } from '../support/facts.ts';
import { startServer, type TestServer } from '../support/postgres.ts';
import { ANY_ORDER, AMPLE, delivery, registration, RULES } from './support.ts';

/** A database in this thread, and how to close it. */
interface Opened {
  readonly database: Database;
  readonly close: () => Promise<void>;
}

const captureNumber = (number: number, fields: Fields = {}): Fields =>
  captureResult('S', { captureId: `C${number}`, captureRequestId: `Q${number}`, captureAmount: jpy('10'), ...fields });
const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);
const captures = (from: number, to: number): readonly Fields[] =>
  numbers(from, to).map((number) => captureNumber(number));

/** Stores one batch, as the service does. */
const store = async (database: Database, bodies: readonly Fields[], clientId = CLIENT): Promise<void> => {
  const entries = bodies.map((body) => toRecordEntry(delivery(body, { clientId })));
  const { results } = await createWrites(database, RULES).record(entries, AMPLE);
  expect(results).toHaveLength(bodies.length);
};

/** How many orders a rebuild changes: none where what is stored of each is a function of its notifications. */
const rebuilt = async (database: Database): Promise<number> =>
  (await createWrites(database, RULES).rebuild({ limit: 1_000, cursor: null }, new Date())).changed;

const foldOf = async ({ query }: Database, clientId = CLIENT): Promise<{ readonly count: number } | null> => {
  const [row] = await query<{ fold: string | null }>(
    `select fold from orders where client_id = $1 and order_key = 'P1'`,
    [clientId],
  );
  return row === undefined || row.fold === null ? null : (JSON.parse(row.fold) as { count: number });
};

/** How long the text is that each new capture of it writes again. */
const bytesOf = async ({ query }: Database, clientId: string): Promise<number> => {
  const [row] = await query<{ text: string }>(`select fold || content as text from orders where client_id = $1`, [
    clientId,
  ]);
  return row?.text.length ?? 0;
};

/** What is wrong with the rows of orders. */
const flawsOf = async (database: Database): Promise<readonly string[]> => {
  const { items } = await createReads(database, RULES).check('orders', { limit: 1_000, cursor: null });
  return items.flatMap(({ flaws }) => flaws.map(({ problem }) => problem));
};

/** By which orders are found. */
const columnsOf = async ({ query }: Database): Promise<readonly unknown[]> => {
  const rows = await query<{ order_key: string; status: string; attention: string }>(
    'select order_key, status, attention from orders order by order_key',
  );
  return rows.map((row) => [row.order_key, row.status, row.attention]);
};

/** What may happen to one payment beside a plain capture. Numbers name captures that the payment has, or may have. */
const events = (number: number): fc.Arbitrary<Fields> =>
  fc.constantFrom(
    captureNumber(number, { result: { resultStatus: 'U' } }),
    captureNumber(number, { result: { resultStatus: 'F', resultCode: 'PARAM_ILLEGAL' } }),
    captureNumber(number, {
      result: { resultStatus: 'F', resultCode: 'AUTH_EXPIRED' },
      captureTime: '2025-06-01T00:00:00Z',
    }),
    captureNumber(number, { captureTime: '2025-07-01T00:00:00Z' }),
    captureNumber(number, { captureAmount: jpy('11') }),
    captureNumber(number, { captureAmount: jpy('0') }),
    captureNumber(number, { captureAmount: amount('EUR', '10') }),
    captureNumber(number, { captureAmount: undefined }),
    captureNumber(number, { captureRequestId: undefined }),
    captureNumber(number, { captureId: undefined }),
    captureNumber(number, { captureRequestId: `Q${number + 1}` }),
    captureNumber(number, { captureAmount: 'ten' }),
    captureNumber(number, { paymentId: 'P2' }),
    captureNumber(number, { acquirerReferenceNo: 'another' }),
    paymentResult('S', { paymentAmount: jpy('500') }),
    paymentResult('F'),
    paymentResult('S', { paymentId: 'P2', paymentAmount: jpy('500') }),
    paymentPending({ paymentAmount: jpy('500'), paymentRequestId: 'R2' }),
  );

const many = FOLDED_ABOVE + 12;

/** Most of it in one batch, then little by little; what is odd falls anywhere. */
const arrivals: fc.Arbitrary<readonly (readonly Fields[])[]> = fc
  .array(fc.nat({ max: many }).chain(events), { maxLength: 5 })
  .chain((odd) => {
    const bodies = [...captures(0, many), ...odd];
    return fc.tuple(
      fc.shuffledSubarray(bodies, { minLength: bodies.length }),
      fc.integer({ min: FOLDED_ABOVE, max: many }),
      fc.integer({ min: 1, max: 3 }),
    );
  })
  .map(([bodies, first, size]) => {
    const batches = [bodies.slice(0, first)];
    for (let from = first; from < bodies.length; from += size) batches.push(bodies.slice(from, from + size));
    return batches;
  });

const codesOf = (order: Pick<Order, 'attention'> | undefined): readonly string[] | undefined =>
  order?.attention.map(({ code }) => code);

const describeFold = (name: string, open: () => Promise<Opened>): void => {
  describe(`an order of many captures (${name})`, () => {
    let opened: Opened;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(async () => await opened.close());

    test('is kept as all that is stored says, whatever else happens to it, batch by batch', async () => {
      let world = 0;
      await fc.assert(
        fc.asyncProperty(arrivals, async (batches) => {
          world += 1;
          const clientId = `${CLIENT}_${name}_${world}`;
          for (const batch of batches) {
            await store(opened.database, batch, clientId);
            expect(await rebuilt(opened.database)).toBe(0);
          }
          const received = batches.flat().map((body) => ({ clientId, body: JSON.stringify(body) }));
          const told = deriveOrders({ received, registrations: [], rules: RULES });
          const reads = createReads(opened.database, RULES);
          const { items: shown } = await reads.followOrders({ clientId, limit: 9, cursor: null });
          expect(shown).toHaveLength(told.length);
          for (const order of told) {
            const { status, paymentId } = order;
            const [found] = await reads.findOrders({ clientId: clientId, id: paymentId ?? '' });
            expect(found).toMatchObject({ status, captures: order.captures });
            expect(codesOf(found)).toEqual(codesOf(order));
            expect(shown).toContainEqual(found);
          }
          expect(await flawsOf(opened.database)).toEqual([]);
          expect(await columnsOf(opened.database)).toEqual(
            told.map(({ paymentId, status, attention }) => [
              paymentId,
              status,
              attention.map(({ code }) => ` ${code} `).join(''),
            ]),
          );
          await opened.database.transact([], async ({ query }) => {
            for (const table of ['orders', 'folded_captures', 'identifiers', 'notifications'])
              await query(`delete from ${table}`);
          });
        }),
        { numRuns: 12, interruptAfterTimeLimit: 60_000 },
      );
    });

    test('is folded, and unfolded by what contradicts a folded capture', async () => {
      const clientId = `${CLIENT}_unfolded`;
      const { database } = opened;
      await store(
        database,
        [paymentResult('S', { paymentAmount: jpy('1000') }), ...captures(0, FOLDED_ABOVE)],
        clientId,
      );
      expect(await foldOf(database, clientId)).toBeNull();
      await store(database, [captureNumber(FOLDED_ABOVE)], clientId);
      expect(await foldOf(database, clientId)).toMatchObject({ count: FOLDED_ABOVE + 1 });
      await store(database, [captureNumber(3, { result: { resultStatus: 'F' } })], clientId);
      expect(await foldOf(database, clientId)).toBeNull();
      const [order] = await createReads(database, RULES).findOrders({ clientId: clientId, id: 'P1' });
      expect(order?.attention.map(({ code }) => code)).toContain('CONTRADICTORY_RESULT');
      await store(database, captures(FOLDED_ABOVE + 1, FOLDED_ABOVE + 9), clientId);
      expect(await foldOf(database, clientId)).toMatchObject({ count: FOLDED_ABOVE + 8 });
      await store(database, [captureNumber(7, { paymentId: 'P2' })], clientId);
      expect(await foldOf(database, clientId)).toBeNull();
      expect(await rebuilt(database)).toBe(0);
    });

    test('is unfolded by a new capture that another payment has', async () => {
      const clientId = `${CLIENT}_shared`;
      const { database } = opened;
      await store(database, [captureNumber(99, { paymentId: 'P2' }), ...captures(0, 40)], clientId);
      expect(await foldOf(database, clientId)).not.toBeNull();
      await store(database, [captureNumber(99)], clientId);
      expect(await foldOf(database, clientId)).toBeNull();
      expect(await rebuilt(database)).toBe(0);
    });

    test('takes a registration, and a change to what is folded', async () => {
      const clientId = `${CLIENT}_registered`;
      const { database } = opened;
      await store(database, [paymentResult('S', { paymentAmount: jpy('400') }), ...captures(0, 40)], clientId);
      const columns = { ...registration({ clientId }), amount: jpy('399') as { currency: string; value: string } };
      await createWrites(database, RULES).register(columns, { replace: false, now: new Date() });
      const listed = async (attention: 'AMOUNT_MISMATCH' | 'OVER_CAPTURED') =>
        (
          await createReads(database, RULES).listOrders(
            { ...ANY_ORDER, status: 'CAPTURED', attention },
            { limit: 5, cursor: null },
          )
        ).items.length;
      expect([await listed('AMOUNT_MISMATCH'), await listed('OVER_CAPTURED')]).toEqual([1, 0]);
      await store(database, [captureNumber(40, { captureAmount: jpy('1') })], clientId);
      expect(await listed('OVER_CAPTURED')).toBe(1);
    });

    test('is repaired by a rebuild; a fold of other rules is made again by the next capture', async () => {
      const clientId = `${CLIENT}_repaired`;
      const { database } = opened;
      await store(database, [paymentResult('S', { paymentAmount: jpy('400') }), ...captures(0, 40)], clientId);
      const spoil = async (from: string, to: string): Promise<void> => {
        const statement = 'update orders set fold = replace(fold, $2, $3) where client_id = $1 returning fold';
        const [row] = await database.transact([], async ({ query }) => {
          return await query<{ fold: string }>(statement, [clientId, from, to]);
        });
        expect(row?.fold).toContain(to);
      };
      await spoil('"400"', '"401"');
      expect(await rebuilt(database)).toBe(1);
      expect(await rebuilt(database)).toBe(0);
      await spoil('"400"', '"401"');
      await spoil('"derivation":', '"derivation":1');
      await store(database, [captureNumber(40)], clientId);
      expect(await rebuilt(database)).toBe(0);
      await spoil('{', '[');
      await store(database, [captureNumber(41)], clientId);
      expect(await rebuilt(database)).toBe(0);
    });

    test('shows its captures where it is listed, whatever became of their rows, once it is rebuilt', async () => {
      const clientId = `${CLIENT}_listed`;
      const { database } = opened;
      const reads = createReads(database, RULES);
      const shown = async (): Promise<Order | undefined> =>
        (await reads.followOrders({ clientId, limit: 9, cursor: null })).items.find(
          ({ paymentId }) => paymentId === 'P1',
        );
      const told = async (): Promise<Order | undefined> => (await reads.findOrders({ clientId, id: 'P1' }))[0];
      const odd = captureNumber(50, { captureId: 'B', captureRequestId: undefined });
      await store(database, [paymentResult('S', { paymentAmount: jpy('500') }), odd, ...captures(0, 40)], clientId);
      await store(database, [captureNumber(40), captureNumber(41, { result: { resultStatus: 'U' } })], clientId);
      expect(await shown()).toEqual(await told());
      expect((await shown())?.captures).toHaveLength(43);
      const { revision = 0 } = (await shown()) ?? {};
      for (const spoil of [
        `delete from folded_captures where client_id = $1 and capture_id = 'C7'`,
        `update folded_captures set capture_id = 'C99' where client_id = $1 and capture_id = 'C7'`,
        `update folded_captures set content = replace(content, '10', '11') where client_id = $1 and capture_id = 'C7'`,
      ]) {
        await database.transact([], async ({ query }) => await query(spoil, [clientId]));
        expect(await flawsOf(database)).toHaveLength(1);
        expect(await rebuilt(database)).toBe(1);
        expect(await flawsOf(database)).toEqual([]);
        expect(await shown()).toEqual(await told());
      }
      expect((await shown())?.revision).toBeGreaterThan(revision);
      await store(database, [captureNumber(3, { result: { resultStatus: 'F' } })], clientId);
      expect(await shown()).toEqual(await told());
      await store(database, [captureNumber(4, { paymentId: 'P2' })], clientId);
      expect(await shown()).toEqual(await told());
      const rows = await database.query('select 1 from folded_captures where client_id = $1', [clientId]);
      expect(rows).toHaveLength(0);
    });

    test('costs as much for the thousandth capture as for the fiftieth: rows read, and what is kept of them', async () => {
      const { counting, rows } = countRows(opened.database);
      const clientId = `${CLIENT}_counted`;
      const costOf = async (number: number): Promise<{ readonly rows: number; readonly bytes: number }> => {
        const before = rows();
        await store(counting, [captureNumber(number)], clientId);
        return { rows: rows() - before, bytes: await bytesOf(counting, clientId) };
      };
      await store(counting, [paymentResult('S', { paymentAmount: jpy('100000') }), ...captures(0, 49)], clientId);
      const fiftieth = await costOf(49);
      for (const from of numbers(0, 19)) await store(counting, captures(50 * (from + 1), 50 * (from + 2)), clientId);
      const thousandth = await costOf(1_000);
      expect(fiftieth.rows).toBeGreaterThan(1);
      expect(fiftieth.rows).toBeLessThan(8);
      expect(thousandth.rows).toBe(fiftieth.rows);
      expect(thousandth.bytes).toBeLessThan(fiftieth.bytes + 20);
      const [order] = await createReads(counting, RULES).findOrders({ clientId: clientId, id: 'P1' });
      expect(order?.captures).toHaveLength(1_001);
      expect(await rebuilt(counting)).toBe(0);
    });
  });
};

/** Counts the rows that transactions read: notifications of orders, and what their own statements return. */
const countRows = (database: Database): { readonly counting: Database; readonly rows: () => number } => {
  let rows = 0;
  const counted = (transaction: Transaction): Transaction => ({
    ...transaction,
    query: async <Row extends object>(...call: Parameters<Transaction['query']>) => {
      const found = await transaction.query<Row>(...call);
      rows += found.length;
      return found;
    },
    evidence: async (...call) => {
      const found = await transaction.evidence(...call);
      rows += found.reduce((sum, { notifications }) => sum + notifications.length, 0);
      return found;
    },
  });
  const transact: Database['transact'] = async (locks, work) =>
    await database.transact(locks, async (transaction) => await work(counted(transaction)));
  return { counting: { ...database, transact }, rows: () => rows };
};

describe('SQLite', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'paynotify-fold-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  describeFold('SQLite', async () => {
    const { db, watch } = openForWriting(join(directory, 'paynotify.db'), { create: true });
    return await Promise.resolve({
      database: createSqlite(db, watch),
      close: async () => await Promise.resolve(db.close()),
    });
  });
});

describe('PostgreSQL', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  describeFold('PostgreSQL', async () => {
    const url = await server.createDatabase();
    await migratePostgres(url, false);
    const hosts = hostsOf(url);
    const session = sessionFor(hosts, { statementTimeoutMs: 10_000, allowUnsafe: false, readOnly: false });
    const connections = createConnections({ hosts, session, poolSize: 2 });
    return { database: createPostgres(connections, 10_000), close: connections.close };
  });
});
