import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreUnusableError } from '../store.ts';
import { type Migration, MIGRATIONS, PROGRAM } from './migrations.ts';

/** How long a writer waits for another process's lock; commands hold it for less than a second at a time. */
const BUSY_TIMEOUT_MS = 4_000;
const FULL = 2;

/**
 * Opens the database for writing, migrates it, and makes sure that a commit is durable: WAL with
 * synchronous=full syncs the log on every commit (sqlite.org/pragma.html#pragma_synchronous).
 */
export const openForWriting = (file: string): DatabaseSync => {
  mkdirSync(dirname(file), { recursive: true });
  const db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  db.exec('pragma journal_mode = wal');
  db.exec('pragma synchronous = full');
  db.exec('pragma cache_size = -16384');
  db.exec('pragma trusted_schema = off');
  migrate(db, MIGRATIONS);
  assertDurable(db);
  return db;
};

/** Opens it a second time, to read: readers never hold up the writer. */
export const openForReading = (file: string): DatabaseSync => {
  const db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, readOnly: true });
  db.exec('pragma cache_size = -4096');
  return db;
};

/** The settings count only once something was written: the answer before is what will be tried. */
const assertDurable = (db: DatabaseSync): void => {
  db.exec("insert into settings values ('openedAt', datetime('now')) on conflict do update set value = excluded.value");
  const journal = String(db.prepare('pragma journal_mode').get()?.['journal_mode']);
  const synchronous = Number(db.prepare('pragma synchronous').get()?.['synchronous']);
  if (journal !== 'wal' || synchronous !== FULL) {
    throw new StoreUnusableError(`commits would not be durable here: journal_mode ${journal}, synchronous ${synchronous}`);
  }
};

/** Brings the schema forward, in one transaction. Exported for the tests of upgrades. */
export const migrate = (db: DatabaseSync, migrations: readonly Migration[]): void => {
  db.exec('begin immediate');
  try {
    db.exec(`
      create table if not exists schema_versions (
        version integer primary key,
        oldest_program integer not null,
        applied_at text not null default (datetime('now'))
      )`);
    const applied = db
      .prepare('select coalesce(max(version), 0) as version, coalesce(max(oldest_program), 0) as oldest from schema_versions')
      .get() as { version: number; oldest: number };
    if (applied.oldest > PROGRAM) {
      throw new StoreUnusableError(
        `the database was migrated to version ${applied.version}, which needs a newer paynotify (at least schema ${applied.oldest}; this one knows ${PROGRAM})`,
      );
    }
    for (const { version, oldestProgram, sql } of migrations.filter((migration) => migration.version > applied.version)) {
      db.exec(sql);
      db.prepare('insert into schema_versions (version, oldest_program) values (?, ?)').run(version, oldestProgram);
    }
    db.exec('commit');
  } catch (error) {
    db.exec('rollback');
    throw error;
  }
};
