import { setTimeout as after } from 'node:timers/promises';
import { callbackify } from 'node:util';
import { Pool, type PoolClient } from 'pg';
import { check } from './check.ts';
import { configOf, destroy, expectedOf, type Session } from './session.ts';
import { noteStart } from './starts.ts';
import type { HostUrl } from './url.ts';

export interface PoolOptions {
  readonly host: HostUrl;
  readonly session: Session;
  readonly size: number;
  /** Called when one of its connections breaks, also once it is retired. */
  readonly onBroken: (pool: HostPool) => void;
}

/** Connections to one server. When that has gone the whole of it is retired, and another takes its place. */
export interface HostPool {
  readonly host: HostUrl;
  /** Resolves with null once it is retired: nothing has been asked then, and another pool may answer. */
  readonly connect: () => Promise<PoolClient | null>;
  /** Every connection that it may have is there. */
  readonly isFull: () => boolean;
  /** None of its connections is given out again; those in use go on where `spared` says so, the others break. */
  readonly retire: (spared: (client: PoolClient) => boolean) => void;
  /** Resolves when all of its connections are closed; a server that has stopped is not waited for. */
  readonly close: () => Promise<void>;
}

const IDLE_FOR_MS = 600_000;
const CLOSES_WITHIN_MS = 1_000;

const backends = new WeakMap<object, string>();
/** How the server names a connection of a pool. */
export const backendOf = (client: PoolClient): string | undefined => backends.get(client);

export const openPool = (options: PoolOptions): HostPool => {
  const { host, size, onBroken } = options;
  const pool = createPool(options);
  const connected = new Set<PoolClient>();
  const inUse = new Set<PoolClient>();
  const waiting = new Set<() => void>();
  let retired = false;

  pool.on('acquire', (client) => inUse.add(client));
  pool.on('release', (_error, client) => inUse.delete(client));
  pool.on('connect', (client) => {
    connected.add(client);
    client.on('end', () => connected.delete(client));
    client.on('error', () => {
      connected.delete(client);
      onBroken(self);
    });
  });
  const breakOff = (spared: (client: PoolClient) => boolean): void => {
    for (const client of connected) if (!spared(client)) destroy(client);
  };
  const checkOut = async (): Promise<PoolClient | null> => {
    const client = await pool.connect();
    if (!retired) return client;
    // It came too late, and this pool takes nothing back.
    client.release(true);
    return null;
  };

  const self: HostPool = {
    host,
    connect: () =>
      new Promise((resolve, reject) => {
        const leave = (): void => resolve(null);
        waiting.add(leave);
        checkOut()
          .finally(() => waiting.delete(leave))
          .then(resolve, reject);
      }),
    isFull: () => connected.size >= size,
    retire: (spared) => {
      retired = true;
      pool.end().catch(() => {});
      breakOff((client) => inUse.has(client) && spared(client));
      for (const leave of waiting) leave();
      waiting.clear();
    },
    close: async () => {
      await Promise.race([pool.end(), after(CLOSES_WITHIN_MS, undefined, { ref: false })]);
      breakOff(() => false);
    },
  };
  return self;
};

const createPool = ({ host, session, size }: PoolOptions): Pool => {
  const pool = new Pool({
    ...configOf(host, session),
    max: size,
    // A new connection costs a handshake, and plans every statement again.
    idleTimeoutMillis: IDLE_FOR_MS,
    // A transaction's COMMIT may follow its last statement at once.
    pipeline: true,
    verify: (client, done) =>
      callbackify(async () => {
        const { backend } = await check(client, expectedOf(session));
        if (!session.readOnly) await noteStart(client);
        backends.set(client, backend);
      })((error) => done(error ?? undefined)),
  });
  // An event without a listener would end this program. Whoever uses a connection learns it from the query.
  pool.on('error', () => {});
  return pool;
};
