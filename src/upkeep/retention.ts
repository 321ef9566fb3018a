import { setTimeout as pause } from 'node:timers/promises';
import type { Store } from '../store/store.ts';

/** How long things are kept. */
export interface RetentionRules {
  /** Raw bytes of notifications; null keeps them. */
  readonly retentionDays: number | null;
  readonly unverifiedRetentionDays: number;
}

export interface RetentionReport {
  /** How many have lost their bytes. */
  readonly notifications: number;
  readonly unverified: number;
}

const DAY_MS = 24 * 60 * 60_000;
/** Some tens of milliseconds of the write lock at a time. */
const AT_ONCE = 250;

/** What retention works with, and when to leave off. */
interface Work {
  readonly store: Pick<Store, 'removeRaw' | 'removeUnverified'>;
  readonly rules: RetentionRules;
  readonly isStopping?: () => boolean;
}

/** Removes what is older than it is to be kept, in short transactions between which others may write. */
export const removeOld = async (
  { store, rules, isStopping = () => false }: Work,
  now: Date,
): Promise<RetentionReport> => {
  const daysAgo = (days: number): Date => new Date(now.getTime() - days * DAY_MS);
  const { retentionDays, unverifiedRetentionDays } = rules;
  const unverified = await repeat(
    isStopping,
    async () => await store.removeUnverified(daysAgo(unverifiedRetentionDays), AT_ONCE),
  );
  if (retentionDays === null) return { notifications: 0, unverified };
  return {
    notifications: await repeat(isStopping, async () => await store.removeRaw(daysAgo(retentionDays), AT_ONCE)),
    unverified,
  };
};

/** Until nothing is left to remove; returns how much that was. */
const repeat = async (isStopping: () => boolean, remove: () => Promise<number>): Promise<number> => {
  let removed = 0;
  while (!isStopping()) {
    const began = performance.now();
    const some = await remove();
    if (some === 0) break;
    removed += some;
    // A waiting writer polls for the lock: leave it open as long as it was held.
    await pause(performance.now() - began);
  }
  return removed;
};

const REMOVE_EVERY_MS = 60 * 60_000;

interface Removal {
  readonly store: Store;
  readonly rules: RetentionRules;
  readonly report: {
    readonly removed: (report: RetentionReport) => void;
    readonly failed: (task: string, error: unknown) => void;
  };
  readonly isStopping: () => boolean;
  /** What has to be done first: an unverified request that verifies by now is not to be removed. */
  readonly before: () => Promise<void>;
}

/**
 * Removes what is old, at start and every hour. It waits for the other tasks, and none of them for it: the first
 * time there may be years to remove. Where another replica is at it nothing is left to do.
 */
export const startRemoval = ({
  store,
  rules,
  report,
  isStopping,
  before,
}: Removal): { readonly stop: () => Promise<void> } => {
  let underWay: Promise<void> = Promise.resolve();
  const removeOnce = async (): Promise<void> => {
    if (isStopping()) return;
    try {
      const removed = await store.exclusively(
        'retention',
        async () => await removeOld({ store, rules, isStopping }, new Date()),
      );
      if (removed !== null && removed.notifications + removed.unverified > 0) report.removed(removed);
    } catch (error) {
      if (!isStopping()) report.failed('retention', error);
    }
  };
  const schedule = (): void => {
    const previous = underWay;
    underWay = (async () => {
      await previous;
      await before();
      await removeOnce();
    })();
  };
  schedule();
  const timer = setInterval(schedule, REMOVE_EVERY_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await underWay;
    },
  };
};
