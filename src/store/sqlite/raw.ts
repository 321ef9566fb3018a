import type { DatabaseSync } from 'node:sqlite';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { RawNotification } from '../store.ts';
import { prepare } from './query.ts';

/**
 * The raw notifications of one transaction are kept together, compressed: alone each takes more room than its
 * order; together their like keys cost next to nothing (Zstandard: in a batch of 64 it leaves less than 350 of 1,232
 * bytes, alone more than 800 and for many times the work, which is why few are left as they are: bench/compression.ts).
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

export const unpackRaw = (packed: Uint8Array): readonly RawNotification[] => {
  const content = packed[0] === COMPRESSED ? zstdDecompressSync(packed.subarray(1)) : Buffer.from(packed.subarray(1));
  const textEnd = LENGTH_BYTES + content.readUInt32LE();
  const heads = JSON.parse(content.toString('utf8', LENGTH_BYTES, textEnd)) as readonly Head[];
  let offset = textEnd;
  return heads.map(([method, target, requestTime, signature, bodyBytes]) => {
    const body = content.subarray(offset, offset + bodyBytes);
    offset += bodyBytes;
    return { method, target, requestTime, signature, body };
  });
};

/** Where a raw notification is: the transaction that brought it, and its place among the others, from 0. */
export interface RawPlace {
  readonly batch: number;
  readonly place: number;
}

/** Gathers the raw notifications of one transaction. */
export interface RawWriting {
  /** The place that the next one will have. */
  readonly next: () => RawPlace;
  readonly add: (raw: RawNotification) => void;
  /** Inside the transaction, before its commit. */
  readonly keep: (receivedAt: number) => void;
  /** After a transaction, whichever way it ended. */
  readonly forget: () => void;
}

export const openRawWriting = (db: DatabaseSync): RawWriting => {
  const selectLast = prepare<{ batch: number }>(
    db,
    "select coalesce((select seq from sqlite_sequence where name = 'raw_batches'), 0) as batch",
  );
  const insert = prepare(db, 'insert into raw_batches (raw_batch, received_at, packed) values (?, ?, ?)');
  let batch: number | null = null;
  let raws: RawNotification[] = [];
  return {
    next: () => {
      batch ??= (selectLast.get()?.batch ?? 0) + 1;
      return { batch, place: raws.length };
    },
    add: (raw) => {
      raws.push(raw);
    },
    keep: (receivedAt) => {
      if (batch !== null && raws.length > 0) insert.run(batch, receivedAt, packRaw(raws));
    },
    forget: () => {
      batch = null;
      raws = [];
    },
  };
};

export interface RawReading {
  /** Null once retention has removed it. */
  readonly read: (place: RawPlace) => RawNotification | null;
  /** The last batch is remembered until then: notifications that are read together often share one. */
  readonly forget: () => void;
}

export const openRawReading = (db: DatabaseSync): RawReading => {
  const select = prepare<{ packed: Uint8Array }>(db, 'select packed from raw_batches where raw_batch = ?');
  let last: { readonly batch: number; readonly raws: readonly RawNotification[] } | null = null;
  return {
    read: ({ batch, place }) => {
      if (last?.batch !== batch) {
        const row = select.get(batch);
        last = row === undefined ? null : { batch, raws: unpackRaw(row.packed) };
      }
      return last?.raws[place] ?? null;
    },
    forget: () => {
      last = null;
    },
  };
};
