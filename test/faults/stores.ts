import { copyFileSync, existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type OwnServer, sql, startOwnServer } from '../support/postgres.ts';
import { fileIn, makeDirectory, removeDirectory } from '../support/receiver.ts';

/** What a store holds, read with a connection of the campaign's own. */
export interface Contents {
  /** By the SHA-256 of the body. */
  readonly notifications: ReadonlyMap<string, { readonly deliveries: number; readonly outcome: string }>;
  /** By the body in hex. */
  readonly unverified: ReadonlyMap<string, { readonly deliveries: number }>;
  /** The keys of the orders. */
  readonly orders: ReadonlySet<string>;
}

/** A database of its own; a service may come and go. */
export interface CampaignStore {
  readonly kind: 'sqlite' | 'postgres';
  readonly url: string;
  /** The same contents where a look at them leaves no trace. Only while no service has it open. */
  readonly snapshot: () => CampaignStore;
  readonly query: (statement: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  readonly contents: () => Promise<Contents>;
  /** Throws where the database itself says that it is damaged. */
  readonly assertIntact: () => Promise<void>;
  readonly remove: () => void;
}

const contentsBy = async (query: CampaignStore['query'], hex: (column: string) => string): Promise<Contents> => {
  const notifications = await query(`select ${hex('digest')} as id, deliveries, outcome from notifications`);
  const unverified = await query(`select ${hex('body')} as id, deliveries from unverified`);
  const orders = await query('select order_key as id from orders');
  return {
    notifications: new Map(
      notifications.map(({ id, deliveries, outcome }) => [
        String(id),
        { deliveries: Number(deliveries), outcome: String(outcome) },
      ]),
    ),
    unverified: new Map(unverified.map(({ id, deliveries }) => [String(id), { deliveries: Number(deliveries) }])),
    orders: new Set(orders.map(({ id }) => String(id))),
  };
};

const copyIfThere = (from: string, to: string): void => {
  if (existsSync(from)) copyFileSync(from, to);
};

/** A SQLite file that is not there yet, in a directory of its own. */
export const createSqlite = (): CampaignStore => sqliteIn(makeDirectory());

export const sqliteIn = (directory: string): CampaignStore => {
  const file = fileIn(directory);
  const query: CampaignStore['query'] = async (statement) => {
    const db = new DatabaseSync(file, { timeout: 5_000 });
    try {
      return db.prepare(statement).all();
    } finally {
      db.close();
    }
  };
  return {
    kind: 'sqlite',
    url: `sqlite:${file}`,
    snapshot: () => {
      const other = createSqlite();
      const target = other.url.slice('sqlite:'.length);
      copyIfThere(file, target);
      copyIfThere(`${file}-wal`, `${target}-wal`);
      return other;
    },
    query,
    contents: async () => await contentsBy(query, (column) => `lower(hex(${column}))`),
    assertIntact: async () => {
      const found = (await query('pragma integrity_check')).map(({ integrity_check: line }) => line);
      if (found.join() !== 'ok') throw new Error(`integrity_check: ${found.join('; ')}`);
    },
    remove: () => removeDirectory(directory),
  };
};

/** An empty database of a server. */
export const createPostgres = async (server: Pick<OwnServer, 'createDatabase'>): Promise<CampaignStore> => {
  const url = await server.createDatabase();
  const query: CampaignStore['query'] = async (statement) => await sql<Record<string, unknown>>(url, statement);
  const store: CampaignStore = {
    kind: 'postgres',
    url,
    // Looking changes nothing here, and the server has recovered by itself.
    snapshot: () => ({ ...store, remove: () => undefined }),
    query,
    contents: async () => await contentsBy(query, (column) => `encode(${column}, 'hex')`),
    assertIntact: async () => undefined,
    remove: () => undefined,
  };
  return store;
};

let shared: Promise<OwnServer> | null = null;

/** One server for all campaigns of this process that only need a database. */
export const sharedServer = async (): Promise<OwnServer> => await (shared ??= startOwnServer());

export const stopSharedServer = async (): Promise<void> => {
  const server = shared;
  shared = null;
  await (await server)?.stop();
};

export const createStore = async (kind: CampaignStore['kind']): Promise<CampaignStore> =>
  kind === 'sqlite' ? createSqlite() : await createPostgres(await sharedServer());
