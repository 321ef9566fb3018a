import { afterAll, expect, test } from '@jest/globals';
import { DatabaseSync } from 'node:sqlite';
import { measure } from '../../src/store/measure.ts';
import { createReadDatabase } from '../../src/store/sqlite/database.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import type { Query } from '../../src/store/transaction.ts';
import { fileIn, makeDirectory, removeDirectories } from '../support/receiver.ts';
import { AMPLE, RULES } from './support.ts';

afterAll(removeDirectories);

test('what is measured is counted along indexes, of which none leads to many rows', async () => {
  const file = fileIn(makeDirectory());
  const store = await openSqlite({ file, rules: RULES });
  const { disk, bytes } = await store.measure(AMPLE);
  expect(disk?.bytes).toBeGreaterThanOrEqual((disk?.freeBytes ?? 0) + bytes);
  await store.close();
  const db = new DatabaseSync(file);
  const database = createReadDatabase(db);
  const plans: string[] = [];
  const explaining =
    (query: Query): Query =>
    async (sql, values) => {
      const steps = db.prepare(`explain query plan ${sql}`).all();
      plans.push(...steps.map(({ detail }) => String(detail)).filter((detail) => /\borders\b/.test(detail)));
      return await query(sql, values);
    };
  await measure(
    {
      ...database,
      snapshot: async (work) =>
        await database.snapshot((snapshot) => work({ ...snapshot, query: explaining(snapshot.query) })),
    },
    AMPLE,
  );
  db.close();
  expect(plans).toHaveLength(5);
  // The first change that no callback has been made of: one row.
  expect(plans.filter((plan) => !/USING COVERING INDEX orders_/.test(plan))).toEqual([
    'SEARCH orders USING INDEX orders_by_position (position>?)',
  ]);
});
