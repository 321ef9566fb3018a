import { Worker } from 'node:worker_threads';
import { StoreUnavailableError } from '../errors.ts';
import type { Calls, WorkerOptions, WorkerRequest, WorkerResponse } from './calls.ts';
import { toError } from './failure.ts';

/** A database thread as the main thread sees it. */
export interface Thread {
  readonly calls: Calls;
  /** What a person has to know about the database; null for nothing. */
  readonly notice: string | null;
  readonly close: () => Promise<void>;
  /** Ends it without closing its connection first. */
  readonly abandon: () => Promise<void>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Starts a database thread and waits until its connection is open. Calls are carried out one after another. */
export const startThread = async (options: WorkerOptions): Promise<Thread> => {
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: options });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let ended: Error | null = null;

  const end = (error: Error): void => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  worker.on('message', (response: WorkerResponse) => {
    const caller = waiting.get(response.id);
    waiting.delete(response.id);
    if ('value' in response) caller?.resolve(response.value);
    else caller?.reject(toError(response.failure, response.message));
  });
  worker.on('error', (error) => end(new StoreUnavailableError('the database thread failed', { cause: error })));
  worker.on('exit', () => end(new StoreUnavailableError('the database thread has ended')));

  const expect = async (id: number): Promise<unknown> => {
    if (ended !== null) throw ended;
    return await new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
    });
  };
  const call = (method: string, values: readonly unknown[]): Promise<unknown> => {
    lastId += 1;
    const response = expect(lastId);
    worker.postMessage({ id: lastId, method, values } satisfies WorkerRequest);
    return response;
  };

  const notice = (await expect(0)) as string | null;
  return {
    notice,
    calls: new Proxy({} as Calls, {
      get:
        (_, method) =>
        async (...values: readonly unknown[]) =>
          await call(String(method), values),
    }),
    close: async () => {
      if (ended === null) await call('close', []);
      await worker.terminate();
    },
    abandon: async () => {
      await worker.terminate();
    },
  };
};
