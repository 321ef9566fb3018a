import type { DatabaseSync } from 'node:sqlite';
import type { Outcome } from '../../order/reading.ts';
import { rawCheck, readingCheck } from '../checksum.ts';
import { hexOf, type NotificationRow } from '../row.ts';
import type { PutNotification, Snapshot, Transaction } from '../transaction.ts';
import { prepare } from './query.ts';
import { createRawReading, type RawBatch } from './raw.ts';
import type { Starting } from './starts.ts';

const INSERT = `
  insert into notifications (
     client_id, payment_id, digest, asked, kind, outcome, problem, statements, reading_check, raw_check, deliveries,
     first_received_at, last_received_at, raw_batch, raw_place
  )
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict do nothing
  returning position`;

/** Stores notifications with their identifiers, and counts those that are stored already. */
export const createPutting = (db: DatabaseSync, starting: Starting) => {
  const insert = prepare<readonly [position: number]>(db, INSERT);
  const repeat = prepare<readonly [position: number, outcome: Outcome, deliveries: number, firstReceivedAt: number]>(
    db,
    `update notifications
     set deliveries = deliveries + ?, first_received_at = min(first_received_at, ?),
       last_received_at = max(last_received_at, ?)
     where client_id = ? and payment_id = ? and digest = ?
     returning position, outcome, deliveries, first_received_at`,
  );
  const identify = prepare(
    db,
    'insert or ignore into identifiers (position, name, value, client_id, joins) values (?, ?, ?, ?, ?)',
  );

  return (row: NotificationRow, batch: RawBatch): PutNotification => {
    const { clientId, paymentId, digest, deliveries, firstReceivedAt: first, lastReceivedAt: last } = row;
    const { number, place } = row.raw === null ? REMOVED : batch.next();
    const inserted = insert.get(
      clientId,
      paymentId,
      digest,
      row.asked,
      row.kind,
      row.outcome,
      row.problem,
      row.statements,
      readingCheck({ clientId, id: hexOf(digest) }, row),
      rawCheck(row.raw),
      deliveries,
      first,
      last,
      number,
      place,
    );
    if (inserted === undefined) {
      const [position, outcome, sum, earliest] = repeat.get(
        deliveries,
        first,
        last,
        clientId,
        paymentId,
        digest,
      ) as readonly [number, Outcome, number, number];
      return { position: String(position), isNew: false, outcome, deliveries: sum, firstReceivedAt: earliest };
    }
    if (row.raw !== null) batch.add(row.raw, first);
    const [position] = inserted;
    starting.note(position - 1);
    for (const { name, value, joins } of row.identifiers) identify.run(position, name, value, clientId, joins);
    return { position: String(position), isNew: true, outcome: row.outcome, deliveries, firstReceivedAt: first };
  };
};

/** Stores what came over the wire of a notification that has lost it. */
export const createRawPutting = (db: DatabaseSync) => {
  const update = prepare(db, 'update notifications set raw_batch = ?, raw_place = ?, raw_check = ? where position = ?');
  return (batch: RawBatch): Transaction['putRaw'] =>
    async (position, raw, receivedAt) => {
      const { number, place } = batch.next();
      batch.add(raw, receivedAt);
      update.run(number, place, rawCheck(raw), Number(position));
    };
};

/** No batch has this number: what is there has no bytes any more. */
const REMOVED = { number: 0, place: -1 };

/** By client and digest alone: looks into each section of the index, the latest first. */
const ANYWHERE = `
  with recursive sections (section) as (
    select max(position) >> 10 from notifications
    union all
    select section - 1 from sections where section > 0
  )
  select position
  from sections
  cross join notifications indexed by notifications_by_section
    on position >> 10 = section and substr(digest, 1, 4) = substr(?2, 1, 4)
  where client_id = ?1 and digest = ?2
  limit 1`;

export const createPositionOf = (db: DatabaseSync): Snapshot['positionOf'] => {
  const select = prepare<readonly [position: number]>(db, ANYWHERE);
  return async (clientId, digest) => {
    const found = select.get(clientId, digest);
    return found === undefined ? null : String(found[0]);
  };
};

export const createRaws = (db: DatabaseSync): Snapshot['raws'] => {
  const select = prepare<readonly [batch: number, place: number]>(
    db,
    'select raw_batch, raw_place from notifications where position = ?',
  );
  const read = createRawReading(db);
  return async (positions) => {
    const last = read();
    return positions.map((position) => {
      const [batch, place] = select.get(Number(position)) ?? [REMOVED.number, REMOVED.place];
      return last(batch, place);
    });
  };
};
