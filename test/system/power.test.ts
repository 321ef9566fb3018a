import { afterAll, describe, expect, test } from '@jest/globals';
import { removeDirectories, endPrograms } from '../support/receiver.ts';
import { play, power, record } from '../faults/power.ts';
import { createRandom } from '../faults/random.ts';
import { runShort } from '../faults/run.ts';
import { stopSharedServer } from '../faults/stores.ts';

afterAll(async () => {
  await endPrograms();
  await stopSharedServer();
  removeDirectories();
});

/** Beside the other campaigns, for together they are the longest of all. */
describe('with a library that is preloaded (apt-get install gcc libc6-dev)', () => {
  test('a short campaign: power', async () => {
    expect(await runShort(power)).toMatch(/: nothing broke$/);
  }, 600_000);

  test('a disk that says it has synced, and has not, is found out', async () => {
    const random = createRandom(1);
    const lying = play(await record(random), { random, points: 100, ignoresSyncs: true });
    await expect(lying).rejects.toThrow(/^power cut before operation \d+ of \d+ .*: /);
  });
});
