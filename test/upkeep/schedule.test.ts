import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { Store } from '../../src/store/store.ts';
import { createSchedule } from '../../src/upkeep/schedule.ts';
import { ownStore } from './support.ts';

const own = ownStore();

const scheduling = (changed: Partial<Store> = {}) => {
  const failed: string[] = [];
  const at = { isStopping: false };
  const { schedule, underWay } = createSchedule({
    store: { ...own(), ...changed },
    report: { failed: (task, error) => void failed.push(`${task}: ${String(error)}`) },
    isStopping: () => at.isStopping,
  });
  return { schedule, underWay, failed, at };
};

describe('background tasks', () => {
  test('are done one after another, and all of them are waited for', async () => {
    const { schedule, underWay } = scheduling();
    const done: string[] = [];
    schedule('slow', async () => {
      await turn();
      done.push('slow');
    });
    schedule('quick', async () => void done.push('quick'));
    await underWay();
    expect(done).toEqual(['slow', 'quick']);
  });

  test('that fail are told, and the next one is done all the same; nothing is told or begun while it stops', async () => {
    const { schedule, underWay, failed, at } = scheduling();
    const done: string[] = [];
    schedule('a', async () => {
      throw new Error('full');
    });
    schedule('b', async () => void done.push('b'));
    schedule('c', async () => {
      at.isStopping = true;
      throw new Error('closed');
    });
    schedule('d', async () => void done.push('d'));
    await underWay();
    expect([done, failed]).toEqual([['b'], ['a: Error: full']]);
  });

  test('that another replica is at are tried again until it is not', async () => {
    let tries = 0;
    const exclusively: Store['exclusively'] = async (task, work) =>
      (tries += 1) < 3 ? null : await own().exclusively(task, work);
    const { schedule, underWay } = scheduling({ exclusively });
    const done: string[] = [];
    schedule('a', async () => void done.push('a'));
    await underWay();
    expect([tries, done]).toEqual([3, ['a']]);
  });
});
