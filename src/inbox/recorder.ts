import type { BatchResult, Delivery, NotificationKey, Store, UnverifiedRoom } from '../store/store.ts';
import { StoreRejectedError } from '../store/store.ts';
import { notStored } from './not-stored.ts';
import type { Entry } from './queue.ts';

/** A batch whose COMMIT has returned. */
export interface Committed {
  readonly deliveries: readonly Delivery[];
  /** One a delivery, in the same order. */
  readonly results: BatchResult['results'];
  /** From handing it to the store until its COMMIT had returned. */
  readonly ms: number;
}

export interface RecorderOptions {
  readonly store: Store;
  /** Bytes that the stored unverified requests may take. */
  readonly unverifiedMaxBytes: number;
  /** Before the batch is answered: it must cost next to nothing. */
  readonly onCommitted?: (committed: Committed) => void;
  /** Of each batch: mostly none. */
  readonly onFailed?: (failed: readonly NotificationKey[]) => void;
  readonly onError?: (error: unknown) => void;
  /** Once, when a share of that room is 80 % full or more; again when it has had room meanwhile. */
  readonly onUnverifiedNearlyFull?: (room: UnverifiedRoom) => void;
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
  const { store, onFailed, onError } = options;
  const watchRoom = createRoomWatch((room) => options.onUnverifiedNearlyFull?.(room));
  let failedAt: number | null = null;

  const commit = async (batch: readonly Delivery[]): Promise<BatchResult> => {
    const began = performance.now();
    const result = await store.record(batch, { maxBytes: options.unverifiedMaxBytes });
    options.onCommitted?.({ deliveries: batch, results: result.results, ms: performance.now() - began });
    onFailed?.(result.failed);
    watchRoom(result.unverifiedRoom);
    return result;
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

const NEARLY_FULL = 0.8;

/** Tells of each share once, as long as it stays nearly full. */
const createRoomWatch = (tell: (room: UnverifiedRoom) => void): ((rooms: readonly UnverifiedRoom[]) => void) => {
  const told = new Set<UnverifiedRoom['share']>();
  return (rooms) => {
    for (const room of rooms) {
      if (room.bytes < room.maxBytes * NEARLY_FULL) told.delete(room.share);
      else if (!told.has(room.share)) {
        told.add(room.share);
        tell(room);
      }
    }
  };
};
