import { setTimeout as pause } from 'node:timers/promises';
import { nameOfRules, type OrderRules } from '../order/rules.ts';
import type { Store } from '../store/store.ts';
import { isDerivedBy, recallRules, rememberDerivedBy } from './in-force.ts';

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

/** The same where it has not been done by the rules in force; `rules` where none are stored. */
export const rebuildByRulesInForce = async (
  store: Pick<Store, 'rebuild' | 'recall' | 'remember'>,
  rules: OrderRules,
  isStopping: () => boolean,
): Promise<RebuildReport> => {
  const inForce = async (): Promise<OrderRules> => (await recallRules(store))?.rules ?? rules;
  const by = await inForce();
  if (await isDerivedBy(store, by)) return { orders: 0, changed: 0 };
  // Also where nothing is remembered: a first run may have ended before it could be.
  const report = await rebuildOrders(store, isStopping);
  // Others may be in force by now: then this was not by one set of rules, and is done again.
  if (!isStopping() && nameOfRules(await inForce()) === nameOfRules(by)) await rememberDerivedBy(store, by);
  return report;
};
