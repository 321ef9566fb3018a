import { setImmediate as turn } from 'node:timers/promises';
import { expect, jest, test } from '@jest/globals';
import type { Store } from '../../src/store/store.ts';
import { startRemoval } from '../../src/upkeep/retention.ts';
import { eventually } from '../support/client.ts';
import { ownStore } from './support.ts';

const own = ownStore('setInterval', 'clearInterval');
const HOUR = 3_600_000;

/** What is done, in its order; the other tasks are done when they are said to be. */
const begin = (changed: Partial<Store> = {}) => {
  const at = { isStopping: false };
  const [done, failed]: [string[], unknown[]] = [[], []];
  const { promise: othersDone, resolve: endOthers } = Promise.withResolvers<void>();
  const store: Store = {
    ...own(),
    removeUnverified: async (...values) => {
      done.push('remove');
      return await own().removeUnverified(...values);
    },
    ...changed,
  };
  const removal = startRemoval({
    store,
    rules: { retentionDays: null, unverifiedRetentionDays: 1 },
    isStopping: () => at.isStopping,
    report: { removed: () => undefined, failed: (_task, error) => void failed.push(error) },
    before: async () => {
      done.push('before');
      await othersDone;
    },
  });
  return { at, done, failed, removal, endOthers };
};

test('removal waits for the other tasks, and for the one before', async () => {
  const { done, removal, endOthers } = begin();
  jest.advanceTimersByTime(HOUR);
  await turn();
  expect(done).toEqual(['before']);
  endOthers();
  await removal.stop();
  expect(done).toEqual(['before', 'remove', 'before', 'remove']);
  expect(jest.getTimerCount()).toBe(0);
});

test('where another replica is at it nothing is removed', async () => {
  const { done, failed, removal, endOthers } = begin({ exclusively: async () => null });
  endOthers();
  await removal.stop();
  expect([done, failed]).toEqual([['before'], []]);
});

test('a failure is told, but not while it stops', async () => {
  const full = new Error('full');
  const failing = begin({
    removeUnverified: async () => {
      failing.done.push('remove');
      failing.at.isStopping = failing.done.length > 2;
      throw full;
    },
  });
  const { done, failed, removal, endOthers } = failing;
  endOthers();
  await eventually(
    'a failure',
    () => failed,
    ({ length }) => length === 1,
  );
  jest.advanceTimersByTime(HOUR);
  await removal.stop();
  expect([done, failed]).toEqual([['before', 'remove', 'before', 'remove'], [full]]);
});

test('it leaves off when the service stops, whatever is left', async () => {
  let left = 3;
  const stopping = begin({
    removeUnverified: async () => {
      stopping.at.isStopping = true;
      return left-- > 0 ? 1 : 0;
    },
  });
  stopping.endOthers();
  await stopping.removal.stop();
  expect(left).toBe(2);
});
