import type { Around } from './around.ts';
import { derive } from './derive.ts';
import { orderLock } from './lock.ts';
import { type OrderKey, toOrderKey } from './order-key.ts';
import type { Count, Database } from './transaction.ts';

/** Derives at most `limit` orders that the clock changes by now, those that are due longest first; returns how many. */
export const sweep = async (database: Database, { rules, now }: Around, limit: number): Promise<number> => {
  const due = await database.query<{ client_id: string; order_key: string; due_at: Count }>(
    `select client_id, order_key, due_at
     from orders
     where due_at is not null and due_at <= cast($1 as bigint)
     order by due_at
     limit $2`,
    [now, limit],
  );
  const keys = due.map(toOrderKey);
  const deriveAll = async (part: readonly OrderKey[]): Promise<void> =>
    await database.transact(part.map(orderLock), async (transaction) => {
      await derive(transaction, { keys: part, links: [] }, { rules, now });
    });
  try {
    await deriveAll(keys);
  } catch (error) {
    // One that cannot be derived must not keep the others back.
    let failures = 0;
    for (const key of keys) failures += Number(!(await succeeds(deriveAll([key]))));
    if (failures > 0) throw error;
  }
  return keys.length;
};

const succeeds = async (work: Promise<void>): Promise<boolean> =>
  await work.then(
    () => true,
    () => false,
  );
