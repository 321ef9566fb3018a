import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { Client } from 'pg';
import { openPostgres, type PostgresOptions } from '../../src/store/postgres/postgres-store.ts';
import type { Store } from '../../src/store/store.ts';
import { type OwnServer, startOwnServer } from '../support/postgres.ts';
import { RULES } from './support.ts';

export interface OwnDatabase {
  readonly server: OwnServer;
  /** Of the empty database that each test has. */
  readonly url: string;
  readonly open: (options?: Partial<PostgresOptions>) => Promise<Store>;
  /** A connection on which a test holds something. */
  readonly hold: (statement: string) => Promise<Client>;
  /** What a test has to close after it; the last is closed first. */
  readonly closing: (() => unknown)[];
}

/** A server for the tests of one file, an empty database for each of them, and an end to what they opened. */
export const useOwnDatabase = (): OwnDatabase => {
  let server: OwnServer;
  let url: string;
  const closing: (() => unknown)[] = [];

  beforeAll(async () => {
    server = await startOwnServer();
  });
  afterAll(async () => await server.stop());
  beforeEach(async () => {
    url = await server.createDatabase();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  return {
    get server() {
      return server;
    },
    get url() {
      return url;
    },
    open: async (options) => {
      const store = await openPostgres({ url, rules: RULES, ...options });
      closing.push(store.close);
      return store;
    },
    hold: async (statement) => {
      const client = new Client({ connectionString: url });
      client.on('error', () => {});
      await client.connect();
      closing.push(async () => await client.end());
      await client.query(statement);
      return client;
    },
    closing,
  };
};
