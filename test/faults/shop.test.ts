import { afterAll, expect, test } from '@jest/globals';
import { endPrograms, removeDirectories } from '../support/receiver.ts';
import { runShort } from './run.ts';
import { shop, tally } from './shop.ts';

afterAll(async () => {
  await endPrograms();
  removeDirectories();
});

test('a short campaign: shop', async () => {
  // One round on SQLite, and one on PostgreSQL.
  expect(await runShort(shop, 5)).toMatch(/: nothing broke$/);
  // Both ways were taken: parcels were packed, and the shop took callbacks.
  expect(tally.shipped).toBeGreaterThan(shop.short);
  expect(tally.callbacks).toBeGreaterThan(shop.short);
});
