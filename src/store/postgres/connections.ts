import { setTimeout as after } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { MoreLocksNeeded } from '../lock.ts';
import { StoreUnavailableError } from '../store.ts';
import { isConnectionUsable, isServerGone } from './failure.ts';
import { type Limit, startLimit } from './limit.ts';
import type { HostPool } from './pool.ts';
import { createPrimary, type Found, type Primary, type PrimaryOptions } from './primary.ts';
import { destroy } from './session.ts';

export interface Connections {
  /**
   * Runs work on a connection to the primary. The deadline (on the clock of `performance.now()`) is ours, for a server
   * that has stopped can keep none: the connection is then broken off, since an answer to the old question may still
   * come over it.
   */
  readonly use: <T>(work: (client: PoolClient) => Promise<T>, deadline: number) => Promise<T>;
  /**
   * To be asked before something is written. Throws a StoreUnavailableError while a COMMIT that was given up waits
   * for a synchronous standby: another one would wait behind it, and stay at the server as well.
   */
  readonly assertNotAwaiting: () => void;
  readonly close: () => Promise<void>;
}

/** Work that lasts so long asks whether its server is still the one to talk to, so often. */
const SLOW_AFTER_MS = 1_000;
const SEARCH_EVERY_MS = 1_000;

/** A piece of work under way; without a client while it waits for one. */
interface Use {
  client: PoolClient | null;
}

const awaitedStandby = (): Error => new StoreUnavailableError('PostgreSQL waits for its synchronous standby');

/**
 * Connections to whichever server is the primary now. A server that says that it is not, or goes away, loses its whole
 * pool. One that says nothing is found out: while some work lasts longer than a second, a connection of its own asks,
 * and where that finds a primary, connections that this one does not work for are broken off.
 *
 * A COMMIT that waits for a synchronous standby neither ends in time nor notices that its connection was broken off, so
 * nothing is written behind one. It is not ended: others would see what it wrote before the standby has it.
 */
export const createConnections = (options: PrimaryOptions): Connections => {
  const primary = createPrimary(options);
  const hasOthers = options.hosts.length > 1;
  const slow = new Set<Use>();
  const givenUp = new Set<PoolClient>();
  let last: Found | null = null;
  let watching = false;

  const watch = async (): Promise<void> => {
    if (watching) return;
    watching = true;
    while (slow.size + givenUp.size > 0 && !primary.isClosed()) {
      const pause = after(SEARCH_EVERY_MS);
      const found = await primary.search();
      if (found !== null) {
        last = found;
        for (const client of givenUp) if (!found.isAtWork(client)) givenUp.delete(client);
        moveTo(primary, found, slow);
      }
      await pause;
    }
    watching = false;
  };

  const awaitsStandby = (client: PoolClient): boolean => last?.awaitsStandby(client) === true;

  return {
    use: async (work, deadline) => {
      const limit = startLimit(deadline);
      const use: Use = { client: null };
      const timer = setTimeout(() => {
        slow.add(use);
        void watch();
      }, SLOW_AFTER_MS);
      try {
        const [client, pool] = await checkOut(primary, hasOthers, limit);
        use.client = client;
        return await workOn(client, limit.race(work(client)), (error) => {
          if (isServerGone(error)) primary.replace(pool);
        });
      } catch (error) {
        const { client } = use;
        if (!limit.isOver() || client === null) throw error;
        givenUp.add(client);
        void watch();
        throw awaitsStandby(client) ? awaitedStandby() : error;
      } finally {
        clearTimeout(timer);
        slow.delete(use);
        limit.stop();
      }
    },
    assertNotAwaiting: () => {
      if ([...givenUp].some(awaitsStandby)) throw awaitedStandby();
    },
    close: primary.close,
  };
};

/** A connection that has been asked nothing yet, and the pool that it is of. */
const checkOut = async (
  primary: Primary,
  hasOthers: boolean,
  limit: Limit,
): Promise<readonly [PoolClient, HostPool]> => {
  for (let searched = false; ;) {
    const pool = primary.pool();
    try {
      const client = await limit.race(pool.connect(), (late) => late?.release());
      if (client !== null) return [client, pool];
    } catch (error) {
      if (isServerGone(error)) primary.replace(pool);
      if (searched || !hasOthers || limit.isOver()) throw error;
      searched = true;
      const found = await limit.race(primary.search());
      if (found !== null && found.host !== pool.host) primary.replace(pool, found);
    }
  }
};

const workOn = async <T>(client: PoolClient, result: Promise<T>, onError: (error: unknown) => void): Promise<T> => {
  try {
    const done = await result;
    client.release();
    return done;
  } catch (error) {
    onError(error);
    const isUsable = error instanceof MoreLocksNeeded || isConnectionUsable(error);
    client.release(!isUsable);
    if (!isUsable) destroy(client);
    throw error;
  }
};

/**
 * What the primary works for waits for a lock or a disk, and would wait as long on another connection. Everything else
 * that is slow was sent to a server that has gone, or got lost on the way.
 */
const moveTo = (primary: Primary, found: Found, slow: ReadonlySet<Use>): void => {
  const pool = primary.pool();
  const lost = [...slow].flatMap(({ client }) => (client === null || found.isAtWork(client) ? [] : [client]));
  const isStuck = [...slow].some(({ client }) => client === null) && !pool.isFull();
  if (found.host !== pool.host || lost.length > 0 || isStuck) primary.replace(pool, found);
  for (const client of lost) destroy(client);
};
