import type { Entry, NotificationEntry, PromotionEntry, UnverifiedEntry } from '../entry.ts';
import type {
  BatchResult,
  NotificationKey,
  Outcome,
  Recorded,
  RecordedNotification,
  Refused,
  UnverifiedBounds,
} from '../store.ts';
import {
  type Arrival,
  distinctArrivals,
  locksOf,
  storeArrivals,
  type Stored,
  type StoredArrival,
  toArrival,
  touchedBy,
} from './arrivals.ts';
import { inParts, type Lock, UNVERIFIED_LOCK } from './locks.ts';
import type { Refresh } from './refresh.ts';
import type { Database, Transaction } from './transaction.ts';
import { recordUnverified, takeUnverified } from './unverified.ts';

/** Stores and applies. */
export interface Recording {
  readonly record: (entries: readonly Entry[], bounds: UnverifiedBounds) => Promise<BatchResult>;
  readonly promote: (promotions: readonly PromotionEntry[], now: Date) => Promise<number>;
}

export const openRecording = ({ transact }: Database, refresh: Refresh): Recording => {
  /** Derives what the newly stored ones touch; returns the notifications whose handler failed. */
  const apply = async (
    transaction: Transaction,
    toApply: readonly NotificationEntry[],
    now: Date,
  ): Promise<readonly NotificationKey[]> => {
    if (toApply.length === 0) return [];
    return (await refresh(transaction, touchedBy(toApply), now)).failed;
  };

  const recordPart = async (entries: readonly Entry[], bounds: UnverifiedBounds): Promise<BatchResult> => {
    const arrivals = entries.filter(isNotification).map(toArrival);
    const requests = entries.filter(isUnverified);
    return await transact(locksOfAll(arrivals, requests), async (transaction) => {
      // Always the unverified first: the rows of two batches are then locked in one order.
      const unverified = await recordUnverified(transaction.query, requests, bounds);
      const { stored, toApply } = await storeArrivals(transaction.query, distinctArrivals(arrivals));
      const failed = await apply(transaction, toApply, new Date());
      return {
        results: inOrder(entries, { notifications: toResults(arrivals, stored, failed), requests: unverified.results }),
        newUnverified: unverified.added,
        unverifiedBytes: unverified.bytes,
        failed,
      };
    });
  };

  return {
    record: async (entries, bounds) => {
      let left = bounds.maxNew;
      const parts = await inParts(entries, async (part) => {
        const result = await recordPart(part, { ...bounds, maxNew: left });
        left -= result.newUnverified;
        return result;
      });
      return parts.reduce(joined);
    },

    promote: async (promotions, now) => {
      const parts = await inParts(promotions, async (part) => {
        const locks = [UNVERIFIED_LOCK, ...part.flatMap(({ entry }) => locksOf(entry))];
        return await transact(locks, async (transaction) => {
          const taken = new Map(
            (
              await takeUnverified(
                transaction.query,
                part.map(({ id }) => id),
              )
            ).map((one) => [one.id, one]),
          );
          const arrivals = part.flatMap(({ id, entry }) => {
            const stay = taken.get(id);
            return stay === undefined ? [] : [{ ...toArrival(entry), ...stay }];
          });
          const { toApply } = await storeArrivals(transaction.query, distinctArrivals(arrivals));
          await apply(transaction, toApply, now);
          return taken.size;
        });
      });
      return parts.reduce((sum, moved) => sum + moved, 0);
    },
  };
};

const isNotification = (entry: Entry): entry is NotificationEntry => entry.kind === 'notification';
const isUnverified = (entry: Entry): entry is UnverifiedEntry => entry.kind === 'unverified';

const locksOfAll = (arrivals: readonly Arrival[], requests: readonly UnverifiedEntry[]): readonly Lock[] => [
  ...arrivals.flatMap(({ entry }) => locksOf(entry)),
  ...(requests.length === 0 ? [] : [UNVERIFIED_LOCK]),
];

/** One result an arrival. Several of one notification in the same batch are counted one after the other. */
const toResults = (
  arrivals: readonly Arrival[],
  stored: Stored['stored'],
  failed: readonly NotificationKey[],
): readonly RecordedNotification[] => {
  const failures = new Set(failed.map(({ clientId, id }) => `${id} ${clientId}`));
  const later = new Map<string, number>();
  return arrivals
    .toReversed()
    .map(({ name }) => {
      const after = later.get(name) ?? 0;
      later.set(name, after + 1);
      return toRecorded(stored.get(name) as StoredArrival, { after, failed: failures.has(name) });
    })
    .toReversed();
};

const toRecorded = (
  { outcome, deliveries, notifyType, paymentId }: StoredArrival,
  { after, failed }: { readonly after: number; readonly failed: boolean },
): RecordedNotification =>
  ({
    kind: 'notification',
    outcome: failed ? ('FAILED' satisfies Outcome) : outcome,
    notifyType,
    paymentId,
    deliveries: deliveries - after,
  }) as RecordedNotification;

interface Results {
  readonly notifications: readonly RecordedNotification[];
  readonly requests: readonly (Recorded | Refused)[];
}

/** The results of both kinds, in the order in which the entries were given. */
const inOrder = (entries: readonly Entry[], { notifications, requests }: Results): readonly (Recorded | Refused)[] => {
  const next = { notification: notifications.values(), unverified: requests.values() };
  return entries.map(({ kind }) => next[kind].next().value as Recorded | Refused);
};

const joined = (a: BatchResult, b: BatchResult): BatchResult => ({
  results: [...a.results, ...b.results],
  newUnverified: a.newUnverified + b.newUnverified,
  unverifiedBytes: b.unverifiedBytes ?? a.unverifiedBytes,
  failed: [...a.failed, ...b.failed],
});
