import { hexOf } from '../row.ts';
import type { Query, Transaction } from '../transaction.ts';
import { NEXT_POSITIONS } from './positions.ts';
import { prepared, recordset } from './query.ts';

/** Brings `orders` to what they should be, in one statement. */
export const writeOrders =
  (send: Query): Transaction['writeOrders'] =>
  (kept, gone, now) => {
    const rows = kept.map(({ clientId, orderKey, status, attention, digest, fold }, index) => ({
      ordinal: index + 1,
      client_id: clientId,
      order_key: orderKey,
      status,
      attention,
      digest: hexOf(digest),
      fold,
    }));
    const goneKeys = gone.map(({ clientId, orderKey }) => ({ client_id: clientId, order_key: orderKey }));
    // Sent before this returns: what fails until then fails the caller, and what fails later COMMIT.
    const answer = send<{ changed: number }>(WRITE, [recordset(rows), recordset(goneKeys), now]);
    return changedIn(answer);
  };

const changedIn = async (answer: Promise<readonly { readonly changed: number }[]>): Promise<number> =>
  (await answer)[0]?.changed ?? 0;

/**
 * A row that is as it should be is not touched: `updated_at` and the position stand. Its columns are compared beside
 * its digest, so that a rebuild also repairs what somebody else wrote into them.
 */
const WRITE = prepared(`
  with taken as materialized (
    select ${NEXT_POSITIONS} as base
  ), changed as (
    insert into orders (client_id, order_key, position, updated_at, status, attention, digest, fold)
    select client_id, order_key, (select base from taken) + ordinal, $3::bigint, status, attention, decode(digest, 'hex'),
      fold
    from json_to_recordset($1::json) as derived (
      ordinal integer, client_id text, order_key text, status text, attention text, digest text, fold text
    )
    on conflict (client_id, order_key) do update
    set (position, updated_at, status, attention, digest, fold) =
      (excluded.position, excluded.updated_at, excluded.status, excluded.attention, excluded.digest, excluded.fold)
    where (orders.digest, orders.status, orders.attention, orders.fold) is distinct from
      (excluded.digest, excluded.status, excluded.attention, excluded.fold)
    returning 1
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
  select ((select count(*) from changed) + (select count(*) from gone))::integer as changed`);
