import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface LoadResult {
  readonly acknowledged: number;
  /** How many responses were not the acknowledgement, by status; 0 for a connection that was closed. */
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

/** Sends every request once over keep-alive connections, one at a time on each, and checks every response. */
export const load = async ({ port, connections, requests }: LoadOptions): Promise<LoadResult> => {
  const latencies: number[] = [];
  const others: Record<string, number> = {};
  let next = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const connection = await openConnection(port);
      while (next < requests.length) {
        const request = requests[next] as Buffer;
        next += 1;
        const sent = performance.now();
        const response = await connection.exchange(request);
        if (isAcknowledgement(response)) latencies.push(performance.now() - sent);
        else others[response.status] = (others[response.status] ?? 0) + 1;
      }
      connection.close();
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  return { acknowledged: latencies.length, others, seconds, latencies: Float64Array.from(latencies).sort() };
};

export interface FloodResult extends LoadResult {
  /** How many were due, at the given rate. */
  readonly offered: number;
  /** How many of those were not sent, because no connection was free. */
  readonly unsent: number;
}

export interface FloodOptions extends LoadOptions {
  readonly perSecond: number;
  readonly seconds: number;
}

const TICK_MS = 5;

/**
 * Sends at a rate, whether responses come or not, as far as connections are free. As APO does, it sends again what was
 * not acknowledged, and nothing else twice.
 */
export const flood = async ({
  port,
  connections,
  requests,
  perSecond,
  seconds,
}: FloodOptions): Promise<FloodResult> => {
  const idle = await Promise.all(Array.from({ length: connections }, async () => await openConnection(port)));
  const all = [...idle];
  const pending = [...requests];
  const latencies: number[] = [];
  const others: Record<string, number> = {};
  const underWay = new Set<Promise<void>>();
  let next = 0;
  let unsent = 0;
  const exchange = async (connection: Connection, request: Buffer): Promise<void> => {
    const sent = performance.now();
    const response = await connection.exchange(request);
    if (isAcknowledgement(response)) latencies.push(performance.now() - sent);
    else {
      others[response.status] = (others[response.status] ?? 0) + 1;
      pending.push(request);
    }
    idle.push(connection);
  };
  let offered = 0;
  const began = performance.now();
  for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - began) / 1_000) {
    for (const due = elapsed * perSecond; offered < due; offered += 1) {
      // In turn: the receiver closes one that is never used.
      const connection = idle.shift();
      const request = pending[next];
      if (request === undefined) throw new Error('the flood has run out of notifications');
      if (connection === undefined) {
        unsent += 1;
        continue;
      }
      next += 1;
      const exchanged = exchange(connection, request).finally(() => underWay.delete(exchanged));
      underWay.add(exchanged);
    }
    await pause(TICK_MS);
  }
  await Promise.all(underWay);
  for (const connection of all) connection.close();
  return {
    acknowledged: latencies.length,
    others,
    seconds,
    latencies: Float64Array.from(latencies).sort(),
    offered,
    unsent,
  };
};

interface HttpResponse {
  readonly status: number;
  readonly body: string;
}

const isAcknowledgement = ({ status, body }: HttpResponse): boolean => status === 200 && body === ACKNOWLEDGEMENT;

interface Connection {
  readonly exchange: (request: Buffer) => Promise<HttpResponse>;
  readonly close: () => void;
}

/** The smallest client that reads responses with a Content-Length: the load must cost less than what it measures. */
const openConnection = async (port: number): Promise<Connection> => {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  let received = '';
  let waiting: ((response: HttpResponse) => void) | null = null;
  const finish = (response: HttpResponse): void => {
    received = '';
    waiting?.(response);
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
