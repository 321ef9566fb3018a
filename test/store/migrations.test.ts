import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { migrate as migratePostgres } from '../../src/store/postgres/connect.ts';
import { MIGRATIONS as POSTGRES } from '../../src/store/postgres/migrations.ts';
import type { Migrated, Migration } from '../../src/store/schema.ts';
import { migrate as migrateSqlite } from '../../src/store/sqlite/connect.ts';
import { MIGRATIONS as SQLITE } from '../../src/store/sqlite/migrations.ts';
import { StoreUnusableError } from '../../src/store/store.ts';
import { startServer, type TestServer } from '../support/postgres.ts';

/** An empty database, and what the tests do with it. */
interface Place {
  readonly migrate: (migrations: readonly Migration[]) => Promise<Migrated>;
  readonly query: (statement: string) => Promise<readonly unknown[]>;
  readonly close: () => Promise<void>;
}

/** What later releases would bring: a column, then one that an older program could not live with. */
const second: Migration = { version: 2, oldestProgram: 1, sql: 'alter table settings add column note text' };
const third: Migration = { version: 3, oldestProgram: 3, sql: 'alter table settings rename column note to remark' };

let server: TestServer;
let directory: string;
beforeAll(async () => {
  server = await startServer();
  directory = await mkdtemp(join(tmpdir(), 'paynotify-'));
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

let files = 0;
const onSqlite = async (): Promise<Place> => {
  const db = new DatabaseSync(join(directory, `${(files += 1)}.db`));
  return {
    migrate: async (migrations) => migrateSqlite(db, migrations),
    query: async (statement) => db.prepare(statement).all(),
    close: async () => db.close(),
  };
};

const onPostgres = async (): Promise<Place> => {
  const client = new Client({ connectionString: await server.createDatabase() });
  await client.connect();
  return {
    migrate: async (migrations) => await migratePostgres(client, migrations),
    query: async (statement) => (await client.query<object>(statement)).rows,
    close: async () => await client.end(),
  };
};

describe.each([
  ['SQLite', onSqlite, SQLITE],
  ['PostgreSQL', onPostgres, POSTGRES],
] as const)('migrations on %s', (_, make, released) => {
  const within = async (work: (place: Place) => Promise<void>): Promise<void> => {
    const place = await make();
    try {
      await work(place);
    } finally {
      await place.close();
    }
  };

  test('run in order, each once, and go on where an older program stopped', async () =>
    await within(async ({ migrate, query }) => {
      expect(await migrate(released)).toEqual({ version: 1, applied: [1] });
      expect(await migrate(released)).toEqual({ version: 1, applied: [] });
      expect(await migrate([...released, second, third])).toEqual({ version: 3, applied: [2, 3] });
      expect(await query('select remark from settings')).not.toContainEqual({ remark: 'x' });
      expect(await query('select version from migrations order by version')).toEqual([
        { version: 1 },
        { version: 2 },
        { version: 3 },
      ]);
    }));

  test('let an older program work on what it can live with, and stop one that cannot', async () =>
    await within(async ({ migrate }) => {
      await migrate([...released, second]);
      expect(await migrate(released)).toEqual({ version: 2, applied: [] });
      await migrate([...released, second, third]);
      await expect(migrate([...released, second])).rejects.toThrow(
        new StoreUnusableError(
          'the database was migrated to version 3, which needs a newer paynotify (at least schema 3; this one knows 2)',
        ),
      );
    }));

  test('leave nothing behind when one of them fails', async () =>
    await within(async ({ migrate, query }) => {
      await migrate(released);
      await expect(migrate([...released, second, { ...third, sql: 'alter table nothing' }])).rejects.toThrow();
      await expect(query('select note from settings')).rejects.toThrow();
      expect(await migrate([...released, second])).toEqual({ version: 2, applied: [2] });
    }));

  test('refuse a database whose versions are other ones, and one from before there were versions', async () =>
    await within(async ({ migrate, query }) => {
      await migrate([...released, second]);
      await expect(migrate([...released, { ...second, sql: 'select 1' }])).rejects.toThrow('unreleased paynotify');
      await query('create table schema_versions (version integer)');
      await expect(migrate([...released, second])).rejects.toThrow('unreleased paynotify');
    }));
});
