import type { Outcome, RawNotification } from '../../order/reading.ts';
import { rawCheck, readingCheck } from '../checksum.ts';
import { hexOf, type NotificationRow, notificationId } from '../row.ts';
import type { PutNotification, Query, Snapshot, Transaction } from '../transaction.ts';
import { NEXT_POSITIONS, transactionOf } from './positions.ts';
import { prepared, recordset } from './query.ts';

/**
 * Stores notifications with their identifiers, and counts those that are stored already. The identifiers of the new
 * ones are sent, and not waited for: whatever is asked next comes after them.
 */
export const putNotifications =
  (query: Query, send: Query): Transaction['putNotifications'] =>
  async (rows) => {
    if (rows.length === 0) return [];
    const stored = await query<Row>(PUT, [
      Buffer.concat(rows.map(({ digest }) => digest)),
      Buffer.concat(rows.flatMap(({ raw }) => (raw === null ? [] : [raw.body]))),
      recordset(toRecords(rows)),
    ]);
    const byId = new Map(stored.map((row) => [notificationId(row.client_id, row.digest), toPut(row)]));
    const put = rows.map(({ id }) => byId.get(id) as PutNotification);
    const identifiers = rows.flatMap((row, index) => toIdentifiers(row, put[index] as PutNotification));
    if (identifiers.length > 0) void send(IDENTIFY, [recordset(identifiers)]);
    return put;
  };

interface Row {
  readonly client_id: string;
  readonly digest: string;
  readonly position: string;
  readonly outcome: Outcome;
  readonly deliveries: string;
  readonly first_received_at: string;
  readonly is_new: boolean;
}

const toPut = ({ position, outcome, deliveries, first_received_at, is_new }: Row): PutNotification => ({
  position,
  isNew: is_new,
  outcome,
  deliveries: Number(deliveries),
  firstReceivedAt: Number(first_received_at),
});

const toIdentifiers = (row: NotificationRow, { position, isNew }: PutNotification): readonly object[] =>
  isNew
    ? row.identifiers.map(({ name, value, joins }) => ({
        client_id: row.clientId,
        position,
        name,
        value,
        joins,
      }))
    : [];

/** Digests and bodies go as bytes, each in one piece: a row says where its own are. */
const toRecords = (rows: readonly NotificationRow[]): readonly object[] => {
  let bodyAt = 1;
  return rows.map(({ raw, ...row }, index) => {
    const record = {
      ordinal: index + 1,
      client_id: row.clientId,
      payment_id: row.paymentId,
      ...(row.asked !== null && { asked: row.asked }),
      kind: row.kind,
      outcome: row.outcome,
      problem: row.problem,
      statements: row.statements,
      reading_check: readingCheck({ clientId: row.clientId, id: hexOf(row.digest) }, row),
      raw_check: rawCheck(raw),
      deliveries: row.deliveries,
      first: row.firstReceivedAt,
      last: row.lastReceivedAt,
      method: raw?.method,
      target: raw?.target,
      request_time: raw?.requestTime,
      signature: raw?.signature,
      body_at: raw === null ? null : bodyAt,
      body_length: raw?.body.length,
    };
    bodyAt += raw?.body.length ?? 0;
    return record;
  });
};

/**
 * In the order of their keys, so that two batches never wait for each other. A row that was there keeps its position,
 * which belongs to another transaction.
 */
const PUT = prepared(`
  with taken as materialized (
    select ${NEXT_POSITIONS} as base
  ), given as (
    select ordinal, substr($1::bytea, (ordinal - 1) * 32 + 1, 32) as digest, client_id, payment_id, asked, kind, outcome, problem,
      statements, reading_check, raw_check, deliveries, first, last, method, target, request_time, signature,
      substr($2::bytea, body_at, body_length) as body
    from json_to_recordset($3::json) as given (
      ordinal integer, client_id text, payment_id text, asked text, kind text, outcome text, problem text, statements text,
      reading_check bigint, raw_check bigint, deliveries bigint, first bigint, last bigint, method text, target text, request_time text, signature text,
      body_at integer, body_length integer
    )
  ), stored as (
    insert into notifications as stored (
      client_id, digest, position, payment_id, asked, kind, outcome, problem, statements, reading_check, raw_check, deliveries,
      first_received_at, last_received_at, method, target, request_time, signature, body
    )
    select client_id, digest, (select base from taken) + ordinal, payment_id, asked, kind, outcome, problem, statements,
      reading_check, raw_check, deliveries, first, last, method, target, request_time, signature, body
    from given
    order by client_id collate "C", digest
    on conflict (client_id, digest) do update
    set deliveries = stored.deliveries + excluded.deliveries,
      first_received_at = least(stored.first_received_at, excluded.first_received_at),
      last_received_at = greatest(stored.last_received_at, excluded.last_received_at)
    returning client_id, digest, position, outcome, deliveries, first_received_at
  )
  select client_id, encode(digest, 'hex') as digest, position, outcome, deliveries, first_received_at,
    ${transactionOf('position')} = ${transactionOf('(select base from taken)')} as is_new
  from stored`);

const IDENTIFY = prepared(`
  insert into identifiers (client_id, position, name, value, joins)
  select client_id, position, name, value, joins
  from json_to_recordset($1::json) as given (client_id text, position bigint, name text, value text, joins smallint)
  on conflict do nothing`);

export const positionOf =
  (query: Query): Snapshot['positionOf'] =>
  async (clientId, digest) => {
    const [row] = await query<{ position: string }>(
      'select position from notifications where client_id = $1 and digest = $2',
      [clientId, digest],
    );
    return row?.position ?? null;
  };

interface RawColumns {
  readonly position: string;
  readonly method: string | null;
  readonly target: string | null;
  readonly request_time: string | null;
  readonly signature: string | null;
  readonly body: Uint8Array | null;
}

export const raws =
  (query: Query): Snapshot['raws'] =>
  async (positions) => {
    const rows = await query<RawColumns>(
      `select position, method, target, request_time, signature, body
       from notifications
       where position = any (array(select json_array_elements_text($1::json)::bigint))`,
      [JSON.stringify(positions)],
    );
    const found = new Map(rows.map((row) => [row.position, toRaw(row)]));
    return positions.map((position) => found.get(position) ?? null);
  };

const toRaw = (columns: RawColumns): RawNotification | null => {
  const { method, target, request_time: requestTime, signature, body } = columns;
  return method === null || target === null || requestTime === null || signature === null || body === null
    ? null
    : { method, target, requestTime, signature, body };
};

export const putRaw =
  (query: Query): Transaction['putRaw'] =>
  async (position, raw) => {
    await query(
      `update notifications
       set method = $2, target = $3, request_time = $4, signature = $5, body = $6, raw_check = $7
       where position = cast($1 as bigint)`,
      [position, raw.method, raw.target, raw.requestTime, raw.signature, raw.body, rawCheck(raw)],
    );
  };

/**
 * Found by notifications_with_bytes, whose terms are repeated. Rows that somebody counts a resend on at this moment are
 * left for the next call: who never waits for a row is never part of a deadlock.
 */
export const removeRaw =
  (query: Query): Transaction['removeRaw'] =>
  async (before, limit) => {
    const removed = await query(
      `update notifications
       set ${WITHOUT_RAW}
       where (client_id, digest) in (
         select client_id, digest
         from notifications
         where body is not null and outcome <> 'FAILED' and first_received_at < $1
         order by first_received_at
         limit $2
         for update skip locked
       )
       returning 1 as removed`,
      [before, limit],
    );
    return removed.length;
  };

export const WITHOUT_RAW = 'method = null, target = null, request_time = null, signature = null, body = null';
