import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createReadiness, type ReadinessProbe } from '../../src/http/readiness.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { eventually } from '../support/client.ts';
import { fileIn, holdWriteLock, makeDirectory, removeDirectory } from '../support/receiver.ts';

const directory = makeDirectory();
const RULES = { captureRequired: 'always', captureMode: 'AUTOMATIC', production: false } as const;
let store: Store;

beforeAll(async () => {
  store = await openSqlite({ file: fileIn(directory), rules: RULES });
});

afterAll(async () => {
  await store.close();
  removeDirectory(directory);
});

const whileProbing = async (
  situation: { readonly store: () => Store | null; readonly isQueueFull: () => boolean },
  look: (probe: ReadinessProbe, problems: readonly unknown[]) => Promise<void>,
): Promise<void> => {
  const problems: unknown[] = [];
  const probe = createReadiness({ ...situation, onProblem: (problem) => problems.push(problem) });
  try {
    await look(probe, problems);
  } finally {
    probe.stop();
  }
};

test('is starting until the store is open, then ready', async () => {
  let opened: Store | null = null;
  await whileProbing({ store: () => opened, isQueueFull: () => false }, async (probe) => {
    expect(probe.state()).toBe('starting');
    opened = store;
    expect(probe.state()).toBe('ready');
  });
});

test('is not ready while the queue is full, and ready when it is not', async () => {
  let full = true;
  await whileProbing({ store: () => store, isQueueFull: () => full }, async (probe) => {
    expect(probe.state()).toBe('queue full');
    full = false;
    expect(probe.state()).toBe('ready');
  });
});

test('is draining once it drains, whatever else holds', async () => {
  await whileProbing({ store: () => store, isQueueFull: () => true }, async (probe) => {
    expect(probe.isDraining()).toBe(false);
    probe.drain();
    expect([probe.state(), probe.isDraining()]).toEqual(['draining', true]);
  });
});

test('notices a store that is locked: slow first, then unavailable, and ready again when the lock is gone', async () => {
  const lock = holdWriteLock(directory);
  await whileProbing({ store: () => store, isQueueFull: () => false }, async (probe, problems) => {
    const seen: string[] = [];
    const look = (): string => {
      const state = probe.state();
      if (seen.at(-1) !== state) seen.push(state);
      return state;
    };
    await eventually('unavailable', look, (state) => state === 'store unavailable');
    lock.release();
    await eventually('ready', look, (state) => state === 'ready');
    expect(seen.slice(0, 3)).toEqual(['ready', 'store slow', 'store unavailable']);
    expect(problems).toHaveLength(1);
  });
});
