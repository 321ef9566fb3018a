import { randomBytes } from 'node:crypto';
import type { Lease, Store } from '../store/store.ts';

/** The lease as its owner sees it: by the monotonic clock, from before each request that renewed it was sent. */
export interface HeldLease {
  /** Milliseconds for which it is held for certain; 0 where it is not. */
  readonly left: () => number;
  readonly take: () => Promise<boolean>;
  /** A write under the lease, which renews it; null where it is lost. */
  readonly under: <T>(write: (lease: Lease) => Promise<T | null>) => Promise<T | null>;
  readonly release: () => Promise<void>;
}

export const createLease = (store: Pick<Store, 'takeLease' | 'releaseLease'>, ms: number): HeldLease => {
  const lease: Lease = { owner: randomBytes(8).toString('hex'), ms };
  let until = 0;
  let isStarting = true;
  const renewedBy = async <T>(write: (lease: Lease) => Promise<T | null>): Promise<T | null> => {
    const from = performance.now();
    const result = await write(lease);
    // Answers may come in another order than they were asked for.
    until = result === null ? 0 : Math.max(until, from + ms);
    return result;
  };
  return {
    left: () => Math.max(0, until - performance.now()),
    take: async () => {
      const starting = isStarting;
      const taken = await renewedBy(async (own) => ((await store.takeLease(own, { starting })) ? true : null));
      isStarting = false;
      return taken === true;
    },
    under: renewedBy,
    release: async () => {
      until = 0;
      await store.releaseLease(lease.owner);
    },
  };
};
