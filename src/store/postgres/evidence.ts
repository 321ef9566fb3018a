import type { Outcome } from '../../order/reading.ts';
import { nameOfOrder } from '../order-key.ts';
import { toRegistration } from '../register.ts';
import {
  type EvidenceRow,
  OF_ORDERS,
  type RegistrationRow,
  statementsOf,
  type StoredOrder,
  toStoredOrder,
} from '../row.ts';
import type { Extent, Query, Snapshot } from '../transaction.ts';
import { prepared, recordset } from './query.ts';

/**
 * Reads orders with all that is stored about them, in one statement and so as of one snapshot. The caller holds the
 * locks of what it touches, and has to hold those of all that is returned before it writes.
 */
export const evidence =
  (query: Query): Snapshot['evidence'] =>
  async ({ keys, links }, extent) =>
    gather(
      await query<Row>(EVIDENCE[extent], [
        recordset(links.map(({ clientId, name, value }) => ({ client_id: clientId, name, value }))),
        recordset(
          keys.map(({ clientId, orderKey, positions }) => ({ client_id: clientId, order_key: orderKey, positions })),
        ),
      ]),
    );

/** One row a notification and link of it; an order without notifications has one row all the same. */
interface Row {
  readonly client_id: string;
  readonly order_key: string;
  readonly updated_at: string | null;
  readonly position: string | null;
  readonly fold: string | null;
  /** Of the notification. */
  readonly of_notification: string;
  readonly digest: string | null;
  readonly outcome: Outcome;
  readonly problem: string | null;
  readonly statements: string | null;
  readonly first_received_at: string;
  readonly payment_request_id: string | null;
  readonly expectation: string;
  readonly created_at: string;
  readonly is_shared: boolean;
}

/**
 * What is touched: orders, and those that the links lead to. Notifications are found by their positions alone: with the
 * client beside it, a plan made while the table was small goes through all notifications of the client each time.
 */
const KEYS = `
  with links as (
    select client_id, name, value
    from json_to_recordset($1::json) as links (client_id text, name text, value text)
  ), keys as (
    select client_id, order_key, positions
    from json_to_recordset($2::json) as given (client_id text, order_key text, positions bigint[])
    union
    select links.client_id, paid.payment_id, null
    from links
    cross join lateral (
      select position
      from identifiers
      where client_id = links.client_id and value = links.value and name = links.name and joins = 1
      offset 0
    ) as linked
    cross join lateral (
      select payment_id from notifications where position = linked.position offset 0
    ) as paid
    union
    select links.client_id, ' ' || links.value, null
    from links
    cross join lateral (
      select 1
      from registrations
      where client_id = links.client_id and payment_request_id = links.value and replaced_at = 0
      offset 0
    ) as registered
    where links.name = 'paymentRequestId'
  )`;

/**
 * `lateral … offset 0` leaves the planner one way: look each row up by its index. `named` is what a row of `found`
 * joins: the links of a notification, or the registration of a key that begins with a space.
 */
const evidenceSql = (found: string): string =>
  prepared(`${KEYS}
  select keys.client_id, keys.order_key, orders.updated_at, orders.position, orders.fold,
    n.position as of_notification, encode(n.digest, 'hex') as digest, n.outcome, n.problem, n.statements, n.first_received_at,
    r.payment_request_id, r.expectation, r.created_at,
    exists (
      select
      from identifiers other
      where other.client_id = keys.client_id and other.value = named.value and other.name = named.name and other.joins = 1
        and (
          select payment_id from notifications where position = other.position
        ) <> keys.order_key
    ) as is_shared
  from keys
  left join lateral (
    select updated_at, position, fold from orders where client_id = keys.client_id and order_key = keys.order_key offset 0
  ) as orders on true
  left join lateral (
    select position, digest, outcome, problem, statements, first_received_at
    from ${found} and ${OF_ORDERS}
    offset 0
  ) as n on true
  left join lateral (
    select name, value from identifiers where client_id = keys.client_id and position = n.position and joins = 1
    union all
    select 'paymentRequestId', substr(keys.order_key, 2) where keys.order_key like ' %'
    offset 0
  ) as named on true
  left join lateral (
    select payment_request_id, expectation, created_at
    from registrations
    where client_id = keys.client_id and payment_request_id = named.value and replaced_at = 0
      and named.name = 'paymentRequestId'
    offset 0
  ) as r on true`);

const OF_PAYMENT = 'notifications where client_id = keys.client_id and payment_id = keys.order_key';

const EVIDENCE: Readonly<Record<Extent, string>> = {
  all: evidenceSql(OF_PAYMENT),
  'unless folded': evidenceSql(`${OF_PAYMENT} and orders.fold is null`),
  given: evidenceSql(`unnest(keys.positions) as given (at)
    cross join lateral (
      select * from notifications where position = given.at offset 0
    ) as at_position
    where true`),
};

const gather = (rows: readonly Row[]): readonly StoredOrder[] => {
  const byOrder = new Map<string, [Row, ...Row[]]>();
  for (const row of rows) {
    const name = nameOfOrder({ clientId: row.client_id, orderKey: row.order_key });
    const sameOrder = byOrder.get(name);
    if (sameOrder === undefined) byOrder.set(name, [row]);
    else sameOrder.push(row);
  }
  return [...byOrder.values()].map(toOrder);
};

const toOrder = (rows: readonly [Row, ...Row[]]): StoredOrder => {
  const [{ client_id: clientId, order_key: orderKey, updated_at, position, fold }] = rows;
  const notifications = new Map<string, EvidenceRow>();
  const registrations = new Map<string, RegistrationRow>();
  for (const row of rows) {
    if (row.digest !== null) notifications.set(row.digest, toEvidenceRow(row, row.digest));
    if (row.payment_request_id !== null) {
      const columns = { client_id: clientId, payment_request_id: row.payment_request_id, expectation: row.expectation };
      registrations.set(row.payment_request_id, {
        registration: toRegistration(columns),
        createdAt: Number(row.created_at),
      });
    }
  }
  const stored = [...notifications.values()];
  return toStoredOrder({
    clientId,
    orderKey,
    notifications: stored,
    statements: statementsOf(stored),
    registrations: [...registrations.values()],
    isShared: rows.some((row) => row.is_shared),
    row: updated_at === null || position === null ? null : { updatedAt: Number(updated_at), position, fold },
  });
};

const toEvidenceRow = (row: Row, digest: string): EvidenceRow => ({
  position: row.of_notification,
  digest,
  outcome: row.outcome,
  problem: row.problem,
  statements: row.statements,
  firstReceivedAt: Number(row.first_received_at),
});
