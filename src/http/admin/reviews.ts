import { isIdentifier } from '../../order/identifier.ts';
import type { ReviewResult, WithdrawResult } from '../../store/store.ts';
import type { Reply } from '../reply.ts';
import { readSaid } from './body.ts';
import { type ClientNeeds, clientMeant, clientRequired } from './clients.ts';
import { type Endpoint, endpoint, ok } from './endpoint.ts';
import { ambiguous } from './orders.ts';
import { notFound, problem } from './problem.ts';
import { nothing, ofClient } from './query.ts';
import { decision } from './said.ts';

export interface ReviewEndpoints {
  readonly decide: Endpoint;
  readonly withdraw: Endpoint;
}

/** `PUT` and `DELETE /api/orders/:id/review`; an order of a client that is not configured any more is reviewed too. */
export const createReviewEndpoints = ({ store, clientIds }: ClientNeeds): ReviewEndpoints => ({
  decide: endpoint(nothing, async (request) => {
    const read = readSaid(request, decision);
    if ('refusal' in read) return read.refusal;
    const { clientId: named, ...said } = read.said;
    const { id } = request;
    const clientId = clientMeant(named, clientIds);
    if (clientId === null) return clientRequired();
    return isIdentifier(id) ? reviewed(await store().review({ clientId, id, ...said }, new Date())) : notFound('order');
  }),
  withdraw: endpoint(ofClient, async ({ id, query }) => {
    const clientId = clientMeant(query.clientId, clientIds);
    if (clientId === null) return clientRequired();
    return isIdentifier(id) ? withdrawn(await store().withdrawReview({ clientId, id }, new Date())) : notFound('order');
  }),
});

const reviewed = (result: ReviewResult): Reply => {
  switch (result.kind) {
    case 'reviewed':
      return ok(result.order);
    case 'unknown':
      return notFound('order');
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

const withdrawn = (result: WithdrawResult): Reply => {
  switch (result.kind) {
    case 'withdrawn':
      return ok(result.order);
    case 'unknown':
      return notFound('order');
    case 'no review':
      return notFound('review');
    case 'ambiguous':
      return ambiguous(result.orders);
  }
};
