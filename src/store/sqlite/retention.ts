import type { DatabaseSync } from 'node:sqlite';
import { prepare } from './query.ts';
import { unpackRaw } from './raw.ts';

/** Removes what is old enough, inside the caller's transaction. `before` is epoch milliseconds. */
export interface Retention {
  /** Batch by batch, oldest first, until `limit` notifications have lost their bytes or more; returns how many. */
  readonly removeRaw: (before: number, limit: number) => number;
  readonly removeUnverified: (before: number, limit: number) => number;
}

export const openRetention = (db: DatabaseSync): Retention => {
  // What was received together goes together, so one FAILED notification keeps its neighbours' bytes as well.
  const selectOldest = prepare<{ raw_batch: number; packed: Uint8Array }>(
    db,
    `select raw_batch, packed
     from raw_batches
     where received_at < ?
       and raw_batch not in (select raw_batch from notifications where outcome = 'FAILED' and outcome <> 'APPLIED')
     order by received_at
     limit 1`,
  );
  const remove = prepare(db, 'delete from raw_batches where raw_batch = ?');
  const removeUnverified = prepare(
    db,
    `delete from unverified
     where request in (select request from unverified where last_received_at < ? order by last_received_at limit ?)`,
  );

  return {
    removeRaw: (before, limit) => {
      let removed = 0;
      while (removed < limit) {
        const oldest = selectOldest.get(before);
        if (oldest === undefined) break;
        remove.run(oldest.raw_batch);
        removed += unpackRaw(oldest.packed).length;
      }
      return removed;
    },
    removeUnverified: (before, limit) => removeUnverified.run(before, limit),
  };
};
