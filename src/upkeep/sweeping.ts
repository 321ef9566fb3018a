import type { Store } from '../store/store.ts';
import { rebuildAhead } from './rebuild.ts';

interface SweepingOptions {
  readonly store: Pick<Store, 'sweep' | 'rebuildAhead'>;
  readonly report: { readonly setBack: (changed: number) => void };
  readonly now: () => number;
  readonly isStopping: () => boolean;
}

const SWEPT_AT_ONCE = 200;

/**
 * Derives the orders that are due by now. The first time, and where the clock has gone back since the last time, first
 * those that were derived ahead of time.
 */
export const createSweeping = ({ store, report, now, isStopping }: SweepingOptions): (() => Promise<void>) => {
  let last = Infinity;
  return async () => {
    const at = now();
    if (at < last) {
      const { changed } = await rebuildAhead(store, new Date(at), isStopping);
      if (changed > 0) report.setBack(changed);
    }
    last = at;
    while (!isStopping() && (await store.sweep(new Date(now()), SWEPT_AT_ONCE)) > 0);
  };
};
