import { hash } from 'node:crypto';
import type { Order } from '../order/order.ts';
import type { DeliveredState } from './callback.ts';
import { nameOfOrder, type OrderKey, orderKeyOf } from './order-key.ts';
import { readStanding } from './orders.ts';
import type { Count, Snapshot } from './transaction.ts';

/** Orders as of their last commit or sweep, by their names (`nameOfOrder`). */
export const readByName = async (
  snapshot: Snapshot,
  keys: readonly OrderKey[],
): Promise<ReadonlyMap<string, Order>> => {
  const orders = await readStanding(snapshot, keys);
  return new Map(
    orders.map((order) => [nameOfOrder({ clientId: order.clientId, orderKey: orderKeyOf(order) }), order]),
  );
};

/** Tells whether an order says the same in another database: all of it but what tells of our commits. */
export const settledDigest = ({
  revision: _revision,
  replaces: _replaces,
  updatedAt: _updated,
  ...said
}: Order): string => hash('sha256', JSON.stringify(said), 'hex').slice(0, 32);

/** What `previous` is made of, as it stands in a row of `callback_orders`. */
export interface DeliveredColumns {
  readonly delivered_revision: Count | null;
  readonly delivered: string | null;
}

export const writeDelivered = ({ status, fulfillable, nextAction }: Omit<DeliveredState, 'revision'>): string =>
  JSON.stringify({ status, fulfillable, nextAction });

export const readDelivered = ({ delivered_revision, delivered }: DeliveredColumns): DeliveredState | null =>
  delivered_revision === null || delivered === null
    ? null
    : { revision: Number(delivered_revision), ...(JSON.parse(delivered) as Omit<DeliveredState, 'revision'>) };
