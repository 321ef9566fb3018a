import { isIdentifier } from '../../order/identifier.ts';
import type { Order } from '../../order/order.ts';
import type { ReviewResult, WithdrawResult } from '../../store/store.ts';
import { type Answer, ok } from './answer.ts';
import { type ClientNeeds, clientMeant } from './clients.ts';
import { endpoint } from './endpoint.ts';
import { ambiguous, noSuchOrder, ORDER_ID } from './orders.ts';
import { notFound, problem, type Refusal } from './problem.ts';
import { nothing, ofClient } from './query.ts';
import { decision } from './said.ts';
import { order } from './shapes/order.ts';

/* An order of a client that is not configured any more is reviewed too. */

export const decide = endpoint({
  method: 'put',
  path: '/api/orders/:id/review',
  name: 'reviewOrder',
  tag: 'Orders',
  summary: 'Settle what a person has decided',
  description:
    '`revision` is that of the order that the person saw; another one is 409 and shows the order as it is now. FULFIL ships an order that is CAPTURED in spite of its attention; CLOSE ends it.',
  id: ORDER_ID,
  query: nothing,
  body: decision,
  responses: { 200: { means: 'The order as it is now.', body: order } },
  problems: ['CLIENT_REQUIRED', 'NOT_FOUND', 'AMBIGUOUS_ORDER', 'REVISION_OUTDATED', 'ORDER_NOT_CAPTURED'],
  answer:
    (needs: ClientNeeds) =>
    async ({ id, said: { clientId: named, ...said } }) => {
      const clientId = clientMeant(named, needs.clientIds, 'body');
      if (typeof clientId !== 'string') return clientId;
      const result = isIdentifier(id) ? await needs.store().review({ clientId, id, ...said }, new Date()) : UNKNOWN;
      return result.kind === 'unknown' ? await noSuchOrder(named, needs) : reviewed(result);
    },
});

export const withdraw = endpoint({
  method: 'delete',
  path: '/api/orders/:id/review',
  name: 'withdrawReview',
  tag: 'Orders',
  summary: 'Take a review back',
  description: 'The order is then as if nobody had decided.',
  id: ORDER_ID,
  query: ofClient,
  body: null,
  responses: { 200: { means: 'The order as it is now.', body: order } },
  problems: ['CLIENT_REQUIRED', 'NOT_FOUND', 'AMBIGUOUS_ORDER'],
  answer:
    (needs: ClientNeeds) =>
    async ({ id, query: { clientId: named } }) => {
      const clientId = clientMeant(named, needs.clientIds, 'query');
      if (typeof clientId !== 'string') return clientId;
      const result = isIdentifier(id) ? await needs.store().withdrawReview({ clientId, id }, new Date()) : UNKNOWN;
      return result.kind === 'unknown' ? await noSuchOrder(named, needs) : withdrawn(result);
    },
});

const UNKNOWN = { kind: 'unknown' } as const;

const reviewed = (
  result: Exclude<ReviewResult, typeof UNKNOWN>,
): Answer<200, Order> | Refusal<'AMBIGUOUS_ORDER' | 'REVISION_OUTDATED' | 'ORDER_NOT_CAPTURED'> => {
  switch (result.kind) {
    case 'reviewed':
      return ok(result.order);
    case 'ambiguous':
      return ambiguous(result.orders);
    case 'outdated':
      return problem(
        'REVISION_OUTDATED',
        `This is not the order that you saw: its revision is ${result.order.revision} now. Look at the order again, and decide with that revision.`,
        { order: result.order },
      );
    case 'not captured':
      return problem(
        'ORDER_NOT_CAPTURED',
        `FULFIL needs an order that is CAPTURED, and this one is ${result.order.status}: wait for the money, or decide CLOSE.`,
        { order: result.order },
      );
  }
};

const withdrawn = (
  result: Exclude<WithdrawResult, typeof UNKNOWN>,
): Answer<200, Order> | Refusal<'NOT_FOUND' | 'AMBIGUOUS_ORDER'> => {
  switch (result.kind) {
    case 'withdrawn':
      return ok(result.order);
    case 'no review':
      return notFound('review');
    case 'ambiguous':
      return ambiguous(result.orders);
  }
};
