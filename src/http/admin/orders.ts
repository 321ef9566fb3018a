import { z } from 'zod';
import { ATTENTION_CODES } from '../../order/attention-code.ts';
import { isIdentifier } from '../../order/identifier.ts';
import { NEXT_ACTIONS } from '../../order/next-action.ts';
import type { Order } from '../../order/order.ts';
import { ORDER_STATUSES } from '../../order/status.ts';
import type { Reply } from '../reply.ts';
import { type ClientNeeds, clientMeant, clientRequired } from './clients.ts';
import { type Endpoint, endpoint, ok } from './endpoint.ts';
import { notFound, problem } from './problem.ts';
import { clientFilter, identifier, pageReply, ofClient, oneOf, orNull, paging } from './query.ts';

const listing = z
  .strictObject({
    status: orNull(oneOf(ORDER_STATUSES)),
    attention: orNull(oneOf(ATTENTION_CODES)),
    nextAction: orNull(oneOf(NEXT_ACTIONS)),
    referenceOrderId: orNull(identifier),
    ...clientFilter,
    after: paging.cursor,
    ...paging,
  })
  .refine(
    ({ after, status, attention, nextAction, referenceOrderId, cursor }) =>
      after === null || (status ?? attention ?? nextAction ?? referenceOrderId ?? cursor) === null,
    { error: 'after goes with clientId and limit only: the feed holds every order' },
  );

export interface OrderEndpoints {
  readonly list: Endpoint;
  readonly find: Endpoint;
}

export const createOrderEndpoints = ({ store, clientIds }: ClientNeeds): OrderEndpoints => ({
  list: endpoint(listing, async ({ query: { after, limit, cursor, ...filter } }) =>
    after === null
      ? await pageReply({ limit, cursor }, (page) => store().listOrders(filter, page))
      : await pageReply({ limit, cursor: after }, (page) =>
          store().followOrders({ ...page, clientId: filter.clientId }),
        ),
  ),
  find: endpoint(ofClient, async ({ id, query }) => {
    const clientId = clientMeant(query.clientId, clientIds);
    if (clientId === null) return clientRequired();
    return orderReply(isIdentifier(id) ? await store().findOrders({ clientId, id }) : []);
  }),
});

const orderReply = (orders: readonly Order[]): Reply => {
  const [order, ...others] = orders;
  if (order === undefined) return notFound('order');
  return others.length === 0 ? ok(order) : ambiguous(orders);
};

/** Names the orders that an id may mean. */
export const ambiguous = (orders: readonly Order[]): Reply =>
  problem('AMBIGUOUS_ORDER', 'Several payments name this paymentRequestId: ask for one by its paymentId.', {
    orders: orders.map(toName),
  });

const toName = ({ clientId, paymentId, paymentRequestId }: Order) => ({ clientId, paymentId, paymentRequestId });
