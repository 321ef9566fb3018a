import type { Query, Transaction } from '../transaction.ts';
import { NEXT_POSITIONS } from './positions.ts';
import { prepared, recordset } from './query.ts';

/** Brings `orders` to what they should be, in one statement. */
export const writeOrders =
  (send: Query): Transaction['writeOrders'] =>
  (kept, gone, now) => {
    const rows = kept.map((row, index) => ({
      ordinal: index + 1,
      client_id: row.clientId,
      order_key: row.orderKey,
      revision: row.revision,
      status: row.status,
      next_action: row.nextAction,
      attention: row.attention,
      reference_order_id: row.referenceOrderId,
      due_at: row.dueAt,
      content: row.content,
      fold: row.fold,
    }));
    const goneKeys = gone.map(({ clientId, orderKey }) => ({ client_id: clientId, order_key: orderKey }));
    // Sent before this returns: what fails until then fails the caller, and what fails later COMMIT.
    const answer = send<{ changed: number }>(WRITE, [recordset(rows), recordset(goneKeys), now]);
    return changedIn(answer);
  };

const changedIn = async (answer: Promise<readonly { readonly changed: number }[]>): Promise<number> =>
  (await answer)[0]?.changed ?? 0;

/**
 * What the order shows, and the columns by which it is found, so that a rebuild also repairs what somebody else wrote
 * into them.
 */
const SHOWN = ['status', 'next_action', 'attention', 'reference_order_id', 'content', 'fold'] as const;
const shownOf = (table: string): string => `(${SHOWN.map((column) => `${table}.${column}`).join(', ')})`;
const DIFFERS = `${shownOf('orders')} is distinct from ${shownOf('excluded')}`;
const whereDiffers = (column: string): string =>
  `case when ${DIFFERS} then excluded.${column} else orders.${column} end`;

/** The transaction may have waited for the order's lock since its time was taken: it does not go back. */
const UPDATED_AT = `case when ${DIFFERS} then greatest(excluded.updated_at, orders.updated_at) else orders.updated_at end`;

/**
 * A row that is as it should be is not touched: `updated_at` and the position stand, also where only the time differs
 * at which the clock may change it.
 */
const WRITE = prepared(`
  with taken as materialized (
    select ${NEXT_POSITIONS} as base
  ), changed as (
    insert into orders (
      client_id, order_key, position, revision, updated_at, status, next_action, attention, reference_order_id, due_at,
      content, fold
    )
    select client_id, order_key, (select base from taken) + ordinal, revision, $3::bigint, status, next_action, attention,
      reference_order_id, due_at, content, fold
    from json_to_recordset($1::json) as derived (
      ordinal integer, client_id text, order_key text, revision bigint, status text, next_action text, attention text,
      reference_order_id text, due_at bigint, content text, fold text
    )
    on conflict (client_id, order_key) do update
    set (position, revision, updated_at, status, next_action, attention, reference_order_id, due_at, content, fold) = (
      ${whereDiffers('position')}, ${whereDiffers('revision')}, ${UPDATED_AT}, excluded.status,
      excluded.next_action, excluded.attention, excluded.reference_order_id, excluded.due_at, excluded.content,
      excluded.fold
    )
    where ${DIFFERS} or orders.due_at is distinct from excluded.due_at
    returning position
  ), gone as (
    delete from orders
    where ctid = any (array(
      select kept.ctid
      from json_to_recordset($2::json) as gone (client_id text, order_key text)
      cross join lateral (
        select ctid from orders where client_id = gone.client_id and order_key = gone.order_key offset 0
      ) as kept
    ))
    returning 1
  )
  select (
    (select count(*) from changed where position > (select base from taken)) + (select count(*) from gone)
  )::integer as changed`);
