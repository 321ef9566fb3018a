import { afterAll, expect, test } from '@jest/globals';
import { endPrograms, removeDirectories } from '../support/receiver.ts';
import { runRounds } from './run.ts';
import { shop, tally } from './shop.ts';

afterAll(async () => {
  await endPrograms();
  removeDirectories();
});

test('a short campaign: shop', async () => {
  const said: string[] = [];
  // One round on SQLite, and one on PostgreSQL.
  await runRounds(shop, { seed: 5, rounds: shop.short, extent: 'part', say: (line) => void said.push(line) });
  expect(said.at(-1)).toMatch(/: nothing broke$/);
  // Both ways were taken: parcels were packed, and the shop took callbacks.
  expect(tally.shipped).toBeGreaterThan(shop.short);
  expect(tally.callbacks).toBeGreaterThan(shop.short);
});
