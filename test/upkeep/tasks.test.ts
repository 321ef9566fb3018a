import { expect, jest, test } from '@jest/globals';
import { handlers } from '../../src/handlers/index.ts';
import type { Store } from '../../src/store/store.ts';
import { startUpkeep } from '../../src/upkeep/upkeep.ts';
import { eventually } from '../support/client.ts';
import { RULES } from '../support/rules.ts';
import { ownStore, UNREPORTED } from './support.ts';

const own = ownStore('setInterval', 'clearInterval');
const MINUTE = 60_000;

/** The tasks of a service, by their names, as they begin; the one that is `held` does so when it is let go. */
const begin = (held = '') => {
  const tasks: string[] = [];
  const failed: unknown[] = [];
  const { promise: isLetGo, resolve: letGo } = Promise.withResolvers<void>();
  const exclusively: Store['exclusively'] = async (task, work) => {
    tasks.push(task);
    if (task === held) await isLetGo;
    return await own().exclusively(task, work);
  };
  const upkeep = startUpkeep({
    store: { ...own(), exclusively },
    handlers,
    rules: RULES,
    retention: { retentionDays: null, unverifiedRetentionDays: 90 },
    report: {
      ...UNREPORTED,
      failed: (_task, error) => void failed.push(error),
    },
  });
  const begun = async (...names: readonly string[]): Promise<void> => {
    await eventually(
      names.join(', '),
      () => [...new Set(tasks)].sort(),
      (now) => now.join() === names.join(),
    );
    tasks.length = 0;
  };
  return { upkeep, tasks, failed, letGo, begun };
};

test('what goes on in the background begins at the start, comes again in its time, and ends', async () => {
  const { upkeep, tasks, failed, begun } = begin();
  await begun('in force', 'rebuild', 'redrive', 'retention', 'sweep');
  jest.advanceTimersByTime(MINUTE);
  await begun('sweep', 'verify again');
  jest.advanceTimersByTime(4 * MINUTE);
  const every5Minutes = ['change feed', 'in force', 'payment methods', 'rebuild', 'redrive', 'silence'];
  await begun(...every5Minutes, 'sweep', 'verify again');
  jest.advanceTimersByTime(55 * MINUTE);
  await eventually(
    'removal',
    () => tasks,
    (names) => names.includes('retention'),
  );
  await upkeep.stop();
  expect([failed, jest.getTimerCount()]).toEqual([[], 0]);
});

test('what is due waits for no other task, and removal waits for all of them', async () => {
  const { upkeep, tasks, letGo, begun } = begin('rebuild');
  await begun('in force', 'rebuild', 'sweep');
  jest.advanceTimersByTime(5 * MINUTE);
  await begun('in force', 'sweep');
  letGo();
  await eventually(
    'removal',
    () => tasks,
    (names) => names.includes('retention'),
  );
  await upkeep.stop();
});

test('a service that stops ends the task under way, and begins none of those that wait', async () => {
  const { upkeep, tasks, letGo, begun } = begin('rebuild');
  await begun('in force', 'rebuild', 'sweep');
  const stopped = upkeep.stop();
  letGo();
  await stopped;
  expect(tasks).toEqual([]);
});
