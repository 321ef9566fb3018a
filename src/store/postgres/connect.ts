import type { Client, ClientBase } from 'pg';
import {
  type AppliedMigration,
  assertReadable,
  CREATE_MIGRATIONS,
  INSERT_MIGRATION,
  type Migrated,
  type Migration,
  missingMigrations,
  SELECT_MIGRATIONS,
  shapeOf,
  toMigrated,
  UNRELEASED,
} from '../schema.ts';
import { StoreUnusableError } from '../store.ts';
import { commit } from './commit.ts';
import { toOpeningError } from './failure.ts';
import { bitsOf, MIGRATION_LOCK } from './locks.ts';
import { MIGRATIONS } from './migrations.ts';
import { openOnAny, type Opened, type Session } from './session.ts';
import { type HostUrl, readUrl } from './url.ts';

const CONNECT_TIMEOUT_MS = 3_000;
/** With several hosts, how long each of them may take to answer before the next is asked. */
const HOST_TIMEOUT_MS = 1_000;

/** Throws a StoreUnusableError where the URL does not parse. */
export const hostsOf = (url: string): readonly HostUrl[] => {
  try {
    return readUrl(url);
  } catch (error) {
    throw error instanceof StoreUnusableError ? new StoreUnusableError(`DATABASE_URL ${error.message}`) : error;
  }
};

export const sessionFor = (hosts: readonly HostUrl[], options: Omit<Session, 'connectTimeoutMs'>): Session => ({
  ...options,
  connectTimeoutMs: hosts.length > 1 ? HOST_TIMEOUT_MS : CONNECT_TIMEOUT_MS,
});

/** Work at the start, which ends with a StoreUnusableError where waiting does not help. */
const opening = async <T>(
  url: string,
  { allowUnsafe, readOnly }: Pick<Session, 'allowUnsafe' | 'readOnly'>,
  work: (client: Client, opened: Opened) => Promise<T>,
): Promise<T> => {
  const hosts = hostsOf(url);
  const session = sessionFor(hosts, { statementTimeoutMs: null, allowUnsafe, readOnly });
  return await openOnAny(hosts, session, async (client, opened) => {
    try {
      return await work(client, opened);
    } catch (error) {
      throw toOpeningError(error, opened.place);
    }
  });
};

export interface Prepared extends Migrated {
  /** The settings that are off, so that a COMMIT that returned may still be lost. */
  readonly unsafe: readonly string[];
}

/**
 * Brings the schema forward; refuses a database that needs a newer program, or one where commits are not durable.
 * Throws a StoreUnusableError or a StoreUnavailableError.
 */
export const migratePostgres = async (url: string, allowUnsafe = false): Promise<Prepared> =>
  await opening(url, { allowUnsafe, readOnly: false }, async (client, { unsafe, place }) => {
    const migrated = await migrate(client, MIGRATIONS);
    await assertWritable(client, place.user);
    return { ...migrated, unsafe };
  });

/** Whether the role may do what it has to, where the tables belong to another one. */
const assertWritable = async (client: ClientBase, user: string): Promise<void> => {
  const { rows } = await client.query<{ schema: string; table: string; count: number }>(`
    select ours.relnamespace::regnamespace::text as schema, min(tables.relname::text) as table, count(*)::integer as count
    from pg_class as ours
    join pg_class as tables on tables.relnamespace = ours.relnamespace and tables.relowner = ours.relowner
    where ours.oid = 'migrations'::regclass and tables.relkind in ('r', 'p') and tables.oid <> ours.oid and not (
      has_table_privilege(tables.oid, 'select') and has_table_privilege(tables.oid, 'insert')
      and has_table_privilege(tables.oid, 'update') and has_table_privilege(tables.oid, 'delete')
    )
    group by ours.relnamespace`);
  const [found] = rows;
  if (found !== undefined)
    throw new StoreUnusableError(
      `grant select, insert, update, delete on all tables in schema ${found.schema} to "${user}", who may not write ${found.table}${found.count > 1 ? ` and ${found.count - 1} more` : ''}`,
    );
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
    await commit(client);
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
export const assertPostgresReadable = async (url: string): Promise<void> =>
  await opening(url, { allowUnsafe: true, readOnly: true }, async (client) =>
    assertReadable(await readApplied(client), MIGRATIONS),
  );
