import { existsSync, realpathSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { CaptureMode } from '../../order/registration.ts';
import { readKey } from '../cursor.ts';
import { type Outcome, type Page, type PageRequest, StoreUnusableError } from '../store.ts';
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
import { type Clients, openClients } from './clients.ts';
import { openForCopying } from './connect.ts';
import type { WholeUnverifiedRow } from './notifications.ts';
import { hex, prepare, type Query } from './query.ts';
import { openRawReading } from './raw.ts';

/** Opens a database to copy from: read only. */
export const openSqliteSource = (file: string): TransferSource => {
  if (!existsSync(file)) throw new StoreUnusableError(`there is no database at ${file}`);
  return readingOf(openForCopying(file), file);
};

/** A command has nothing else to do meanwhile: these run on its own thread. */
export const readingOf = (db: DatabaseSync, file: string): TransferSource => {
  const exports = openExports(db);
  const recall = prepare<{ value: string }>(db, 'select value from settings where name = ?');
  const counts = new Map<Kind, Query<{ count: number }>>();
  const countOf = (kind: Kind): Query<{ count: number }> => {
    const query = counts.get(kind) ?? prepare<{ count: number }>(db, `select count(*) as count from ${TABLES[kind]}`);
    counts.set(kind, query);
    return query;
  };
  return {
    name: `sqlite:${realpathSync(file)}`,
    count: async (kind) => await Promise.resolve(countOf(kind).get()?.count ?? 0),
    exportRows: async (kind, page) => await Promise.resolve(exports[kind](page)),
    recall: async (name) => await Promise.resolve(recall.get(name)?.value ?? null),
    close: async () => {
      db.close();
      await Promise.resolve();
    },
  };
};

type Key = readonly (string | number)[];

interface Paging<Row, T> {
  /** Below every key. */
  readonly start: Key;
  readonly keyOf: (row: Row) => Key;
  readonly read: (row: Row) => T;
}

/** Pages of a query that takes the key to go on after, and the limit. */
const paged =
  <Row, T>(query: Query<Row>, { start, keyOf, read }: Paging<Row, T>) =>
  ({ limit, cursor }: PageRequest): Page<T> => {
    const rows = query.all(...(cursor === null ? start : readKey(cursor, start)), limit);
    const last = rows.at(-1);
    return {
      items: rows.map(read),
      next: last === undefined || rows.length < limit ? null : JSON.stringify(keyOf(last)),
    };
  };

interface NotificationColumns {
  readonly no: number;
  readonly client: number;
  readonly digest: Uint8Array;
  readonly notify_type: string | null;
  readonly payment_id: string | null;
  readonly payment_request_id: string | null;
  readonly capture_id: string | null;
  readonly outcome: Outcome;
  readonly deliveries: number;
  readonly first_received_at: number;
  readonly last_received_at: number;
  readonly facts: string | null;
  readonly raw_batch: number;
  readonly raw_place: number;
}

interface RegistrationColumns {
  readonly client: number;
  readonly payment_request_id: string;
  readonly currency: string;
  readonly value: string;
  readonly reference_order_id: string | null;
  readonly capture_mode: CaptureMode | null;
  readonly created_at: number;
  readonly updated_at: number;
}

type ReplacedColumns = RegistrationColumns & { readonly replaced_at: number };

interface OrderColumns {
  readonly client: number;
  readonly order_key: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly position: number;
  readonly digest: Uint8Array;
}

type Exports = { readonly [K in Kind]: (page: PageRequest) => Page<Rows[K]> };

const openExports = (db: DatabaseSync): Exports => {
  const clients = openClients(db);
  return {
    notifications: exportNotifications(db, clients),
    registrations: exportRegistrations(db, clients),
    'replaced registrations': exportReplaced(db, clients),
    unverified: exportUnverified(db),
    orders: exportOrders(db, clients),
  };
};

const exportNotifications = (db: DatabaseSync, clients: Clients): Exports['notifications'] => {
  const raws = openRawReading(db);
  const select = prepare<NotificationColumns>(
    db,
    `select notification as no, client, digest, notify_type, payment_id, payment_request_id, capture_id, outcome, deliveries,
       first_received_at, last_received_at, facts, raw_batch, raw_place
     from notifications
     where notification > ?
     order by notification
     limit ?`,
  );
  const read = (row: NotificationColumns): NotificationRow => ({
    clientId: clients.idOf(row.client),
    digest: hex(row.digest),
    notifyType: row.notify_type,
    paymentId: row.payment_id,
    paymentRequestId: row.payment_request_id,
    captureId: row.capture_id,
    outcome: row.outcome,
    deliveries: row.deliveries,
    firstReceivedAt: row.first_received_at,
    lastReceivedAt: row.last_received_at,
    facts: row.facts,
    raw: raws.read({ batch: row.raw_batch, place: row.raw_place }),
  });
  return paged(select, { start: [0], keyOf: ({ no }) => [no], read });
};

const registrationRow = (row: RegistrationColumns, clients: Clients): RegistrationRow => ({
  clientId: clients.idOf(row.client),
  paymentRequestId: row.payment_request_id,
  currency: row.currency,
  value: row.value,
  referenceOrderId: row.reference_order_id,
  captureMode: row.capture_mode,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const exportRegistrations = (db: DatabaseSync, clients: Clients): Exports['registrations'] => {
  const select = prepare<RegistrationColumns>(
    db,
    `select *
     from registrations
     where (client, payment_request_id) > (?, ?)
     order by client, payment_request_id
     limit ?`,
  );
  return paged(select, {
    start: [0, ''],
    keyOf: (row) => [row.client, row.payment_request_id],
    read: (row) => registrationRow(row, clients),
  });
};

const exportReplaced = (db: DatabaseSync, clients: Clients): Exports['replaced registrations'] => {
  const select = prepare<ReplacedColumns>(
    db,
    `select *
     from replaced_registrations
     where (client, payment_request_id, replaced_at) > (?, ?, ?)
     order by client, payment_request_id, replaced_at
     limit ?`,
  );
  return paged(select, {
    start: [0, '', 0],
    keyOf: (row) => [row.client, row.payment_request_id, row.replaced_at],
    read: (row): ReplacedRow => ({ ...registrationRow(row, clients), replacedAt: row.replaced_at }),
  });
};

const exportUnverified = (db: DatabaseSync): Exports['unverified'] => {
  const select = prepare<WholeUnverifiedRow>(
    db,
    `select request as no, digest, reason, deliveries, bytes, first_received_at, last_received_at, method, target, headers, body
     from unverified
     where request > ?
     order by request
     limit ?`,
  );
  return paged(select, {
    start: [0],
    keyOf: ({ no }) => [no],
    read: (row): UnverifiedRow => ({
      digest: hex(row.digest),
      reason: row.reason,
      deliveries: row.deliveries,
      bytes: row.bytes,
      firstReceivedAt: row.first_received_at,
      lastReceivedAt: row.last_received_at,
      method: row.method,
      target: row.target,
      headers: row.headers,
      body: row.body,
    }),
  });
};

const exportOrders = (db: DatabaseSync, clients: Clients): Exports['orders'] => {
  const select = prepare<OrderColumns>(
    db,
    `select client, order_key, created_at, updated_at, position, digest
     from orders
     where position > ?
     order by position
     limit ?`,
  );
  return paged(select, {
    start: [0],
    keyOf: ({ position }) => [position],
    read: (row): OrderRow => ({
      clientId: clients.idOf(row.client),
      orderKey: row.order_key,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      digest: hex(row.digest),
    }),
  });
};
