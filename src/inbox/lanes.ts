import type { Entry, Queue } from './queue.ts';

/** Lanes of transactions: as many as the database works on at the same time. */
export interface Lanes {
  /** Starts transactions for what waits, once all that were admitted together have added their entries. */
  readonly start: () => void;
  /** Starts transactions also for what waits for others to share one. */
  readonly flush: () => void;
  /** The entries in transactions. */
  readonly entries: () => readonly Entry[];
}

interface LanesOptions {
  readonly queue: Queue;
  /** How many transactions at a time. */
  readonly count: number;
  /** Stores a batch and answers each of its entries. Never rejects. */
  readonly record: (batch: readonly Entry[]) => Promise<void>;
}

/** A transaction has a cost of its own, so that lanes do not share what waits in parts smaller than this. */
const SHARE_ENTRIES = 32;
/** For the same reason, a transaction starts beside another one only for so many. */
const BESIDE_ENTRIES = 16;

/**
 * Group commit. With all lanes free a batch starts at once; what comes while all are busy shares the next one. Two
 * entries with the same lock are never in two transactions at once: the second transaction would only wait for the
 * COMMIT of the first, with all the others of its batch.
 */
export const createLanes = ({ queue, count, record }: LanesOptions): Lanes => {
  const batches = new Set<readonly Entry[]>();
  /** Locks of the batches in transactions. */
  const held = new Set<string>();
  let isStarting = false;

  const run = async (batch: readonly Entry[]): Promise<void> => {
    const locks = batch.flatMap(({ lock }) => lock ?? []);
    batches.add(batch);
    for (const lock of locks) held.add(lock);
    await record(batch);
    for (const lock of locks) held.delete(lock);
    batches.delete(batch);
    queue.release(batch);
    fill(BESIDE_ENTRIES);
  };

  const fill = (beside: number): void => {
    while (batches.size < count && (batches.size === 0 || queue.entries.length >= beside)) {
      const share = Math.ceil(queue.entries.length / (count - batches.size));
      const batch = queue.takeBatch(Math.max(share, SHARE_ENTRIES), held);
      if (batch.length === 0) return;
      void run(batch);
    }
  };

  return {
    start: () => {
      if (isStarting || batches.size >= count) return;
      isStarting = true;
      queueMicrotask(() => {
        isStarting = false;
        fill(BESIDE_ENTRIES);
      });
    },
    flush: () => fill(1),
    entries: () => [...batches].flat(),
  };
};
