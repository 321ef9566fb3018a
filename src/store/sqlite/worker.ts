import { parentPort, workerData } from 'node:worker_threads';
import type { Handlers } from '../../handlers/index.ts';
import type { OrderRules } from '../../order/order.ts';
import { InvalidCursorError, StoreUnusableError } from '../store.ts';
import { openForReading, openForWriting } from './connect.ts';
import { openReader, openWriter } from './engine.ts';

/** What the thread is started with. */
export interface WorkerOptions {
  readonly role: 'writer' | 'reader';
  readonly file: string;
  readonly rules: OrderRules;
  /** The module that exports `handlers`: functions cannot be sent to a thread. */
  readonly handlersModule: string;
}

export interface WorkerRequest {
  readonly id: number;
  readonly method: string;
  readonly values: readonly unknown[];
}

/** Which error the caller gets; what is no error of the database is a bug, and the values that met it are rejected. */
export type Failure = 'unusable' | 'unavailable' | 'rejected' | 'invalid cursor';

export type WorkerAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: Failure; readonly message: string };

/** Result codes of SQLite that speak of the values, not of the moment: constraint, mismatch, too big, out of range. */
const REJECTIONS: ReadonlySet<number> = new Set([18, 19, 20, 25]);
const PRIMARY_CODE = 0xff;

const failureOf = (error: unknown): Failure => {
  if (error instanceof StoreUnusableError) return 'unusable';
  if (error instanceof InvalidCursorError) return 'invalid cursor';
  const code = typeof error === 'object' && error !== null && 'errcode' in error ? error.errcode : null;
  if (typeof code !== 'number') return 'rejected';
  return REJECTIONS.has(code & PRIMARY_CODE) ? 'rejected' : 'unavailable';
};

const port = parentPort;
if (port === null) throw new Error('this file is a worker thread');
const options = workerData as WorkerOptions;

const answer = (message: WorkerAnswer): void => port.postMessage(message);
const fail = (id: number, error: unknown): void =>
  answer({ id, failure: failureOf(error), message: error instanceof Error ? error.message : String(error) });

try {
  const { handlers } = (await import(options.handlersModule)) as { handlers: Handlers };
  const derivation = { handlers, rules: options.rules };
  const db = options.role === 'writer' ? openForWriting(options.file) : openForReading(options.file);
  const engine = (options.role === 'writer'
    ? openWriter(db, derivation)
    : openReader(db, derivation)) as unknown as Readonly<Record<string, (...values: readonly unknown[]) => unknown>>;
  port.on('message', ({ id, method, values }: WorkerRequest) => {
    if (method === 'close') {
      db.close();
      answer({ id, value: null });
      port.close();
      return;
    }
    try {
      const value = engine[method]?.(...values);
      if (value instanceof Promise) {
        value.then((settled: unknown) => answer({ id, value: settled })).catch((error: unknown) => fail(id, error));
      } else answer({ id, value });
    } catch (error) {
      fail(id, error);
    }
  });
  answer({ id: 0, value: null });
} catch (error) {
  fail(0, error);
  port.close();
}
