import { parentPort, workerData } from 'node:worker_threads';
import type { WorkerOptions, WorkerRequest, WorkerResponse } from './calls.ts';
import { openReader, openWriter } from './connection.ts';
import { failureOf } from './failure.ts';

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
