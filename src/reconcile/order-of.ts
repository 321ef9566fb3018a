import type { Order } from '../order/order.ts';
import type { Store } from '../store/store.ts';

/** What names one order: a registration has no `paymentId`. */
type Named = Pick<Order, 'clientId' | 'paymentId'> & Partial<Pick<Order, 'paymentRequestId'>>;

/** As of this very moment; null where it is not there any more. */
export const orderOf = async (
  store: Pick<Store, 'findOrders'>,
  { clientId, paymentId, paymentRequestId = null }: Named,
): Promise<Order | null> => {
  const orders = await store.findOrders({ clientId, id: paymentId ?? paymentRequestId ?? '' });
  return orders.find((order) => order.paymentId === paymentId) ?? null;
};
