import { randomInt } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { damaged, lookAt, readAt, realPathOf } from './file.ts';

/**
 * The row that ties a database to its log (`-wal`). SQLite replays any log that lies beside a file, also one that was
 * left by another database, and damages it. So the file carries a mark (`user_version`, bytes 60 to 63 of the file):
 * the number of its log, drawn when a log begins, and how often that log was moved into the file. The row says which
 * marks the file can carry beneath this log.
 */
export interface Place {
  readonly mark: number;
  /** That of the file when this log began: the file held all of the log before. */
  readonly before: number;
  /** Of the log that `mark` was drawn for, hex. */
  readonly salts: string;
  /** Nothing was written since it was closed: all of it is in the file. */
  readonly closed: boolean;
}

const SELECT = 'select mark, before, salts, closed from place';

/** Throws a StoreUnusableError where somebody removed it. */
export const readPlace = (db: DatabaseSync): Place => {
  const row = db.prepare(SELECT).get();
  if (row === undefined) throw damaged('the database', 'its table place is empty');
  return {
    mark: Number(row['mark']),
    before: Number(row['before']),
    salts: String(row['salts']),
    closed: Number(row['closed']) === 1,
  };
};

/** The mark as it is read through the log. */
export const readMark = (db: DatabaseSync): number => Number(db.prepare('pragma user_version').get()?.['user_version']);

const COUNT_BITS = 8;
const LAST_COUNT = (1 << COUNT_BITS) - 1;
const LOGS = 2 ** 24;

const logOf = (mark: number): number => mark >> COUNT_BITS;
const newMark = (): number => randomInt(1, LOGS) << COUNT_BITS;
/** The same log, to be moved into the file once more. */
const nextMark = (mark: number): number => ((mark & LAST_COUNT) === LAST_COUNT ? mark : mark + 1);

/** Whether a file with this mark lies beneath the log with these salts. */
export const fits = (mark: number, place: Place, salts: string): boolean =>
  salts === place.salts
    ? mark === place.before || (logOf(mark) === logOf(place.mark) && mark <= place.mark)
    : // The log has just begun, perhaps with the last stamp itself, and nothing of it is in the file.
      mark === place.mark || mark === previousMark(place);

const previousMark = ({ mark, before }: Place): number => ((mark & LAST_COUNT) === 0 ? before : mark - 1);

export interface Stamp {
  /** Of the log; empty where there is none. */
  readonly salts: string;
  /** The mark that the file carries now; null for that of the row. */
  readonly inFile: number | null;
  readonly closing: boolean;
}

/**
 * Draws the mark of a log that has begun, or counts on that of the one that goes on. It is written before the log is
 * moved into the file: a copy of the file from before then has another mark.
 */
export const stamp = (db: DatabaseSync, stamped: Stamp): Place => {
  db.exec('begin immediate');
  try {
    const place = stampInside(db, stamped);
    db.exec('commit');
    return place;
  } catch (error) {
    if (db.isTransaction) db.exec('rollback');
    throw error;
  }
};

const stampInside = (db: DatabaseSync, { salts, inFile, closing: closed }: Stamp): Place => {
  const old = readPlace(db);
  const place =
    salts !== '' && salts === old.salts
      ? { ...old, mark: nextMark(old.mark), closed }
      : { mark: newMark(), before: inFile ?? old.mark, salts, closed };
  db.prepare('update place set mark = ?, before = ?, salts = ?, closed = ?').run(
    place.mark,
    place.before,
    place.salts,
    Number(closed),
  );
  db.exec(`pragma user_version = ${place.mark}`);
  return place;
};

/** Makes what every transaction that writes does before it commits: the log then says which file it belongs to. */
export const createTouch = (db: DatabaseSync): (() => void) => {
  const touch = db.prepare('update place set closed = 0');
  return () => touch.run();
};

const MARK_AT = 60;
const MARK_BYTES = 4;

/** The mark that the file itself carries; null where it is too short. */
export const markIn = (descriptor: number): number | null => {
  const bytes = readAt(descriptor, MARK_AT, MARK_BYTES);
  return bytes.length === MARK_BYTES ? bytes.readInt32BE(0) : null;
};

const HEADER_BYTES = 32;
const SALTS_AT = 16;
const SALTS_END = 24;
/** Its last bit tells the byte order of the checksums. */
const MAGIC = 0x37_7f_06_82;

/** The salts of a log, hex; empty where it has not begun: what SQLite finds there it takes for nothing. */
export const saltsIn = (descriptor: number): string => {
  const header = readAt(descriptor, 0, HEADER_BYTES);
  const begun = header.length === HEADER_BYTES && (header.readUInt32BE(0) & ~1) >>> 0 === MAGIC;
  return begun ? header.toString('hex', SALTS_AT, SALTS_END) : '';
};

/** The salts of the log beside a file; empty where there is none, or it has not begun. */
export const saltsBeside = (file: string): string => {
  const log = `${realPathOf(file)}-wal`;
  if (lookAt(log) === null) return '';
  // SQLite locks the file and the index, and not the log: this one may be closed.
  const descriptor = openSync(log, 'r');
  try {
    return saltsIn(descriptor);
  } finally {
    closeSync(descriptor);
  }
};

/** SQLite begins a log over the old one: the first salt counts on, the second is drawn. */
export const isNextLog = (salts: string, before: string): boolean => {
  if (salts === '' || before === '') return salts !== '' && before === '';
  const ahead = (firstSalt(salts) - firstSalt(before)) >>> 0;
  return ahead > 0 && ahead <= MOST_LOGS_AT_ONCE;
};

const firstSalt = (salts: string): number => Number.parseInt(salts.slice(0, 8), 16);
/** Other programs may have begun some between two of our transactions. */
const MOST_LOGS_AT_ONCE = 1_000;
