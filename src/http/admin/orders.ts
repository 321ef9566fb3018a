import { z } from 'zod';
import { ATTENTION_CODES } from '../../order/attention-code.ts';
import { isIdentifier } from '../../order/identifier.ts';
import { NEXT_ACTIONS } from '../../order/next-action.ts';
import type { Order } from '../../order/order.ts';
import { ORDER_STATUSES } from '../../order/status.ts';
import type { OrderFilter, PageRequest } from '../../store/store.ts';
import { ok, pageAnswer } from './answer.ts';
import { clientAdvice, type ClientNeeds, clientMeant, unknownClient } from './clients.ts';
import { endpoint } from './endpoint.ts';
import { createFollowing, type FeedNeeds } from './feed.ts';
import { notFound, problem, type Refusal } from './problem.ts';
import { clientFilter, following, identifier, ofClient, oneOf, orNull, paging } from './query.ts';
import { order } from './shapes/order.ts';
import { pageOf } from './shapes/plain.ts';

const listing = z
  .strictObject({
    status: orNull(oneOf(ORDER_STATUSES)),
    attention: orNull(oneOf(ATTENTION_CODES)),
    nextAction: orNull(oneOf(NEXT_ACTIONS)),
    referenceOrderId: orNull(identifier),
    ...clientFilter,
    ...following,
    ...paging,
  })
  .refine(({ after, wait }) => after !== null || wait === null, { error: 'wait goes with after only' })
  .refine(
    ({ after, status, attention, nextAction, referenceOrderId, cursor }) =>
      after === null || (status ?? attention ?? nextAction ?? referenceOrderId ?? cursor) === null,
    { error: 'after goes with clientId, limit and wait only: the feed holds every order' },
  );

export const listOrders = endpoint({
  method: 'get',
  path: '/api/orders',
  name: 'listOrders',
  tag: 'Orders',
  summary: 'List orders, or follow their changes',
  description:
    'Newest change first. With `after`, which goes with `clientId`, `limit` and `wait` alone, the change feed: each order once, at the place of its latest change, oldest change first; `next` is then always given, and may advance on an empty page. A cursor of another generation of the database is 410: start again at `after=0`, and of each order keep the state with the greatest `revision`.',
  id: null,
  query: listing,
  body: null,
  responses: { 200: { means: 'A page of orders.', body: pageOf('OrderPage', order) } },
  problems: ['CURSOR_OUTDATED', 'UNKNOWN_CLIENT'],
  answer: ({ store, clientIds, feedWatch }: ClientNeeds & FeedNeeds) => {
    const follow = createFollowing(feedWatch, {
      feed: 'orders',
      read: async (page: PageRequest & Pick<OrderFilter, 'clientId'>) => await store().followOrders(page),
    });
    return async ({ query: { after, wait, limit, cursor, ...filter }, gone }) =>
      (await unknownClient(filter.clientId, { store, clientIds })) ??
      (after === null
        ? await pageAnswer({ limit, cursor }, (page) => store().listOrders(filter, page))
        : await follow({ page: { limit, cursor: after, clientId: filter.clientId }, wait, gone }));
  },
});

export const ORDER_ID = {
  means: 'A `paymentId`, or the `paymentRequestId` of one payment.',
  schema: identifier,
};

export const findOrder = endpoint({
  method: 'get',
  path: '/api/orders/:id',
  name: 'findOrder',
  tag: 'Orders',
  summary: 'Read one order',
  description: 'As of this very moment; the lists show it as of its last change, at most a minute old.',
  id: ORDER_ID,
  query: ofClient,
  body: null,
  responses: { 200: { means: 'The order.', body: order } },
  problems: ['CLIENT_REQUIRED', 'NOT_FOUND', 'AMBIGUOUS_ORDER'],
  answer:
    (needs: ClientNeeds) =>
    async ({ id, query }) => {
      const found = await orderMeant(needs, id, query.clientId);
      return 'code' in found ? found : ok(found);
    },
});

const noOrder = (...advice: readonly string[]): Refusal<'NOT_FOUND'> =>
  notFound(
    'order',
    'It is named by its paymentId or paymentRequestId; /api/orders?referenceOrderId= lists those of a shop order.',
    ...advice,
  );
export const NO_ORDER = noOrder();

/** The same; `named` is the client that the request names. */
export const noSuchOrder = async (named: string | null, needs: ClientNeeds): Promise<Refusal<'NOT_FOUND'>> =>
  noOrder(...(await clientAdvice(named, needs)));

/** The one order of an id; `named` is the client that the request names. */
export const orderMeant = async (
  needs: ClientNeeds,
  id: string,
  named: string | null,
): Promise<Order | Refusal<'CLIENT_REQUIRED' | 'NOT_FOUND' | 'AMBIGUOUS_ORDER'>> => {
  const clientId = clientMeant(named, needs.clientIds, 'query');
  if (typeof clientId !== 'string') return clientId;
  const orders = isIdentifier(id) ? await needs.store().findOrders({ clientId, id }) : [];
  const [one, ...others] = orders;
  if (one === undefined) return await noSuchOrder(named, needs);
  return others.length === 0 ? one : ambiguous(orders);
};

/** Names the orders that an id may mean. */
export const ambiguous = (orders: readonly Order[]): Refusal<'AMBIGUOUS_ORDER'> =>
  problem('AMBIGUOUS_ORDER', 'Several payments name this paymentRequestId: ask for one by its paymentId.', {
    orders: orders.map(toName),
  });

export const toName = ({ clientId, paymentId, paymentRequestId }: Order) => ({ clientId, paymentId, paymentRequestId });
