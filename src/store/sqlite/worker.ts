import { statSync } from 'node:fs';
import { backup, type DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { OrderRules } from '../../order/rules.ts';
import { createReads, createWrites, type Reads, type Writes } from '../operations.ts';
import {
  type BatchResult,
  InvalidCursorError,
  OutdatedCursorError,
  StoreUnusableError,
  type UnverifiedBounds,
} from '../store.ts';
import { openForCopying, openForReading, openForWriting } from './connect.ts';
import { type PackedBatch, unpackBatch } from './message.ts';
import { createDatabase, createReadDatabase } from './database.ts';

/** What the thread is started with. `copier` reads a database that this program has not migrated. */
export interface WorkerOptions {
  readonly role: 'writer' | 'reader' | 'copier';
  readonly file: string;
  readonly rules: OrderRules;
}

export interface WorkerRequest {
  readonly id: number;
  readonly method: string;
  readonly values: readonly unknown[];
}

/** Which error the caller gets; what is no error of the database is a bug, and the values that met it are rejected. */
export type Failure = 'unusable' | 'unavailable' | 'rejected' | 'invalid cursor' | 'outdated cursor';

export type WorkerResponse =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: Failure; readonly message: string };

/** Result codes of SQLite that speak of the values, not of the moment: constraint, mismatch, too big, out of range. */
const REJECTIONS: ReadonlySet<number> = new Set([18, 19, 20, 25]);
const PRIMARY_CODE = 0xff;

const failureOf = (error: unknown): Failure => {
  if (error instanceof StoreUnusableError) return 'unusable';
  if (error instanceof InvalidCursorError) return 'invalid cursor';
  if (error instanceof OutdatedCursorError) return 'outdated cursor';
  const code = typeof error === 'object' && error !== null && 'errcode' in error ? error.errcode : null;
  if (typeof code !== 'number') return 'rejected';
  return REJECTIONS.has(code & PRIMARY_CODE) ? 'rejected' : 'unavailable';
};

/** What a thread can be asked for. */
export interface Calls extends Reads, Writes {
  readonly recordPacked: (batch: PackedBatch, bounds: UnverifiedBounds) => Promise<BatchResult>;
  readonly backup: (file: string) => Promise<{ readonly bytes: number }>;
}

const port = parentPort;
if (port === null) throw new Error('this file is a worker thread');
const options = workerData as WorkerOptions;

const respond = (response: WorkerResponse): void => port.postMessage(response);
const fail = (id: number, error: unknown): void =>
  respond({ id, failure: failureOf(error), message: error instanceof Error ? error.message : String(error) });

const open = (): DatabaseSync => {
  switch (options.role) {
    case 'writer':
      return openForWriting(options.file);
    case 'reader':
      return openForReading(options.file);
    case 'copier':
      return openForCopying(options.file);
  }
};

const createWriterCalls = (db: DatabaseSync): Writes & Pick<Calls, 'recordPacked'> => {
  const writes = createWrites(createDatabase(db), options.rules);
  return { ...writes, recordPacked: async (batch, bounds) => await writes.record(unpackBatch(batch), bounds) };
};

try {
  const db = open();
  const calls = {
    ...(options.role === 'writer' ? createWriterCalls(db) : {}),
    ...createReads(createReadDatabase(db), options.rules),
    backup: async (file: string) => {
      await backup(db, file);
      return { bytes: statSync(file).size };
    },
  } as unknown as Readonly<Record<string, (...values: readonly unknown[]) => Promise<unknown>>>;

  const carryOut = async ({ id, method, values }: WorkerRequest): Promise<void> => {
    if (method === 'close') {
      db.close();
      respond({ id, value: null });
      port.close();
      return;
    }
    try {
      const call = calls[method];
      if (call === undefined) throw new Error('this connection only reads');
      respond({ id, value: await call(...values) });
    } catch (error) {
      fail(id, error);
    }
  };
  // One call at a time: a transaction awaits, and the next message must not come between.
  let previous = Promise.resolve();
  port.on('message', (request: WorkerRequest) => {
    // It goes on for long, and needs no transaction.
    if (request.method === 'backup') {
      void carryOut(request);
      return;
    }
    const before = previous;
    previous = (async () => {
      await before;
      await carryOut(request);
    })();
  });
  respond({ id: 0, value: null });
} catch (error) {
  fail(0, error);
  port.close();
}
