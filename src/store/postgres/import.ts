import { handlers } from '../../handlers/index.ts';
import type { OrderRules } from '../../order/order.ts';
import type {
  Kind,
  NotificationRow,
  OrderRow,
  Progress,
  RegistrationRow,
  Rows,
  TransferTarget,
  UnverifiedRow,
} from '../transfer.ts';
import { GRACE_MS, migratePostgres, openPool } from './connect.ts';
import { orderLock } from './evidence.ts';
import { inParts, type Lock, UNVERIFIED_LOCK } from './locks.ts';
import { NEXT_POSITIONS, transactionOf } from './positions.ts';
import { columns, isoTime, type Query } from './query.ts';
import { openRebuilding } from './rebuild.ts';
import { openRefresh, type Refresh } from './refresh.ts';
import { type Database, openDatabase } from './transaction.ts';
import { readingOf, TRANSFER_TIMEOUT_MS } from './transfer.ts';

export interface PostgresTargetOptions {
  readonly url: string;
  readonly rules: OrderRules;
  readonly allowUnsafe: boolean;
}

const PURGED_AT_ONCE = 500;

/** Opens a database to copy into, with its schema brought forward. */
export const openPostgresTarget = async ({
  url,
  rules,
  allowUnsafe,
}: PostgresTargetOptions): Promise<TransferTarget> => {
  await migratePostgres(url, allowUnsafe);
  const pool = openPool({ url, statementTimeoutMs: TRANSFER_TIMEOUT_MS, poolSize: 2, allowUnsafe });
  const database = openDatabase(pool, TRANSFER_TIMEOUT_MS + GRACE_MS);
  const refresh = openRefresh({ handlers, rules });
  const imports = openImports(database, refresh);
  return {
    ...readingOf(database, url),
    importRows: async (kind, rows, progress) => await imports[kind](rows, progress),
    clearUnverified: async () => {
      while ((await database.transact([UNVERIFIED_LOCK], async ({ query }) => await clearSome(query))) > 0);
    },
    rebuild: openRebuilding(database, refresh),
    remember: async (name, value) => await remember(database.query, { name, value }),
    close: async () => await pool.end(),
  };
};

const clearSome = async (query: Query): Promise<number> => {
  const rows = await query(
    'delete from unverified where digest in (select digest from unverified order by request limit $1) returning 1',
    [PURGED_AT_ONCE],
  );
  return rows.length;
};

const remember = async (query: Query, { name, value }: Progress): Promise<void> => {
  await query('insert into settings values ($1, $2) on conflict (name) do update set value = excluded.value', [
    name,
    value,
  ]);
};

/** Each brings rows in and returns how many were not there. */
type Imports = { readonly [K in Kind]: (rows: readonly Rows[K][], progress: Progress) => Promise<number> };

const openImports = ({ query, transact }: Database, refresh: Refresh): Imports => {
  const together =
    <Row>(locks: readonly Lock[], write: (transaction: Query, rows: readonly Row[]) => Promise<number>) =>
    async (rows: readonly Row[], progress: Progress): Promise<number> =>
      await transact(locks, async (transaction) => {
        const added = await write(transaction.query, rows);
        await remember(transaction.query, progress);
        return added;
      });

  return {
    notifications: together([], importNotifications),
    registrations: together([], importRegistrations),
    'replaced registrations': together([], importReplaced),
    unverified: together([UNVERIFIED_LOCK], importUnverified),
    orders: async (rows, progress) => {
      const added = await inParts(
        rows,
        async (part) =>
          await transact(part.map(orderLock), async (transaction) => {
            const missing = await countMissing(transaction.query, part);
            const { changed } = await refresh(transaction, { keys: part, links: [] }, new Date());
            await changed;
            await setTimes(transaction.query, part);
            return missing;
          }),
      );
      await remember(query, progress);
      return added.reduce((sum, some) => sum + some, 0);
    },
  };
};

const addedIn = async (query: Query, sql: string, values: readonly unknown[]): Promise<number> =>
  (await query<{ added: number }>(sql, values))[0]?.added ?? 0;

const READING = ['notify_type', 'payment_id', 'payment_request_id', 'capture_id', 'outcome'];
const RAW = ['method', 'target', 'request_time', 'signature', 'body'];

/**
 * Rows that are as they should be are not written again. A service that is on this database meanwhile counts resends
 * on the same rows: they are locked in the order of their keys, as its batches do.
 */
const importNotifications = async (query: Query, rows: readonly NotificationRow[]): Promise<number> =>
  await addedIn(
    query,
    `with given as (
       select *
       from unnest(
         $1::text[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[],
         $10::timestamptz[], $11::timestamptz[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bytea[]
       ) with ordinality as given (
         client_id, digest, ${READING.join(', ')}, facts, deliveries, first_received_at, last_received_at, ${RAW.join(', ')}, ordinal
       )
     ), imported as (
       insert into notifications as known (
         client_id, digest, ${READING.join(', ')}, facts, deliveries, first_received_at, last_received_at, ${RAW.join(', ')}, position
       )
       select client_id, digest, ${READING.join(', ')}, facts::json, deliveries, first_received_at, last_received_at, ${RAW.join(', ')},
         ${NEXT_POSITIONS} + ordinal
       from given
       order by client_id collate "C", digest
       on conflict (client_id, digest) do update
       set ${READING.map((name) => `${name} = excluded.${name}`).join(', ')}, facts = excluded.facts,
         deliveries = greatest(known.deliveries, excluded.deliveries),
         first_received_at = least(known.first_received_at, excluded.first_received_at),
         last_received_at = greatest(known.last_received_at, excluded.last_received_at),
         ${RAW.map((name) => `${name} = case when excluded.body is not null then known.${name} end`).join(', ')}
       where (${READING.map((name) => `known.${name}`).join(', ')}, known.facts::text)
           is distinct from (${READING.map((name) => `excluded.${name}`).join(', ')}, excluded.facts::text)
         or known.deliveries < excluded.deliveries
         or known.first_received_at > excluded.first_received_at
         or known.last_received_at < excluded.last_received_at
         or (known.body is not null and excluded.body is null)
     )
     select count(*)::integer as added
     from given
     where not exists (select from notifications n where n.client_id = given.client_id and n.digest = given.digest)`,
    columns(
      rows,
      ({ clientId }) => clientId,
      ({ digest }) => Buffer.from(digest, 'hex'),
      ({ notifyType }) => notifyType,
      ({ paymentId }) => paymentId,
      ({ paymentRequestId }) => paymentRequestId,
      ({ captureId }) => captureId,
      ({ outcome }) => outcome,
      ({ facts }) => facts,
      ({ deliveries }) => deliveries,
      ({ firstReceivedAt }) => isoTime(firstReceivedAt),
      ({ lastReceivedAt }) => isoTime(lastReceivedAt),
      ({ raw }) => raw?.method,
      ({ raw }) => raw?.target,
      ({ raw }) => raw?.requestTime,
      ({ raw }) => raw?.signature,
      ({ raw }) => raw?.body,
    ),
  );

const REGISTRATION_COLUMNS: readonly ((row: RegistrationRow) => unknown)[] = [
  ({ clientId }) => clientId,
  ({ paymentRequestId }) => paymentRequestId,
  ({ currency }) => currency,
  ({ value }) => value,
  ({ referenceOrderId }) => referenceOrderId,
  ({ captureMode }) => captureMode,
  ({ createdAt }) => isoTime(createdAt),
  ({ updatedAt }) => isoTime(updatedAt),
];

const REGISTRATION =
  'client_id, payment_request_id, currency, value, reference_order_id, capture_mode, created_at, updated_at';
const REGISTRATION_ARRAYS =
  '$1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[]';

const importRegistrations = async (query: Query, rows: readonly RegistrationRow[]): Promise<number> =>
  await addedIn(
    query,
    `with given as (
       select * from unnest(${REGISTRATION_ARRAYS}) as given (${REGISTRATION})
     ), imported as (
       insert into registrations as known (${REGISTRATION})
       select ${REGISTRATION}
       from given
       order by client_id collate "C", payment_request_id collate "C"
       on conflict (client_id, payment_request_id) do update
       set currency = excluded.currency, value = excluded.value, reference_order_id = excluded.reference_order_id,
         capture_mode = excluded.capture_mode, created_at = least(known.created_at, excluded.created_at), updated_at = excluded.updated_at
       where excluded.updated_at >= known.updated_at
     )
     select count(*)::integer as added
     from given
     where not exists (
       select from registrations r where r.client_id = given.client_id and r.payment_request_id = given.payment_request_id
     )`,
    columns(rows, ...REGISTRATION_COLUMNS),
  );

const importReplaced = async (query: Query, rows: readonly Rows['replaced registrations'][]): Promise<number> => {
  const added = await query(
    `insert into replaced_registrations (${REGISTRATION}, replaced_at)
     select * from unnest(${REGISTRATION_ARRAYS}, $9::timestamptz[])
     on conflict do nothing
     returning 1`,
    [...columns(rows, ...REGISTRATION_COLUMNS), rows.map(({ replacedAt }) => isoTime(replacedAt))],
  );
  return added.length;
};

const UNVERIFIED =
  'digest, reason, deliveries, bytes, first_received_at, last_received_at, method, target, headers, body';

const importUnverified = async (query: Query, rows: readonly UnverifiedRow[]): Promise<number> =>
  await addedIn(
    query,
    `with given as (
       select *
       from unnest(
         $1::bytea[], $2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[], $9::text[], $10::bytea[]
       ) with ordinality as given (${UNVERIFIED}, ordinal)
     ), imported as (
       insert into unverified as known (${UNVERIFIED})
       select ${UNVERIFIED}
       from given
       order by ordinal
       on conflict (digest) do update
       set reason = excluded.reason, deliveries = greatest(known.deliveries, excluded.deliveries),
         first_received_at = least(known.first_received_at, excluded.first_received_at),
         last_received_at = greatest(known.last_received_at, excluded.last_received_at)
     )
     select count(*)::integer as added
     from given
     where not exists (select from unverified u where u.digest = given.digest)`,
    columns(
      rows,
      ({ digest }) => Buffer.from(digest, 'hex'),
      ({ reason }) => reason,
      ({ deliveries }) => deliveries,
      ({ bytes }) => bytes,
      ({ firstReceivedAt }) => isoTime(firstReceivedAt),
      ({ lastReceivedAt }) => isoTime(lastReceivedAt),
      ({ method }) => method,
      ({ target }) => target,
      ({ headers }) => headers,
      ({ body }) => body,
    ),
  );

const countMissing = async (query: Query, rows: readonly OrderRow[]): Promise<number> =>
  await addedIn(
    query,
    `select count(*)::integer as added
     from unnest($1::text[], $2::text[]) as given (client_id, order_key)
     where not exists (select from orders o where o.client_id = given.client_id and o.order_key = given.order_key)`,
    columns(
      rows,
      ({ clientId }) => clientId,
      ({ orderKey }) => orderKey,
    ),
  );

/** The times as they were, and places in the feed in the order given: well past those that deriving has just taken. */
const setTimes = async (query: Query, rows: readonly OrderRow[]): Promise<void> => {
  const isNew = `${transactionOf('orders.position')} = ${transactionOf('places.first')}`;
  await query(
    `update orders
     set created_at = least(orders.created_at, given.created_at),
       updated_at = case when ${isNew} then given.updated_at else greatest(orders.updated_at, given.updated_at) end,
       position = case when ${isNew} then places.first + ${PLACES_TAKEN} + given.ordinal else orders.position end
     from (select ${NEXT_POSITIONS} as first) as places,
       unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[])
         with ordinality as given (client_id, order_key, created_at, updated_at, ordinal)
     where orders.client_id = given.client_id and orders.order_key = given.order_key`,
    columns(
      rows,
      ({ clientId }) => clientId,
      ({ orderKey }) => orderKey,
      ({ createdAt }) => isoTime(createdAt),
      ({ updatedAt }) => isoTime(updatedAt),
    ),
  );
};

const PLACES_TAKEN = 2 ** 19;
