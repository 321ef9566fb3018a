import { setTimeout as after } from 'node:timers/promises';
import { callbackify } from 'node:util';
import { Client, type ClientBase, type ClientConfig, Pool } from 'pg';
import {
  type AppliedMigration,
  assertReadable,
  CREATE_MIGRATIONS,
  INSERT_MIGRATION,
  type Migration,
  missingMigrations,
  SELECT_MIGRATIONS,
  shapeOf,
  toMigrated,
  UNRELEASED,
} from '../schema.ts';
import { type Migrated, StoreUnusableError } from '../store.ts';
import { toStoreError } from './failure.ts';
import { bitsOf, MIGRATION_LOCK } from './locks.ts';
import { MIGRATIONS } from './migrations.ts';
import { noteStart } from './starts.ts';

export interface ConnectOptions {
  readonly url: string;
  /** Milliseconds after which the server gives up a statement. */
  readonly statementTimeoutMs: number;
  readonly poolSize: number;
  /** Also where commits are not durable. */
  readonly allowUnsafe: boolean;
  /** Its transactions must not write. */
  readonly readOnly?: boolean;
}

const CONNECT_TIMEOUT_MS = 3_000;
/** How much longer than the server we wait for its word: one that has stopped keeps no time limit. */
export const GRACE_MS = 500;
const IDLE_IN_TRANSACTION_MS = 10_000;
const KEEP_ALIVE_AFTER_MS = 5_000;
const IDLE_FOR_MS = 600_000;
/** A wait for a lock ends before the statement does, so that it is told apart. */
const LOCK_SHARE = 0.75;

/**
 * What the session relies on, whatever the server, the role or the database say. Every statement looks rows up by key
 * or walks an index. Plans are kept for the life of a connection, and one made while a table was small must not read
 * all of it once it has grown: so those ways are closed where there is another.
 */
const SESSION = [
  'client_min_messages=warning',
  'jit=off',
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'enable_material=off',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');
const READ_ONLY = ' -c default_transaction_read_only=on';

const basics = (url: string): ClientConfig => ({
  connectionString: url,
  application_name: 'paynotify',
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  keepAlive: true,
  keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
  options: SESSION,
});

/** The connections that the store works with. They come and go with the server; the pool stays. */
export const openPool = ({
  url,
  statementTimeoutMs,
  poolSize,
  allowUnsafe,
  readOnly = false,
}: ConnectOptions): Pool => {
  const pool = new Pool({
    ...basics(url),
    options: readOnly ? SESSION + READ_ONLY : SESSION,
    max: poolSize,
    // A new connection costs a handshake, and plans every statement again.
    idleTimeoutMillis: IDLE_FOR_MS,
    // A transaction's COMMIT may follow its last statement at once.
    pipeline: true,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + GRACE_MS,
    lock_timeout: statementTimeoutMs * LOCK_SHARE,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    // Each new connection: after a failover it may lead to another server.
    verify: (client, done) =>
      callbackify(async () => {
        await assertDurable(client, allowUnsafe);
        if (!readOnly) await noteStart(client);
      })((error) => done(error ?? undefined)),
  });
  // A connection may break at any moment, idle or not. Whoever uses it learns it from the query; an event without
  // a listener would end this program.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
};

/** Work on a connection of its own, outside of the pool; without a time limit on statements unless one is given. */
export const connectedAlone = async <T>(
  url: string,
  work: (client: Client) => Promise<T>,
  statementTimeoutMs?: number,
): Promise<T> => {
  const limit = statementTimeoutMs === undefined ? {} : { query_timeout: statementTimeoutMs + GRACE_MS };
  const client = new Client({ ...basics(url), ...limit });
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    // The session is over when this returns, its locks free; a server that has stopped is not waited for.
    await Promise.race([client.end().catch(() => {}), after(CONNECT_TIMEOUT_MS, undefined, { ref: false })]);
  }
};

interface Settings {
  readonly version: number;
  readonly encoding: string;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly synchronous_commit: string;
}

/** pg_current_xact_id() came with 13. */
const OLDEST_SERVER = 130_000;

/**
 * Refuses a server on which a COMMIT that returned is not yet durable (postgresql.org/docs/current/runtime-config-wal.html).
 * Returns the settings that are off, where that is allowed.
 */
const assertDurable = async (client: ClientBase, allowUnsafe: boolean): Promise<readonly string[]> => {
  const { rows } = await client.query<Settings>(
    `select current_setting('server_version_num')::integer as version, current_setting('server_encoding') as encoding,
       current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
       current_setting('synchronous_commit') as synchronous_commit`,
  );
  const [settings] = rows;
  if (settings === undefined) throw new StoreUnusableError('PostgreSQL does not tell its settings');
  if (settings.version < OLDEST_SERVER) throw new StoreUnusableError('PostgreSQL 13 or newer is needed');
  if (settings.encoding !== 'UTF8')
    throw new StoreUnusableError(`the database's encoding is ${settings.encoding}; UTF8 is needed`);
  const off = (['fsync', 'full_page_writes', 'synchronous_commit'] as const).filter((name) => settings[name] === 'off');
  if (off.length > 0 && !allowUnsafe)
    throw new StoreUnusableError(`commits would not be durable here: ${off.join(', ')} off`);
  return off;
};

export interface Prepared extends Migrated {
  /** The settings that are off, so that a COMMIT that returned may still be lost. */
  readonly unsafe: readonly string[];
}

/** Brings the schema forward; refuses a database that needs a newer program, or one where commits are not durable. */
export const migratePostgres = async (url: string, allowUnsafe = false): Promise<Prepared> => {
  try {
    return await connectedAlone(url, async (client) => {
      const unsafe = await assertDurable(client, allowUnsafe);
      return { ...(await migrate(client, MIGRATIONS)), unsafe };
    });
  } catch (error) {
    throw toStoreError(error);
  }
};

/**
 * A migration that waits for a table holds up everyone behind it: rather it gives up, and is tried again at the next
 * start.
 */
const DDL_LOCK_TIMEOUT = '5s';

/** One transaction, one replica at a time; the others find it done. Exported for the tests of upgrades. */
export const migrate = async (client: ClientBase, migrations: readonly Migration[]): Promise<Migrated> => {
  await client.query(`begin isolation level read committed; select pg_advisory_xact_lock(${bitsOf(MIGRATION_LOCK)})`);
  try {
    if (await hasTable(client, 'schema_versions')) throw new StoreUnusableError(UNRELEASED);
    const applied = await readApplied(client);
    const missing = missingMigrations(applied, migrations);
    await client.query(`set local lock_timeout = '${DDL_LOCK_TIMEOUT}'`);
    // Only where there is something to do: `if not exists` wants the right to create all the same.
    if (missing.length > 0) await client.query(CREATE_MIGRATIONS);
    for (const migration of missing) {
      await client.query(migration.sql);
      await client.query(INSERT_MIGRATION, [migration.version, migration.oldestProgram, shapeOf(migration)]);
    }
    await client.query('commit');
    return toMigrated(applied, missing);
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
};

const hasTable = async (client: ClientBase, table: string): Promise<boolean> => {
  const { rows } = await client.query<{ exists: boolean }>('select to_regclass($1) is not null as exists', [table]);
  return rows[0]?.exists === true;
};

const readApplied = async (client: ClientBase): Promise<readonly AppliedMigration[]> =>
  (await hasTable(client, 'migrations')) ? (await client.query<AppliedMigration>(SELECT_MIGRATIONS)).rows : [];

/** That a database which nobody has migrated just now can be read by this program. Throws a StoreUnusableError. */
export const assertPostgresReadable = async (url: string): Promise<void> => {
  try {
    await connectedAlone(url, async (client) => assertReadable(await readApplied(client), MIGRATIONS));
  } catch (error) {
    throw toStoreError(error);
  }
};
