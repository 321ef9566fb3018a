import { z } from 'zod';
import type { Store, UnverifiedSummary } from '../../store/store.ts';
import { type Endpoint, endpoint, ok } from './endpoint.ts';
import { identifier, ofClient } from './query.ts';

const sought = ofClient.extend({ id: z.string('is required').pipe(identifier) });

/** Fewer characters are in nearly every request. */
const SHORTEST = 6;
const MOST = 20;

interface Unverified extends UnverifiedSummary {
  readonly verified: false;
}

interface Search {
  readonly unverified: readonly Unverified[];
  /** Why the unverified requests were not searched; null where they were. */
  readonly notSearched: string | null;
}

/**
 * `GET /api/find?id=`: everything that carries an identifier. Nobody vouches for what an unverified request says, so
 * those are found by their bytes, whatever client they name, and listed apart.
 */
export const createFinding = ({ store }: { readonly store: () => Store }): Endpoint => {
  const search = createSearch(store);
  return endpoint(sought, async ({ query: { clientId, id } }) => {
    const [found, unverified] = await Promise.all([store().find(clientId, id), search(id)]);
    return ok({ orders: found.orders, notifications: found.notifications, refunds: found.refunds, ...unverified });
  });
};

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

const marked = (summary: UnverifiedSummary): Unverified => ({ ...summary, verified: false });
const notSearched = (reason: string): Search => ({ unverified: [], notSearched: reason });
const TOO_SHORT = `The unverified requests were not searched: the id has fewer than ${SHORTEST} characters.`;
const BUSY = 'The unverified requests were not searched: another search is under way. Ask again in a moment.';
