import { afterAll, test } from '@jest/globals';
import { endPrograms, removeDirectories } from '../support/receiver.ts';
import { attack } from '../faults/attack.ts';

afterAll(async () => {
  await endPrograms();
  removeDirectories();
});

/** It needs HAProxy and nginx: each of three seeds in a row has another of them in front, or nothing. */
test.each(Array.from({ length: attack.short }, (_, index) => index + 1))(
  'a short campaign of attacks: seed %i',
  async (seed) => await attack.round(seed, 'part'),
  300_000,
);
