import { afterAll, describe, expect, test } from '@jest/globals';
import { stopSharedServer } from '../faults/stores.ts';
import { endPrograms, removeDirectories } from '../support/receiver.ts';
import { WITH_COMPILER } from '../faults/campaigns.ts';
import { disk, reached } from '../faults/disk.ts';
import { power } from '../faults/power.ts';
import { runShort } from '../faults/run.ts';

afterAll(async () => {
  await endPrograms();
  await stopSharedServer();
  removeDirectories();
});

/** Three rounds with a call that fails once, and one with a disk that is full. */
const DISK_SEED = 4;

describe('with a library that is preloaded (apt-get install gcc libc6-dev)', () => {
  test.each(WITH_COMPILER.filter((campaign) => campaign !== power))(
    'a short campaign: $name',
    async (campaign) => {
      expect(await runShort(campaign, campaign === disk ? DISK_SEED : 1)).toMatch(/: nothing broke$/);
    },
    600_000,
  );

  test('the calls that were to fail were made, but for some at the end', () => {
    expect(reached.failed).toBeGreaterThan(3 * reached.notReached);
  });
});
