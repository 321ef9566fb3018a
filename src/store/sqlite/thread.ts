import { Worker } from 'node:worker_threads';
import { InvalidCursorError, StoreRejectedError, StoreUnavailableError, StoreUnusableError } from '../store.ts';
import type { WorkerAnswer, WorkerOptions, WorkerRequest } from './worker.ts';

/** The engine's methods as seen from the main thread: the same, asynchronous. */
type Remote<Engine> = {
  readonly [K in keyof Engine]: Engine[K] extends (...values: infer A) => infer R
    ? (...values: A) => Promise<Awaited<R>>
    : never;
};

export interface Thread<Engine> {
  readonly call: Remote<Engine>;
  /** The same, with buffers that change hands instead of being copied. */
  readonly transfer: (buffers: readonly ArrayBuffer[]) => Remote<Engine>;
  readonly close: () => Promise<void>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A batch lives for milliseconds: a small young generation is enough, and keeps the process small. */
const LIMITS = { maxYoungGenerationSizeMb: 8 };

const FAILURES = {
  unusable: StoreUnusableError,
  unavailable: StoreUnavailableError,
  rejected: StoreRejectedError,
  'invalid cursor': InvalidCursorError,
};

/** Starts a database thread and waits until its connection is open. Calls are carried out one after another. */
export const startThread = async <Engine>(options: WorkerOptions): Promise<Thread<Engine>> => {
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: options, resourceLimits: LIMITS });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let ended: Error | null = null;

  const end = (error: Error): void => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  worker.on('message', (answer: WorkerAnswer) => {
    const caller = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('value' in answer) caller?.resolve(answer.value);
    else caller?.reject(new FAILURES[answer.failure](answer.message));
  });
  worker.on('error', (error) => end(new StoreUnavailableError('the database thread failed', { cause: error })));
  worker.on('exit', () => end(new StoreUnavailableError('the database thread has ended')));

  const expect = async (id: number): Promise<unknown> => {
    if (ended !== null) throw ended;
    return await new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
    });
  };
  const call = (method: string, values: readonly unknown[], buffers: readonly ArrayBuffer[] = []): Promise<unknown> => {
    lastId += 1;
    const answered = expect(lastId);
    worker.postMessage({ id: lastId, method, values } satisfies WorkerRequest, buffers);
    return answered;
  };
  const transfer = (buffers: readonly ArrayBuffer[]): Remote<Engine> =>
    new Proxy({} as Remote<Engine>, {
      get:
        (_, method) =>
        (...values: readonly unknown[]) =>
          call(String(method), values, buffers),
    });

  await expect(0);
  return {
    call: transfer([]),
    transfer,
    close: async () => {
      if (ended === null) await call('close', []);
      await worker.terminate();
    },
  };
};
