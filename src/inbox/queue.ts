import type { Delivery, NotificationDelivery, Recorded, UnverifiedDelivery } from '../store/store.ts';
import type { NotStored } from './not-stored.ts';

/** What waits for a T, or for why there is none. */
interface Waiting<T> {
  /** Of the body. */
  readonly bytes: number;
  /** When the last byte of the body had come, on the main thread's monotonic clock. */
  readonly arrivedAt: number;
  /** Only the first answer counts. */
  readonly answer: (result: T | NotStored) => void;
}

/** A request that waits to be verified. */
export type Arrival = Waiting<Place>;

/** A request that was verified, or failed to, and waits to be stored. */
export interface Entry extends Waiting<Recorded> {
  readonly delivery: Delivery;
  /** What a transaction locks for it; null where it affects no other transaction. */
  readonly lock: string | null;
}

/** The place of a request whose turn it is to be verified. One that is never recorded holds nothing up. */
export interface Place {
  readonly kind: 'place';
  /** Resolves once the delivery is durable, or was not stored in time. Never rejects. */
  readonly record: (delivery: NotificationDelivery) => Promise<Recorded | NotStored>;
  /**
   * The same for a request that failed verification, at most so many a second. The others are refused at once: they
   * reach no queue and no database, and their delivery is never made.
   */
  readonly recordUnverified: (toDelivery: () => UnverifiedDelivery) => Promise<Recorded | NotStored>;
}

/** What waits, to be verified or to be stored. */
export interface QueueLoad {
  readonly requests: number;
  /** Of bodies, those in transactions included. */
  readonly bytes: number;
  /** How long the oldest has waited; 0 where none waits. */
  readonly oldestMs: number;
}

/**
 * The requests that wait, oldest first: those to be stored (entries), and behind them those to be verified (arrivals).
 */
export interface Queue {
  readonly arrivals: readonly Arrival[];
  readonly entries: readonly Entry[];
  /** Whether one more body of so many bytes fits. */
  readonly hasRoomFor: (bytes: number) => boolean;
  readonly isOverloaded: (now: number) => boolean;
  readonly load: (now: number) => QueueLoad;
  readonly addArrival: (arrival: Arrival) => void;
  readonly addEntry: (entry: Entry) => void;
  /** Takes the oldest arrivals, at most so many. */
  readonly takeArrivals: (most: number) => readonly Arrival[];
  /** Takes the next batch, at most so many entries. Entries whose lock is held keep their place. */
  readonly takeBatch: (most: number, held: ReadonlySet<string>) => readonly Entry[];
  /** Takes out what arrived at that time or before. */
  readonly takeArrivedBy: (time: number) => readonly Waiting<never>[];
  /** The bodies of a batch count until its transaction has ended. */
  readonly release: (batch: readonly Entry[]) => void;
}

export interface QueueLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** Bodies that wait, together: no body can be larger. */
export const QUEUE_BYTES = 33_554_432;
const BATCH_ENTRIES = 256;
const BATCH_BYTES = 4_194_304;
const OVERLOADED_AFTER_MS = 100;

export const createQueue = ({ maxEntries, maxBytes }: QueueLimits): Queue => {
  const arrivals: Arrival[] = [];
  const entries: Entry[] = [];
  let heldBytes = 0;

  return {
    arrivals,
    entries,
    hasRoomFor: (bytes) => arrivals.length + entries.length < maxEntries && heldBytes + bytes <= maxBytes,
    /**
     * The one rule: the oldest request has queued over 100 ms behind a full batch. More requests come than can be
     * verified and stored, so the queue grows, and every wait with it: who comes now is refused before verification.
     * Where the next batch takes all that wait, a long wait tells only of a slow commit or a halt of the machine.
     */
    isOverloaded: (now) => {
      const oldest = entries[0] ?? arrivals[0];
      const isBehindFullBatch = arrivals.length + entries.length > BATCH_ENTRIES;
      return isBehindFullBatch && oldest !== undefined && now - oldest.arrivedAt > OVERLOADED_AFTER_MS;
    },
    load: (now) => {
      const oldest = entries[0] ?? arrivals[0];
      return {
        requests: arrivals.length + entries.length,
        bytes: heldBytes,
        oldestMs: oldest === undefined ? 0 : now - oldest.arrivedAt,
      };
    },
    addArrival: (arrival) => {
      arrivals.push(arrival);
      heldBytes += arrival.bytes;
    },
    addEntry: (entry) => {
      entries.push(entry);
      heldBytes += entry.bytes;
    },
    takeArrivals: (most) => {
      const taken = arrivals.splice(0, most);
      heldBytes -= bytesOf(taken);
      return taken;
    },
    takeBatch: (most, held) => takeBatch(entries, { most: Math.min(most, BATCH_ENTRIES), held }),
    takeArrivedBy: (time) => {
      const taken = [...takeArrivedBy(entries, time), ...takeArrivedBy(arrivals, time)];
      heldBytes -= bytesOf(taken);
      return taken;
    },
    release: (batch) => {
      heldBytes -= bytesOf(batch);
    },
  };
};

const bytesOf = (waiting: readonly Waiting<never>[]): number => waiting.reduce((sum, { bytes }) => sum + bytes, 0);

const takeArrivedBy = <T extends Waiting<never>>(waiting: T[], time: number): readonly T[] => {
  const later = waiting.findIndex(({ arrivedAt }) => arrivedAt > time);
  return waiting.splice(0, later === -1 ? waiting.length : later);
};

/** At most 4 MiB, or one entry that is larger. */
const takeBatch = (
  entries: Entry[],
  { most, held }: { readonly most: number; readonly held: ReadonlySet<string> },
): readonly Entry[] => {
  const batch: Entry[] = [];
  const left: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (batch.length === most || (batch.length > 0 && bytes + entry.bytes > BATCH_BYTES)) break;
    if (entry.lock !== null && held.has(entry.lock)) left.push(entry);
    else {
      batch.push(entry);
      bytes += entry.bytes;
    }
  }
  entries.splice(0, batch.length + left.length, ...left);
  return batch;
};
