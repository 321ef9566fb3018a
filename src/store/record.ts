import type { OrderRules } from '../order/rules.ts';
import { derive } from './derive.ts';
import { UNVERIFIED_LOCK } from './lock.ts';
import { locksOf, type Put, putAndTouch } from './put.ts';
import { type NotificationRow, notificationId, type UnverifiedEntry, withDigest, type WithBytes } from './row.ts';
import { NOTE_IN_USE } from './setting.ts';
import type {
  BatchResult,
  NotificationKey,
  Recorded,
  RecordedNotification,
  NoRoom,
  UnverifiedBounds,
} from './store.ts';
import type { Database, PutNotification } from './transaction.ts';
import { recordUnverified } from './unverified.ts';

/** A delivery as plain values. */
export type Entry = { readonly notification: WithBytes } | { readonly unverified: UnverifiedEntry };

/** Stores and applies a batch: in one transaction, or in several where its locks do not fit into one. */
export const record = async (
  database: Database,
  entries: readonly Entry[],
  { bounds, rules }: { readonly bounds: UnverifiedBounds; readonly rules: OrderRules },
): Promise<BatchResult> => {
  const parts = await database.inParts(entries, async (part) => await recordPart(database, part, { bounds, rules }));
  return parts.reduce((a, b) => ({
    results: [...a.results, ...b.results],
    unverifiedRoom: b.unverifiedRoom.length > 0 ? b.unverifiedRoom : a.unverifiedRoom,
    failed: [...a.failed, ...b.failed],
  }));
};

const recordPart = async (
  database: Database,
  entries: readonly Entry[],
  { bounds, rules }: { readonly bounds: UnverifiedBounds; readonly rules: OrderRules },
): Promise<BatchResult> => {
  const rows = entries.flatMap((entry) => ('notification' in entry ? [withDigest(entry.notification)] : []));
  const requests = entries.flatMap((entry) => ('unverified' in entry ? [entry.unverified] : []));
  const locks = [...rows.flatMap(locksOf), ...(requests.length === 0 ? [] : [UNVERIFIED_LOCK])];
  return await database.transact(locks, async (transaction) => {
    // Always the unverified first: the rows of two batches are then locked in one order.
    const unverified = await recordUnverified(transaction, requests, bounds);
    const put = await putAndTouch(transaction, rows);
    const { failed } = await derive(transaction, put.touched, { rules, now: Date.now() });
    const recorded = toResults(rows, put.stored, failed);
    const results = inOrder(entries, recorded, unverified.results);
    // Otherwise a copy removes bytes that are gone at its source, also of what still has to be applied.
    if (recorded.some(({ reading }) => reading.outcome !== 'APPLIED')) await transaction.query(NOTE_IN_USE);
    return { results, unverifiedRoom: unverified.room, failed };
  });
};

/** One result a row. Several of one notification in the same batch are counted one after the other. */
const toResults = (
  rows: readonly NotificationRow[],
  stored: Put['stored'],
  failed: readonly NotificationKey[],
): readonly RecordedNotification[] => {
  const failures = new Set(failed.map(({ clientId, id }) => notificationId(clientId, id)));
  const later = new Map<string, number>();
  return rows
    .toReversed()
    .map((row) => {
      const { deliveries, outcome } = stored.get(row.id) as PutNotification;
      const after = later.get(row.id) ?? 0;
      later.set(row.id, after + 1);
      return {
        kind: 'notification',
        reading: {
          kind: row.kind,
          outcome: failures.has(row.id) ? 'FAILED' : outcome,
          problem: outcome === row.outcome ? row.problem : null,
          paymentId: row.paymentId === '' ? null : row.paymentId,
        },
        deliveries: deliveries - after,
      } as RecordedNotification;
    })
    .toReversed();
};

/** The results of both, in the order in which the entries were given. */
const inOrder = (
  entries: readonly Entry[],
  notifications: readonly RecordedNotification[],
  requests: readonly (Recorded | NoRoom)[],
): readonly (Recorded | NoRoom)[] => {
  const [nextNotification, nextRequest] = [notifications.values(), requests.values()];
  return entries.map(
    (entry) => ('notification' in entry ? nextNotification : nextRequest).next().value as Recorded | NoRoom,
  );
};
