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
export const look = async (way: Way, move: Move): Promise<Looked> =>
  await ask(way, move, move.kind === 'refund' ? refundOf(move) : paymentOf(move));

/** Asks for all that APO has done with the payment of a move. */
export const lookAtPayment = async (way: Way, move: Move): Promise<Looked> => await ask(way, move, paymentOf(move));

const refundOf = ({ requestId }: Move): Asked => ({ operation: 'inquiryRefund', refundRequestId: requestId });

const paymentOf = ({ paymentId }: Move): Asked => ({ operation: 'inquiryPayment', paymentId });

const ask = async ({ store, client, signal }: Way, move: Move, asked: Asked): Promise<Looked> => {
  const inquired = await inquire(store, { client, asked, signal });
  return { inquired, order: await orderOf(store, move) };
};
