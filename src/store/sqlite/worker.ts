import { parentPort, workerData } from 'node:worker_threads';
import { InvalidCursorError, OutdatedCursorError, StoreUnavailableError, StoreUnusableError } from '../store.ts';
import type { Failure, WorkerOptions, WorkerRequest, WorkerResponse } from './calls.ts';
import { openReader, openWriter } from './connection.ts';
import { codeOf, sqliteCodeOf } from './file.ts';
import { DatabaseLostError } from './watch.ts';

/** Result codes of SQLite that speak of the values, not of the moment: constraint, mismatch, too big, out of range. */
const REJECTIONS: ReadonlySet<number> = new Set([18, 19, 20, 25]);

const isOfFileSystem = (error: unknown): boolean => /^E(?!RR_)/.test(codeOf(error) ?? '');

const failureOf = (error: unknown): Failure => {
  if (error instanceof StoreUnusableError) return 'unusable';
  if (error instanceof DatabaseLostError) return 'lost';
  if (error instanceof StoreUnavailableError) return 'unavailable';
  if (error instanceof InvalidCursorError) return 'invalid cursor';
  if (error instanceof OutdatedCursorError) return 'outdated cursor';
  const code = sqliteCodeOf(error);
  if (code === null) return isOfFileSystem(error) ? 'unavailable' : 'rejected';
  return REJECTIONS.has(code) ? 'rejected' : 'unavailable';
};

const port = parentPort;
if (port === null) throw new Error('this file is a worker thread');
const options = workerData as WorkerOptions;

const respond = (response: WorkerResponse): void => port.postMessage(response);
const fail = (id: number, error: unknown): void =>
  respond({ id, failure: failureOf(error), message: error instanceof Error ? error.message : String(error) });

try {
  const connection = options.role === 'writer' ? openWriter(options) : openReader(options, options.role);

  const carryOut = async ({ id, method, values }: WorkerRequest): Promise<void> => {
    if (method === 'close') {
      connection.close();
      respond({ id, value: null });
      port.close();
      return;
    }
    try {
      const call = connection.calls()[method];
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
  respond({ id: 0, value: connection.notice });
} catch (error) {
  fail(0, error);
  port.close();
}
