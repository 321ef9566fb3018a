import type { OrderRules } from '../order/rules.ts';
import { readKey } from './cursor.ts';
import { derive } from './derive.ts';
import { orderLock } from './lock.ts';
import { type OrderKey, paymentIdOf } from './order-key.ts';
import type { PageRequest, RebuildStep } from './store.ts';
import type { Database, Query } from './transaction.ts';

/** Derives the next orders again; the cursor is the last order's client and key, as JSON. */
export const rebuild = async (
  database: Database,
  { limit, cursor }: PageRequest,
  { rules, now }: { readonly rules: OrderRules; readonly now: number },
): Promise<RebuildStep> => {
  const keys = await nextKeys(database.query, cursor === null ? START : readKey(cursor, START), limit);
  const last = keys.at(-1);
  // Read before their locks, but derived after: what happens to these keys in between is seen, and others see to
  // themselves.
  const parts = await database.inParts(
    keys,
    async (part) =>
      await database.transact(part.map(orderLock), async (transaction) => {
        const derived = await derive(transaction, { keys: part, links: [] }, { rules, now });
        return await derived.changed;
      }),
  );
  return {
    orders: keys.length,
    changed: parts.reduce((all, changed) => all + changed, 0),
    next: last === undefined || keys.length < limit ? null : JSON.stringify([last.clientId, last.orderKey]),
  };
};

/** Before the first order. */
const START: readonly [clientId: string, orderKey: string] = ['', ''];
/** Greater than any `paymentRequestId`: the keys of registrations come before those of payments. */
const PAST_REGISTRATIONS = '\x7f';

/** Orders that should be there and orders that are there, so that neither kind of error survives. */
export const nextKeys = async (
  query: Query,
  [clientId, orderKey]: readonly [string, string],
  limit: number,
): Promise<readonly OrderKey[]> => {
  const registration = orderKey === '' || paymentIdOf(orderKey) === null ? orderKey.slice(1) : PAST_REGISTRATIONS;
  const rows = await query<{ client_id: string; order_key: string }>(
    `select client_id, order_key
     from (
       select * from (
         select distinct client_id, payment_id as order_key
         from notifications
         where (client_id, payment_id) > ($1, $2) and payment_id <> ''
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
         where (client_id, payment_request_id) > ($1, $3) and replaced_at = 0
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
