import type { NextAction } from '../order/next-action.ts';
import { type Order, underivable } from '../order/order.ts';
import type { OrderRules } from '../order/rules.ts';
import { type Around, rulesIn } from './around.ts';
import { nextCursor, readPosition } from './cursor.ts';
import { project } from './derive.ts';
import { evidenceOfEach } from './evidence.ts';
import { follow } from './feed.ts';
import { readFoldedCaptures, withFolded } from './folded-captures.ts';
import { clientIdsOf } from './notifications.ts';
import { nameOfOrder, type OrderKey, paymentIdOf, registrationKey, requestLink, toOrderKey } from './order-key.ts';
import { paymentsLinkedBy } from './links.ts';
import type { OrderName } from './shop.ts';
import { type OrderContent, toContent, toShown } from './shown.ts';
import type { FeedPage, OrderFilter, Page, PageRequest } from './store.ts';
import type { StandingRow, StoredOrder } from './stored-order.ts';
import type { Count, Database, Query, Snapshot, Value } from './transaction.ts';

const ORDER_CLIENT_IDS = clientIdsOf('orders');

/** Orders as of this very moment: derived when they are read, by the rules in force. */
export const readOrders = async (
  snapshot: Snapshot,
  keys: readonly OrderKey[],
  otherwise: OrderRules,
): Promise<readonly Order[]> => {
  if (keys.length === 0) return [];
  const [rules, stored] = await Promise.all([rulesIn(snapshot, otherwise), evidenceOfEach(snapshot, keys)]);
  const shown = new Map<string, Order>();
  for (const order of stored)
    if (order.row !== null) shown.set(nameOfOrder(order), toOrder(order, order.row, { rules, now: Date.now() }));
  return keys.flatMap((key) => shown.get(nameOfOrder(key)) ?? []);
};

/** As it is shown, `now`. */
export const toOrder = (stored: StoredOrder, row: StandingRow, around: Around): Order =>
  toShown(toContent(stored, (project(stored, around).derived ?? underivable(stored.evidence)).order), row);

interface Row {
  readonly client_id: string;
  readonly order_key: string;
  readonly position: Count;
  readonly revision: Count;
  readonly updated_at: Count;
  readonly content: string;
  readonly is_folded: number | boolean;
}

const SHOWN = 'client_id, order_key, position, revision, updated_at, content, fold is not null as is_folded';

/** As of its last commit or sweep: as it stands in its row. */
const toStanding = async (query: Query, row: Row): Promise<Order> => {
  // Written by derive.
  const content = JSON.parse(row.content) as OrderContent;
  const folded = Number(row.is_folded) === 1 ? await readFoldedCaptures(query, toOrderKey(row)) : [];
  return toShown(folded.length === 0 ? content : { ...content, captures: withFolded(content.captures, folded) }, {
    revision: Number(row.revision),
    updatedAt: Number(row.updated_at),
  });
};

/** Those that have a row, as of their last commit or sweep. */
export const readStanding = async ({ query }: Snapshot, keys: readonly OrderKey[]): Promise<readonly Order[]> => {
  const read = keys.map(async ({ clientId, orderKey }) => {
    const sql = `select ${SHOWN} from orders where client_id = $1 and order_key = $2`;
    const rows = await query<Row>(sql, [clientId, orderKey]);
    return await Promise.all(rows.map(async (row) => await toStanding(query, row)));
  });
  return (await Promise.all(read)).flat();
};

/** The orders of a name: by `paymentId`, else by `paymentRequestId`; several where payments share that. */
export const keysNamed = async (snapshot: Snapshot, { clientId, id }: OrderName): Promise<readonly OrderKey[]> => {
  // What begins with a space is a key of ours, never an identifier.
  if (paymentIdOf(id) === null) return [];
  const byPayment = await standingKeys(snapshot.query, [{ clientId, orderKey: id }]);
  if (byPayment.length > 0) return byPayment;
  const linked = await paymentsLinkedBy(snapshot.query, [requestLink(clientId, id)]);
  const byRequest = await standingKeys(snapshot.query, linked);
  return byRequest.length > 0
    ? byRequest
    : await standingKeys(snapshot.query, [{ clientId, orderKey: registrationKey(id) }]);
};

/** Those that have a row. */
export const standingKeys = async (query: Query, keys: readonly OrderKey[]): Promise<readonly OrderKey[]> => {
  const found = await Promise.all(
    keys.map(async (key) => {
      const sql = 'select 1 as found from orders where client_id = $1 and order_key = $2';
      return (await query(sql, [key.clientId, key.orderKey])).length > 0 ? [key] : [];
    }),
  );
  return found.flat();
};

/** As of this very moment. */
export const findOrders = async (database: Database, name: OrderName, rules: OrderRules): Promise<readonly Order[]> =>
  await database.snapshot(async (snapshot) => await readOrders(snapshot, await keysNamed(snapshot, name), rules));

/** Actions that are common: what is rare has an index. */
const COMMON: ReadonlySet<NextAction> = new Set<NextAction>(['FULFIL', 'WAIT', 'NONE']);

/** Newest change first. Terms repeat those of the partial indexes, so that they are used. */
export const listOrders = async (
  database: Database,
  { filter, page }: { readonly filter: OrderFilter; readonly page: PageRequest },
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
  if (filter.nextAction !== null) {
    terms.push(`next_action = $${values.push(filter.nextAction)}`);
    if (!COMMON.has(filter.nextAction)) terms.push("next_action not in ('FULFIL', 'WAIT', 'NONE')");
  }
  if (filter.clientId !== null) terms.push(`client_id = $${values.push(filter.clientId)}`);
  if (filter.referenceOrderId !== null) {
    if (filter.clientId === null) terms.push(`client_id in (${ORDER_CLIENT_IDS})`);
    terms.push('reference_order_id is not null', `reference_order_id = $${values.push(filter.referenceOrderId)}`);
  }
  return await database.snapshot(async (snapshot) => {
    const rows = await snapshot.query<Row>(
      `select ${SHOWN}
       from orders
       where ${terms.join(' and ')}
       order by position desc
       limit $1`,
      values,
    );
    const items = await Promise.all(rows.map(async (row) => await toStanding(snapshot.query, row)));
    return { items, next: nextCursor(rows, page, ({ position }) => String(position)) };
  });
};

/** The change feed: each order once, at the place of its latest change, oldest change first. */
export const followOrders = async (
  database: Database,
  { limit, cursor, clientId }: PageRequest & Pick<OrderFilter, 'clientId'>,
): Promise<FeedPage<Order>> => {
  const asked = { feed: 'orders', columns: SHOWN, filter: { client_id: clientId } } as const;
  return await database.snapshot(async (snapshot) => {
    const { rows, next } = await follow<Row>(snapshot, asked, { limit, cursor });
    return { items: await Promise.all(rows.map(async (row) => await toStanding(snapshot.query, row))), next };
  });
};
