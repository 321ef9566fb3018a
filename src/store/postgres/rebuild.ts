import { readKey } from '../cursor.ts';
import type { PageRequest, RebuildStep } from '../store.ts';
import { paymentIdOf } from '../order-key.ts';
import { type OrderKey, orderLock } from './evidence.ts';
import { LockTableFullError } from './locks.ts';
import type { Query } from './query.ts';
import type { Refresh } from './refresh.ts';
import type { Database } from './transaction.ts';

/** Derives the next orders anew; the cursor is the last order's client and key, as JSON. */
export type Rebuilding = (page: PageRequest, now: Date) => Promise<RebuildStep>;

export const openRebuilding = ({ query, transact }: Database, refresh: Refresh): Rebuilding => {
  const rebuild: Rebuilding = async ({ limit, cursor }, now) => {
    const keys = await nextKeys(query, readCursor(cursor), limit);
    const last = keys.at(-1);
    // Read before their locks, but derived after: what happens to these keys in between is seen, and others see to themselves.
    const changed = await transact(keys.map(orderLock), async (transaction) => {
      const refreshed = await refresh(transaction, { keys, links: [] }, now);
      return await refreshed.changed;
    });
    return {
      orders: keys.length,
      changed,
      next: last === undefined || keys.length < limit ? null : JSON.stringify([last.clientId, last.orderKey]),
    };
  };

  return async (page, now) => {
    for (let { limit } = page; ; limit >>= 1) {
      try {
        return await rebuild({ ...page, limit }, now);
      } catch (error) {
        if (!(error instanceof LockTableFullError) || limit < 2) throw error;
      }
    }
  };
};

/** Greater than any `paymentRequestId`: the keys of registrations come before those of payments. */
const PAST_REGISTRATIONS = '\x7f';

/** Orders that should be there and orders that are there, so that neither kind of error survives. */
const nextKeys = async (
  query: Query,
  { clientId, orderKey }: OrderKey,
  limit: number,
): Promise<readonly OrderKey[]> => {
  const registration = orderKey === '' || paymentIdOf(orderKey) === null ? orderKey.slice(1) : PAST_REGISTRATIONS;
  const rows = await query<{ client_id: string; order_key: string }>(
    `select client_id, order_key
     from (
       select * from (
         select distinct client_id, payment_id as order_key
         from notifications
         where payment_id is not null and (client_id, payment_id) > ($1, $2)
         order by client_id, payment_id
         limit $4
       ) as paid
       union
       select * from (
         select client_id, order_key
         from orders
         where (client_id, order_key) > ($1, $2)
         order by client_id, order_key
         limit $4
       ) as present
       union
       select * from (
         select client_id, ' ' || payment_request_id
         from registrations
         where (client_id, payment_request_id) > ($1, $3)
         order by client_id, payment_request_id
         limit $4
       ) as registered
     ) as keys
     order by client_id, order_key
     limit $4`,
    [clientId, orderKey, registration, limit],
  );
  return rows.map((row) => ({ clientId: row.client_id, orderKey: row.order_key }));
};

const readCursor = (cursor: string | null): OrderKey => {
  const [clientId, orderKey] = cursor === null ? START : readKey(cursor, START);
  return { clientId, orderKey };
};

/** Before the first order. */
const START: readonly [clientId: string, orderKey: string] = ['', ''];
