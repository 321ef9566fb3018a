import { Client } from 'pg';
import type { CaptureMode } from '../../order/registration.ts';
import { readKey } from '../cursor.ts';
import type { Outcome, Page, PageRequest } from '../store.ts';
import {
  type Kind,
  type NotificationRow,
  type OrderRow,
  type RegistrationRow,
  type ReplacedRow,
  type Rows,
  TABLES,
  type TransferSource,
  type UnverifiedRow,
} from '../transfer.ts';
import { assertPostgresReadable, GRACE_MS, openPool } from './connect.ts';
import { type RawColumns, toRaw, type WholeUnverifiedRow } from './notifications.ts';
import { hex, type Query } from './query.ts';
import { type Database, openDatabase } from './transaction.ts';

/** A count walks a whole table. */
export const TRANSFER_TIMEOUT_MS = 300_000;

/** Opens a database to copy from: read only, a standby will do. */
export const openPostgresSource = async (url: string): Promise<TransferSource> => {
  await assertPostgresReadable(url);
  // What is only read needs no durable commits.
  const pool = openPool({
    url,
    statementTimeoutMs: TRANSFER_TIMEOUT_MS,
    poolSize: 2,
    allowUnsafe: true,
    readOnly: true,
  });
  return { ...readingOf(openDatabase(pool, TRANSFER_TIMEOUT_MS + GRACE_MS), url), close: async () => await pool.end() };
};

export const readingOf = ({ query }: Database, url: string): Omit<TransferSource, 'close'> => {
  const exports = openExports(query);
  return {
    name: nameOf(url),
    count: async (kind) => Number((await query<{ count: string }>(`select count(*) from ${TABLES[kind]}`))[0]?.count),
    exportRows: async (kind, page) => await exports[kind](page),
    recall: async (name) =>
      (await query<{ value: string }>('select value from settings where name = $1', [name]))[0]?.value ?? null,
  };
};

/** As the driver reads the URL, so that what it leaves to the environment is there as well. */
const nameOf = (url: string): string => {
  const { host, port, database } = new Client({ connectionString: url });
  return `postgres://${host}:${port}/${database}`;
};

interface Paging<Row, T> {
  /** Takes the key to go on after, and the limit. */
  readonly sql: string;
  /** Below every key. */
  readonly start: readonly string[];
  readonly keyOf: (row: Row) => readonly string[];
  readonly read: (row: Row) => T;
}

const paged =
  <Row extends object, T>(query: Query, { sql, start, keyOf, read }: Paging<Row, T>) =>
  async ({ limit, cursor }: PageRequest): Promise<Page<T>> => {
    const rows = await query<Row>(sql, [...(cursor === null ? start : readKey(cursor, start)), limit]);
    const last = rows.at(-1);
    return {
      items: rows.map(read),
      next: last === undefined || rows.length < limit ? null : JSON.stringify(keyOf(last)),
    };
  };

interface NotificationColumns extends RawColumns {
  readonly no: string;
  readonly client_id: string;
  readonly digest: Uint8Array;
  readonly notify_type: string | null;
  readonly payment_id: string | null;
  readonly payment_request_id: string | null;
  readonly capture_id: string | null;
  readonly outcome: Outcome;
  readonly deliveries: string;
  readonly first_received_at: Date;
  readonly last_received_at: Date;
  readonly facts: string | null;
}

interface RegistrationColumns {
  readonly client_id: string;
  readonly payment_request_id: string;
  readonly currency: string;
  readonly value: string;
  readonly reference_order_id: string | null;
  readonly capture_mode: CaptureMode | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

type ReplacedColumns = RegistrationColumns & { readonly replaced_at: Date };

interface OrderColumns {
  readonly client_id: string;
  readonly order_key: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly position: string;
  readonly digest: Uint8Array;
}

type Exports = { readonly [K in Kind]: (page: PageRequest) => Promise<Page<Rows[K]>> };

const openExports = (query: Query): Exports => ({
  notifications: exportNotifications(query),
  registrations: exportRegistrations(query),
  'replaced registrations': exportReplaced(query),
  unverified: exportUnverified(query),
  orders: exportOrders(query),
});

const exportNotifications = (query: Query): Exports['notifications'] =>
  paged(query, {
    sql: `select position as no, client_id, digest, notify_type, payment_id, payment_request_id, capture_id, outcome, deliveries,
        first_received_at, last_received_at, facts::text, method, target, request_time, signature, body
      from notifications
      where position > $1::bigint
      order by position
      limit $2`,
    start: ['0'],
    keyOf: ({ no }: NotificationColumns) => [no],
    read: (row): NotificationRow => ({
      clientId: row.client_id,
      digest: hex(row.digest),
      notifyType: row.notify_type,
      paymentId: row.payment_id,
      paymentRequestId: row.payment_request_id,
      captureId: row.capture_id,
      outcome: row.outcome,
      deliveries: Number(row.deliveries),
      firstReceivedAt: row.first_received_at.getTime(),
      lastReceivedAt: row.last_received_at.getTime(),
      facts: row.facts,
      raw: toRaw(row),
    }),
  });

const toRegistrationRow = (row: RegistrationColumns): RegistrationRow => ({
  clientId: row.client_id,
  paymentRequestId: row.payment_request_id,
  currency: row.currency,
  value: row.value,
  referenceOrderId: row.reference_order_id,
  captureMode: row.capture_mode,
  createdAt: row.created_at.getTime(),
  updatedAt: row.updated_at.getTime(),
});

const exportRegistrations = (query: Query): Exports['registrations'] =>
  paged(query, {
    sql: `select *
      from registrations
      where (client_id, payment_request_id) > ($1, $2)
      order by client_id, payment_request_id
      limit $3`,
    start: ['', ''],
    keyOf: (row: RegistrationColumns) => [row.client_id, row.payment_request_id],
    read: toRegistrationRow,
  });

const exportReplaced = (query: Query): Exports['replaced registrations'] =>
  paged(query, {
    sql: `select *
      from replaced_registrations
      where (client_id, payment_request_id, replaced_at) > ($1, $2, $3)
      order by client_id, payment_request_id, replaced_at
      limit $4`,
    start: ['', '', '-infinity'],
    keyOf: (row: ReplacedColumns) => [row.client_id, row.payment_request_id, row.replaced_at.toISOString()],
    read: (row): ReplacedRow => ({ ...toRegistrationRow(row), replacedAt: row.replaced_at.getTime() }),
  });

const exportUnverified = (query: Query): Exports['unverified'] =>
  paged(query, {
    sql: `select request as no, digest, reason, deliveries, bytes, first_received_at, last_received_at, method, target, headers, body
      from unverified
      where request > $1::bigint
      order by request
      limit $2`,
    start: ['0'],
    keyOf: ({ no }: WholeUnverifiedRow) => [no],
    read: (row): UnverifiedRow => ({
      digest: hex(row.digest),
      reason: row.reason,
      deliveries: Number(row.deliveries),
      bytes: Number(row.bytes),
      firstReceivedAt: row.first_received_at.getTime(),
      lastReceivedAt: row.last_received_at.getTime(),
      method: row.method,
      target: row.target,
      headers: row.headers,
      body: row.body,
    }),
  });

const exportOrders = (query: Query): Exports['orders'] =>
  paged(query, {
    sql: `select client_id, order_key, created_at, updated_at, position, digest
      from orders
      where position > $1::bigint
      order by position
      limit $2`,
    start: ['0'],
    keyOf: ({ position }: OrderColumns) => [position],
    read: (row): OrderRow => ({
      clientId: row.client_id,
      orderKey: row.order_key,
      createdAt: row.created_at.getTime(),
      updatedAt: row.updated_at.getTime(),
      digest: hex(row.digest),
    }),
  });
