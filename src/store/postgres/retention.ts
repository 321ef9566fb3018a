import type { Store } from '../store.ts';
import { UNVERIFIED_LOCK } from './locks.ts';
import type { Database } from './transaction.ts';

/** Removes what is old enough, in one short statement a call. */
export type Retention = Pick<Store, 'removeRaw' | 'removeUnverified'>;

export const openRetention = ({ query, transact }: Database): Retention => ({
  // Found by notifications_with_bytes, whose terms are repeated. Rows that somebody counts a resend on at this
  // moment are left for the next call: who never waits for a row is never part of a deadlock.
  removeRaw: async (before, limit) => {
    const removed = await query(
      `update notifications
       set method = null, target = null, request_time = null, signature = null, body = null
       where (client_id, digest) in (
         select client_id, digest
         from notifications
         where body is not null and outcome <> 'FAILED' and first_received_at < $1
         order by first_received_at
         limit $2
         for update skip locked
       )
       returning 1`,
      [before.toISOString(), limit],
    );
    return removed.length;
  },
  removeUnverified: async (before, limit) =>
    await transact([UNVERIFIED_LOCK], async (transaction) => {
      const removed = await transaction.query(
        `delete from unverified
         where digest in (
           select digest
           from unverified
           where last_received_at < $1
           order by last_received_at
           limit $2
         )
         returning 1`,
        [before.toISOString(), limit],
      );
      return removed.length;
    }),
});
