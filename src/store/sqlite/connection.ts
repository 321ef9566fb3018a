import type { DatabaseSync } from 'node:sqlite';
import { createReads, createWrites } from '../operations.ts';
import { backUp } from './backup.ts';
import { openForCopying, openForReading, openForWriting, type Opened } from './connect.ts';
import { createDatabase, createReadDatabase } from './database.ts';
import { toOpenError } from './file.ts';
import { gone } from './inspect.ts';
import { unpackBatch } from './message.ts';
import { DatabaseLostError } from './watch.ts';
import type { Calls, WorkerOptions } from './calls.ts';

/** A connection as its thread asks it; each of these by the name under which it is called. */
export interface Connection {
  readonly calls: () => Readonly<Record<string, (...values: readonly unknown[]) => Promise<unknown>>>;
  /** What a person has to know about the database; null for nothing. */
  readonly notice: string | null;
  readonly close: () => void;
}

type Named = ReturnType<Connection['calls']>;

/** Opens the database to read. Throws a StoreUnusableError or a StoreUnavailableError. */
export const openReader = ({ file, rules }: WorkerOptions, role: 'reader' | 'copier'): Connection => {
  try {
    const db = role === 'reader' ? openForReading(file) : openForCopying(file);
    const calls = readCalls(db, rules) as unknown as Named;
    return { calls: () => calls, notice: null, close: () => db.close() };
  } catch (error) {
    throw toOpenError(error, file);
  }
};

const readCalls = (db: DatabaseSync, rules: WorkerOptions['rules']) => ({
  ...createReads(createReadDatabase(db), rules),
  backup: async (target: string) => await backUp(db, target),
});

/** Opens the database to write, or makes it. Throws the same. */
export const openWriter = ({ file, rules }: WorkerOptions): Connection => {
  const callsOf = ({ db, watch }: Opened): Named => {
    const writes = createWrites(createDatabase(db, watch), rules);
    return {
      ...readCalls(db, rules),
      ...writes,
      recordPacked: async (...[batch, bounds]: Parameters<Calls['recordPacked']>) =>
        await writes.record(unpackBatch(batch), bounds),
      recover,
      finish,
    } as unknown as Named;
  };

  const recover: Calls['recover'] = async () => {
    if (opened?.watch.recover() === true) return null;
    // The file that was open is elsewhere: SQLite leaves it and its log as they are.
    opened?.db.close();
    opened = null;
    opened = openForWriting(file, { create: false });
    calls = callsOf(opened);
    return opened.notice;
  };

  const finish = async (): Promise<void> => opened?.watch.finish();

  const lost = async (): Promise<never> => {
    throw new DatabaseLostError(gone(file).message);
  };
  const whileLost: Named = new Proxy({}, { get: (_, method) => (method === 'recover' ? recover : lost) });

  let opened: Opened | null = openForWriting(file, { create: true });
  let calls = callsOf(opened);
  return {
    calls: () => (opened === null ? whileLost : calls),
    notice: opened.notice,
    close: () => opened?.db.close(),
  };
};
