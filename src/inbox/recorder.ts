import type { BatchResult, Delivery, NotificationKey, Store } from '../store/store.ts';
import { StoreRejectedError } from '../store/store.ts';
import { notStored } from './not-stored.ts';
import type { Entry } from './queue.ts';

export interface RecorderOptions {
  readonly store: Store;
  /** Bytes that the stored unverified requests may take. */
  readonly unverifiedMaxBytes: number;
  /** New unverified requests this process may store in a second. */
  readonly unverifiedMaxPerSecond: number;
  readonly onFailed?: (failed: readonly NotificationKey[]) => void;
  readonly onError?: (error: unknown) => void;
  readonly onUnverifiedBytes?: (bytes: number) => void;
}

export interface Recorder {
  /** Stores a batch in one transaction and answers each of its entries. Never rejects. */
  readonly record: (batch: readonly Entry[]) => Promise<void>;
  /** A batch could not be stored lately, and none has been since. */
  readonly isFailing: () => boolean;
}

/** After a failed batch the balancer is told to look elsewhere for so long; then the next notification is the test. */
const FAILING_MS = 5_000;

export const createRecorder = (options: RecorderOptions): Recorder => {
  const { store, onFailed, onError, onUnverifiedBytes } = options;
  const allowance = createAllowance(options.unverifiedMaxPerSecond);
  let failedAt: number | null = null;

  const commit = async (batch: readonly Delivery[]): Promise<BatchResult> => {
    const allowed = allowance.reserve(batch.filter(({ kind }) => kind === 'unverified').length);
    let used = 0;
    try {
      const result = await store.record(batch, { maxBytes: options.unverifiedMaxBytes, maxNew: allowed });
      used = result.newUnverified;
      tell(result);
      return result;
    } finally {
      allowance.giveBack(allowed - used);
    }
  };

  const tell = (result: BatchResult): void => {
    if (result.failed.length > 0) onFailed?.(result.failed);
    if (result.unverifiedBytes !== null) onUnverifiedBytes?.(result.unverifiedBytes);
  };

  const record = async (batch: readonly Entry[]): Promise<void> => {
    try {
      const { results } = await commit(batch.map(({ delivery }) => delivery));
      failedAt = null;
      batch.forEach(({ answer }, index) => {
        const result = results[index];
        answer(result === undefined || result.kind === 'no room' ? notStored('UNVERIFIED_FULL') : result);
      });
    } catch (error) {
      onError?.(error);
      if (error instanceof StoreRejectedError) return await recordApart(batch);
      failedAt = performance.now();
      for (const { answer } of batch) answer(notStored('STORE_UNAVAILABLE'));
    }
  };

  /** The database rejects something in this batch. Each is stored alone, and what is rejected alone as inapplicable. */
  const recordApart = async (batch: readonly Entry[]): Promise<void> => {
    const [first, ...others] = batch;
    if (first === undefined) return;
    const { delivery } = first;
    if (others.length > 0) for (const entry of batch) await record([entry]);
    else if (delivery.kind === 'notification' && delivery.inapplicable !== true)
      await record([{ ...first, delivery: { ...delivery, inapplicable: true } }]);
    else first.answer(notStored('STORE_UNAVAILABLE'));
  };

  return { record, isFailing: () => failedAt !== null && performance.now() - failedAt < FAILING_MS };
};

const SECOND = 1_000;

interface Allowance {
  /** As many of `wanted` as this second still allows. */
  readonly reserve: (wanted: number) => number;
  /** What was reserved and turned out not to be new. */
  readonly giveBack: (count: number) => void;
}

/** So many new unverified requests a second. */
const createAllowance = (perSecond: number): Allowance => {
  let began = Number.NEGATIVE_INFINITY;
  let used = 0;
  return {
    reserve: (wanted) => {
      const now = performance.now();
      if (now - began >= SECOND) {
        began = now;
        used = 0;
      }
      const allowed = Math.min(wanted, perSecond - used);
      used += allowed;
      return allowed;
    },
    giveBack: (count) => {
      used = Math.max(0, used - count);
    },
  };
};
