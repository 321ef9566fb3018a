import { z } from 'zod';
import type { AttentionCode } from '../../order/attention.ts';
import type { Order, OrderStatus } from '../../order/order.ts';
import type { Store } from '../../store/store.ts';
import { type Answer, type Endpoint, endpoint, ok } from './answer.ts';
import { type ClientIds, clientMeant, clientRequired } from './clients.ts';
import { notFound, problem } from './problem.ts';
import { answerPage, isIdentifier, ofClient, oneOf, orNull, paging, wordsOf } from './query.ts';

export const STATUSES = wordsOf<OrderStatus>({
  CAPTURED: true,
  PARTIALLY_CAPTURED: true,
  AUTHORIZED: true,
  FAILED: true,
  PROCESSING: true,
  PENDING: true,
});

/** AUTHORIZATION_EXPIRING looks at the clock: it is derived when read, and cannot be looked for. */
export const ATTENTION_LOOKED_FOR = wordsOf<Exclude<AttentionCode, 'AUTHORIZATION_EXPIRING'>>({
  CONTRADICTORY_RESULT: true,
  CONTRADICTORY_AMOUNT: true,
  CONTRADICTORY_IDENTITY: true,
  AMOUNT_MISMATCH: true,
  CURRENCY_MISMATCH: true,
  OVER_CAPTURED: true,
  AMOUNT_UNKNOWN: true,
  UNREADABLE_NOTIFICATION: true,
  CAPTURE_WITHOUT_PAYMENT: true,
  CAPTURE_FAILED: true,
});

const listing = z
  .strictObject({
    status: orNull(oneOf(STATUSES)),
    attention: orNull(oneOf(ATTENTION_LOOKED_FOR)),
    after: paging.cursor,
    ...paging,
  })
  .refine(({ after, status, attention, cursor }) => after === null || (status ?? attention ?? cursor) === null, {
    error: 'after goes with limit only: the feed holds every order',
  });

export interface OrderEndpoints {
  readonly list: Endpoint;
  readonly find: Endpoint;
}

export const createOrderEndpoints = ({ store, clientIds }: { readonly store: () => Store; readonly clientIds: ClientIds }): OrderEndpoints => ({
  list: endpoint(listing, async ({ query: { status, attention, after, limit, cursor } }) =>
    after === null
      ? await answerPage({ limit, cursor }, (page) => store().listOrders({ status, attention }, page))
      : await answerPage({ limit, cursor: after }, (page) => store().followOrders(page)),
  ),
  find: endpoint(ofClient, async ({ id, query }) => {
    const clientId = clientMeant(query.clientId, clientIds);
    if (clientId === null) return clientRequired();
    return answerOrders(isIdentifier(id) ? await store().findOrders(clientId, id) : []);
  }),
});

const answerOrders = (orders: readonly Order[]): Answer => {
  const [order, ...others] = orders;
  if (order === undefined) return notFound('order');
  return others.length === 0
    ? ok(order)
    : problem('AMBIGUOUS_ORDER', 'Several payments name this paymentRequestId: ask for one by its paymentId.', { orders: orders.map(toName) });
};

const toName = ({ clientId, paymentId, paymentRequestId }: Order) => ({ clientId, paymentId, paymentRequestId });
