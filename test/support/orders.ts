import type { Order } from '../../src/order/order.ts';
import type { Receiver } from './receiver.ts';

/** The feed from its beginning: every order, as it is served. */
export const ordersOf = async ({ read }: Pick<Receiver, 'read'>): Promise<readonly Order[]> => {
  const orders: Order[] = [];
  for (let after = '0'; ;) {
    const { json } = await read(`/api/orders?after=${after}&limit=200`);
    const { items, next } = json as { readonly items: readonly Order[]; readonly next: string };
    if (items.length === 0) return orders;
    orders.push(...items);
    after = next;
  }
};
