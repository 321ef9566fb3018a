import { hexOf, type UnverifiedRow } from '../row.ts';
import type { Query, Transaction, UnverifiedRepeat } from '../transaction.ts';
import { NOTE_IN_USE } from '../setting.ts';
import { recordset } from './query.ts';

/** Each one statement, however many requests there are. Digests and bodies go as lists of bytes. */
export const countUnverified =
  (query: Query): Transaction['countUnverified'] =>
  async (repeats) => {
    const rows = await query<{ digest: Uint8Array; before: string }>(
      `with noted as (${NOTE_IN_USE})
       update unverified
       set deliveries = deliveries + times, last_received_at = greatest(last_received_at, last)
       from json_to_recordset($1::json) as repeats (id text, times bigint, last bigint)
       where unverified.digest = decode(repeats.id, 'hex')
       returning unverified.digest, deliveries - times as before`,
      [recordset(repeats.map(({ id, times, last }: UnverifiedRepeat) => ({ id, times, last })))],
    );
    return new Map(rows.map(({ digest, before }) => [hexOf(digest), Number(before)]));
  };

export const insertUnverified =
  (query: Query): Transaction['insertUnverified'] =>
  async (rows) => {
    await query(
      `insert into unverified (
         digest, reason, origin, trust, deliveries, bytes, first_received_at, last_received_at, method, target, headers,
         body
       )
       select decode(id, 'hex'), reason, origin, decode(trust, 'hex'), deliveries, bytes, first, last, method, target,
         headers, substr($2::bytea, body_at, body_length)
       from json_to_recordset($1::json) as given (
         ordinal integer, id text, reason text, origin text, trust text, deliveries bigint, bytes bigint, first bigint,
         last bigint, method text, target text, headers text, body_at integer, body_length integer
       )
       order by ordinal`,
      [recordset(toRecords(rows)), Buffer.concat(rows.map(({ body }) => body))],
    );
  };

/** The bodies go in one piece: a row says where its own is. */
const toRecords = (rows: readonly UnverifiedRow[]): readonly object[] => {
  let bodyAt = 1;
  return rows.map((row, index) => {
    const { id, reason, origin, trust, deliveries, bytes, firstReceivedAt: first, lastReceivedAt: last } = row;
    const { method, target, headers, body } = row;
    const at = bodyAt;
    bodyAt += body.length;
    return {
      ordinal: index + 1,
      id,
      reason,
      origin,
      trust,
      deliveries,
      bytes,
      first,
      last,
      method,
      target,
      headers,
      body_at: at,
      body_length: body.length,
    };
  });
};
