import type { Around } from './around.ts';
import type { CopiedRevision } from './callback.ts';
import { nextCursor, readKey } from './cursor.ts';
import { derive } from './derive.ts';
import { orderLock } from './lock.ts';
import { paymentsLinkedBy } from './links.ts';
import type { Page, PageRequest } from './lists.ts';
import { type OrderKey, requestIdOf, requestLink, toOrderKey } from './order-key.ts';
import { sumInParts } from './parts.ts';
import type { Count, Database, Query } from './transaction.ts';

/*
 * A shop takes no smaller revision of an order than the greatest that it has seen. Revisions follow the clock of the
 * machine that writes, and that of the source may have been ahead.
 */

/** Before the first order. */
const START: readonly [clientId: string, orderKey: string] = ['', ''];

/** In the order of their keys. */
export const readRevisions = async (
  { query }: Pick<Database, 'query'>,
  page: PageRequest,
): Promise<Page<CopiedRevision>> => {
  const after = readKey(page.cursor, START);
  const rows = await query<{ client_id: string; order_key: string; revision: Count }>(
    `select client_id, order_key, revision
     from orders
     where (client_id, order_key) > ($1, $2)
     order by client_id, order_key
     limit $3`,
    [...after, page.limit],
  );
  const items = rows.map((row) => Object.assign(toOrderKey(row), { revision: Number(row.revision) }));
  return { items, next: nextCursor(items, page, (last) => JSON.stringify([last.clientId, last.orderKey])) };
};

/**
 * Has orders go on after these revisions, where they are ahead of our clock: one that stands at no later one changes
 * once more, so that whoever follows the feed sees it again. Returns how many.
 */
export const importRevisions = async (
  database: Database,
  revisions: readonly CopiedRevision[],
  around: Around,
): Promise<number> => {
  // What is not ahead of our clock every later change here is after by itself.
  const ahead = revisions.filter(({ revision }) => revision > around.now);
  const succeeding = await Promise.all(ahead.map(async (one) => await successorsOf(database.query, one)));
  const wanted = [...ahead, ...succeeding.flat()];
  // Nearly always none, and then nothing is locked.
  const isBehind = await Promise.all(wanted.map(async (one) => await rowOf(database.query, one, SELECT_BEHIND)));
  return await sumInParts(
    database,
    wanted.filter((_, index) => isBehind[index] === true),
    async (part) =>
      await database.transact(part.map(orderLock), async (transaction) => {
        const keys: OrderKey[] = [];
        for (const one of part) if (await rowOf(transaction.query, one, BLANK_BEHIND)) keys.push(one);
        return await (
          await derive(transaction, { keys, links: [] }, around)
        ).changed;
      }),
  );
};

/** The payments that have taken the place of a registration here. */
const successorsOf = async (
  query: Query,
  { clientId, orderKey, revision }: CopiedRevision,
): Promise<readonly CopiedRevision[]> => {
  const requestId = requestIdOf(orderKey);
  if (requestId === null) return [];
  const payments = await paymentsLinkedBy(query, [requestLink(clientId, requestId)]);
  return payments.map(({ orderKey: paymentId }) => ({ clientId, orderKey: paymentId, revision }));
};

const rowOf = async (query: Query, { clientId, orderKey, revision }: CopiedRevision, sql: string): Promise<boolean> =>
  (await query(sql, [clientId, orderKey, revision])).length > 0;

const BEHIND = 'client_id = $1 and order_key = $2 and revision <= cast($3 as bigint)';
const SELECT_BEHIND = `select 1 as behind from orders where ${BEHIND}`;
/** Without content it is not as it should be, and derive writes it anew. */
const BLANK_BEHIND = `
  update orders set revision = cast($3 as bigint), content = '' where ${BEHIND} returning 1 as behind`;
