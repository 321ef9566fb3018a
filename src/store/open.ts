import type { OrderRules } from '../order/order.ts';
import { openPostgres } from './postgres/postgres-store.ts';
import { fileOf, openSqlite } from './sqlite/sqlite-store.ts';
import type { Store } from './store.ts';

export interface OpenOptions {
  /** `sqlite:FILE` or `postgres://…`. */
  readonly databaseUrl: string;
  readonly rules: OrderRules;
  /** Use a PostgreSQL server all the same whose commits are not durable. */
  readonly allowUnsafeDatabase: boolean;
}

/** Opens the store that a `DATABASE_URL` names. Throws a StoreUnusableError or a StoreUnavailableError. */
export const openStore = async ({ databaseUrl, rules, allowUnsafeDatabase }: OpenOptions): Promise<Store> =>
  databaseUrl.startsWith('sqlite:')
    ? await openSqlite({ file: fileOf(databaseUrl), rules })
    : await openPostgres({ url: databaseUrl, rules, allowUnsafe: allowUnsafeDatabase });
