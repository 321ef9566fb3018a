import { existsSync, realpathSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { OrderRules } from '../../order/rules.ts';
import { toRecordEntry, toStore } from '../entries.ts';
import type { Measures } from '../measures.ts';
import type { Migrated } from '../schema.ts';
import { type OpenedStore, type Store, StoreUnusableError } from '../store.ts';
import { openForWriting } from './connect.ts';
import { packBatch } from './message.ts';
import { createGuard, createLateThread, createRecovering } from './recovering.ts';
import { startThread, type Thread } from './thread.ts';
import { DatabaseLostError } from './watch.ts';

export interface SqliteOptions {
  readonly file: string;
  readonly rules: OrderRules;
  /** Told what a person has to know about the database, when it is opened. */
  readonly onNotice?: (notice: string) => void;
  /** Told that this process must not go on: what happened to the files while they were open. */
  readonly onUnusable?: (error: StoreUnusableError) => void;
}

/**
 * Opens the SQLite store. Its writer and its reader are threads: no lock and no slow disk ever holds up the event loop.
 * Throws a StoreUnusableError or a StoreUnavailableError.
 */
export const openSqlite = async (options: SqliteOptions): Promise<OpenedStore> => {
  const { file, rules } = options;
  const writer = await startThread({ role: 'writer', file, rules });
  if (writer.notice !== null) options.onNotice?.(writer.notice);
  const guard = createGuard(file);
  // The reader starts when somebody asks: a receiver that only receives saves a thread and its memory.
  const reader = createLateThread(async () => await startThread({ role: 'reader', file, rules }));
  const { calls, recovered } = createRecovering({ ...options, writer, reader, guard });
  const storeOf = (reading: () => Promise<Pick<Thread, 'calls'>>): Store => ({
    ...toStore(calls, reading),
    record: async (batch, bounds) => await calls.recordPacked(packBatch(batch.map(toRecordEntry)), bounds),
    name: nameOf(file),
    // One writer, one after the other.
    concurrency: 1,
    measure: async (bounds) => ({
      ...(await (await reading()).calls.measure(bounds)),
      disk: await diskOf(file),
    }),
    // One file has one service: what could compete with it is a command, and that takes its turn at the write lock.
    exclusively: async (_task, work) => await work(),
    backup: async (target) => await (await reading()).calls.backup(target),
    close: async () => {
      await recovered().catch(() => {});
      await reader.end();
      if (!(await hasFinished(writer))) return await writer.abandon();
      guard.drop();
      await writer.close();
    },
  });
  const reading = async (): Promise<Thread> => {
    await recovered();
    return await reader.get();
  };
  return { ...storeOf(reading), own: storeOf(async () => ({ calls })) };
};

/**
 * Whether the connection of the writer may be closed. Closing moves the log into the file and removes it, which must
 * not happen where the file is not the log's any more, or where it could not be written down that all was written.
 */
const hasFinished = async ({ calls }: Thread): Promise<boolean> => {
  try {
    await calls.finish();
    return true;
  } catch (error) {
    return error instanceof DatabaseLostError;
  }
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

const diskOf = async (file: string): Promise<Measures['disk']> => {
  const { blocks, bavail, bsize } = await statfs(dirname(file));
  return { bytes: blocks * bsize, freeBytes: bavail * bsize };
};

const nameOf = (file: string): string => `sqlite:${realpathSync(file)}`;

/** Brings the schema of a database forward, or makes the database. */
export const migrateSqlite = (file: string): Migrated => {
  const { db, watch, version, applied } = openForWriting(file, { create: true });
  watch.finish();
  db.close();
  return { version, applied };
};
