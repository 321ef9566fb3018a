import type { RegistrationFact } from '../../order/evidence.ts';
import type { Kind, Outcome } from '../../order/reading.ts';
import { nameOfOrder, toOrderKey } from '../order-key.ts';
import { toRegistration } from '../register.ts';
import { toReview } from '../review.ts';
import { OF_ORDERS } from '../row.ts';
import { type EvidenceRow, type GatheredOrder, readStatements } from '../stored-order.ts';
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

/** One row a notification and name of it; an order without notifications has one row all the same. */
interface Row {
  readonly client_id: string;
  readonly order_key: string;
  readonly revision: string | null;
  readonly updated_at: string;
  readonly reference_order_id: string | null;
  readonly due_at: string | null;
  readonly fold: string | null;
  readonly reviewed: string | null;
  readonly reviewed_at: string;
  /** Of the notification. */
  readonly of_notification: string;
  readonly digest: string | null;
  readonly kind: Kind;
  readonly outcome: Outcome;
  readonly problem: string | null;
  readonly statements: string | null;
  readonly first_received_at: string;
  readonly payment_request_id: string | null;
  readonly target: string;
  readonly said: string;
  readonly created_at: string;
  readonly is_named: boolean;
  readonly has_refunds: boolean;
  readonly has_unreadable: boolean;
  readonly has_siblings: boolean;
  readonly is_shared: boolean;
  readonly is_moving: boolean;
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
      where client_id = links.client_id and value = links.value and name = links.name and joins > 0
      offset 0
    ) as linked
    cross join lateral (
      select payment_id from notifications where position = linked.position and payment_id <> '' offset 0
    ) as paid
    union
    select links.client_id, ' ' || links.value, null
    from links
    cross join lateral (
      select 1
      from shop_statements
      where client_id = links.client_id and about = 'registration' and id = links.value and replaced_at = 0
      offset 0
    ) as registered
    where links.name = 'paymentRequestId'
  )`;

/** Other notifications that name what `named` does, and how. */
const OTHERS = `
  from identifiers other
  cross join lateral (
    select payment_id from notifications where position = other.position offset 0
  ) as elsewhere
  where other.client_id = keys.client_id and other.value = named.value and other.name = named.name
    and elsewhere.payment_id <> keys.order_key`;

/** A statement of the shop stands; a scalar look-up, for a planner would read all of them at once for `exists`. */
const isSaid = (terms: string): string => `coalesce((
  select true
  from shop_statements
  where client_id = keys.client_id and replaced_at = 0 and target <> '' and ${terms}
  limit 1
), false)`;

const MOVING = `left join lateral (
    select client_id
    from moves
    where client_id = keys.client_id and payment_id = keys.order_key
    limit 1
  ) as moving on true`;

/** A refund is registered for the order of this key. */
const refundedBy = (key: string): string => isSaid(`about = 'refund' and target = ${key}`);

/**
 * `lateral … offset 0` leaves the planner one way: look each row up by its index. `named` is what a row of `found`
 * names: by its identifiers, or by the registration of a key that begins with a space.
 */
const evidenceSql = (found: string): string =>
  prepared(`${KEYS}
  select keys.client_id, keys.order_key, orders.revision, orders.updated_at, orders.reference_order_id, orders.due_at,
    orders.fold, review.said as reviewed, review.updated_at as reviewed_at,
    n.position as of_notification, encode(n.digest, 'hex') as digest, n.kind, n.outcome, n.problem, n.statements, n.first_received_at,
    r.id as payment_request_id, r.target, r.said, r.created_at,
    keys.order_key like ' %' and exists (select ${OTHERS} and other.joins > 0 and elsewhere.payment_id <> '') as is_named,
    keys.order_key not like ' %' and (
      coalesce(named.name in ('refundId', 'refundRequestId'), false) or ${refundedBy('keys.order_key')}
      or named.name = 'paymentRequestId' and ${refundedBy("' ' || named.value")}
    ) as has_refunds,
    named.name = 'paymentRequestId' and exists (select ${OTHERS} and other.joins = 2) as has_unreadable,
    r.target <> '' and (
      exists (select ${OTHERS} and other.joins > 0 and elsewhere.payment_id <> '') or ${isSaid("about = 'registration' and target = r.target and id <> r.id")}
    ) as has_siblings,
    shared.is_shared,
    moving.client_id is not null as is_moving
  from keys
  left join lateral (
    select revision, updated_at, reference_order_id, due_at, fold
    from orders
    where client_id = keys.client_id and order_key = keys.order_key
    offset 0
  ) as orders on true
  left join lateral (
    select said, updated_at
    from shop_statements
    where client_id = keys.client_id and about = 'review' and id = keys.order_key and replaced_at = 0
    offset 0
  ) as review on true
  ${MOVING}
  left join lateral (
    select position, digest, outcome, problem, statements, first_received_at, kind
    from ${found} and ${OF_ORDERS}
    offset 0
  ) as n on true
  left join lateral (
    select name, value, joins
    from identifiers
    where client_id = keys.client_id and position = n.position and joins > 0
    union all
    select 'paymentRequestId', substr(keys.order_key, 2), 1 where keys.order_key like ' %'
    offset 0
  ) as named on true
  left join lateral (
    select id, target, said, created_at
    from shop_statements
    where client_id = keys.client_id and about = 'registration' and id = named.value and replaced_at = 0
      and named.name = 'paymentRequestId'
    offset 0
  ) as r on true
  cross join lateral (
    select named.joins = 1 and named.name not in ('refundId', 'refundRequestId')
      and exists (select ${OTHERS} and other.joins = 1) as is_shared
    offset 0
  ) as shared`);

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

const gather = (rows: readonly Row[]): readonly GatheredOrder[] => {
  const byOrder = new Map<string, [Row, ...Row[]]>();
  for (const row of rows) {
    const name = nameOfOrder(toOrderKey(row));
    const sameOrder = byOrder.get(name);
    if (sameOrder === undefined) byOrder.set(name, [row]);
    else sameOrder.push(row);
  }
  return [...byOrder.values()].map(toGathered);
};

const toGathered = (rows: readonly [Row, ...Row[]]): GatheredOrder => {
  const [first] = rows;
  const { client_id: clientId, order_key: orderKey } = first;
  const notifications = new Map<string, EvidenceRow>();
  const registrations = new Map<string, RegistrationFact>();
  for (const row of rows) {
    if (row.digest !== null && !notifications.has(row.digest))
      notifications.set(row.digest, toEvidenceRow(row, row.digest));
    if (row.payment_request_id === null) continue;
    const { payment_request_id: id, target, said } = row;
    registrations.set(id, {
      ...toRegistration({ clientId, id, target, said }),
      createdAt: Number(row.created_at),
    });
  }
  return {
    clientId,
    orderKey,
    notifications: [...notifications.values()],
    registrations: [...registrations.values()],
    review: first.reviewed === null ? null : toReview(first.reviewed, Number(first.reviewed_at)),
    hints: {
      refunds: rows.some((row) => row.has_refunds),
      unreadable: rows.some((row) => row.has_unreadable),
      siblings: rows.some((row) => row.has_siblings),
      shared: rows.some((row) => row.is_shared),
      moving: first.is_moving,
    },
    isNamed: rows.some((row) => row.is_named),
    before: null,
    row: toStanding(first),
  };
};

const toStanding = ({ revision, updated_at, reference_order_id, due_at, fold }: Row): GatheredOrder['row'] =>
  revision === null
    ? null
    : {
        revision: Number(revision),
        updatedAt: Number(updated_at),
        referenceOrderId: reference_order_id,
        dueAt: due_at === null ? null : Number(due_at),
        fold,
      };

const toEvidenceRow = (row: Row, digest: string): EvidenceRow => ({
  position: row.of_notification,
  digest,
  kind: row.kind,
  outcome: row.outcome,
  problem: row.problem,
  statements: readStatements(row.statements, { outcome: row.outcome, digest }),
  firstReceivedAt: Number(row.first_received_at),
});
