import type { OrderRules } from '../order/order.ts';
import { fileOf, openSqlite } from './sqlite/sqlite-store.ts';
import type { Store } from './store.ts';

/** Opens the store that a `DATABASE_URL` names. Throws a StoreUnusableError or a StoreUnavailableError. */
export const openStore = async (databaseUrl: string, rules: OrderRules): Promise<Store> =>
  await openSqlite({ file: fileOf(databaseUrl), rules });
