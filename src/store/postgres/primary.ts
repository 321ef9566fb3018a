import type { PoolClient } from 'pg';
import { WORKING } from './check.ts';
import { backendOf, type HostPool, openPool } from './pool.ts';
import { openOn, type Session } from './session.ts';
import type { HostUrl } from './url.ts';

export interface PrimaryOptions {
  readonly hosts: readonly HostUrl[];
  readonly session: Session;
  readonly poolSize: number;
}

/** Where a primary was found. */
export interface Found {
  readonly host: HostUrl;
  /** That server works for this connection, or has heard of it just now. */
  readonly isAtWork: (client: PoolClient) => boolean;
  /** A COMMIT of this connection waits there for a synchronous standby. */
  readonly awaitsStandby: (client: PoolClient) => boolean;
}

/** The server that is the primary now, and the connections to it. */
export interface Primary {
  readonly pool: () => HostPool;
  /**
   * Puts another pool in the place of this one, if it still has it: no connection of the old one is used again. Those
   * in use go on where `spared` says so.
   */
  readonly replace: (old: HostPool, found?: Partial<Found>) => void;
  /**
   * Asks each host over a connection of its own, the present one first and then in their order, and resolves with the
   * first that is a primary; whoever asks meanwhile gets the same answer.
   */
  readonly search: () => Promise<Found | null>;
  readonly isClosed: () => boolean;
  readonly close: () => Promise<void>;
}

/** How long a host that is asked may take to admit a connection, and to answer. */
const SEARCH_LIMIT_MS = 1_000;

export const createPrimary = ({ hosts, session, poolSize }: PrimaryOptions): Primary => {
  const open = (host: HostUrl): HostPool =>
    openPool({ host, session, size: poolSize, onBroken: (broken) => replace(broken) });
  let pool = open(firstOf(hosts));
  let closed = false;
  let searching: Promise<Found | null> | null = null;

  const replace: Primary['replace'] = (old, { host = old.host, isAtWork = () => true } = {}) => {
    if (old !== pool || closed) return;
    pool = open(host);
    old.retire(isAtWork);
  };
  const search = async (): Promise<Found | null> => {
    const { host: present } = pool;
    for (const host of [present, ...hosts.filter((other) => other !== present)]) {
      const found = await askFor(host, session);
      if (found !== null) return found;
    }
    return null;
  };

  return {
    pool: () => pool,
    replace,
    search: async () => {
      searching ??= search().finally(() => {
        searching = null;
      });
      return await searching;
    },
    isClosed: () => closed,
    close: async () => {
      closed = true;
      await pool.close();
    },
  };
};

const firstOf = ([first]: readonly HostUrl[]): HostUrl => {
  if (first === undefined) throw new RangeError('no host');
  return first;
};

const askFor = async (host: HostUrl, session: Session): Promise<Found | null> => {
  const limits = { connectTimeoutMs: SEARCH_LIMIT_MS, statementTimeoutMs: SEARCH_LIMIT_MS };
  try {
    return await openOn(host, { ...session, ...limits }, async (client) => {
      const { rows } = await client.query<{ backend: string; for_standby: boolean }>(WORKING);
      const working = new Map<string | undefined, boolean>(rows.map((row) => [row.backend, row.for_standby]));
      return {
        host,
        isAtWork: (other) => working.has(backendOf(other)),
        awaitsStandby: (other) => working.get(backendOf(other)) === true,
      };
    });
  } catch {
    // Whatever is wrong there, work that needs the server says it.
    return null;
  }
};
