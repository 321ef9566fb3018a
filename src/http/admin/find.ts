import { z } from 'zod';
import type { Found } from '../../store/store.ts';
import { ok } from './answer.ts';
import { type ClientNeeds, unknownClient } from './clients.ts';
import { endpoint } from './endpoint.ts';
import { clientFilter, requiredIdentifier } from './query.ts';
import { markedUnverified, notification } from './shapes/notification.ts';
import { order } from './shapes/order.ts';
import { textOrNull } from './shapes/plain.ts';
import { listOf, shapeOf } from './shapes/shape.ts';
import { listedRefund, refundRegistration } from './shapes/shop.ts';
import type { Search, SearchUnverified } from './unverified-search.ts';

const sought = z.strictObject({ ...clientFilter, id: requiredIdentifier });

interface Needs extends ClientNeeds {
  readonly search: SearchUnverified;
}

const found = shapeOf<Found & Search>('Found')({
  orders: listOf(order),
  notifications: listOf(notification),
  refunds: listOf(listedRefund),
  refundRegistrations: listOf(refundRegistration).describe('Of refunds whose notification has not come.'),
  unverified: listOf(markedUnverified).describe('Those whose bytes hold the id literally.'),
  notSearched: textOrNull.describe('Why the unverified requests were not searched; null where they were.'),
});

/**
 * Everything that carries an identifier. Nobody vouches for what an unverified request says, so those are found by
 * their bytes, whatever client they name, and listed apart.
 */
export const find = endpoint({
  method: 'get',
  path: '/api/find',
  name: 'find',
  tag: 'Orders',
  summary: 'Find everything that carries an identifier',
  description:
    'Orders, notifications and refunds by any identifier of APO or by `referenceOrderId`, at most 100 of each; and apart from them up to 20 unverified requests whose bytes hold the id, which needs at least 6 characters. One such search runs at a time.',
  id: null,
  query: sought,
  body: null,
  responses: { 200: { means: 'What carries the identifier.', body: found } },
  problems: ['UNKNOWN_CLIENT'],
  answer:
    ({ store, clientIds, search }: Needs) =>
    async ({ query: { clientId, id } }) => {
      const refusal = await unknownClient(clientId, { store, clientIds });
      if (refusal !== null) return refusal;
      const [verified, unverified] = await Promise.all([store().find(clientId, id), search([id])]);
      return ok({ ...verified, ...unverified });
    },
});
