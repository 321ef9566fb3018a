import { z } from 'zod';
import type { Found, Store, UnverifiedSummary } from '../../store/store.ts';
import { ok } from './answer.ts';
import { endpoint } from './endpoint.ts';
import { clientFilter, requiredIdentifier } from './query.ts';
import { type MarkedUnverified, markedUnverified, notification } from './shapes/notification.ts';
import { order } from './shapes/order.ts';
import { textOrNull } from './shapes/plain.ts';
import { listOf, shapeOf } from './shapes/shape.ts';
import { listedRefund } from './shapes/shop.ts';

const sought = z.strictObject({ ...clientFilter, id: requiredIdentifier });

/** Fewer characters are in nearly every request. */
const SHORTEST = 6;
const MOST = 20;

interface Search {
  readonly unverified: readonly MarkedUnverified[];
  /** Why the unverified requests were not searched; null where they were. */
  readonly notSearched: string | null;
}

const found = shapeOf<Found & Search>('Found')({
  orders: listOf(order),
  notifications: listOf(notification),
  refunds: listOf(listedRefund),
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
  problems: [],
  answer: ({ store }: { readonly store: () => Store }) => {
    const search = createSearch(store);
    return async ({ query: { clientId, id } }) => {
      const [{ orders, notifications, refunds }, unverified] = await Promise.all([
        store().find(clientId, id),
        search(id),
      ]);
      return ok({ orders, notifications, refunds, ...unverified });
    };
  },
});

/** A search reads every unverified request: one at a time. What is verified is found meanwhile as well. */
const createSearch = (store: () => Store): ((id: string) => Promise<Search>) => {
  let searching = false;
  return async (id) => {
    if (Array.from(id).length < SHORTEST) return notSearched(TOO_SHORT);
    if (searching) return notSearched(BUSY);
    searching = true;
    try {
      return { unverified: (await store().findInUnverified(id, MOST)).map(marked), notSearched: null };
    } finally {
      searching = false;
    }
  };
};

const marked = (summary: UnverifiedSummary): MarkedUnverified => ({ ...summary, verified: false });
const notSearched = (reason: string): Search => ({ unverified: [], notSearched: reason });
const TOO_SHORT = `The unverified requests were not searched: the id has fewer than ${SHORTEST} characters.`;
const BUSY = 'The unverified requests were not searched: another search is under way. Ask again in a moment.';
