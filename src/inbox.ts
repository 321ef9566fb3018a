import type { BatchResult, Delivery, NotificationKey, Recorded, Store } from './store/store.ts';
import { paymentNamedBy, StoreRejectedError } from './store/store.ts';

/** Why a delivery was not stored, and so is not acknowledged. */
export type NotStoredReason = 'QUEUE_FULL' | 'STORE_UNAVAILABLE' | 'STORE_SLOW' | 'UNVERIFIED_FULL';

export interface NotStored {
  readonly kind: 'not stored';
  readonly because: NotStoredReason;
}

export interface InboxOptions {
  readonly store: Store;
  /** Bytes that the stored unverified requests may take. */
  readonly unverifiedMaxBytes: number;
  /** New unverified requests this process may store in a second. */
  readonly unverifiedMaxPerSecond: number;
  /** Bodies waiting, in bytes and in entries. */
  readonly maxBytes?: number;
  readonly maxEntries?: number;
  /** Milliseconds from the last byte of a body until its answer is due. */
  readonly dueAfterMs?: number;
  readonly onFailed?: (failed: readonly NotificationKey[]) => void;
  readonly onError?: (error: unknown) => void;
  readonly onUnverifiedBytes?: (bytes: number) => void;
}

/**
 * Group commit: what arrives while a transaction is under way shares the next one. Nothing waits for company:
 * with the store idle, a delivery is on its way as soon as those that came with it are submitted.
 */
export interface Inbox {
  /** Resolves once the delivery is durable, or known not to be in time. Never rejects. */
  readonly submit: (delivery: Delivery) => Promise<Recorded | NotStored>;
  readonly isFull: () => boolean;
  /**
   * More wait than one transaction takes, and have for some time: under load that it cannot carry a queue only grows,
   * and with it everybody's wait. Who comes now is better told to come again.
   */
  readonly isStanding: () => boolean;
  /** A batch could not be stored lately, and none has been since. */
  readonly isFailing: () => boolean;
  /** Resolves when all that was submitted has been answered and no transaction is under way. */
  readonly drain: () => Promise<void>;
}

const MIB = 1_048_576;
const DEFAULTS = { maxBytes: 32 * MIB, maxEntries: 20_000, dueAfterMs: 5_000 };
const BATCH_ENTRIES = 256;
const BATCH_BYTES = 4 * MIB;
/** What a transaction costs by itself: shares are not made smaller than this, and beside another one starts only for so many. */
const SHARE_ENTRIES = 32;
const COMPANY_ENTRIES = 16;
const STANDING_ENTRIES = BATCH_ENTRIES;
const STANDING_MS = 100;
/** The queue is called full while a large body might not fit. */
const LARGE_BODY_BYTES = 262_144;
const SWEEP_MS = 50;
/** After a failed batch the balancer is told to look elsewhere for so long; then the next notification is the test. */
const FAILING_MS = 5_000;

interface Waiting {
  readonly delivery: Delivery;
  /** What a transaction locks for it; null where nothing has to wait for that. */
  readonly locks: string | null;
  readonly bytes: number;
  /** On the main thread's monotonic clock, as all times here. */
  readonly dueAt: number;
  answer: ((result: Recorded | NotStored) => void) | null;
}

const notStored = (because: NotStoredReason): NotStored => ({ kind: 'not stored', because });
const bytesOf = (delivery: Delivery): number =>
  delivery.kind === 'notification' ? delivery.parsed.notification.body.length : delivery.request.body.length;

const locksOf = (delivery: Delivery): string | null => {
  if (delivery.kind === 'unverified') return 'unverified';
  const { notification, reading } = delivery.parsed;
  const paymentId = paymentNamedBy(reading);
  return paymentId === null ? null : `${notification.clientId} ${paymentId}`;
};

export const createInbox = (options: InboxOptions): Inbox => {
  const { store, onFailed, onError, onUnverifiedBytes } = options;
  const { maxBytes, maxEntries, dueAfterMs } = { ...DEFAULTS, ...options };
  const room = Math.min(LARGE_BODY_BYTES, maxBytes / 20);
  const allowance = createAllowance(options.unverifiedMaxPerSecond);
  const queue: Waiting[] = [];
  const inTransactions = new Set<readonly Waiting[]>();
  /** By those in transactions. */
  const locked = new Set<string>();
  let heldBytes = 0;
  let starting = false;
  let failedAt: number | null = null;
  let sweeper: NodeJS.Timeout | null = null;
  const drained: (() => void)[] = [];

  const answer = (waiting: Waiting, result: Recorded | NotStored): void => {
    waiting.answer?.(result);
    waiting.answer = null;
  };

  /** Answers what is due. In the queue it is dropped; in a transaction it may still commit, and a resend will find it. */
  const sweep = (): void => {
    const now = performance.now();
    const due = queue.findIndex(({ dueAt }) => dueAt > now);
    const late = queue.splice(0, due === -1 ? queue.length : due);
    for (const waiting of late) {
      heldBytes -= waiting.bytes;
      answer(waiting, notStored('STORE_SLOW'));
    }
    for (const batch of inTransactions)
      for (const waiting of batch) if (waiting.dueAt <= now) answer(waiting, notStored('STORE_SLOW'));
    if (queue.length === 0 && inTransactions.size === 0 && sweeper !== null) {
      clearInterval(sweeper);
      sweeper = null;
    }
    // Nobody waits longer for a transaction that takes its time.
    fillLanes(1);
  };

  /**
   * All that waits, or its share where other lanes are free: a database works on several transactions at a time. Two of
   * one payment are never in two of them at once: one would only wait for the other's commit, and hold up its company.
   */
  const takeBatch = (): readonly Waiting[] => {
    const share = Math.ceil(queue.length / (store.concurrency - inTransactions.size));
    const most = Math.min(BATCH_ENTRIES, Math.max(SHARE_ENTRIES, share));
    const taken: Waiting[] = [];
    const left: Waiting[] = [];
    let bytes = 0;
    for (const waiting of queue) {
      if (taken.length === most || (taken.length > 0 && bytes + waiting.bytes > BATCH_BYTES)) break;
      if (waiting.locks !== null && locked.has(waiting.locks)) left.push(waiting);
      else {
        taken.push(waiting);
        bytes += waiting.bytes;
      }
    }
    queue.splice(0, taken.length + left.length, ...left);
    return taken;
  };

  const record = async (batch: readonly Delivery[]): Promise<BatchResult> => {
    const allowed = allowance.reserve(batch.filter(({ kind }) => kind === 'unverified').length);
    const result = await store.record(batch, { maxBytes: options.unverifiedMaxBytes, maxNew: allowed });
    allowance.giveBack(allowed - result.newUnverified);
    if (result.failed.length > 0) onFailed?.(result.failed);
    if (result.unverifiedBytes !== null) onUnverifiedBytes?.(result.unverifiedBytes);
    return result;
  };

  const recordAll = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const { results } = await record(batch.map(({ delivery }) => delivery));
      failedAt = null;
      batch.forEach((waiting, index) => {
        const result = results[index];
        answer(waiting, result === undefined || result.kind === 'refused' ? notStored('UNVERIFIED_FULL') : result);
      });
    } catch (error) {
      onError?.(error);
      if (error instanceof StoreRejectedError) await recordApart(batch);
      else {
        failedAt = performance.now();
        for (const waiting of batch) answer(waiting, notStored('STORE_UNAVAILABLE'));
      }
    }
  };

  /** The database refuses something in this batch: find it, keep its bytes, and let the others pass. */
  const recordApart = async (batch: readonly Waiting[]): Promise<void> => {
    const [first] = batch;
    if (first === undefined) return;
    if (batch.length > 1) {
      for (const waiting of batch) await recordAll([waiting]);
    } else if (first.delivery.kind === 'notification' && first.delivery.inapplicable !== true) {
      await recordAll([{ ...first, delivery: { ...first.delivery, inapplicable: true } }]);
    } else answer(first, notStored('STORE_UNAVAILABLE'));
  };

  const carryOut = async (batch: readonly Waiting[]): Promise<void> => {
    const locks = batch.flatMap((waiting) => waiting.locks ?? []);
    inTransactions.add(batch);
    for (const lock of locks) locked.add(lock);
    await recordAll(batch);
    for (const { bytes } of batch) heldBytes -= bytes;
    for (const lock of locks) locked.delete(lock);
    inTransactions.delete(batch);
    fillLanes(COMPANY_ENTRIES);
    if (inTransactions.size === 0) for (const done of drained.splice(0)) done();
  };

  /** With all lanes busy, or another one and little company, what arrives shares the next transaction. */
  const fillLanes = (company: number): void => {
    while (inTransactions.size < store.concurrency && (inTransactions.size === 0 || queue.length >= company)) {
      const batch = takeBatch();
      if (batch.length === 0) return;
      void carryOut(batch);
    }
  };

  const start = (): void => {
    sweeper ??= setInterval(sweep, SWEEP_MS);
    if (starting || inTransactions.size >= store.concurrency) return;
    starting = true;
    // What is submitted in the same go shares a transaction, or one in each lane.
    queueMicrotask(() => {
      starting = false;
      fillLanes(COMPANY_ENTRIES);
    });
  };

  const isFull = (): boolean => queue.length >= maxEntries || heldBytes > maxBytes - room;

  return {
    isFull,
    isStanding: () =>
      queue.length > STANDING_ENTRIES && performance.now() - (queue[0]?.dueAt ?? 0) + dueAfterMs > STANDING_MS,
    isFailing: () => failedAt !== null && performance.now() - failedAt < FAILING_MS,
    submit: (delivery) =>
      new Promise((resolve) => {
        const bytes = bytesOf(delivery);
        if (queue.length >= maxEntries || heldBytes + bytes > maxBytes) return resolve(notStored('QUEUE_FULL'));
        const locks = store.concurrency > 1 ? locksOf(delivery) : null;
        queue.push({ delivery, locks, bytes, dueAt: performance.now() + dueAfterMs, answer: resolve });
        heldBytes += bytes;
        start();
      }),
    drain: async () => {
      if (inTransactions.size === 0 && !starting) return;
      await new Promise<void>((resolve) => drained.push(resolve));
    },
  };
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
