import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { RawNotification } from '../../order/reading.ts';
import { digestOf, hexOf } from '../row.ts';
import type { Snapshot, StrayRaw } from '../transaction.ts';
import { prepare } from './query.ts';

/**
 * The raw notifications of one transaction are kept together, compressed: together their like keys cost next to
 * nothing. One alone would save little for many times the work, so few are left as they are (bench/compression.ts).
 */
const WORTH_COMPRESSING = 4;
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

const PLAIN = 0;
const COMPRESSED = 1;
const LENGTH_BYTES = 4;

type Head = readonly [method: string, target: string, requestTime: string, signature: string, bodyBytes: number];

/** A byte that says how it is packed; then the length of the heads, the heads as JSON, and the bodies. */
export const packRaw = (raws: readonly RawNotification[]): Buffer => {
  const heads = raws.map(({ method, target, requestTime, signature, body }): Head => [
    method,
    target,
    requestTime,
    signature,
    body.length,
  ]);
  const text = Buffer.from(JSON.stringify(heads));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(text.length);
  const content = Buffer.concat([length, text, ...raws.map(({ body }) => body)]);
  return raws.length >= WORTH_COMPRESSING
    ? Buffer.concat([Buffer.from([COMPRESSED]), zstdCompressSync(content, FAST)])
    : Buffer.concat([Buffer.from([PLAIN]), content]);
};

const unpackRaw = (packed: Uint8Array): readonly RawNotification[] => {
  const [how] = packed;
  if (how !== PLAIN && how !== COMPRESSED) throw new Error('raw notifications are packed in a way that is not known');
  const content = how === COMPRESSED ? zstdDecompressSync(packed.subarray(1)) : Buffer.from(packed.subarray(1));
  const textEnd = LENGTH_BYTES + content.readUInt32LE();
  const heads = JSON.parse(content.toString('utf8', LENGTH_BYTES, textEnd)) as readonly Head[];
  let offset = textEnd;
  return heads.map(([method, target, requestTime, signature, bodyBytes]) => {
    const body = content.subarray(offset, offset + bodyBytes);
    offset += bodyBytes;
    return { method, target, requestTime, signature, body };
  });
};

/** Gathers the raw notifications of one transaction. */
export interface RawBatch {
  /** Where the next one will be: its batch, and its place in it, from 0. */
  readonly next: () => { readonly number: number; readonly place: number };
  /** `receivedAt` is epoch milliseconds. */
  readonly add: (raw: RawNotification, receivedAt: number) => void;
  /** Inside the transaction, before its commit. */
  readonly write: () => void;
}

/** Makes the batch of a transaction that begins. */
export const createRawBatches = (db: DatabaseSync): (() => RawBatch) => {
  const selectLast = prepare<readonly [number: number]>(
    db,
    "select coalesce((select seq from sqlite_sequence where name = 'raw_batches'), 0)",
  );
  const insert = prepare(db, 'insert into raw_batches (raw_batch, received_at, packed) values (?, ?, ?)');
  return () => {
    let number: number | null = null;
    let latest = 0;
    const raws: RawNotification[] = [];
    return {
      next: () => {
        number ??= (selectLast.get()?.[0] ?? 0) + 1;
        return { number, place: raws.length };
      },
      add: (raw, receivedAt) => {
        latest = Math.max(latest, receivedAt);
        raws.push(raw);
      },
      write: () => {
        if (number !== null && raws.length > 0) insert.run(number, latest, packRaw(raws));
      },
    };
  };
};

type ReadRaw = (batch: number, place: number) => RawNotification | null;

/**
 * What reads raw notifications one after the other; those that are read together often share a batch, so it keeps the
 * last.
 */
export const createRawReading = (db: DatabaseSync): (() => ReadRaw) => {
  const select = prepare<readonly [packed: Uint8Array]>(db, 'select packed from raw_batches where raw_batch = ?');
  return () => {
    let last: { readonly batch: number; readonly raws: readonly RawNotification[] } | null = null;
    return (batch, place) => {
      if (last?.batch !== batch) {
        const row = select.get(batch);
        last = { batch, raws: row === undefined ? [] : unpackRaw(row[0]) };
      }
      if (last.raws.length > 0 && place >= last.raws.length)
        throw new Error(`batch ${batch} of raw notifications has no place ${place}`);
      return last.raws[place] ?? null;
    };
  };
};

/**
 * Finds batches that hold more than notifications name: a notification that names another batch, which is not there,
 * looks as if its bytes had been removed. A copy takes the bytes of single notifications away, which then name place -1
 * of batch 0.
 */
export const createStrayRaws = (db: DatabaseSync): Snapshot['strayRaws'] => {
  const select = db.prepare(
    `select b.raw_batch as batch, b.packed, coalesce(n.named, 0) as named
     from raw_batches b
     left join (select raw_batch, count(*) as named from notifications group by raw_batch) n
       on n.raw_batch = b.raw_batch`,
  );
  const selectRemoved = prepare(
    db,
    'select 1 from notifications where raw_batch = 0 and raw_place = -1 and digest = ?',
  );
  const selectAsked = prepare<readonly [asked: string, digest: Uint8Array]>(
    db,
    'select asked, digest from notifications where raw_batch = 0 and raw_place = -1 and asked is not null',
  );
  const isRemoved = ({ body }: RawNotification): boolean =>
    selectRemoved.get(hash('sha256', body, 'buffer')) !== undefined ||
    selectAsked.all().some(([asked, digest]) => digestOf({ asked }, body) === hexOf(digest));
  return async () => {
    const stray: StrayRaw[] = [];
    for (const row of select.iterate()) {
      const { batch, packed, named } = row as unknown as { batch: number; packed: Uint8Array; named: number };
      const raws = unpackedOrNone(packed);
      const holds = raws.length === named ? named : raws.filter((raw) => !isRemoved(raw)).length;
      if (holds > named) stray.push({ batch, holds, named });
    }
    return stray;
  };
};

/** What cannot be unpacked is found with its notifications. */
const unpackedOrNone = (packed: Uint8Array): readonly RawNotification[] => {
  try {
    return unpackRaw(packed);
  } catch {
    return [];
  }
};

/**
 * Removes batch by batch, oldest first, until `limit` notifications have lost their bytes or more. What was received
 * together goes together, so one FAILED notification keeps the bytes of its whole batch.
 */
export const createRawRemoval = (db: DatabaseSync): ((before: number, limit: number) => number) => {
  const selectOldest = prepare<readonly [batch: number, packed: Uint8Array]>(
    db,
    `select raw_batch, packed
     from raw_batches
     where received_at < ?
       and raw_batch not in (select raw_batch from notifications where outcome = 'FAILED' and outcome <> 'APPLIED')
     order by received_at
     limit 1`,
  );
  const remove = prepare(db, 'delete from raw_batches where raw_batch = ?');
  return (before, limit) => {
    let removed = 0;
    while (removed < limit) {
      const oldest = selectOldest.get(before);
      if (oldest === undefined) break;
      remove.run(oldest[0]);
      removed += unpackRaw(oldest[1]).length;
    }
    return removed;
  };
};
