import type { OrderRules } from '../order/rules.ts';
import { fileOf } from './sqlite/file.ts';
import { migrateSqlite, openSqlite, openSqliteSource } from './sqlite/sqlite-store.ts';
import type { Migrated } from './schema.ts';
import type { OpenedStore, Store, StoreUnusableError } from './store.ts';

interface OpenOptions {
  /** `sqlite:FILE` or `postgres://…`. */
  readonly databaseUrl: string;
  readonly rules: OrderRules;
  /** Use a PostgreSQL server all the same whose commits are not durable. */
  readonly allowUnsafeDatabase: boolean;
  /** Told once by which of its settings, where that is allowed. */
  readonly onUnsafe?: (settings: readonly string[]) => void;
  /** SQLite: told what a person has to know about the database, when it is opened. */
  readonly onNotice?: (notice: string) => void;
  /** SQLite: told that this process must not go on: what happened to the files while they were open. */
  readonly onUnusable?: (error: StoreUnusableError) => void;
}

/** Opens the store that a `DATABASE_URL` names. Throws a StoreUnusableError or a StoreUnavailableError. */
export const openStore = async ({
  databaseUrl,
  rules,
  allowUnsafeDatabase,
  onUnsafe = () => {},
  onNotice = () => {},
  onUnusable = () => {},
}: OpenOptions): Promise<OpenedStore> =>
  isSqlite(databaseUrl)
    ? await openSqlite({ file: fileOf(databaseUrl), rules, onNotice, onUnusable })
    : await (await postgres()).openPostgres({ url: databaseUrl, rules, allowUnsafe: allowUnsafeDatabase, onUnsafe });

/** Opens it to copy from: it is not migrated, and cannot be written. Throws the same. */
export const openSource = async ({ databaseUrl, rules }: Pick<OpenOptions, 'databaseUrl' | 'rules'>): Promise<Store> =>
  isSqlite(databaseUrl)
    ? await openSqliteSource({ file: fileOf(databaseUrl), rules })
    : await (await postgres()).openPostgresSource({ url: databaseUrl, rules });

/** Only brings its schema forward. Throws the same. */
export const migrateStore = async ({
  databaseUrl,
  allowUnsafeDatabase,
}: Omit<OpenOptions, 'rules'>): Promise<Migrated> => {
  if (isSqlite(databaseUrl)) return migrateSqlite(fileOf(databaseUrl));
  const { version, applied } = await (await postgres()).migratePostgres(databaseUrl, allowUnsafeDatabase);
  return { version, applied };
};

/** Loaded when it is needed: without the driver a start takes less time and memory. */
const postgres = async () => await import('./postgres/index.ts');

const isSqlite = (databaseUrl: string): boolean => databaseUrl.startsWith('sqlite:');
