import type { DerivedOrder } from '../../order/order.ts';
import { type Derivation, digestOf, project, type Projection, underivable } from '../projection.ts';
import type { NotificationKey } from '../store.ts';
import { registrationKey } from '../order-key.ts';
import { type ClientLinks, distinctKeys, type OrderKey, orderLock, paymentsLinkedBy, readKeys, type StoredOrder } from './evidence.ts';
import { captureLock, type Lock, paymentRequestLock } from './locks.ts';
import { NEXT_POSITIONS } from './positions.ts';
import { columns, type Query } from './query.ts';
import type { Transaction } from './transaction.ts';

export interface Refreshed {
  /** How many of the orders were not already as they should be. */
  readonly changed: number;
  /** Notifications whose handler failed just now. */
  readonly failed: readonly NotificationKey[];
}

/** Derives orders from what is stored, inside the caller's transaction, and writes those that changed. */
export type Refresh = (transaction: Transaction, keys: readonly OrderKey[], now: Date) => Promise<Refreshed>;

export const openRefresh =
  (derivation: Derivation): Refresh =>
  async ({ query, need }, keys, now) => {
    const failed: NotificationKey[] = [];
    let touched = distinctKeys(keys);
    if (touched.length === 0) return { changed: 0, failed };
    for (;;) {
      need(touched.map(orderLock));
      const orders = await readKeys(query, touched);
      const projections = orders.map((order) => ({ order, projection: project(order.evidence, derivation) }));
      const failures = projections.flatMap(({ order, projection }) => [...projection.failed].map((id) => ({ clientId: order.clientId, id })));
      if (failures.length === 0) return { changed: await write(query, projections.map(toBe), now), failed };
      failed.push(...failures);
      // What failed names nothing any more: the orders that it joined are derived without it, as a rebuild would.
      const links = await markFailed(query, failures);
      need(links.flatMap(locksOfLinks));
      touched = distinctKeys([...touched, ...links.flatMap(keyOfRegistration), ...(await paymentsLinkedBy(query, links))]);
    }
  };

const markFailed = async (query: Query, failures: readonly NotificationKey[]): Promise<readonly ClientLinks[]> => {
  const rows = await query<{ client_id: string; payment_request_id: string | null; capture_id: string | null }>(
    `update notifications
     set outcome = 'FAILED'
     from unnest($1::text[], $2::bytea[]) as failures (client_id, digest)
     where notifications.client_id = failures.client_id and notifications.digest = failures.digest
     returning notifications.client_id, payment_request_id, capture_id`,
    columns(failures, ({ clientId }) => clientId, ({ id }) => Buffer.from(id, 'hex')),
  );
  return rows.map((row) => ({ clientId: row.client_id, paymentRequestId: row.payment_request_id, captureId: row.capture_id }));
};

export const locksOfLinks = ({ clientId, paymentRequestId, captureId }: ClientLinks): readonly Lock[] => [
  ...(paymentRequestId === null ? [] : [paymentRequestLock(clientId, paymentRequestId)]),
  ...(captureId === null ? [] : [captureLock(clientId, captureId)]),
];

export const keyOfRegistration = ({ clientId, paymentRequestId }: ClientLinks): readonly OrderKey[] =>
  paymentRequestId === null ? [] : [{ clientId, orderKey: registrationKey(paymentRequestId) }];

interface Projected {
  readonly order: StoredOrder;
  readonly projection: Projection;
}

/** What is to stand in `orders`: the order, or no row. */
interface ToBe extends OrderKey {
  readonly order: DerivedOrder | null;
}

const toBe = ({ order: { clientId, orderKey, evidence, named, row }, projection }: Projected): ToBe => {
  const isOurFault = evidence.rows.some(({ outcome }) => outcome === 'FAILED');
  const order = projection.order ?? (row !== null && isOurFault ? underivable(evidence) : null);
  return { clientId, orderKey, order: named ? null : order };
};

interface Kept extends OrderKey {
  readonly order: DerivedOrder;
}

const isKept = (one: ToBe): one is Kept => one.order !== null;

/** Brings `orders` and `captures` to what they should be, in one statement; returns how many orders that changed. */
const write = async (query: Query, orders: readonly ToBe[], now: Date): Promise<number> => {
  const kept = orders.filter(isKept);
  const captures = kept.flatMap(({ clientId, orderKey, order }) =>
    order.captures.map((capture, index) => ({ clientId, orderKey, capture, captureNo: index + 1 })),
  );
  const gone = orders.filter((one) => !isKept(one));
  const [row] = await query<{ changed: number }>(WRITE, [
    ...columns(kept, ({ clientId }) => clientId, ({ orderKey }) => orderKey, ({ order }) => digestOf(order), ({ order }) => order.captures.length),
    ...columns(kept.map(({ order }) => order), ...ORDER_COLUMNS),
    ...columns(captures, ({ clientId }) => clientId, ({ orderKey }) => orderKey, ({ captureNo }) => captureNo),
    ...columns(captures.map(({ capture }) => capture), ...CAPTURE_COLUMNS),
    ...columns(gone, ({ clientId }) => clientId, ({ orderKey }) => orderKey),
    now.toISOString(),
  ]);
  return row?.changed ?? 0;
};

const ORDER_COLUMNS: readonly ((order: DerivedOrder) => unknown)[] = [
  ({ paymentRequestId }) => paymentRequestId,
  ({ referenceOrderId }) => referenceOrderId,
  ({ status }) => status,
  ({ fulfillable }) => fulfillable,
  ({ nextAction }) => nextAction,
  ({ paymentAmount, capturedAmount }) => paymentAmount?.currency ?? capturedAmount?.currency,
  ({ paymentAmount }) => paymentAmount?.value,
  ({ capturedAmount }) => capturedAmount?.value,
  ({ expectedAmount }) => expectedAmount?.currency,
  ({ expectedAmount }) => expectedAmount?.value,
  ({ paymentTime }) => paymentTime,
  // As a number: our ISO text knows a year 0000 and years beyond 9999, which PostgreSQL writes otherwise.
  ({ authorizationExpiresAt }) => (authorizationExpiresAt === null ? null : Date.parse(authorizationExpiresAt)),
  ({ attention }) => attention.map(({ code }) => ` ${code} `).join(''),
];

const CAPTURE_COLUMNS: readonly ((capture: DerivedOrder['captures'][number]) => unknown)[] = [
  ({ captureId }) => captureId,
  ({ captureRequestId }) => captureRequestId,
  ({ status }) => status,
  ({ amount }) => amount?.currency,
  ({ amount }) => amount?.value,
  ({ captureTime }) => captureTime,
  ({ result }) => result.resultCode,
];

const VALUE_COLUMNS = [
  'payment_request_id', 'reference_order_id', 'status', 'fulfillable', 'next_action', 'currency', 'payment_value', 'captured_value',
  'expected_currency', 'expected_value', 'payment_time', 'authorization_expires_at', 'attention',
];
const listed = (prefix: string): string => VALUE_COLUMNS.map((column) => `${prefix}${column}`).join(', ');

/**
 * A row that is as it should be is not touched: `updated_at` and the position stand. Its columns are compared
 * beside its digest, so that a rebuild also repairs what somebody else wrote into them.
 */
const WRITE = `
  with derived as (
    select client_id, order_key, digest, captures, ordinal,
      payment_request_id, reference_order_id, status, fulfillable, next_action, currency, payment_value, captured_value,
      expected_currency, expected_value, payment_time,
      (timestamptz 'epoch' + expires_ms * interval '1 millisecond')::timestamptz(3) as authorization_expires_at, attention
    from unnest(
      $1::text[], $2::text[], $3::bytea[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::text[], $10::text[],
      $11::numeric[], $12::numeric[], $13::text[], $14::numeric[], $15::text[], $16::float8[], $17::text[]
    ) with ordinality as derived (
      client_id, order_key, digest, captures, payment_request_id, reference_order_id, status, fulfillable, next_action, currency,
      payment_value, captured_value, expected_currency, expected_value, payment_time, expires_ms, attention, ordinal
    )
  ), changed as (
    insert into orders (client_id, order_key, digest, ${listed('')}, created_at, updated_at, position)
    select client_id, order_key, digest, ${listed('')}, $30::timestamptz, $30::timestamptz, ${NEXT_POSITIONS} + ordinal
    from derived
    on conflict (client_id, order_key) do update
    set (digest, ${listed('')}, updated_at, position) =
      (excluded.digest, ${listed('excluded.')}, excluded.updated_at, excluded.position)
    where (orders.digest, ${listed('orders.')}) is distinct from (excluded.digest, ${listed('excluded.')})
    returning client_id, order_key
  ), captured as (
    insert into captures
    select stated.*
    from unnest(
      $18::text[], $19::text[], $20::integer[], $21::text[], $22::text[], $23::text[], $24::text[], $25::numeric[], $26::text[], $27::text[]
    ) as stated (
      client_id, order_key, capture_no, capture_id, capture_request_id, status, currency, value, capture_time, result_code
    )
    join changed using (client_id, order_key)
    on conflict (client_id, order_key, capture_no) do update
    set (capture_id, capture_request_id, status, currency, value, capture_time, result_code) =
      (excluded.capture_id, excluded.capture_request_id, excluded.status, excluded.currency, excluded.value,
       excluded.capture_time, excluded.result_code)
  ), uncaptured as (
    delete from captures
    using derived join changed using (client_id, order_key)
    where captures.client_id = derived.client_id
      and captures.order_key = derived.order_key
      and captures.capture_no > derived.captures
  ), gone as (
    delete from orders
    using unnest($28::text[], $29::text[]) as gone (client_id, order_key)
    where orders.client_id = gone.client_id and orders.order_key = gone.order_key
    returning 1
  )
  select ((select count(*) from changed) + (select count(*) from gone))::integer as changed`;
