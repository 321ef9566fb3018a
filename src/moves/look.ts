import type { CallResult } from '../antom/call-result.ts';
import type { AntomClient } from '../antom/client.ts';
import { readInquiry } from '../handlers/inquiry.ts';
import type { Asked } from '../order/asked.ts';
import type { Order } from '../order/order.ts';
import { type InquiryDelivery, type Move, type Store, StoreRejectedError } from '../store/store.ts';

export interface Looked {
  /** Null where it is not there any more. */
  readonly order: Order | null;
  /** APO has answered, and this is what the order says with it. */
  readonly hasAnswered: boolean;
  /** APO knows no such refund. */
  readonly isUnknownThere: boolean;
}

/**
 * Asks APO what became of a move, and stores the answer as the fact that it is: the order follows, whether or not a
 * notification ever comes.
 */
export const look = async (
  { store, client }: { readonly store: Store; readonly client: AntomClient },
  move: Move,
  signal: AbortSignal,
): Promise<Looked> => {
  const { clientId, paymentId } = move;
  const asked: Asked =
    move.kind === 'refund'
      ? { operation: 'inquiryRefund', refundRequestId: move.requestId }
      : { operation: 'inquiryPayment', paymentId };
  const result: CallResult<unknown> =
    asked.operation === 'inquiryRefund'
      ? await client.inquiryRefund(asked, signal)
      : await client.inquiryPayment(asked, signal);
  if (result.outcome === 'OK')
    await keep(store, { read: readInquiry(result.evidence.verified, asked), receivedAt: new Date() });
  return {
    order: await orderOf(store, { clientId, paymentId }),
    hasAnswered: result.outcome === 'OK',
    isUnknownThere: result.outcome === 'FAILED' && result.failure === 'NOT_FOUND',
  };
};

const keep = async (store: Store, inquiry: InquiryDelivery): Promise<void> => {
  try {
    await store.recordInquiry(inquiry);
  } catch (error) {
    if (!(error instanceof StoreRejectedError)) throw error;
    await store.recordInquiry({ ...inquiry, inapplicable: true });
  }
};

export const orderOf = async (
  store: Store,
  { clientId, paymentId }: Pick<Move, 'clientId' | 'paymentId'>,
): Promise<Order | null> =>
  (await store.findOrders({ clientId, id: paymentId })).find((order) => order.paymentId === paymentId) ?? null;
