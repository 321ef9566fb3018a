import type { Order } from '../order/order.ts';
import type { Store } from '../store/store.ts';
import type { Moves } from './moves.ts';

const AT_ONCE = 100;
const DUE = { clientId: null, status: null, attention: null, referenceOrderId: null, nextAction: 'CAPTURE' } as const;

/** Captures what orders say is to be captured, where a registration says the amount; one at a time. */
export const captureByRegistration = async (store: Store, moves: Moves, isStopping: () => boolean): Promise<void> => {
  for (let cursor: string | null = null, more = true; more && !isStopping(); more = cursor !== null) {
    const page: Awaited<ReturnType<Store['listOrders']>> = await store.listOrders(DUE, { limit: AT_ONCE, cursor });
    for (const order of page.items) if (!isStopping()) await capture(store, moves, order);
    cursor = page.next;
  }
};

/** Once the shop, or we, have captured anything, or tried to, the rest is a matter for the shop. */
const capture = async (store: Store, moves: Moves, order: Order): Promise<void> => {
  const { clientId, paymentId, status, captureMode, expectedAmount } = order;
  if (paymentId === null || status !== 'AUTHORIZED' || captureMode !== 'MANUAL' || expectedAmount === null) return;
  if ((await store.listMoves(clientId, paymentId)).some(({ kind }) => kind === 'capture')) return;
  const all = { amount: null, requestId: null, captureId: null, isLast: null };
  await moves.make({ clientId, id: paymentId, kind: 'capture', ...all });
};
