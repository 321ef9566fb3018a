import { type Order, underivable } from '../order/order.ts';
import type { OrderRules } from '../order/rules.ts';
import { nextCursor, readFeedCursor, readPosition } from './cursor.ts';
import { project } from './derive.ts';
import { nameOfOrder, type OrderKey, paymentIdOf, registrationKey } from './order-key.ts';
import { paymentsLinkedBy } from './links.ts';
import { isoTime, type StoredOrder } from './row.ts';
import { goOnFrom } from './starts.ts';
import type { OrderFilter, Page, PageRequest } from './store.ts';
import type { Count, Database, Snapshot, Value } from './transaction.ts';

/** Orders are derived at the moment of reading, by the rules in force; the columns of their rows serve to find them. */
const read = async (
  { evidence }: Snapshot,
  keys: readonly OrderKey[],
  rules: OrderRules,
): Promise<readonly Order[]> => {
  if (keys.length === 0) return [];
  const stored = new Map((await evidence({ keys, links: [] }, 'all')).map((one) => [nameOfOrder(one), one]));
  return keys.flatMap((key) => {
    const one = stored.get(nameOfOrder(key));
    return one === undefined || one.row === null ? [] : [toOrder(one, one.row.updatedAt, rules)];
  });
};

const toOrder = (stored: StoredOrder, updatedAt: number, rules: OrderRules): Order => {
  const { order } = project(stored, { rules, now: Date.now() }).derived ?? underivable(stored.evidence);
  return { ...order, createdAt: isoTime(stored.createdAt), updatedAt: isoTime(updatedAt) };
};

/** By `paymentId`, else by `paymentRequestId`; several where payments share that. */
export const findOrders = async (
  database: Database,
  { clientId, id }: { readonly clientId: string; readonly id: string },
  rules: OrderRules,
): Promise<readonly Order[]> => {
  // What begins with a space is a key of ours, never an identifier.
  if (paymentIdOf(id) === null) return [];
  return await database.snapshot(async (snapshot) => {
    const byPayment = await read(snapshot, [{ clientId, orderKey: id }], rules);
    if (byPayment.length > 0) return byPayment;
    const linked = await paymentsLinkedBy(snapshot.query, [{ clientId, name: 'paymentRequestId', value: id }]);
    const byRequest = await read(snapshot, linked, rules);
    return byRequest.length > 0
      ? byRequest
      : await read(snapshot, [{ clientId, orderKey: registrationKey(id) }], rules);
  });
};

interface Row {
  readonly client_id: string;
  readonly order_key: string;
  readonly position: Count;
}

const toKey = (row: Row): OrderKey => ({ clientId: row.client_id, orderKey: row.order_key });

/**
 * Newest change first. The terms on `status` and `attention` repeat those of the partial indexes, so that they are
 * used.
 */
export const listOrders = async (
  database: Database,
  { filter, page }: { readonly filter: OrderFilter; readonly page: PageRequest },
  rules: OrderRules,
): Promise<Page<Order>> => {
  const values: Value[] = [page.limit];
  const terms: string[] = ['true'];
  if (page.cursor !== null) terms.push(`position < cast($${values.push(readPosition(page.cursor))} as bigint)`);
  if (filter.status !== null) {
    terms.push(`status = $${values.push(filter.status)}`);
    if (filter.status !== 'CAPTURED') terms.push("status <> 'CAPTURED'");
  }
  if (filter.attention !== null) {
    terms.push("attention <> ''", `attention like '% ' || $${values.push(filter.attention)} || ' %'`);
  }
  return await database.snapshot(async (snapshot) => {
    const rows = await snapshot.query<Row>(
      `select client_id, order_key, position
       from orders
       where ${terms.join(' and ')}
       order by position desc
       limit $1`,
      values,
    );
    const items = await read(snapshot, rows.map(toKey), rules);
    return { items, next: nextCursor(rows, page, ({ position }) => String(position)) };
  });
};

/** The change feed: each order once, at the place of its latest change, oldest change first. */
export const followOrders = async (
  database: Database,
  { limit, cursor }: PageRequest,
  rules: OrderRules,
): Promise<{ readonly items: readonly Order[]; readonly next: string }> => {
  const from = readFeedCursor(cursor ?? '0');
  return await database.snapshot(async (snapshot) => {
    const cursorAt = await goOnFrom(snapshot, from);
    const rows = await snapshot.query<Row>(
      `select client_id, order_key, position
       from orders
       where position > cast($1 as bigint) and position < ${snapshot.dialect.horizon}
       order by position
       limit $2`,
      [from.position, limit],
    );
    const items = await read(snapshot, rows.map(toKey), rules);
    // An empty page, too, gives a cursor of the latest start.
    return { items, next: cursorAt(String(rows.at(-1)?.position ?? from.position)) };
  });
};

/** The cursor after the latest change. */
export const endOfFeed = async (database: Database): Promise<string> =>
  await database.snapshot(async (snapshot) => {
    const cursorAt = await goOnFrom(snapshot, { start: null, position: '0' });
    const [row] = await snapshot.query<{ last: Count }>(
      `select coalesce(max(position), 0) as last from orders where position < ${snapshot.dialect.horizon}`,
    );
    return cursorAt(String(row?.last ?? 0));
  });
