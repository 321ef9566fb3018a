import { afterAll, expect, test } from '@jest/globals';
import { endPrograms, removeDirectories } from '../support/receiver.ts';
import { antom, tally } from './antom.ts';
import { runRounds } from './run.ts';

afterAll(async () => {
  await endPrograms();
  removeDirectories();
});

test('a short campaign: antom', async () => {
  const said: string[] = [];
  await runRounds(antom, { seed: 1, rounds: antom.short, say: (line) => void said.push(line) });
  expect(said.at(-1)).toMatch(/: nothing broke$/);
  // It was no quiet day: notifications were lost, a service was killed, money was moved, and parcels were packed.
  expect(Math.min(tally.lost, tally.moves, tally.shipped)).toBeGreaterThan(10);
  expect(tally.killed).toBeGreaterThan(0);
  expect(tally.verified).toBeGreaterThan(tally.payments);
});
