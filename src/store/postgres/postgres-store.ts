import { Client } from 'pg';
import type { OrderRules } from '../../order/rules.ts';
import { toStore } from '../entries.ts';
import { taskLock } from '../lock.ts';
import { createReads, createWrites } from '../operations.ts';
import { type OpenedStore, type Store, StoreRejectedError } from '../store.ts';
import { assertPostgresReadable, hostsOf, migratePostgres, sessionFor } from './connect.ts';
import { createConnections } from './connections.ts';
import { toStoreError } from './failure.ts';
import { bitsOf } from './locks.ts';
import { GRACE_MS, openOnAny, placeOf, type Session } from './session.ts';
import { createDatabase } from './transaction.ts';
import type { HostUrl } from './url.ts';

export interface PostgresOptions {
  readonly url: string;
  readonly rules: OrderRules;
  /** Milliseconds after which the server gives up a statement; half a second later we give up the server. */
  readonly statementTimeoutMs?: number;
  readonly poolSize?: number;
  /** Open it although `fsync`, `full_page_writes` or `synchronous_commit` is off. */
  readonly allowUnsafe?: boolean;
  /** Told once which of them are off, where that is allowed. */
  readonly onUnsafe?: (settings: readonly string[]) => void;
}

const DEFAULTS = { statementTimeoutMs: 4_000, poolSize: 5, allowUnsafe: false };
/**
 * While one batch waits for the server's answer the others go on; the pool's other connections are for readers and
 * probes.
 */
const CONCURRENCY = 3;
/** A copy counts whole tables. */
const COPY_TIMEOUT_MS = 300_000;

/**
 * Opens the PostgreSQL store, for as many replicas as there are. Throws a StoreUnusableError or a
 * StoreUnavailableError.
 */
export const openPostgres = async (options: PostgresOptions): Promise<OpenedStore> => {
  const { url, allowUnsafe } = { ...DEFAULTS, ...options };
  const { unsafe } = await migratePostgres(url, allowUnsafe);
  if (unsafe.length > 0) options.onUnsafe?.(unsafe);
  const store = createPostgresStore(options);
  return { ...store, own: store };
};

/** Opens a database that nobody has migrated just now, to copy from; a standby will do. Throws the same. */
export const openPostgresSource = async ({ url, rules }: Pick<PostgresOptions, 'url' | 'rules'>): Promise<Store> => {
  await assertPostgresReadable(url);
  // What is only read needs no durable commits.
  return createPostgresStore({ url, rules, allowUnsafe: true, statementTimeoutMs: COPY_TIMEOUT_MS, readOnly: true });
};

const createPostgresStore = (options: PostgresOptions & { readonly readOnly?: boolean }): Store => {
  const { url, rules, statementTimeoutMs, poolSize, allowUnsafe, readOnly = false } = { ...DEFAULTS, ...options };
  const hosts = hostsOf(url);
  const session = sessionFor(hosts, { statementTimeoutMs, allowUnsafe, readOnly });
  const connections = createConnections({ hosts, session, poolSize });
  const database = createDatabase(connections, statementTimeoutMs + GRACE_MS);
  const reads = { calls: createReads(database, rules) };
  return {
    ...toStore(createWrites(database, rules), async () => reads),
    name: nameOf(hosts),
    concurrency: Math.min(CONCURRENCY, poolSize),
    exclusively: async (task, work) => await runExclusively({ hosts, session }, { task, work }),
    backup: () =>
      Promise.reject(
        new StoreRejectedError('PostgreSQL is backed up with its own tools: pg_dump, or a physical backup'),
      ),
    close: connections.close,
  };
};

/**
 * Without a user or a password. The driver reads the URL, so that what it leaves to the environment is there as well.
 */
const nameOf = (hosts: readonly HostUrl[]): string => {
  const places = hosts.map((host) => placeOf(new Client({ connectionString: host })));
  return `postgres://${places.map(({ server }) => server).join(',')}/${places[0]?.database}`;
};

interface Task<T> {
  readonly task: string;
  readonly work: () => Promise<T>;
}

interface Means {
  readonly hosts: readonly HostUrl[];
  readonly session: Session;
}

/**
 * Holds a lock of the session, on a connection of its own, while the work runs. Where that connection breaks, the
 * lock is free and another replica may begin the same task: tasks are such that this does no harm.
 */
const runExclusively = async <T>({ hosts, session }: Means, { task, work }: Task<T>): Promise<T | null> => {
  let begun = false;
  try {
    return await openOnAny(hosts, session, async (client) => {
      const { rows } = await client.query<{ free: boolean }>('select pg_try_advisory_lock($1) as free', [
        String(bitsOf(taskLock(task))),
      ]);
      begun = rows[0]?.free === true;
      return begun ? await work() : null;
    });
  } catch (error) {
    // What the work itself throws is the caller's own.
    throw begun ? error : toStoreError(error);
  }
};
