import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openOnAny } from '../../src/store/postgres/session.ts';
import { readUrl } from '../../src/store/postgres/url.ts';
import { evidence } from '../../src/store/postgres/evidence.ts';
import { openPostgres } from '../../src/store/postgres/postgres-store.ts';
import type { Extent, Query } from '../../src/store/transaction.ts';
import { notificationsOfPayment } from '../support/facts.ts';
import { startServer, type TestServer } from '../support/postgres.ts';
import { record, RULES } from './support.ts';

/** Plans of hot statements are kept: one made while nothing is known about a table must do for any size of it. */
describe('the plan by which orders are read, before PostgreSQL knows anything about the tables', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  test.each<[Extent]>([['all'], ['unless folded'], ['given']])(
    '%s: each row is looked up by its key',
    async (extent) => {
      const url = await server.createDatabase();
      const store = await openPostgres({ url, rules: RULES });
      await record(store, ...Array.from({ length: 60 }, (_, number) => notificationsOfPayment(number)).flat());
      await store.close();
      const session = { statementTimeoutMs: null, allowUnsafe: false, readOnly: false, connectTimeoutMs: 3_000 };
      let plan = '';
      await openOnAny(readUrl(url), session, async (client) => {
        await client.query('set plan_cache_mode = force_generic_plan');
        const explain: Query = async (sql, values = []) => {
          await client.query(`prepare read_orders (text, text) as ${sql}`);
          const literals = values.map((value) => `'${String(value)}'`).join(', ');
          const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain execute read_orders (${literals})`);
          plan = rows.map((row) => row['QUERY PLAN']).join('\n');
          return [];
        };
        await evidence(explain)({ keys: [], links: [] }, extent);
      });
      expect(plan).toMatch(/notifications_by_position/);
      expect(plan).not.toMatch(/BitmapAnd|Seq Scan on (notifications|identifiers|orders|shop_statements|moves)/);
      // The client alone says too little: each condition holds what tells rows apart as well.
      const conditions = plan.match(/Index Cond: .*/g) ?? [];
      expect(conditions.length).toBeGreaterThan(3);
      for (const condition of conditions)
        expect(condition).toMatch(/position"|value|order_key|payment_id|target|id = /);
    },
  );
});
