import type { AntomClient } from '../antom/client.ts';
import type { Asked } from '../order/asked.ts';
import type { Order } from '../order/order.ts';
import { inquire, type Inquired } from '../reconcile/inquire.ts';
import { orderOf } from '../reconcile/order-of.ts';
import type { Move, Store } from '../store/store.ts';

export interface Looked {
  readonly inquired: Inquired;
  /** As it stands with the answer; null where it is not there any more. */
  readonly order: Order | null;
}

interface Way {
  readonly store: Store;
  readonly client: AntomClient;
  readonly signal: AbortSignal;
}

/** Asks APO what became of a move; the answer is stored, and the order follows. */
export const look = async ({ store, client, signal }: Way, move: Move): Promise<Looked> => {
  const asked: Asked =
    move.kind === 'refund'
      ? { operation: 'inquiryRefund', refundRequestId: move.requestId }
      : { operation: 'inquiryPayment', paymentId: move.paymentId };
  const inquired = await inquire(store, { client, asked, signal });
  return { inquired, order: await orderOf(store, move) };
};
