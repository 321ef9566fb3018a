import { DatabaseSync } from 'node:sqlite';
import { StoreUnavailableError, StoreUnusableError } from '../errors.ts';
import { type AppliedMigration, type Migration, missingMigrations, SELECT_MIGRATIONS, UNRELEASED } from '../schema.ts';
import { damaged, isHalfDone, lookAt, openKept, SQLITE, sqliteCodeOf, toOpenError } from './file.ts';
import { fits, markIn, readMark, readPlace, saltsBeside } from './place.ts';

/** What a file was found to be, before anything is written to it. */
export interface Inspection {
  readonly state:
    /** Nothing is there, or an empty file. */
    | 'none'
    /** All of it is in the file. */
    | 'closed'
    /** It lies with its own log. */
    | 'with log'
    /** It is intact, but was not closed and has no log: what was written last may be missing. */
    | 'without log';
}

/** How long a reader waits for a lock. */
export const BUSY_TIMEOUT_MS = 4_000;

/**
 * Looks at a database before it is opened to be written: at its kind, its schema, and whether the log beside it is its
 * own. A connection that only reads neither moves the log into the file nor removes it. Throws a StoreUnusableError or
 * a StoreUnavailableError.
 */
export const inspect = (file: string, migrations: readonly Migration[]): Inspection => {
  const found = lookAt(file);
  if (found !== null && !found.isFile())
    throw new StoreUnusableError(`${file} is not a file: name the file of the database`);
  const salts = saltsBeside(file);
  if (found === null || found.size === 0) {
    if (salts !== '') throw withoutDatabase(file);
    return { state: 'none' };
  }
  const db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    return inspectOpened(db, file, { migrations, salts });
  } catch (error) {
    if (isHalfDone(error)) throw halfDone(file);
    // A log of another database makes nonsense of the file.
    throw salts !== '' && sqliteCodeOf(error) === SQLITE.corrupt ? foreignLog(file) : toOpenError(error, file);
  } finally {
    db.close();
  }
};

const inspectOpened = (
  db: DatabaseSync,
  file: string,
  { migrations, salts }: { readonly migrations: readonly Migration[]; readonly salts: string },
): Inspection => {
  const tables = new Set(
    db
      .prepare("select name from sqlite_schema where type = 'table'")
      .all()
      .map((row) => row['name']),
  );
  if (tables.size === 0) return { state: 'none' };
  if (tables.has('schema_versions')) throw new StoreUnusableError(UNRELEASED);
  if (!tables.has('migrations'))
    throw new StoreUnusableError(`${file} is a database of another program: name another file, or move this one away`);
  missingMigrations(db.prepare(SELECT_MIGRATIONS).all() as unknown as AppliedMigration[], migrations);
  if (!tables.has('place')) throw new StoreUnusableError(UNRELEASED);
  const place = readPlace(db);

  if (salts !== '') {
    const mark = markIn(openKept(file));
    if (mark === null || readMark(db) !== place.mark || !fits(mark, place, salts)) throw foreignLog(file);
    return { state: 'with log' };
  }
  if (place.closed) return { state: 'closed' };
  assertIntact(db, file);
  return { state: 'without log' };
};

/** Throws a StoreUnusableError that says what `integrity_check` found. */
export const assertIntact = (db: DatabaseSync, file: string): void => {
  const found = integrityOf(db);
  if (found !== 'ok') throw damaged(file, found);
};

/** `ok`, or the first things that are wrong. */
const integrityOf = (db: DatabaseSync): string => {
  try {
    const rows = db.prepare(`pragma integrity_check(3)`).all();
    return rows.map((row) => String(row['integrity_check']).replaceAll(/\s+/g, ' ')).join('; ');
  } catch (error) {
    if (sqliteCodeOf(error) === SQLITE.corrupt && error instanceof Error) return error.message;
    throw error;
  }
};

/** The file may have been put there by hand: what undoes a change of another one would damage it. */
const halfDone = (file: string): StoreUnusableError =>
  new StoreUnusableError(
    `${file}-journal undoes a change of ${file} that the machine did not finish, as a restore makes one. Nothing was changed. If a restore was under way, or ${file} was put there by hand, run \`paynotify restore FILE\`, which keeps what is there. Otherwise keep a copy of both, and have SQLite undo it: \`sqlite3 ${file} .tables\``,
  );

const foreignLog = (file: string): StoreUnusableError =>
  new StoreUnusableError(
    `${file}-wal is not the log of ${file}: it was left by another database, and reading both together would damage this one. Nothing was changed. If ${file} was put there by hand, put it there with \`paynotify restore FILE\`, which keeps both. If it was exchanged by mistake, put the file back that belongs to the log, which holds what was acknowledged last`,
  );

const withoutDatabase = (file: string): StoreUnusableError =>
  new StoreUnusableError(
    `${file} is gone, and ${file}-wal still holds some of it. Put the file back; or, if it is lost, put the last backup in its place with \`paynotify restore FILE\`, which keeps the log`,
  );

/** What is said of a database that is opened all the same. */
export const unclean = (file: string): string =>
  `${file} was not closed, and its log ${file}-wal is missing: what was acknowledged last may be missing too. The file itself is intact (integrity_check). It was copied by hand, or its log was removed: use \`paynotify backup\` and \`paynotify restore\``;

/** A database that has to be there. */
export const gone = (file: string): StoreUnavailableError =>
  new StoreUnavailableError(
    `${file} has gone while the service was running: nothing is acknowledged until it is back, with its ${file}-wal`,
  );
