import { existsSync, realpathSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { OrderRules } from '../../order/rules.ts';
import { toRecordEntry, toStore } from '../entries.ts';
import { type Migrated, type Store, StoreUnavailableError, StoreUnusableError } from '../store.ts';
import { openMigrated } from './connect.ts';
import { packBatch } from './message.ts';
import { startThread, type Thread } from './thread.ts';

export interface SqliteOptions {
  readonly file: string;
  readonly rules: OrderRules;
}

/**
 * Opens the SQLite store. Its writer and its reader are threads: no lock and no slow disk ever holds up the event loop.
 * Throws a StoreUnusableError or a StoreUnavailableError.
 */
export const openSqlite = async ({ file, rules }: SqliteOptions): Promise<Store> => {
  const writer = await startThread({ role: 'writer', file, rules });
  let reading: Promise<Thread> | null = null;
  // The reader starts when somebody asks: a receiver that only receives saves its memory.
  const reader = async (): Promise<Thread> => await (reading ??= startThread({ role: 'reader', file, rules }));
  return {
    ...toStore(writer.calls, reader),
    record: async (batch, bounds) => await writer.calls.recordPacked(packBatch(batch.map(toRecordEntry)), bounds),
    name: nameOf(file),
    // One writer, one after the other.
    concurrency: 1,
    // Asked often; the writer is there anyhow.
    backlog: async () => await writer.calls.backlog(),
    recall: async (name) => await writer.calls.recall(name),
    // One file has one service: what could compete with it is a command, and that takes its turn at the write lock.
    exclusively: async (_task, work) => await work(),
    backup: async (target) => await (await reader()).calls.backup(target),
    close: async () => {
      await (await reading)?.close();
      await writer.close();
    },
  };
};

/** Opens a database that nobody has migrated just now, to copy from: it cannot be written. Throws the same. */
export const openSqliteSource = async ({ file, rules }: SqliteOptions): Promise<Store> => {
  if (!existsSync(file)) throw new StoreUnusableError(`there is no database at ${file}`);
  const copier = await startThread({ role: 'copier', file, rules });
  return {
    ...toStore(copier.calls, async () => copier),
    name: nameOf(file),
    concurrency: 1,
    exclusively: async (_task, work) => await work(),
    backup: async (target) => await copier.calls.backup(target),
    close: async () => await copier.close(),
  };
};

const nameOf = (file: string): string => `sqlite:${realpathSync(file)}`;

/** Brings the schema of a database forward, or makes the database. */
export const migrateSqlite = (file: string): Migrated => {
  try {
    const { db, ...migrated } = openMigrated(file);
    db.close();
    return migrated;
  } catch (error) {
    throw error instanceof StoreUnusableError
      ? error
      : new StoreUnavailableError(`${file} cannot be opened`, { cause: error });
  }
};

/**
 * The file that a `sqlite:` URL names: `sqlite:data/paynotify.db` is relative, `sqlite:/data/paynotify.db` absolute.
 */
export const fileOf = (url: string): string =>
  url.startsWith('sqlite://')
    ? fileURLToPath(pathToFileURL(url.slice('sqlite://'.length)))
    : url.slice('sqlite:'.length);
