import type { OrderRules } from '../order/order.ts';
import { openSqliteTarget } from './sqlite/import.ts';
import { fileOf, migrateSqlite, openSqlite } from './sqlite/sqlite-store.ts';
import { openSqliteSource } from './sqlite/transfer.ts';
import type { Migrated, Store } from './store.ts';
import type { TransferSource, TransferTarget } from './transfer.ts';

export interface OpenOptions {
  /** `sqlite:FILE` or `postgres://…`. */
  readonly databaseUrl: string;
  readonly rules: OrderRules;
  /** Use a PostgreSQL server all the same whose commits are not durable. */
  readonly allowUnsafeDatabase: boolean;
  /** Told once by which of its settings, where that is allowed. */
  readonly onUnsafe?: (settings: readonly string[]) => void;
}

/** Opens the store that a `DATABASE_URL` names. Throws a StoreUnusableError or a StoreUnavailableError. */
export const openStore = async ({
  databaseUrl,
  rules,
  allowUnsafeDatabase,
  onUnsafe = () => {},
}: OpenOptions): Promise<Store> =>
  isSqlite(databaseUrl)
    ? await openSqlite({ file: fileOf(databaseUrl), rules })
    : await (await postgres()).openPostgres({ url: databaseUrl, rules, allowUnsafe: allowUnsafeDatabase, onUnsafe });

/** Only brings its schema forward. Throws the same. */
export const migrateStore = async ({
  databaseUrl,
  allowUnsafeDatabase,
}: Omit<OpenOptions, 'rules'>): Promise<Migrated> => {
  if (isSqlite(databaseUrl)) return migrateSqlite(fileOf(databaseUrl));
  const { version, applied } = await (await postgres()).migratePostgres(databaseUrl, allowUnsafeDatabase);
  return { version, applied };
};

/** Opens it to copy from, read only. Throws the same. */
export const openSource = async ({ databaseUrl }: Pick<OpenOptions, 'databaseUrl'>): Promise<TransferSource> =>
  isSqlite(databaseUrl)
    ? openSqliteSource(fileOf(databaseUrl))
    : await (await postgres()).openPostgresSource(databaseUrl);

/** Opens it to copy into; makes it where there is none. Throws the same. */
export const openTarget = async ({ databaseUrl, rules, allowUnsafeDatabase }: OpenOptions): Promise<TransferTarget> =>
  isSqlite(databaseUrl)
    ? openSqliteTarget({ file: fileOf(databaseUrl), rules })
    : await (await postgres()).openPostgresTarget({ url: databaseUrl, rules, allowUnsafe: allowUnsafeDatabase });

/** Loaded when it is needed: without the driver a start takes less time and memory. */
const postgres = async () => await import('./postgres/index.ts');

const isSqlite = (databaseUrl: string): boolean => databaseUrl.startsWith('sqlite:');
