import { setTimeout as pause } from 'node:timers/promises';
import type { OrderRules } from '../order/rules.ts';
import type { Store } from '../store/store.ts';
import { isDerivedBy, keepInForce, markUnderWay, recallRules, rememberDerivedBy } from './in-force.ts';

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

const NONE: RebuildReport = { orders: 0, changed: 0 };

/** The same where it has not been done by the rules in force; `rules` where none are stored. */
export const rebuildByRulesInForce = async (
  store: Pick<Store, 'rebuild' | 'recall' | 'remember'>,
  rules: OrderRules,
  isStopping: () => boolean,
): Promise<RebuildReport> => {
  if (!(await keepInForce(store, new Date()))) return NONE;
  const by = (await recallRules(store))?.rules ?? rules;
  if (await isDerivedBy(store, by)) return NONE;
  // Whoever derives by other rules or another DERIVATION meanwhile takes this away, and then it is done again.
  const mark = await markUnderWay(store);
  const report = await rebuildOrders(store, isStopping);
  if (isStopping()) return NONE;
  await rememberDerivedBy(store, by, mark);
  return report;
};
