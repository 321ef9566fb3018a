import type { DatabaseSync } from 'node:sqlite';
import type { UnverifiedReason } from '../../antom/signature.ts';
import { requestBytes, requestDigest, STRANGERS_REASONS, STRANGERS_SHARE, type UnverifiedEntry } from '../entry.ts';
import type { Recorded, RecordedUnverified, Refused, UnverifiedBounds } from '../store.ts';
import { prepare } from './query.ts';

/** The bounds, and how many the batch has added so far. */
export interface Budget extends UnverifiedBounds {
  added: number;
}

export interface UnverifiedRecording {
  /** Stores a request or counts it; over a bound a new one is refused. */
  readonly store: (entry: UnverifiedEntry, budget: Budget) => Recorded | Refused;
  /** Takes a request out, for it verifies by now; null where another replica was first. */
  readonly take: (id: string) => { readonly deliveries: number; readonly first: number; readonly last: number } | null;
  readonly bytes: () => number;
}

export const openUnverifiedRecording = (db: DatabaseSync): UnverifiedRecording => {
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
  const totals = prepare<{ reason: UnverifiedReason; bytes: number }>(
    db,
    'select reason, bytes from unverified_totals',
  );

  const sum = (reasons: readonly UnverifiedReason[] | null): number =>
    totals
      .all()
      .reduce((bytes, total) => (reasons === null || reasons.includes(total.reason) ? bytes + total.bytes : bytes), 0);

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
      insert.run(
        digest,
        entry.reason,
        bytes,
        entry.receivedAt,
        entry.receivedAt,
        entry.method,
        entry.target,
        entry.headers,
        entry.body,
      );
      budget.added += 1;
      return { kind: 'unverified', deliveries: 1 } as RecordedUnverified;
    },
    take: (id) => take.get(Buffer.from(id, 'hex')) ?? null,
    bytes: () => sum(null),
  };
};
