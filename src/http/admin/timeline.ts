import { ok } from './answer.ts';
import type { ClientNeeds } from './clients.ts';
import { endpoint } from './endpoint.ts';
import { NO_ORDER, ORDER_ID, orderMeant } from './orders.ts';
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
    (needs: Needs) =>
    async ({ id, query }) => {
      const order = await orderMeant(needs, id, query.clientId);
      if ('code' in order) return order;
      const timeline = await needs.store().timeline(order);
      return timeline === null ? NO_ORDER : ok(shownWith(timeline, await needs.search(idsOf(timeline))));
    },
});
