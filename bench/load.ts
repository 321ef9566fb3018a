import { connect, type Socket } from 'node:net';

export interface LoadResult {
  readonly acknowledged: number;
  /** Answers that were not the acknowledgement, by status. */
  readonly others: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Of each acknowledged request, milliseconds, sorted. */
  readonly latencies: Float64Array;
}

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  /** Whole HTTP requests; each is sent once. */
  readonly requests: readonly Buffer[];
}

const ACKNOWLEDGEMENT = '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}';
const HEAD_END = '\r\n\r\n';

/** Sends every request once over keep-alive connections, one at a time on each, and checks every answer. */
export const load = async ({ port, connections, requests }: LoadOptions): Promise<LoadResult> => {
  const latencies: number[] = [];
  const others: Record<string, number> = {};
  let next = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const connection = await open(port);
      while (next < requests.length) {
        const request = requests[next] as Buffer;
        next += 1;
        const sent = performance.now();
        const answer = await connection.exchange(request);
        if (answer.status === 200 && answer.body === ACKNOWLEDGEMENT) latencies.push(performance.now() - sent);
        else others[answer.status] = (others[answer.status] ?? 0) + 1;
      }
      connection.close();
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  return { acknowledged: latencies.length, others, seconds, latencies: Float64Array.from(latencies).sort() };
};

interface Answered {
  readonly status: number;
  readonly body: string;
}

interface Connection {
  readonly exchange: (request: Buffer) => Promise<Answered>;
  readonly close: () => void;
}

/** The smallest client that reads Content-Length answers: the load must cost less than what it measures. */
const open = async (port: number): Promise<Connection> => {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  let received = '';
  let waiting: ((answer: Answered) => void) | null = null;
  const finish = (answer: Answered): void => {
    received = '';
    waiting?.(answer);
    waiting = null;
  };
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
    const headEnd = received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
    const from = headEnd + HEAD_END.length;
    if (received.length >= from + length) finish({ status: Number(received.slice(9, 12)), body: received.slice(from) });
  });
  socket.on('error', () => finish({ status: 0, body: '' }));
  socket.on('close', () => finish({ status: 0, body: '' }));
  return {
    exchange: (request) =>
      new Promise((resolve) => {
        if (socket.destroyed) return resolve({ status: 0, body: '' });
        waiting = resolve;
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
};

/** A quantile of sorted values; q from 0 to 1. */
export const quantile = (sorted: Float64Array, q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
