import type { Registration } from '../../order/registration.ts';
import { factsOf } from '../entry.ts';
import { paymentIdOf } from '../order-key.ts';
import type { EvidenceRow, StoredEvidence } from '../projection.ts';
import type { Outcome } from '../store.ts';
import { type Lock, paymentLock, paymentRequestLock } from './locks.ts';
import { prepared, type Query, recordset } from './query.ts';

export interface OrderKey {
  readonly clientId: string;
  readonly orderKey: string;
}

/** The lock that whoever writes this order holds. */
export const orderLock = ({ clientId, orderKey }: OrderKey): Lock =>
  paymentIdOf(orderKey) === null ? paymentRequestLock(clientId, orderKey.slice(1)) : paymentLock(clientId, orderKey);

/** Neither an order key nor a header value holds a line break. */
const nameOf = ({ clientId, orderKey }: OrderKey): string => `${orderKey}\n${clientId}`;

/** All that is stored about an order, as of one snapshot. */
export interface StoredOrder extends OrderKey {
  readonly evidence: StoredEvidence;
  /** A registration that payments name: it has no order of its own. */
  readonly named: boolean;
  /** Of the row in `orders`; null while there is none. */
  readonly row: { readonly createdAt: Date; readonly updatedAt: Date; readonly position: string } | null;
}

interface Row {
  readonly client_id: string;
  readonly order_key: string;
  readonly created_at: Date | null;
  readonly updated_at: Date | null;
  readonly position: string | null;
  readonly digest: string | null;
  readonly notify_type: string;
  readonly outcome: Outcome;
  readonly facts: object | null;
  readonly payment_request_id: string | null;
  readonly currency: string;
  readonly value: string;
  readonly reference_order_id: string | null;
  readonly capture_mode: Registration['captureMode'];
  readonly shared: boolean;
}

/**
 * Reads orders with their evidence, by a statement of `evidenceOf`: one statement, and so one snapshot. An order is
 * never derived from half of a commit, and no reading needs a transaction.
 */
export const readOrders = async (
  query: Query,
  sql: string,
  values: readonly unknown[],
): Promise<readonly StoredOrder[]> => gather(await query<Row>(sql, values));

/** The statement for `readOrders`. `touched` is a select that yields `client_id`, `order_key`, and the three columns of their rows in `orders`. */
export const evidenceOf = (touched: string): string => `with touched as (${touched})
 select touched.client_id, touched.order_key, touched.created_at, touched.updated_at, touched.position,
   encode(n.digest, 'hex') as digest, n.notify_type, n.outcome, n.facts,
   r.payment_request_id, r.currency, r.value, r.reference_order_id, r.capture_mode,
   exists (
     select from notifications other
     where other.client_id = touched.client_id
       and other.payment_request_id = named.payment_request_id
       and other.payment_id <> touched.order_key
       and other.outcome = 'APPLIED'
   ) or exists (
     select from notifications other
     where other.client_id = touched.client_id
       and other.capture_id = named.capture_id
       and other.payment_id <> touched.order_key
       and other.outcome = 'APPLIED'
   ) as shared
 from touched
 left join lateral (
   select digest, notify_type, outcome, facts, payment_request_id, capture_id
   from notifications
   where client_id = touched.client_id and payment_id = touched.order_key
   offset 0
 ) as n on true
 cross join lateral (
   select
     case
       when touched.order_key like ' %' then substr(touched.order_key, 2)
       when n.outcome = 'APPLIED' then n.payment_request_id
     end as payment_request_id,
     case when n.outcome = 'APPLIED' then n.capture_id end as capture_id
 ) as named
 left join lateral (
   select payment_request_id, currency, value, reference_order_id, capture_mode
   from registrations
   where client_id = touched.client_id and payment_request_id = named.payment_request_id
   offset 0
 ) as r on true`;

/**
 * The payments whose notifications name one of the `links`. `lateral … offset 0` leaves the planner one way: look each
 * one up by its index.
 */
const LINKED = `
  select n.client_id, n.payment_id
  from links
  cross join lateral (
    select client_id, payment_id
    from notifications
    where client_id = links.client_id and payment_request_id = links.payment_request_id and outcome = 'APPLIED'
    offset 0
  ) as n
  union
  select n.client_id, n.payment_id
  from links
  cross join lateral (
    select client_id, payment_id
    from notifications
    where client_id = links.client_id and capture_id = links.capture_id and outcome = 'APPLIED'
    offset 0
  ) as n`;

const LINKS = `
  select client_id, payment_request_id, capture_id
  from json_to_recordset($1::json) as links (client_id text, payment_request_id text, capture_id text)`;

/**
 * Reads what is touched, to derive it anew, whether it has a row or not: the keys, and what the links lead to, payments
 * and registrations. The caller holds the locks of the keys, and has to hold those of all that is returned.
 */
export const readTouched = async (query: Query, { keys, links }: Touched): Promise<readonly StoredOrder[]> =>
  await readOrders(query, READ_TOUCHED, [
    recordset(links.map(toLinkRow)),
    recordset(keys.map(({ clientId, orderKey }) => ({ client_id: clientId, order_key: orderKey }))),
  ]);

const READ_TOUCHED = prepared(
  evidenceOf(`
     with links as (${LINKS}), keys as (
       select client_id, order_key
       from json_to_recordset($2::json) as given (client_id text, order_key text)
       union
       ${LINKED}
       union
       select registered.client_id, ' ' || registered.payment_request_id
       from links
       cross join lateral (
         select client_id, payment_request_id
         from registrations
         where client_id = links.client_id and payment_request_id = links.payment_request_id
         offset 0
       ) as registered
     )
     select client_id, order_key, orders.created_at, orders.updated_at, orders.position
     from keys
     left join lateral (
       select created_at, updated_at, position
       from orders
       where client_id = keys.client_id and order_key = keys.order_key
       offset 0
     ) as orders on true`),
);

const toLinkRow = ({ clientId, paymentRequestId, captureId }: ClientLinks) => ({
  client_id: clientId,
  payment_request_id: paymentRequestId,
  capture_id: captureId,
});

const gather = (rows: readonly Row[]): readonly StoredOrder[] => {
  const ordersOf = new Map<string, [Row, ...Row[]]>();
  for (const row of rows) {
    const name = nameOf({ clientId: row.client_id, orderKey: row.order_key });
    const known = ordersOf.get(name);
    if (known === undefined) ordersOf.set(name, [row]);
    else known.push(row);
  }
  return [...ordersOf.values()].map(toStoredOrder);
};

/** One row a notification; an order without any has one row all the same. */
const toStoredOrder = (rows: readonly [Row, ...Row[]]): StoredOrder => {
  const [{ client_id: clientId, order_key: orderKey, created_at, updated_at, position }] = rows;
  const paymentId = paymentIdOf(orderKey);
  const shared = rows.some((row) => row.shared);
  return {
    clientId,
    orderKey,
    evidence: {
      clientId,
      paymentId,
      rows: rows.flatMap((row) => (row.digest === null ? [] : [toEvidenceRow(row, row.digest)])),
      registrations: toRegistrations(rows),
      sharesIdentity: paymentId !== null && shared,
    },
    named: paymentId === null && shared,
    row:
      created_at === null || updated_at === null || position === null
        ? null
        : { createdAt: created_at, updatedAt: updated_at, position },
  };
};

const toEvidenceRow = ({ order_key, notify_type, outcome, facts }: Row, bodyDigest: string): EvidenceRow => ({
  bodyDigest,
  notifyType: notify_type,
  outcome,
  facts: facts === null ? null : factsOf(facts, order_key),
});

const toRegistrations = (rows: readonly Row[]): readonly Registration[] => {
  const found = rows.flatMap((row) =>
    row.payment_request_id === null ? [] : [toRegistration(row, row.payment_request_id)],
  );
  return [...new Map(found.map((registration) => [registration.paymentRequestId, registration])).values()];
};

const toRegistration = (row: Row, paymentRequestId: string): Registration => ({
  clientId: row.client_id,
  paymentRequestId,
  amount: { currency: row.currency, value: row.value },
  referenceOrderId: row.reference_order_id,
  captureMode: row.capture_mode,
});

/** By which identifiers notifications join payments together. */
export interface ClientLinks {
  readonly clientId: string;
  readonly paymentRequestId: string | null;
  readonly captureId: string | null;
}

/** The payments whose notifications name one of these `paymentRequestId`s or `captureId`s. */
export const paymentsLinkedBy = async (query: Query, links: readonly ClientLinks[]): Promise<readonly OrderKey[]> => {
  const rows = await query<{ client_id: string; payment_id: string }>(`with links as (${LINKS}) ${LINKED}`, [
    recordset(links.map(toLinkRow)),
  ]);
  return rows.map((row) => ({ clientId: row.client_id, orderKey: row.payment_id }));
};

/** Orders, and identifiers that may join further ones with them, payments or registrations. */
export interface Touched {
  readonly keys: readonly OrderKey[];
  readonly links: readonly ClientLinks[];
}
