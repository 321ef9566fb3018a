import type { DerivedOrder } from '../../order/order.ts';
import { type Derivation, digestOf, project, type Projection, underivable } from '../projection.ts';
import type { NotificationKey } from '../store.ts';
import { type ClientLinks, type OrderKey, orderLock, readTouched, type StoredOrder, type Touched } from './evidence.ts';
import { captureLock, type Lock, paymentRequestLock } from './locks.ts';
import { NEXT_POSITIONS } from './positions.ts';
import { columns, hex, prepared, type Query, recordset } from './query.ts';
import type { Transaction } from './transaction.ts';

export interface Refreshed {
  /** How many of the orders were not already as they should be. The statement is sent: nothing has to wait for it. */
  readonly changed: Promise<number>;
  /** Notifications whose handler failed just now. */
  readonly failed: readonly NotificationKey[];
}

/** Derives orders from what is stored, inside the caller's transaction, and writes those that changed. */
export type Refresh = (transaction: Transaction, touched: Touched, now: Date) => Promise<Refreshed>;

export const openRefresh =
  (derivation: Derivation): Refresh =>
  async ({ query, send, need }, { keys, links }, now) => {
    const failed: NotificationKey[] = [];
    if (keys.length === 0 && links.length === 0) return { changed: Promise.resolve(0), failed };
    const touched = { keys: [...keys], links: [...links] };
    for (;;) {
      const orders = await readTouched(query, touched);
      need(orders.map(orderLock));
      const projections = orders.map((order) => ({ order, projection: project(order.evidence, derivation) }));
      const failures = projections.flatMap(({ order, projection }) =>
        [...projection.failed].map((id) => ({ clientId: order.clientId, id })),
      );
      if (failures.length === 0) {
        const changed = write(send, projections.map(toBe), now);
        // Who does not ask for it learns of a failure from COMMIT.
        changed.catch(() => {});
        return { changed, failed };
      }
      failed.push(...failures);
      // What failed names nothing any more: the orders that it joined are derived without it, as a rebuild would.
      const named = await markFailed(query, failures);
      need(named.flatMap(locksOfLinks));
      touched.keys.push(...orders);
      touched.links.push(...named);
    }
  };

const markFailed = async (query: Query, failures: readonly NotificationKey[]): Promise<readonly ClientLinks[]> => {
  const rows = await query<{ client_id: string; payment_request_id: string | null; capture_id: string | null }>(
    `update notifications
     set outcome = 'FAILED'
     from unnest($1::text[], $2::bytea[]) as failures (client_id, digest)
     where notifications.client_id = failures.client_id and notifications.digest = failures.digest
     returning notifications.client_id, payment_request_id, capture_id`,
    columns(
      failures,
      ({ clientId }) => clientId,
      ({ id }) => Buffer.from(id, 'hex'),
    ),
  );
  return rows.map((row) => ({
    clientId: row.client_id,
    paymentRequestId: row.payment_request_id,
    captureId: row.capture_id,
  }));
};

export const locksOfLinks = ({ clientId, paymentRequestId, captureId }: ClientLinks): readonly Lock[] => [
  ...(paymentRequestId === null ? [] : [paymentRequestLock(clientId, paymentRequestId)]),
  ...(captureId === null ? [] : [captureLock(clientId, captureId)]),
];

interface Projected {
  readonly order: StoredOrder;
  readonly projection: Projection;
}

/** What is to stand in `orders`: the order, or no row. */
interface ToBe extends OrderKey {
  readonly order: DerivedOrder | null;
  /** There is a row. */
  readonly known: boolean;
}

const toBe = ({ order: { clientId, orderKey, evidence, named, row }, projection }: Projected): ToBe => {
  const isOurFault = evidence.rows.some(({ outcome }) => outcome === 'FAILED');
  const order = projection.order ?? (row !== null && isOurFault ? underivable(evidence) : null);
  return { clientId, orderKey, order: named ? null : order, known: row !== null };
};

interface Kept extends ToBe {
  readonly order: DerivedOrder;
}

const isKept = (one: ToBe): one is Kept => one.order !== null;

/** Brings `orders` and `captures` to what they should be, in one statement; returns how many orders that changed. */
const write = async (send: Query, orders: readonly ToBe[], now: Date): Promise<number> => {
  const kept = orders.filter(isKept);
  const gone = orders.filter((one) => !isKept(one));
  const [row] = await send<{ changed: number }>(WRITE, [
    recordset(kept.map(toOrderRow)),
    recordset(kept.flatMap(toCaptureRows)),
    recordset(gone.map(({ clientId, orderKey }) => ({ client_id: clientId, order_key: orderKey }))),
    now.toISOString(),
  ]);
  return row?.changed ?? 0;
};

const toOrderRow = ({ clientId, orderKey, order, known }: Kept, index: number) => ({
  ordinal: index + 1,
  known,
  client_id: clientId,
  order_key: orderKey,
  digest: hex(digestOf(order)),
  captures: order.captures.length,
  payment_request_id: order.paymentRequestId,
  reference_order_id: order.referenceOrderId,
  status: order.status,
  fulfillable: order.fulfillable,
  next_action: order.nextAction,
  currency: order.paymentAmount?.currency ?? order.capturedAmount?.currency,
  payment_value: order.paymentAmount?.value,
  captured_value: order.capturedAmount?.value,
  expected_currency: order.expectedAmount?.currency,
  expected_value: order.expectedAmount?.value,
  payment_time: order.paymentTime,
  // As a number: our ISO text knows a year 0000 and years beyond 9999, which PostgreSQL writes otherwise.
  expires_ms: order.authorizationExpiresAt === null ? null : Date.parse(order.authorizationExpiresAt),
  attention: order.attention.map(({ code }) => ` ${code} `).join(''),
});

const toCaptureRows = ({ clientId, orderKey, order }: Kept, orderIndex: number) =>
  order.captures.map(({ captureId, captureRequestId, status, amount, captureTime, result }, index) => ({
    ordinal: orderIndex + 1,
    client_id: clientId,
    order_key: orderKey,
    capture_no: index + 1,
    capture_id: captureId,
    capture_request_id: captureRequestId,
    status,
    currency: amount?.currency,
    value: amount?.value,
    capture_time: captureTime,
    result_code: result.resultCode,
  }));

const VALUE_COLUMNS = [
  'payment_request_id',
  'reference_order_id',
  'status',
  'fulfillable',
  'next_action',
  'currency',
  'payment_value',
  'captured_value',
  'expected_currency',
  'expected_value',
  'payment_time',
  'authorization_expires_at',
  'attention',
];
const listed = (prefix: string): string => VALUE_COLUMNS.map((column) => `${prefix}${column}`).join(', ');

/**
 * A row that is as it should be is not touched: `updated_at` and the position stand. Its columns are compared
 * beside its digest, so that a rebuild also repairs what somebody else wrote into them. What was changed is known by
 * the new positions: joining it by its keys would compare every row with every other.
 */
const WRITE = prepared(`
  with taken as materialized (
    select ${NEXT_POSITIONS} as base
  ), derived as (
    select client_id, order_key, decode(digest, 'hex') as digest, captures, known, (select base from taken) + ordinal as position,
      payment_request_id, reference_order_id, status, fulfillable, next_action, currency, payment_value, captured_value,
      expected_currency, expected_value, payment_time,
      (timestamptz 'epoch' + expires_ms * interval '1 millisecond')::timestamptz(3) as authorization_expires_at, attention
    from json_to_recordset($1::json) as derived (
      ordinal integer, known boolean, client_id text, order_key text, digest text, captures integer, payment_request_id text,
      reference_order_id text, status text, fulfillable boolean, next_action text, currency text, payment_value numeric,
      captured_value numeric, expected_currency text, expected_value numeric, payment_time text, expires_ms float8, attention text
    )
  ), changed as (
    insert into orders (client_id, order_key, digest, ${listed('')}, created_at, updated_at, position)
    select client_id, order_key, digest, ${listed('')}, $4::timestamptz, $4::timestamptz, position
    from derived
    on conflict (client_id, order_key) do update
    set (digest, ${listed('')}, updated_at, position) =
      (excluded.digest, ${listed('excluded.')}, excluded.updated_at, excluded.position)
    where (orders.digest, ${listed('orders.')}) is distinct from (excluded.digest, ${listed('excluded.')})
    returning position
  ), captured as (
    insert into captures (
      client_id, order_key, capture_no, capture_id, capture_request_id, status, currency, value, capture_time, result_code
    )
    select client_id, order_key, capture_no, capture_id, capture_request_id, status, currency, value, capture_time, result_code
    from json_to_recordset($2::json) as stated (
      ordinal integer, client_id text, order_key text, capture_no integer, capture_id text, capture_request_id text, status text, currency text,
      value numeric, capture_time text, result_code text
    )
    where (select base from taken) + ordinal = any (array(select position from changed))
    on conflict (client_id, order_key, capture_no) do update
    set (capture_id, capture_request_id, status, currency, value, capture_time, result_code) =
      (excluded.capture_id, excluded.capture_request_id, excluded.status, excluded.currency, excluded.value,
       excluded.capture_time, excluded.result_code)
  ), uncaptured as (
    delete from captures
    where ctid = any (array(
      select surplus.ctid
      from derived
      cross join lateral (
        select ctid
        from captures
        where client_id = derived.client_id and order_key = derived.order_key and capture_no > derived.captures
        offset 0
      ) as surplus
      where derived.known and derived.position = any (array(select position from changed))
    ))
  ), gone as (
    delete from orders
    where ctid = any (array(
      select kept.ctid
      from json_to_recordset($3::json) as gone (client_id text, order_key text)
      cross join lateral (
        select ctid
        from orders
        where client_id = gone.client_id and order_key = gone.order_key
        offset 0
      ) as kept
    ))
    returning 1
  )
  select ((select count(*) from changed) + (select count(*) from gone))::integer as changed`);
