import type { Order } from '../order/order.ts';
import { ANY_ORDER, pagesOf, type Store } from '../store/store.ts';
import type { Moves } from './moves.ts';

const AT_ONCE = 100;
const DUE = { ...ANY_ORDER, nextAction: 'CAPTURE' } as const;

interface AutoCapture {
  readonly store: Store;
  readonly moves: Moves;
  readonly isStopping: () => boolean;
  /** Told of an order that still says CAPTURE, and why it is not. */
  readonly onNotCaptured: (order: Order, reason: string) => void;
}

/** Captures what orders say is to be captured, where a registration says the amount; one at a time. */
export const captureByRegistration = async (work: AutoCapture): Promise<void> => {
  const { store, isStopping } = work;
  const pages = pagesOf(async (page) => await store.listOrders(DUE, page), AT_ONCE, isStopping);
  for await (const items of pages) for (const order of items) if (!isStopping()) await capture(work, order);
};

/** Once the shop, or we, have captured or cancelled anything, or tried to, the rest is a matter for the shop. */
const capture = async ({ store, moves, onNotCaptured }: AutoCapture, order: Order): Promise<void> => {
  const { clientId, paymentId, status, captureMode, expectedAmount } = order;
  if (paymentId === null || status !== 'AUTHORIZED' || captureMode !== 'MANUAL' || expectedAmount === null) return;
  const tried = (await store.listMoves(clientId, paymentId)).filter(({ kind }) => kind !== 'refund');
  if (tried.some(({ status: came }) => came !== 'FAILED')) return;
  // It failed in a way that says nothing of the order: it goes on to say CAPTURE.
  if (tried.length > 0) return onNotCaptured(order, 'FAILED');
  const all = { amount: null, requestId: null, captureId: null, isLast: null };
  const made = await moves.make({ clientId, id: paymentId, kind: 'capture', ...all });
  if (made.kind === 'no key') onNotCaptured(order, 'NO_KEY');
  else if (made.kind === 'conflict') onNotCaptured(order, 'ID_USED');
  // It may have changed since it was listed.
  else if (made.kind === 'refused' && made.order.nextAction === 'CAPTURE') onNotCaptured(order, made.refused.reason);
};
