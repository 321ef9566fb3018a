import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSource, openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { sql, startServer } from '../support/postgres.ts';
import { RULES } from './support.ts';

export type Make = 'SQLite' | 'PostgreSQL';

/**
 * One database, and what a test does with it. Stores are closed after the test; whoever opens a side of a copy closes
 * it.
 */
export interface TestDatabase {
  readonly url: string;
  readonly store: () => Promise<Store>;
  /** To copy from. */
  readonly source: () => Promise<Store>;
  /** A store that is not closed after the test. */
  readonly open: () => Promise<Store>;
  readonly sql: (statement: string) => Promise<void>;
}

export interface Databases {
  /** A new one, empty. */
  readonly make: (make: Make) => Promise<TestDatabase>;
  readonly closeAll: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** Databases of both makes, for tests that need several. SQLite reads in the thread that writes: none has to start. */
export const openDatabases = async (): Promise<Databases> => {
  const server = await startServer();
  const directory = await mkdtemp(join(tmpdir(), 'paynotify-'));
  const opened: Store[] = [];
  let files = 0;
  const keep = (store: Store): Store => {
    opened.push(store);
    return store;
  };
  const options = { rules: RULES, allowUnsafeDatabase: false };

  return {
    make: async (make) => {
      const url =
        make === 'PostgreSQL' ? await server.createDatabase() : `sqlite:${join(directory, `${(files += 1)}.db`)}`;
      return {
        url,
        store: async () => keep((await openStore({ ...options, databaseUrl: url })).own),
        source: async () => await openSource({ databaseUrl: url, rules: RULES }),
        open: async () => (await openStore({ ...options, databaseUrl: url })).own,
        sql: async (statement) => {
          if (make === 'PostgreSQL') await sql(url, statement);
          else runOn(url.slice('sqlite:'.length), statement);
        },
      };
    },
    closeAll: async () => {
      for (const one of opened.splice(0)) await one.close();
    },
    remove: async () => {
      await server.stop();
      await rm(directory, { recursive: true });
    },
  };
};

const runOn = (file: string, statement: string): void => {
  const db = new DatabaseSync(file, { timeout: 5_000 });
  db.exec(statement);
  db.close();
};
