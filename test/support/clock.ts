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
