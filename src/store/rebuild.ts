import type { Around } from './around.ts';
import { nextCursor, readKey } from './cursor.ts';
import { derive } from './derive.ts';
import { orderLock } from './lock.ts';
import { type OrderKey, requestIdOf, toOrderKey } from './order-key.ts';
import { sumInParts } from './parts.ts';
import type { Page, PageRequest, RebuildStep } from './store.ts';
import type { Count, Database, Query } from './transaction.ts';

/** Derives the orders of the next page again. */
export const rebuild = async (database: Database, page: PageRequest, { rules, now }: Around): Promise<RebuildStep> => {
  const { items: keys, next } = await readOrderKeys(database.query, page);
  // Read before their locks, but derived after: what happens to these keys in between is seen, and others see to
  // themselves.
  const changed = await sumInParts(
    database,
    keys,
    async (part) =>
      await database.transact(part.map(orderLock), async (transaction) => {
        const derived = await derive(transaction, { keys: part, links: [] }, { rules, now });
        return await derived.changed;
      }),
  );
  return { orders: await countOrders(database.query, page, keys), changed, next };
};

/** How many orders a page of keys has: a placeholder that a payment replaced is none. */
const countOrders = async (query: Query, { cursor }: PageRequest, keys: readonly OrderKey[]): Promise<number> => {
  const last = keys.at(-1);
  if (last === undefined) return 0;
  const [row] = await query<{ count: Count }>(
    `select count(*) as count
     from orders
     where (client_id, order_key) > ($1, $2) and (client_id, order_key) <= ($3, $4)`,
    [...readKey(cursor, START), last.clientId, last.orderKey],
  );
  return Number(row?.count);
};

/** Before the first order. */
const START: readonly [clientId: string, orderKey: string] = ['', ''];

/** Greater than any `paymentRequestId`: the keys of registrations come before those of payments. */
const PAST_REGISTRATIONS = '\u{10ffff}';

/**
 * Orders that should be there and orders that are there, so that neither kind of error survives. The cursor is the last
 * order's client and key, as JSON.
 */
export const readOrderKeys = async (query: Query, page: PageRequest): Promise<Page<OrderKey>> => {
  const [clientId, orderKey] = readKey(page.cursor, START);
  const registration = orderKey === '' ? '' : (requestIdOf(orderKey) ?? PAST_REGISTRATIONS);
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
         select client_id, ' ' || id
         from shop_statements
         where (client_id, about, id) > ($1, 'registration', $3) and about = 'registration' and replaced_at = 0
         order by client_id, id
         limit $4
       ) as registered
     ) as keys
     order by client_id, order_key
     limit $4`,
    [clientId, orderKey, registration, page.limit],
  );
  const items = rows.map(toOrderKey);
  return { items, next: nextCursor(items, page, (last) => JSON.stringify([last.clientId, last.orderKey])) };
};
