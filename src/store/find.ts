import type { OrderRules } from '../order/rules.ts';
import { clientIds, listNotifications } from './notifications.ts';
import { readOrders } from './orders.ts';
import { distinctKeys, type OrderKey, registrationKey } from './order-key.ts';
import { gatherRefundGroups } from './refund-groups.ts';
import { toListed, toRefundRegistration } from './refunds.ts';
import { ANY_NOTIFICATION, type Found } from './lists.ts';
import type { Database, Query } from './transaction.ts';

/** So much is shown of each. */
const AT_MOST = 100;

/** Everything that carries an identifier, or is of a shop order with it; of all clients where `clientId` is null. */
export const find = async (
  database: Database,
  { clientId, id }: { readonly clientId: string | null; readonly id: string },
  rules: OrderRules,
): Promise<Found> => {
  const filter = { ...ANY_NOTIFICATION, clientId, id };
  const { items: notifications } = await listNotifications(database, filter, { limit: AT_MOST, cursor: null });
  return await database.snapshot(async (snapshot) => {
    const { query } = snapshot;
    const clients = clientId === null ? await clientIds(snapshot) : [clientId];
    const names = clients.flatMap((client) => [
      { clientId: client, name: 'refundRequestId', value: id } as const,
      { clientId: client, name: 'refundId', value: id } as const,
    ]);
    const groups = await gatherRefundGroups(query, names);
    const refunds = (await Promise.all(groups.map(async (group) => await toListed(query, group)))).flat();
    const registered = groups.flatMap(({ registrations }) => registrations);
    const keys: readonly OrderKey[] = distinctKeys([
      ...notifications.flatMap((one) =>
        one.paymentId === null ? [] : [{ clientId: one.clientId, orderKey: one.paymentId }],
      ),
      ...refunds.flatMap((one) => one.paymentIds.map((orderKey) => ({ clientId: one.clientId, orderKey }))),
      ...registered.flatMap(({ statement: { clientId: client, target }, payments }) =>
        [target, ...payments].map((orderKey) => ({ clientId: client, orderKey })),
      ),
      ...clients.map((client) => ({ clientId: client, orderKey: registrationKey(id) })),
      ...(await keysOfShopOrder(query, clients, id)),
    ]);
    const orders = await readOrders(snapshot, await present(query, keys), rules);
    const only = groups.flatMap(({ rows, registrations }) => (rows.length === 0 ? registrations : []));
    const refundRegistrations = only.map(({ statement }) => toRefundRegistration(statement));
    return { orders, notifications, refunds, refundRegistrations };
  });
};

const keysOfShopOrder = async (
  query: Query,
  clients: readonly string[],
  referenceOrderId: string,
): Promise<readonly OrderKey[]> => {
  const found = await Promise.all(
    clients.map(async (clientId) => {
      const rows = await query<{ order_key: string }>(
        `select order_key
         from orders
         where client_id = $1 and reference_order_id is not null and reference_order_id = $2
         order by position desc
         limit $3`,
        [clientId, referenceOrderId, AT_MOST],
      );
      return rows.map((row) => ({ clientId, orderKey: row.order_key }));
    }),
  );
  return found.flat();
};

/** Those that have a row, at most so many as are shown, the latest change first. */
const present = async (query: Query, keys: readonly OrderKey[]): Promise<readonly OrderKey[]> => {
  const found = await Promise.all(
    keys.map(async (key) => {
      const [row] = await query<{ position: number | string }>(
        'select position from orders where client_id = $1 and order_key = $2',
        [key.clientId, key.orderKey],
      );
      return row === undefined ? [] : [{ key, position: BigInt(String(row.position)) }];
    }),
  );
  return found
    .flat()
    .sort((a, b) => (a.position < b.position ? 1 : -1))
    .slice(0, AT_MOST)
    .map(({ key }) => ({ clientId: key.clientId, orderKey: key.orderKey }));
};
