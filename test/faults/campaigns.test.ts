import { afterAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { endPrograms, removeDirectories } from '../support/receiver.ts';
import type { Campaign } from './campaign.ts';
import { CAMPAIGNS, PLAIN } from './campaigns.ts';
import { tally } from './crash.ts';
import { repetitionOf, runRounds, runShort } from './run.ts';
import { stopSharedServer } from './stores.ts';

afterAll(async () => {
  await endPrograms();
  await stopSharedServer();
  removeDirectories();
});

test.each(PLAIN)(
  'a short campaign: $name',
  async (campaign) => {
    expect(await runShort(campaign)).toMatch(/: nothing broke$/);
  },
  300_000,
);

test('the kills of the short campaign fell into the midst of work', () => {
  expect(tally.killed).toBeGreaterThan(tally.endedBefore);
  expect(tally.acknowledged).toBeGreaterThan(0);
  expect(tally.refusedOrCut).toBeGreaterThan(0);
});

test('docs/reliability.md has one row a campaign', () => {
  const page = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(rows).toHaveLength(CAMPAIGNS.length);
  expect(new Set(rows)).toEqual(new Set(CAMPAIGNS.map(({ name }) => name)));
});

test('a round that fails ends its campaign, says what broke, and how to repeat just that', async () => {
  const seeds: number[] = [];
  const breaking: Campaign = {
    name: 'breaking',
    short: 1,
    long: 1,
    round: async (seed) => {
      seeds.push(seed);
      if (seed === 12) throw new Error('twelve was lost');
    },
  };
  await expect(runRounds(breaking, { seed: 10, rounds: 5, say: () => {} })).rejects.toThrow(
    /twelve was lost[\s\S]*repeat it: npm run test:faults -- breaking --rounds 1 --seed 12\nbreaking: 3 of 5 rounds, seeds 10 to 12, \d+ s: the last one failed$/,
  );
  expect(seeds).toEqual([10, 11, 12]);
  expect(repetitionOf(breaking, 12)).toContain('--seed 12');
});
