import { setTimeout as pause } from 'node:timers/promises';
import type { Store } from '../store/store.ts';

/** Some tens of milliseconds of the write lock at a time. */
const AT_ONCE = 100;

export interface RebuildReport {
  readonly orders: number;
  readonly changed: number;
}

/** Derives every order again from what is stored, in short transactions between which others may write. */
export const rebuildOrders = async (
  store: Pick<Store, 'rebuild'>,
  isStopping: () => boolean = () => false,
): Promise<RebuildReport> => {
  const report = { orders: 0, changed: 0 };
  for (let cursor: string | null = null, more = true; more && !isStopping(); more = cursor !== null) {
    const began = performance.now();
    const step = await store.rebuild({ limit: AT_ONCE, cursor }, new Date());
    report.orders += step.orders;
    report.changed += step.changed;
    cursor = step.next;
    // A waiting writer polls for the lock: leave it open as long as it was held.
    await pause(performance.now() - began);
  }
  return report;
};
