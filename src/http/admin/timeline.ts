import { isIdentifier } from '../../order/identifier.ts';
import { ok } from './answer.ts';
import { type ClientNeeds, clientMeant, clientRequired } from './clients.ts';
import { endpoint } from './endpoint.ts';
import { ambiguous, ORDER_ID } from './orders.ts';
import { notFound } from './problem.ts';
import { ofClient } from './query.ts';
import { timeline as shape } from './shapes/timeline.ts';
import { idsOf, shownWith } from './timeline-shown.ts';
import type { SearchUnverified } from './unverified-search.ts';

interface Needs extends ClientNeeds {
  readonly search: SearchUnverified;
}

export const readTimeline = endpoint({
  method: 'get',
  path: '/api/orders/:id/timeline',
  name: 'readTimeline',
  tag: 'Orders',
  summary: 'Read all that is stored about an order',
  description:
    'Oldest first, each with what the order said from then on, by the rules of today; and why it says what it says.',
  id: ORDER_ID,
  query: ofClient,
  body: null,
  responses: { 200: { means: 'The timeline.', body: shape } },
  problems: ['CLIENT_REQUIRED', 'NOT_FOUND', 'AMBIGUOUS_ORDER'],
  answer:
    ({ store, clientIds, search }: Needs) =>
    async ({ id, query }) => {
      const clientId = clientMeant(query.clientId, clientIds);
      if (clientId === null) return clientRequired();
      const [order, ...others] = isIdentifier(id) ? await store().findOrders({ clientId, id }) : [];
      if (order === undefined) return notFound('order');
      if (others.length > 0) return ambiguous([order, ...others]);
      const timeline = await store().timeline(order);
      return timeline === null ? notFound('order') : ok(shownWith(timeline, await search(idsOf(timeline))));
    },
});
