import type { DatabaseSync } from 'node:sqlite';
import type { UnverifiedReason } from '../../antom/signature.ts';
import {
  bodyDigest,
  type Entry,
  type NotificationEntry,
  type PromotionEntry,
  type ReadingColumns,
  type ReapplicationEntry,
  requestBytes,
  requestDigest,
  STRANGERS_REASONS,
  STRANGERS_SHARE,
  type UnverifiedEntry,
} from '../entry.ts';
import type { Links } from '../projection.ts';
import type { BatchResult, NotificationKey, Outcome, Recorded, RecordedNotification, RecordedUnverified, Refused, UnverifiedBounds } from '../store.ts';
import type { Clients } from './clients.ts';
import { type Evidence, registrationKey } from './evidence.ts';
import type { OrderWriting } from './orders.ts';
import { hex, prepare } from './query.ts';
import type { RawWriting } from './raw.ts';

/** Stores and applies, inside the caller's transaction. */
export interface Recording {
  readonly record: (entries: readonly Entry[], bounds: UnverifiedBounds, now: number) => BatchResult;
  readonly promote: (promotions: readonly PromotionEntry[], now: number) => number;
  readonly reapply: (notifications: readonly ReapplicationEntry[], now: number) => readonly (Outcome | null)[];
}

interface Tools {
  readonly clients: Clients;
  readonly evidence: Evidence;
  readonly orders: OrderWriting;
  readonly raws: RawWriting;
}

interface KnownNotification {
  readonly outcome: Outcome;
  readonly deliveries: number;
  readonly notify_type: string | null;
  readonly payment_id: string | null;
}

/** What a transaction touches: each order is derived once, after all of its notifications are in. */
interface Touched {
  readonly keys: Map<number, Set<string>>;
  /** Identifiers that may join payments: looked up when everything is in. */
  readonly links: { readonly client: number; readonly links: Links }[];
}

const nothingTouched = (): Touched => ({ keys: new Map(), links: [] });

const touch = ({ keys }: Touched, client: number, orderKeys: readonly string[]): void => {
  const its = keys.get(client) ?? new Set<string>();
  for (const key of orderKeys) its.add(key);
  keys.set(client, its);
};

export const openRecording = (db: DatabaseSync, { clients, evidence, orders, raws }: Tools): Recording => {
  const insert = prepare(
    db,
    `insert into notifications (
       client, digest, notify_type, payment_id, payment_request_id, capture_id, outcome, deliveries,
       first_received_at, last_received_at, raw_batch, raw_place, facts
     )
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const repeat = prepare<KnownNotification>(
    db,
    `update notifications
     set deliveries = deliveries + ?, first_received_at = min(first_received_at, ?), last_received_at = max(last_received_at, ?)
     where client = ? and digest = ?
     returning outcome, deliveries, notify_type, payment_id`,
  );
  const reread = prepare(
    db,
    `update notifications
     set notify_type = ?, payment_id = ?, payment_request_id = ?, capture_id = ?, outcome = ?, facts = ?
     where client = ? and digest = ?`,
  );
  const fail = prepare(db, "update notifications set outcome = 'FAILED' where client = ? and digest = ?");
  const selectOld = prepare<{ payment_id: string | null; payment_request_id: string | null; capture_id: string | null }>(
    db,
    'select payment_id, payment_request_id, capture_id from notifications where client = ? and digest = ?',
  );
  const selectOutcome = prepare<{ outcome: Outcome }>(db, 'select outcome from notifications where client = ? and digest = ?');

  const touchLinked = (touched: Touched, client: number, links: Links & { readonly paymentId: string | null }): void => {
    if (links.paymentId !== null) touch(touched, client, [links.paymentId]);
    if (links.paymentRequestId !== null || links.captureId !== null) touched.links.push({ client, links });
  };

  /** The payments that are joined with those touched. */
  const widen = (touched: Touched): void => {
    evidence.forget();
    for (const { client, links } of touched.links) {
      if (links.paymentRequestId !== null) touch(touched, client, evidence.paymentsNaming(client, links.paymentRequestId));
      if (links.captureId !== null) touch(touched, client, evidence.paymentsCapturedAs(client, links.captureId));
    }
  };

  /** What a stored notification names, and the registration that may be named by nobody else. */
  const touchStored = (touched: Touched, client: number, digest: Uint8Array): void => {
    const stored = selectOld.get(client, digest);
    if (stored === undefined) return;
    touchLinked(touched, client, { paymentId: stored.payment_id, paymentRequestId: stored.payment_request_id, captureId: stored.capture_id });
    if (stored.payment_request_id !== null) touch(touched, client, [registrationKey(stored.payment_request_id)]);
  };

  const rewrite = (client: number, digest: Uint8Array, columns: ReadingColumns): void => {
    const { notifyType, paymentId, paymentRequestId, captureId, outcome, facts } = columns;
    reread.run(notifyType, paymentId, paymentRequestId, captureId, outcome, facts, client, digest);
  };

  interface Stay {
    readonly deliveries: number;
    readonly first: number;
    readonly last: number;
  }

  /** Stores one notification, or counts it where it is stored already. */
  const store = (entry: NotificationEntry, { deliveries, first, last }: Stay, touched: Touched): KnownNotification & { readonly client: number; readonly digest: Buffer } => {
    const client = clients.numberOf(entry.clientId);
    const digest = bodyDigest(entry.body);
    const { batch, place } = raws.next();
    const added = insert.run(
      client, digest, entry.notifyType, entry.paymentId, entry.paymentRequestId, entry.captureId, entry.outcome, deliveries,
      first, last, batch, place, entry.facts,
    );
    if (added > 0) {
      raws.add(entry);
      touchLinked(touched, client, entry);
      return { client, digest, outcome: entry.outcome, deliveries, notify_type: entry.notifyType, payment_id: entry.paymentId };
    }
    const known = repeat.get(deliveries, first, last, client, digest) as KnownNotification;
    if (known.outcome !== 'FAILED') return { client, digest, ...known };
    rewrite(client, digest, entry);
    touchLinked(touched, client, entry);
    return { client, digest, outcome: entry.outcome, deliveries: known.deliveries, notify_type: entry.notifyType, payment_id: entry.paymentId };
  };

  /**
   * Derives every touched order; marks the notifications whose handler failed. What failed names nothing any more:
   * it and the orders that it joined are derived once more without it, as a rebuild would.
   */
  const deriveTouched = (touched: Touched, now: number): readonly NotificationKey[] => {
    widen(touched);
    const failures: NotificationKey[] = [];
    const again = nothingTouched();
    for (const [client, keys] of touched.keys) {
      for (const key of keys) {
        for (const id of orders.refresh(client, key, now).failed) {
          const digest = Buffer.from(id, 'hex');
          fail.run(client, digest);
          failures.push({ clientId: clients.idOf(client), id });
          touchStored(again, client, digest);
        }
      }
    }
    return failures.length === 0 ? failures : [...failures, ...deriveTouched(again, now)];
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
      const failed = deriveTouched(touched, now);
      const failedIds = new Set(failed.map(({ id }) => id));
      return {
        results: stored.map((one) => ('digest' in one ? toRecorded(one, failedIds) : one)),
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
      deriveTouched(touched, now);
      return moved.length;
    },

    reapply: (notifications, now) => {
      const touched = nothingTouched();
      for (const { clientId, id, ...columns } of notifications) {
        const client = clients.numberOf(clientId);
        const digest = Buffer.from(id, 'hex');
        touchStored(touched, client, digest);
        rewrite(client, digest, columns);
        touchLinked(touched, client, columns);
      }
      deriveTouched(touched, now);
      return notifications.map(({ clientId, id }) => selectOutcome.get(clients.numberOf(clientId), Buffer.from(id, 'hex'))?.outcome ?? null);
    },
  };
};

const toRecorded = (stored: KnownNotification & { readonly digest: Uint8Array }, failed: ReadonlySet<string>): RecordedNotification =>
  ({
    kind: 'notification',
    outcome: failed.size > 0 && failed.has(hex(stored.digest)) ? 'FAILED' : stored.outcome,
    notifyType: stored.notify_type,
    paymentId: stored.payment_id,
    deliveries: stored.deliveries,
  }) as RecordedNotification;

interface Budget extends UnverifiedBounds {
  added: number;
}

interface UnverifiedRecording {
  /** Stores a request or counts it; over a bound a new one is refused. */
  readonly store: (entry: UnverifiedEntry, budget: Budget) => Recorded | Refused;
  /** Takes a request out, for it verifies by now; null where another replica was first. */
  readonly take: (id: string) => { readonly deliveries: number; readonly first: number; readonly last: number } | null;
  readonly bytes: () => number;
}

const openUnverifiedRecording = (db: DatabaseSync): UnverifiedRecording => {
  const repeat = prepare<{ deliveries: number }>(
    db,
    `update unverified
     set deliveries = deliveries + 1, last_received_at = max(last_received_at, ?)
     where digest = ?
     returning deliveries`,
  );
  const insert = prepare(
    db,
    `insert into unverified (digest, reason, deliveries, bytes, first_received_at, last_received_at, method, target, headers, body)
     values (?, ?, 1, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const take = prepare<{ deliveries: number; first: number; last: number }>(
    db,
    `delete from unverified
     where digest = ?
     returning deliveries, first_received_at as first, last_received_at as last`,
  );
  const totals = prepare<{ reason: UnverifiedReason; bytes: number }>(db, 'select reason, bytes from unverified_totals');

  const sum = (reasons: readonly UnverifiedReason[] | null): number =>
    totals.all().reduce((bytes, total) => (reasons === null || reasons.includes(total.reason) ? bytes + total.bytes : bytes), 0);

  const fits = (entry: UnverifiedEntry, bytes: number, { maxBytes, maxNew, added }: Budget): boolean => {
    if (added >= maxNew || sum(null) + bytes > maxBytes) return false;
    return !STRANGERS_REASONS.includes(entry.reason) || sum(STRANGERS_REASONS) + bytes <= maxBytes / STRANGERS_SHARE;
  };

  return {
    store: (entry, budget) => {
      const digest = requestDigest(entry);
      const repeated = repeat.get(entry.receivedAt, digest);
      if (repeated !== undefined) return { kind: 'unverified', deliveries: repeated.deliveries } as RecordedUnverified;
      const bytes = requestBytes(entry);
      if (!fits(entry, bytes, budget)) return { kind: 'refused' };
      insert.run(digest, entry.reason, bytes, entry.receivedAt, entry.receivedAt, entry.method, entry.target, entry.headers, entry.body);
      budget.added += 1;
      return { kind: 'unverified', deliveries: 1 } as RecordedUnverified;
    },
    take: (id) => take.get(Buffer.from(id, 'hex')) ?? null,
    bytes: () => sum(null),
  };
};
