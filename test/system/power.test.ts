import { afterAll, describe, expect, test } from '@jest/globals';
import { removeDirectories, endPrograms } from '../support/receiver.ts';
import { play, power, record } from '../faults/power.ts';
import { createRandom } from '../faults/random.ts';
import { runRounds } from '../faults/run.ts';
import { stopSharedServer } from '../faults/stores.ts';

afterAll(async () => {
  await endPrograms();
  await stopSharedServer();
  removeDirectories();
});

/** Beside the other campaigns, for together they are the longest of all. */
describe('with a library that is preloaded (apt-get install gcc libc6-dev)', () => {
  test('a short campaign: power', async () => {
    const said: string[] = [];
    await runRounds(power, { seed: 1, rounds: power.short, extent: 'part', say: (line) => void said.push(line) });
    expect(said.at(-1)).toMatch(/: nothing broke$/);
  }, 600_000);

  test('a disk that says it has synced, and has not, is found out', async () => {
    const random = createRandom(1);
    const lying = play(await record(random), { random, points: 100, ignoresSyncs: true });
    await expect(lying).rejects.toThrow(/^power cut before operation \d+ of \d+ .*: /);
  });
});
