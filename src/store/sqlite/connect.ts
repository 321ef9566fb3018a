import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import {
  type AppliedMigration,
  assertReadable,
  CREATE_MIGRATIONS,
  INSERT_MIGRATION,
  type Migrated,
  type Migration,
  missingMigrations,
  SELECT_MIGRATIONS,
  shapeOf,
  toMigrated,
  UNRELEASED,
} from '../schema.ts';
import { StoreUnusableError } from '../store.ts';
import { closeToOthers, createFile, lookAt, openKept, realPathOf, toOpenError } from './file.ts';
import { BUSY_TIMEOUT_MS, gone, inspect, unclean } from './inspect.ts';
import { MIGRATIONS } from './migrations.ts';
import { markIn, saltsBeside, stamp } from './place.ts';
import { createWatch, type Watch } from './watch.ts';

const FULL = 2;

export interface Opening {
  /** Make the database where there is none. */
  readonly create: boolean;
}

/** A database that was opened to be written. */
export interface Opened extends Migrated {
  readonly db: DatabaseSync;
  readonly watch: Watch;
  /** What a person has to know about it; null for nothing. */
  readonly notice: string | null;
}

/**
 * Opens the database for writing, migrates it, and makes sure that a commit is durable: WAL with synchronous=full syncs
 * the log on every commit (sqlite.org/pragma.html#pragma_synchronous). Throws a StoreUnusableError or a
 * StoreUnavailableError.
 */
export const openForWriting = (file: string, { create }: Opening): Opened => {
  try {
    undoCreation(file);
    const { state } = inspect(file, MIGRATIONS);
    if (state === 'none') {
      if (!create) throw gone(file);
      createFile(file);
    }
    closeToOthers(file);
    const opened = open(file);
    return { ...opened, notice: state === 'without log' ? unclean(file) : null };
  } catch (error) {
    throw toOpenError(error, file);
  }
};

/** A database that holds anything has many pages. */
const FIRST_PAGE_BYTES = 4_096;

/**
 * A new file becomes a database by a change of its own, which SQLite undoes where the machine did not finish it; a
 * connection that only reads cannot.
 */
const undoCreation = (file: string): void => {
  const size = lookAt(file)?.size ?? 0;
  if (size === 0 || size > FIRST_PAGE_BYTES || lookAt(`${realPathOf(file)}-journal`) === null) return;
  const db = connect(file, 'rw');
  try {
    db.exec('select count(*) from sqlite_schema');
  } finally {
    db.close();
  }
};

const open = (file: string): Omit<Opened, 'notice'> => {
  const db = connect(file, 'rw');
  let isOurs = false;
  try {
    db.exec('pragma journal_mode = wal');
    db.exec('pragma synchronous = full');
    db.exec('pragma cache_size = -3072');
    db.exec('pragma trusted_schema = off');
    // The log is stamped before it is moved into the file (watch.ts).
    db.exec('pragma wal_autocheckpoint = 0');
    const migrated = migrate(db, MIGRATIONS);
    isOurs = true;
    assertDurable(db);
    const watch = createWatch(db, file);
    return { ...migrated, db, watch };
  } catch (error) {
    if (isOurs) noteClosing(db, file);
    db.close();
    throw error;
  }
};

/** Closing moves the log into the file and removes it; the next start must not take that for a log that was lost. */
const noteClosing = (db: DatabaseSync, file: string): void => {
  try {
    stamp(db, { salts: saltsBeside(file), inFile: markIn(openKept(file)), closing: true });
  } catch {
    // The error that ended the opening says what is wrong.
  }
};

/** Never makes a file: one that has gone meanwhile must not be replaced by an empty one. */
export const connect = (file: string, mode: 'rw' | 'ro', timeout = BUSY_TIMEOUT_MS): DatabaseSync => {
  const url = pathToFileURL(file);
  url.searchParams.set('mode', mode);
  return new DatabaseSync(url, { timeout, readOnly: mode === 'ro' });
};

/** Opens a database that nobody has migrated just now, to read. Throws the same. */
export const openForCopying = (file: string): DatabaseSync => {
  inspect(file, MIGRATIONS);
  const db = openForReading(file);
  try {
    assertReadable(readApplied(db), MIGRATIONS);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
};

/** Opens it a second time, to read: readers never hold up the writer. */
export const openForReading = (file: string): DatabaseSync => {
  const db = connect(file, 'ro');
  db.exec('pragma cache_size = -4096');
  return db;
};

const assertDurable = (db: DatabaseSync): void => {
  const journal = String(db.prepare('pragma journal_mode').get()?.['journal_mode']);
  const synchronous = Number(db.prepare('pragma synchronous').get()?.['synchronous']);
  if (journal !== 'wal' || synchronous !== FULL) {
    throw new StoreUnusableError(
      `commits would not be durable here: journal_mode ${journal}, synchronous ${synchronous}`,
    );
  }
};

/** Brings the schema forward, in one transaction. Exported for the tests of upgrades. */
export const migrate = (db: DatabaseSync, migrations: readonly Migration[]): Migrated => {
  db.exec('begin immediate');
  try {
    if (hasTable(db, 'schema_versions')) throw new StoreUnusableError(UNRELEASED);
    db.exec(CREATE_MIGRATIONS);
    const applied = readApplied(db);
    const missing = missingMigrations(applied, migrations);
    const insert = db.prepare(INSERT_MIGRATION.replaceAll('$', '?'));
    for (const migration of missing) {
      db.exec(migration.sql);
      insert.run(migration.version, migration.oldestProgram, shapeOf(migration));
    }
    db.exec('commit');
    return toMigrated(applied, missing);
  } catch (error) {
    db.exec('rollback');
    throw error;
  }
};

const hasTable = (db: DatabaseSync, table: string): boolean =>
  db.prepare('select 1 from sqlite_schema where name = ?').get(table) !== undefined;

const readApplied = (db: DatabaseSync): readonly AppliedMigration[] =>
  hasTable(db, 'migrations') ? (db.prepare(SELECT_MIGRATIONS).all() as unknown as AppliedMigration[]) : [];
