import { identifierNamed } from '../order/identifier.ts';
import type { Delivery, Recorded } from '../store/store.ts';
import { createAdmission } from './admission.ts';
import { createLanes } from './lanes.ts';
import { type NotStored, notStored } from './not-stored.ts';
import { type Arrival, createQueue, type Place, QUEUE_BYTES, type QueueLoad } from './queue.ts';
import { createRecorder, type RecorderOptions } from './recorder.ts';
import { createUnverifiedGate } from './unverified-gate.ts';

export interface InboxOptions extends RecorderOptions {
  /** Requests that may wait, and the bytes that their bodies may take together. */
  readonly maxEntries?: number;
  readonly maxBytes?: number;
  /** Requests that failed verification, new or not, that this process hands to the database in a second. */
  readonly unverifiedMaxPerSecond: number;
  /** Milliseconds from the last byte of a body until its response is due. */
  readonly dueAfterMs?: number;
}

/**
 * From the last byte of a request to its COMMIT: it waits to be verified, then for a batch, then for its transaction.
 */
export interface Inbox {
  /**
   * To be called at the last byte. Resolves when it is the request's turn to be verified, or was refused. Never
   * rejects.
   */
  readonly admit: (bodyBytes: number) => Promise<Place | NotStored>;
  /**
   * Why a request with so large a body would not be stored now if it failed verification; null where it would be tried.
   * What is known to fail need not queue.
   */
  readonly refusesUnverified: (bodyBytes: number) => NotStored | null;
  /** The queue is full, or a large body might not fit. */
  readonly isFull: () => boolean;
  /** What waits just now. */
  readonly load: () => QueueLoad;
  /** A batch could not be stored lately, and none has been since. */
  readonly isFailing: () => boolean;
  /** Resolves when everything that waited has its answer and no transaction is under way. */
  readonly drain: () => Promise<void>;
}

const DEFAULTS = { maxEntries: 20_000, maxBytes: QUEUE_BYTES, dueAfterMs: 5_000 };
const LARGE_BODY_BYTES = 262_144;
const SWEEP_MS = 50;

export const createInbox = (options: InboxOptions): Inbox => {
  const { maxEntries, maxBytes, dueAfterMs } = { ...DEFAULTS, ...options };
  const { concurrency } = options.store;
  const queue = createQueue({ maxEntries, maxBytes });
  const { record, isFailing } = createRecorder(options);
  const gate = createUnverifiedGate(options.unverifiedMaxPerSecond);
  const lanes = createLanes({ queue, count: concurrency, record });
  const drained: (() => void)[] = [];
  let sweeper: NodeJS.Timeout | null = null;

  /**
   * Answers what is due. In the queue it is dropped; in a transaction it may still commit, and a resend will find it.
   */
  const sweep = (): void => {
    const dueSince = performance.now() - dueAfterMs;
    const inTransactions = lanes.entries().filter(({ arrivedAt }) => arrivedAt <= dueSince);
    for (const { answer } of [...queue.takeArrivedBy(dueSince), ...inTransactions]) answer(notStored('STORE_SLOW'));
    lanes.flush();
    if (queue.arrivals.length + queue.entries.length + lanes.entries().length > 0) return;
    clearInterval(sweeper ?? undefined);
    sweeper = null;
    for (const done of drained.splice(0)) done();
  };
  const keepSweeping = (): void => {
    sweeper ??= setInterval(sweep, SWEEP_MS);
  };

  const placeOf = ({ bytes, arrivedAt }: Arrival): Place => {
    const enqueue = (delivery: Delivery): Promise<Recorded | NotStored> =>
      new Promise((answer) => {
        queue.addEntry({ bytes, arrivedAt, delivery, lock: concurrency > 1 ? lockOf(delivery) : null, answer });
        keepSweeping();
        lanes.start();
      });
    return {
      kind: 'place',
      record: enqueue,
      recordUnverified: async (toDelivery) => gate.pass(bytes) ?? (await enqueue(toDelivery())),
    };
  };
  const afterArrival = createAdmission(queue, (arrival) => arrival.answer(placeOf(arrival)));

  return {
    admit: (bytes) =>
      new Promise((answer) => {
        const now = performance.now();
        if (queue.hasRoomFor(bytes) && !queue.isOverloaded(now)) queue.addArrival({ bytes, arrivedAt: now, answer });
        else answer(notStored('QUEUE_FULL'));
        keepSweeping();
        afterArrival(now);
      }),
    refusesUnverified: gate.refuses,
    isFull: () => !queue.hasRoomFor(Math.min(LARGE_BODY_BYTES, maxBytes / 20)),
    load: () => queue.load(performance.now()),
    isFailing,
    drain: async () => {
      if (sweeper !== null) await new Promise<void>((resolve) => drained.push(resolve));
    },
  };
};

/** The payment, where the notification names one. Unverified requests share the row that counts their bytes. */
const lockOf = (delivery: Delivery): string | null => {
  if (delivery.kind === 'unverified') return 'unverified';
  const { clientId, reading } = delivery.read;
  const paymentId = identifierNamed(reading.identifiers, 'paymentId');
  return paymentId === null ? null : `${clientId} ${paymentId}`;
};
