import type { DatabaseSync } from 'node:sqlite';
import type { UnverifiedReason } from '../../antom/signature.ts';
import { toSignedRequest } from '../entry.ts';
import {
  type NotificationFilter,
  type NotificationKey,
  type NotificationSummary,
  type Outcome,
  type Page,
  type PageRequest,
  type StoredNotification,
  type StoredUnverified,
  InvalidCursorError,
  type UnverifiedSummary,
} from '../store.ts';
import type { Clients } from './clients.ts';
import { ANYWHERE } from './known.ts';
import { hex, isoTime, prepare, type Query } from './query.ts';
import type { RawReading } from './raw.ts';

interface SummaryRow {
  readonly no: number;
  readonly client: number;
  readonly digest: Uint8Array;
  readonly notify_type: string | null;
  readonly payment_id: string | null;
  readonly outcome: Outcome;
  readonly deliveries: number;
  readonly first_received_at: number;
  readonly last_received_at: number;
}

interface NotificationRow extends SummaryRow {
  readonly raw_batch: number;
  readonly raw_place: number;
}

const SUMMARY = `notification as no, client, digest, notify_type, payment_id, outcome, deliveries, first_received_at, last_received_at`;
const WHOLE = `${SUMMARY}, raw_batch, raw_place`;

export interface NotificationReading {
  readonly listNotifications: (filter: NotificationFilter, page: PageRequest) => Page<NotificationSummary>;
  readonly readNotifications: (filter: NotificationFilter, page: PageRequest) => Page<StoredNotification>;
  readonly findNotification: (key: NotificationKey) => StoredNotification | null;
}

interface Tools {
  readonly clients: Clients;
  readonly raws: RawReading;
}

export const openNotificationReading = (db: DatabaseSync, { clients, raws }: Tools): NotificationReading => {
  const newestFirst = prepareListing<SummaryRow>(db, { columns: SUMMARY, newestFirst: true });
  const oldestFirst = prepareListing<NotificationRow>(db, { columns: WHOLE, newestFirst: false });
  const selectOne = prepare<NotificationRow>(
    db,
    `select ${WHOLE} from notifications where notification = (${ANYWHERE})`,
  );

  const toSummary = (row: SummaryRow): NotificationSummary => ({
    clientId: clients.idOf(row.client),
    id: hex(row.digest),
    notifyType: row.notify_type,
    paymentId: row.payment_id,
    outcome: row.outcome,
    deliveries: row.deliveries,
    firstReceivedAt: isoTime(row.first_received_at),
    lastReceivedAt: isoTime(row.last_received_at),
  });
  const toStored = (row: NotificationRow): StoredNotification => ({
    ...toSummary(row),
    raw: raws.read({ batch: row.raw_batch, place: row.raw_place }),
  });

  return {
    listNotifications: (filter, page) => pageOf(newestFirst(filter, page), { page, read: toSummary }),
    readNotifications: (filter, page) => pageOf(oldestFirst(filter, page), { page, read: toStored }),
    findNotification: ({ clientId, id }) => {
      const client = clients.find(clientId);
      const row = client === null ? undefined : selectOne.get(client, Buffer.from(id, 'hex'));
      return row === undefined ? null : toStored(row);
    },
  };
};

interface Listing {
  readonly columns: string;
  readonly newestFirst: boolean;
}

const prepareListing = <Row extends { readonly no: number }>(
  db: DatabaseSync,
  { columns, newestFirst }: Listing,
): ((filter: NotificationFilter, page: PageRequest) => readonly Row[]) => {
  const queries = new Map<string, Query<Row>>();
  return ({ notifyType, outcome, paymentId }, { limit, cursor }) => {
    const terms = [newestFirst ? 'notification < ?' : 'notification > ?'];
    const values: (string | number)[] = [readCursor(cursor, newestFirst)];
    if (paymentId !== null) {
      terms.push('client in (select client from clients)', 'payment_id = ?');
      values.push(paymentId);
    }
    if (notifyType !== null) {
      terms.push('notify_type = ?');
      values.push(notifyType);
    }
    if (outcome !== null) {
      terms.push('outcome = ?');
      // Repeats the term of the partial index, so that the planner may use it.
      if (outcome !== 'APPLIED') terms.push("outcome <> 'APPLIED'");
      values.push(outcome);
    }
    const sql = `select ${columns} from notifications where ${terms.join(' and ')} order by notification ${newestFirst ? 'desc' : 'asc'} limit ?`;
    const query = queries.get(sql) ?? prepare<Row>(db, sql);
    queries.set(sql, query);
    return query.all(...values, limit);
  };
};

const readCursor = (cursor: string | null, newestFirst: boolean): number => {
  if (cursor === null) return newestFirst ? Number.MAX_SAFE_INTEGER : 0;
  if (!/^\d{1,15}$/.test(cursor)) throw new InvalidCursorError('not a cursor');
  return Number(cursor);
};

const pageOf = <Row extends { readonly no: number }, T>(
  rows: readonly Row[],
  { page, read }: { readonly page: PageRequest; readonly read: (row: Row) => T },
): Page<T> => {
  const last = rows.at(-1);
  return { items: rows.map(read), next: last === undefined || rows.length < page.limit ? null : String(last.no) };
};

interface UnverifiedRow {
  readonly no: number;
  readonly digest: Uint8Array;
  readonly reason: UnverifiedReason;
  readonly deliveries: number;
  readonly bytes: number;
  readonly first_received_at: number;
  readonly last_received_at: number;
}

export interface WholeUnverifiedRow extends UnverifiedRow {
  readonly method: string;
  readonly target: string;
  readonly headers: string;
  readonly body: Uint8Array;
}

const UNVERIFIED = 'request as no, digest, reason, deliveries, bytes, first_received_at, last_received_at';
const WHOLE_UNVERIFIED = `${UNVERIFIED}, method, target, headers, body`;

export interface UnverifiedReading {
  readonly listUnverified: (reason: UnverifiedReason | null, page: PageRequest) => Page<UnverifiedSummary>;
  readonly readUnverified: (page: PageRequest) => Page<StoredUnverified>;
  readonly findUnverified: (id: string) => StoredUnverified | null;
}

export const openUnverifiedReading = (db: DatabaseSync): UnverifiedReading => {
  const selectAll = prepare<UnverifiedRow>(
    db,
    `select ${UNVERIFIED} from unverified where request < ? order by request desc limit ?`,
  );
  const selectOfReason = prepare<UnverifiedRow>(
    db,
    `select ${UNVERIFIED} from unverified where request < ? and reason = ? order by request desc limit ?`,
  );
  const selectWhole = prepare<WholeUnverifiedRow>(
    db,
    `select ${WHOLE_UNVERIFIED} from unverified where request > ? order by request limit ?`,
  );
  const selectOne = prepare<WholeUnverifiedRow>(db, `select ${WHOLE_UNVERIFIED} from unverified where digest = ?`);

  return {
    listUnverified: (reason, page) => {
      const before = readCursor(page.cursor, true);
      const rows = reason === null ? selectAll.all(before, page.limit) : selectOfReason.all(before, reason, page.limit);
      return pageOf(rows, { page, read: toUnverifiedSummary });
    },
    readUnverified: (page) =>
      pageOf(selectWhole.all(readCursor(page.cursor, false), page.limit), { page, read: toUnverified }),
    findUnverified: (id) => {
      const row = selectOne.get(Buffer.from(id, 'hex'));
      return row === undefined ? null : toUnverified(row);
    },
  };
};

const toUnverifiedSummary = (row: UnverifiedRow): UnverifiedSummary => ({
  id: hex(row.digest),
  reason: row.reason,
  deliveries: row.deliveries,
  bytes: row.bytes,
  firstReceivedAt: isoTime(row.first_received_at),
  lastReceivedAt: isoTime(row.last_received_at),
});

const toUnverified = (row: WholeUnverifiedRow): StoredUnverified => ({
  ...toUnverifiedSummary(row),
  request: toSignedRequest(row),
});
