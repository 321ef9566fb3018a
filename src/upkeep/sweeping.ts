import type { Store } from '../store/store.ts';

interface SweepingOptions {
  readonly store: Pick<Store, 'sweep' | 'aheadUntil'>;
  readonly report: { readonly ahead: (until: string) => void };
  /** Epoch milliseconds, by a clock that may be wrong. */
  readonly now: () => number;
  readonly isStopping: () => boolean;
}

const SWEPT_AT_ONCE = 200;
const SET_BACK_MS = 60_000;

/**
 * Derives the orders that are due by now. The first time, and where the clock has gone back since the last time, it is
 * told where orders stand as of a time to come: a sweep leaves them alone until then.
 */
export const createSweeping = ({ store, report, now, isStopping }: SweepingOptions): (() => Promise<void>) => {
  let last = Infinity;
  return async () => {
    const at = now();
    const mayBeAhead = at < last - SET_BACK_MS;
    last = at;
    while (!isStopping() && (await store.sweep(new Date(now()), SWEPT_AT_ONCE)) > 0);
    if (!mayBeAhead) return;
    const until = await store.aheadUntil(new Date(at));
    if (until !== null) report.ahead(until);
  };
};
