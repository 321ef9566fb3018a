import type { DatabaseSync } from 'node:sqlite';
import {
  bodyDigest,
  type Entry,
  type NotificationEntry,
  type PromotionEntry,
  type ReadingColumns,
  type ReapplicationEntry,
} from '../entry.ts';
import type { BatchResult, Outcome, RecordedNotification, UnverifiedBounds } from '../store.ts';
import type { Clients } from './clients.ts';
import { KNOWN, type Known, namedIn } from './known.ts';
import { hex, prepare } from './query.ts';
import type { RawWriting } from './raw.ts';
import { type Deriving, nothingTouched, type Touched, touchLinked } from './touched.ts';
import { openUnverifiedRecording } from './unverified.ts';

/** Stores and applies, inside the caller's transaction. */
export interface Recording {
  readonly record: (entries: readonly Entry[], bounds: UnverifiedBounds, now: number) => BatchResult;
  readonly promote: (promotions: readonly PromotionEntry[], now: number) => number;
  readonly reapply: (notifications: readonly ReapplicationEntry[], now: number) => readonly (Outcome | null)[];
}

interface Tools {
  readonly clients: Clients;
  readonly deriving: Deriving;
  readonly raws: RawWriting;
  readonly known: Known;
}

interface StoredBefore {
  readonly outcome: Outcome;
  readonly deliveries: number;
  readonly notify_type: string | null;
  readonly payment_id: string | null;
}

export const openRecording = (db: DatabaseSync, { clients, deriving, raws, known }: Tools): Recording => {
  const insert = prepare(
    db,
    `insert into notifications (
       client, digest, notify_type, payment_id, payment_request_id, capture_id, outcome, deliveries,
       first_received_at, last_received_at, raw_batch, raw_place, facts
     )
     select ?1, ?2, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14
     where not exists (${KNOWN})`,
  );
  const repeat = prepare<StoredBefore>(
    db,
    `update notifications
     set deliveries = deliveries + ?, first_received_at = min(first_received_at, ?), last_received_at = max(last_received_at, ?)
     where notification = ?
     returning outcome, deliveries, notify_type, payment_id`,
  );
  const reread = prepare(
    db,
    `update notifications
     set notify_type = ?, payment_id = ?, payment_request_id = ?, capture_id = ?, outcome = ?, facts = ?
     where notification = ?`,
  );
  const selectOutcome = prepare<{ outcome: Outcome }>(db, 'select outcome from notifications where notification = ?');

  const rewrite = (notification: number, columns: ReadingColumns): void => {
    const { notifyType, paymentId, paymentRequestId, captureId, outcome, facts } = columns;
    reread.run(notifyType, paymentId, paymentRequestId, captureId, outcome, facts, notification);
  };

  interface Stay {
    readonly deliveries: number;
    readonly first: number;
    readonly last: number;
  }

  /** Stores one notification, or counts it where it is stored already. */
  const store = (
    entry: NotificationEntry,
    { deliveries, first, last }: Stay,
    touched: Touched,
  ): StoredBefore & { readonly client: number; readonly digest: Buffer } => {
    const client = clients.numberOf(entry.clientId);
    const digest = bodyDigest(entry.body);
    const named = entry.paymentId ?? namedIn(entry.body);
    const { batch, place } = raws.next();
    const added = insert.run(
      client,
      digest,
      named,
      entry.notifyType,
      entry.paymentId,
      entry.paymentRequestId,
      entry.captureId,
      entry.outcome,
      deliveries,
      first,
      last,
      batch,
      place,
      entry.facts,
    );
    if (added > 0) {
      raws.add(entry);
      touchLinked(touched, client, entry);
      return {
        client,
        digest,
        outcome: entry.outcome,
        deliveries,
        notify_type: entry.notifyType,
        payment_id: entry.paymentId,
      };
    }
    const notification = known.find(client, digest, named) as number;
    const stored = repeat.get(deliveries, first, last, notification) as StoredBefore;
    if (stored.outcome !== 'FAILED') return { client, digest, ...stored };
    rewrite(notification, entry);
    touchLinked(touched, client, entry);
    return {
      client,
      digest,
      outcome: entry.outcome,
      deliveries: stored.deliveries,
      notify_type: entry.notifyType,
      payment_id: entry.paymentId,
    };
  };

  const unverified = openUnverifiedRecording(db);

  return {
    record: (entries, bounds, now) => {
      const touched = nothingTouched();
      const budget = { ...bounds, added: 0 };
      const stored = entries.map((entry) =>
        entry.kind === 'notification'
          ? store(entry, { deliveries: 1, first: entry.receivedAt, last: entry.receivedAt }, touched)
          : unverified.store(entry, budget),
      );
      const { failed } = deriving.derive(touched, now);
      const failedKeys = new Set(failed.map(({ clientId, id }) => `${clientId} ${id}`));
      return {
        results: stored.map((one) =>
          'digest' in one
            ? toRecorded(one, failed.length > 0 && failedKeys.has(`${clients.idOf(one.client)} ${hex(one.digest)}`))
            : one,
        ),
        newUnverified: budget.added,
        unverifiedBytes: budget.added > 0 ? unverified.bytes() : null,
        failed,
      };
    },

    promote: (promotions, now) => {
      const touched = nothingTouched();
      const moved = promotions.filter(({ id, entry }) => {
        const taken = unverified.take(id);
        if (taken === null) return false;
        store(entry, taken, touched);
        return true;
      });
      deriving.derive(touched, now);
      return moved.length;
    },

    reapply: (notifications, now) => {
      const touched = nothingTouched();
      const rows = notifications.map(({ clientId, id, ...columns }) => {
        const client = clients.numberOf(clientId);
        const digest = Buffer.from(id, 'hex');
        const notification = known.find(client, digest, columns.paymentId) ?? known.findAnywhere(client, digest);
        if (notification === null) return null;
        deriving.touchStored(touched, client, notification);
        rewrite(notification, columns);
        touchLinked(touched, client, columns);
        return notification;
      });
      deriving.derive(touched, now);
      return rows.map((notification) =>
        notification === null ? null : (selectOutcome.get(notification)?.outcome ?? null),
      );
    },
  };
};

const toRecorded = (stored: StoredBefore, failed: boolean): RecordedNotification =>
  ({
    kind: 'notification',
    outcome: failed ? 'FAILED' : stored.outcome,
    notifyType: stored.notify_type,
    paymentId: stored.payment_id,
    deliveries: stored.deliveries,
  }) as RecordedNotification;
