import type { UnverifiedReason } from '../../antom/signature.ts';
import { toSignedRequest } from '../entry.ts';
import {
  InvalidCursorError,
  type NotificationFilter,
  type NotificationSummary,
  type Outcome,
  type Page,
  type PageRequest,
  type RawNotification,
  type Store,
  type StoredNotification,
  type StoredUnverified,
  type UnverifiedSummary,
} from '../store.ts';
import { isPosition, LAST_POSITION } from './positions.ts';
import { hex } from './query.ts';
import type { Database } from './transaction.ts';

/** bigint and count come as text. */
interface SummaryRow {
  readonly no: string;
  readonly client_id: string;
  readonly digest: Uint8Array;
  readonly notify_type: string | null;
  readonly payment_id: string | null;
  readonly outcome: Outcome;
  readonly deliveries: string;
  readonly first_received_at: Date;
  readonly last_received_at: Date;
}

type NotificationRow = SummaryRow & RawColumns;

/** What came over the wire; all of it null once retention has removed it. */
export interface RawColumns {
  readonly method: string | null;
  readonly target: string | null;
  readonly request_time: string | null;
  readonly signature: string | null;
  readonly body: Uint8Array | null;
}

const SUMMARY = `position as no, client_id, digest, notify_type, payment_id, outcome, deliveries, first_received_at, last_received_at`;
const WHOLE = `${SUMMARY}, method, target, request_time, signature, body`;

export type NotificationReading = Pick<
  Store,
  'listNotifications' | 'readNotifications' | 'findNotification' | 'clientIds'
>;

export const openNotificationReading = ({ query }: Database): NotificationReading => ({
  listNotifications: async (filter, page) => {
    const { where, values } = termsOf(filter, { page, newestFirst: true });
    const sql = `select ${SUMMARY} from notifications where ${where} order by position desc limit $1`;
    return pageOf(await query<SummaryRow>(sql, values), { page, read: toSummary });
  },
  readNotifications: async (filter, page) => {
    const { where, values } = termsOf(filter, { page, newestFirst: false });
    const sql = `select ${WHOLE} from notifications where ${where} order by position limit $1`;
    return pageOf(await query<NotificationRow>(sql, values), { page, read: toStored });
  },
  findNotification: async ({ clientId, id }) => {
    const [row] = await query<NotificationRow>(
      `select ${WHOLE}
       from notifications
       where client_id = $1 and digest = $2`,
      [clientId, Buffer.from(id, 'hex')],
    );
    return row === undefined ? null : toStored(row);
  },
  clientIds: async () => {
    const rows = await query<{ client_id: string }>(
      `${clientsOf('notifications')} union ${clientsOf('registrations')} order by client_id`,
    );
    return rows.map(({ client_id }) => client_id);
  },
});

/** The distinct clients, each found by one look into the index: `distinct` would walk all rows. */
const clientsOf = (table: 'notifications' | 'registrations'): string => `(
  with recursive clients as (
    (select client_id from ${table} order by client_id limit 1)
    union all
    select (select n.client_id from ${table} n where n.client_id > clients.client_id order by n.client_id limit 1)
    from clients
    where clients.client_id is not null
  )
  select client_id from clients where client_id is not null)`;

interface Listing {
  readonly page: PageRequest;
  readonly newestFirst: boolean;
}

const termsOf = (
  { notifyType, outcome, paymentId }: NotificationFilter,
  { page, newestFirst }: Listing,
): { readonly where: string; readonly values: readonly unknown[] } => {
  const values: unknown[] = [page.limit, readCursor(page.cursor, newestFirst)];
  const terms = [newestFirst ? 'position < $2::bigint' : 'position > $2::bigint'];
  const add = (term: string, value: string): void => {
    values.push(value);
    terms.push(`${term} = $${values.length}`);
  };
  if (paymentId !== null) {
    terms.push(`client_id in ${clientsOf('notifications')}`);
    add('payment_id', paymentId);
  }
  if (notifyType !== null) add('notify_type', notifyType);
  if (outcome !== null) add('outcome', outcome);
  // Repeats the term of the partial index, so that the planner may use it.
  if (outcome !== null && outcome !== 'APPLIED') terms.push("outcome <> 'APPLIED'");
  return { where: terms.join(' and '), values };
};

const readCursor = (cursor: string | null, newestFirst: boolean): string => {
  if (cursor === null) return newestFirst ? String(LAST_POSITION) : '0';
  if (!isPosition(cursor)) throw new InvalidCursorError('not a cursor');
  return cursor;
};

const pageOf = <Row extends { readonly no: string }, T>(
  rows: readonly Row[],
  { page, read }: { readonly page: PageRequest; readonly read: (row: Row) => T },
): Page<T> => {
  const last = rows.at(-1);
  return { items: rows.map(read), next: last === undefined || rows.length < page.limit ? null : last.no };
};

const toSummary = (row: SummaryRow): NotificationSummary => ({
  clientId: row.client_id,
  id: hex(row.digest),
  notifyType: row.notify_type,
  paymentId: row.payment_id,
  outcome: row.outcome,
  deliveries: Number(row.deliveries),
  firstReceivedAt: row.first_received_at.toISOString(),
  lastReceivedAt: row.last_received_at.toISOString(),
});

const toStored = (row: NotificationRow): StoredNotification => ({ ...toSummary(row), raw: toRaw(row) });

export const toRaw = ({
  method,
  target,
  request_time: requestTime,
  signature,
  body,
}: RawColumns): RawNotification | null =>
  method === null || target === null || requestTime === null || signature === null || body === null
    ? null
    : { method, target, requestTime, signature, body };

interface UnverifiedRow {
  readonly no: string;
  readonly digest: Uint8Array;
  readonly reason: UnverifiedReason;
  readonly deliveries: string;
  readonly bytes: string;
  readonly first_received_at: Date;
  readonly last_received_at: Date;
}

export interface WholeUnverifiedRow extends UnverifiedRow {
  readonly method: string;
  readonly target: string;
  readonly headers: string;
  readonly body: Uint8Array;
}

const UNVERIFIED = 'request as no, digest, reason, deliveries, bytes, first_received_at, last_received_at';
const WHOLE_UNVERIFIED = `${UNVERIFIED}, method, target, headers, body`;

export type UnverifiedReading = Pick<Store, 'listUnverified' | 'readUnverified' | 'findUnverified'>;

export const openUnverifiedReading = ({ query }: Database): UnverifiedReading => ({
  listUnverified: async (reason, page) => {
    const rows = await query<UnverifiedRow>(
      `select ${UNVERIFIED}
       from unverified
       where request < $2::bigint and ($3::text is null or reason = $3)
       order by request desc
       limit $1`,
      [page.limit, readCursor(page.cursor, true), reason],
    );
    return pageOf(rows, { page, read: toUnverifiedSummary });
  },
  readUnverified: async (page) => {
    const rows = await query<WholeUnverifiedRow>(
      `select ${WHOLE_UNVERIFIED}
       from unverified
       where request > $2::bigint
       order by request
       limit $1`,
      [page.limit, readCursor(page.cursor, false)],
    );
    return pageOf(rows, { page, read: toUnverified });
  },
  findUnverified: async (id) => {
    const [row] = await query<WholeUnverifiedRow>(
      `select ${WHOLE_UNVERIFIED}
       from unverified
       where digest = $1`,
      [Buffer.from(id, 'hex')],
    );
    return row === undefined ? null : toUnverified(row);
  },
});

const toUnverifiedSummary = (row: UnverifiedRow): UnverifiedSummary => ({
  id: hex(row.digest),
  reason: row.reason,
  deliveries: Number(row.deliveries),
  bytes: Number(row.bytes),
  firstReceivedAt: row.first_received_at.toISOString(),
  lastReceivedAt: row.last_received_at.toISOString(),
});

const toUnverified = (row: WholeUnverifiedRow): StoredUnverified => ({
  ...toUnverifiedSummary(row),
  request: toSignedRequest(row),
});
