import type { DerivedOrder, Order } from '../order/order.ts';
import { isoTime } from '../order/time.ts';
import type { StandingRow, StoredOrder } from './stored-order.ts';

/** An order as it is kept in its row, beside the columns that hold the rest. */
export type OrderContent = Omit<Order, 'revision' | 'updatedAt'>;

export const toContent = (
  { createdAt, replaces }: Pick<StoredOrder, 'createdAt' | 'replaces'>,
  order: DerivedOrder,
): OrderContent => ({ ...order, replaces, createdAt: isoTime(createdAt) });

/** As it is shown. */
export const toShown = (
  { clientId, paymentId, paymentRequestId, referenceOrderId, ...others }: OrderContent,
  { revision, updatedAt }: Pick<StandingRow, 'revision' | 'updatedAt'>,
): Order => ({
  clientId,
  paymentId,
  paymentRequestId,
  referenceOrderId,
  revision,
  ...others,
  updatedAt: isoTime(updatedAt),
});
