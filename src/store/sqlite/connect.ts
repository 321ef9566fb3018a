import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  type AppliedMigration,
  assertReadable,
  CREATE_MIGRATIONS,
  INSERT_MIGRATION,
  type Migration,
  missingMigrations,
  SELECT_MIGRATIONS,
  shapeOf,
  toMigrated,
  UNRELEASED,
} from '../schema.ts';
import { type Migrated, StoreUnusableError } from '../store.ts';
import { SETTING } from '../setting.ts';
import { MIGRATIONS } from './migrations.ts';

/** How long a writer waits for another process's lock; commands hold it for less than a second at a time. */
const BUSY_TIMEOUT_MS = 4_000;
const FULL = 2;
/**
 * Pages in the log, 16 MiB, until they are moved into the database file: pages that nearly every transaction writes are
 * moved once for four times as many.
 */
const CHECKPOINT_PAGES = 4_000;

/**
 * Opens the database for writing, migrates it, and makes sure that a commit is durable: WAL with
 * synchronous=full syncs the log on every commit (sqlite.org/pragma.html#pragma_synchronous).
 */
export const openForWriting = (file: string): DatabaseSync => openMigrated(file).db;

/** The same, and what its migration came to. */
export const openMigrated = (file: string): Migrated & { readonly db: DatabaseSync } => {
  mkdirSync(dirname(file), { recursive: true });
  const db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
  db.exec('pragma journal_mode = wal');
  db.exec('pragma synchronous = full');
  db.exec('pragma cache_size = -6144');
  db.exec('pragma trusted_schema = off');
  db.exec(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  const migrated = migrate(db, MIGRATIONS);
  assertDurable(db);
  return { ...migrated, db };
};

/** Opens a database that nobody has migrated just now, to read. Throws a StoreUnusableError. */
export const openForCopying = (file: string): DatabaseSync => {
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
  const db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, readOnly: true });
  db.exec('pragma cache_size = -4096');
  return db;
};

/** The settings count only once something was written: the answer before is what will be tried. */
const assertDurable = (db: DatabaseSync): void => {
  db.exec(`insert into settings values ('${SETTING.probe}', '') on conflict do update set value = excluded.value`);
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
