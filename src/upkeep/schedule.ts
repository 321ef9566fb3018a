import { setTimeout as pause } from 'node:timers/promises';
import type { Store } from '../store/store.ts';

/** When another replica is at the same task. */
const ANOTHER_TRY_AFTER_MS = 2_000;

interface Scheduling {
  readonly store: Store;
  readonly report: { readonly failed: (task: string, error: unknown) => void };
  readonly isStopping: () => boolean;
}

export interface Schedule {
  readonly schedule: (task: string, work: () => Promise<void>) => void;
  /** All that has been scheduled. */
  readonly underWay: () => Promise<void>;
}

/** One task after another; a task that fails is reported, and tried again on its next occasion. */
export const createSchedule = ({ store, report, isStopping }: Scheduling): Schedule => {
  let underWay: Promise<void> = Promise.resolve();
  /** Each replica has its turn: what this one would do, the other may do with other keys. */
  const attempt = async (task: string, work: () => Promise<void>): Promise<void> => {
    try {
      while (!isStopping() && (await store.exclusively(task, async () => (await work(), true))) === null) {
        await pause(ANOTHER_TRY_AFTER_MS, undefined, { ref: false });
      }
    } catch (error) {
      if (!isStopping()) report.failed(task, error);
    }
  };
  return {
    schedule: (task, work) => {
      const previous = underWay;
      underWay = (async () => {
        await previous;
        await attempt(task, work);
      })();
    },
    underWay: () => underWay,
  };
};
