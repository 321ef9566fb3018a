import { jest } from '@jest/globals';

export interface Clock {
  readonly pass: (milliseconds: number) => void;
}

/**
 * From now on the monotonic clock moves only as the test says, however slow the machine is; `jest.restoreAllMocks` lets
 * it go again.
 */
export const stopClock = (): Clock => {
  // Whole milliseconds, so that sums are exact.
  let now = Math.ceil(performance.now());
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  return {
    pass: (milliseconds) => {
      now += milliseconds;
    },
  };
};

export type Timer = 'setInterval' | 'clearInterval' | 'setTimeout' | 'clearTimeout';
const REAL = ['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const;
const TIMERS: readonly Timer[] = ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'];

/** Only these timers are the test's to advance: the store goes by the real clock. */
export const fakeTimers = (...faked: readonly Timer[]): void =>
  void jest.useFakeTimers({ doNotFake: [...REAL, ...TIMERS.filter((timer) => !faked.includes(timer))] });
