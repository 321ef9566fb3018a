export interface Schedule {
  /** Does it after so many seconds, divided by the speed of this moment. */
  readonly later: (seconds: number, work: () => void) => void;
  /** How many are still to be done within an hour, before it is divided. */
  readonly pending: () => number;
  /** What is still to be done is not. */
  readonly stop: () => void;
}

const SECOND = 1_000;
const HOUR = 3_600;
/** Node's timers wait no longer. */
const LONGEST_MS = 2 ** 31 - 1;

export const createSchedule = (speed: () => number): Schedule => {
  const timers = new Map<NodeJS.Timeout, number>();
  return {
    later: (seconds, work) => {
      const timer = setTimeout(
        () => {
          timers.delete(timer);
          work();
        },
        Math.min(LONGEST_MS, (seconds * SECOND) / speed()),
      );
      timers.set(timer, seconds);
    },
    pending: () => [...timers.values()].filter((seconds) => seconds <= HOUR).length,
    stop: () => {
      for (const timer of timers.keys()) clearTimeout(timer);
      timers.clear();
    },
  };
};
