import { type FeedCursor, hasPassed, readFeedCursor } from './store/cursor.ts';
import type { Feed, Store } from './store/store.ts';

export interface FeedWatchOptions {
  /** Null while it is not open. */
  readonly store: () => Pick<Store, 'feedEnds'> | null;
  /** Milliseconds between two looks. */
  readonly everyMs?: number;
}

export interface Wait {
  /** At most, in milliseconds. */
  readonly ms: number;
  /** Ends it, where who waits goes away. */
  readonly signal?: AbortSignal;
}

/** One look at the database for everybody who waits for a feed, however many wait; none while nobody does. */
export interface FeedWatch {
  /**
   * Resolves with true as soon as there may be something after the cursor (read on from there), with false when the
   * time is up, the signal is aborted, or all waits are ended. An outage of the database ends no wait. Throws an
   * InvalidCursorError.
   */
  readonly waitForChange: (feed: Feed, cursor: string, wait: Wait) => Promise<boolean>;
  readonly waiting: () => number;
  /** Ends all waits. */
  readonly endWaits: () => void;
  /** The same, and whoever waits from now on does not. */
  readonly close: () => void;
}

interface Waiter {
  readonly feed: Feed;
  readonly after: FeedCursor;
  readonly end: (mayHaveMore: boolean) => void;
}

const LOOK_EVERY_MS = 250;

export const createFeedWatch = ({ store, everyMs = LOOK_EVERY_MS }: FeedWatchOptions): FeedWatch => {
  const waiters = new Set<Waiter>();
  let isLooking = false;
  let isClosed = false;

  const look = async (): Promise<void> => {
    if (waiters.size === 0) return;
    const ends = await store()?.feedEnds();
    if (ends === undefined) return;
    const at = { orders: readFeedCursor(ends.orders), notifications: readFeedCursor(ends.notifications) };
    for (const { feed, after, end } of waiters) if (hasPassed(at[feed], after)) end(true);
  };
  const lookLater = (): void => {
    if (isLooking || waiters.size === 0) return;
    isLooking = true;
    setTimeout(() => void lookNow(), everyMs);
  };
  const lookNow = async (): Promise<void> => {
    // An outage: who reads the feed is told of it, and the next look finds what was missed.
    await look().catch(() => undefined);
    isLooking = false;
    lookLater();
  };

  const endWaits = (): void => {
    for (const { end } of waiters) end(false);
  };
  return {
    waitForChange: async (feed, cursor, { ms, signal }) => {
      const after = readFeedCursor(cursor);
      if (isClosed || ms <= 0 || signal?.aborted === true) return false;
      return await new Promise<boolean>((resolve) => {
        const end = (mayHaveMore: boolean): void => {
          waiters.delete(waiter);
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
          resolve(mayHaveMore);
        };
        const waiter: Waiter = { feed, after, end };
        const onAbort = (): void => end(false);
        const timer = setTimeout(onAbort, ms);
        signal?.addEventListener('abort', onAbort);
        waiters.add(waiter);
        lookLater();
      });
    },
    waiting: () => waiters.size,
    endWaits,
    close: () => {
      isClosed = true;
      endWaits();
    },
  };
};
