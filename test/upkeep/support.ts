import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, jest } from '@jest/globals';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import type { UpkeepOptions } from '../../src/upkeep/upkeep.ts';
import { fakeTimers, type Timer } from '../support/clock.ts';
import { RULES } from '../support/rules.ts';

const ignore = (): void => undefined;

/** For who is told of nothing, or only of what it names beside. */
export const UNREPORTED: UpkeepOptions['report'] = {
  rebuilt: ignore,
  ahead: ignore,
  redriven: ignore,
  moved: ignore,
  removed: ignore,
  method: ignore,
  silence: ignore,
  heldUp: ignore,
  diagnosed: ignore,
  alarmed: ignore,
  failed: ignore,
};

/** Each test has a store of its own, and advances these timers alone. */
export const ownStore = (...faked: readonly Timer[]): (() => Store) => {
  let directory = '';
  let store: Store | null = null;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'paynotify-'));
    store = (await openSqlite({ file: join(directory, 'paynotify.db'), rules: RULES })).own;
    fakeTimers(...faked);
  });
  afterEach(async () => {
    jest.useRealTimers();
    await store?.close();
    await rm(directory, { recursive: true });
  });
  return () => {
    if (store === null) throw new Error('there is a store in a test only');
    return store;
  };
};
