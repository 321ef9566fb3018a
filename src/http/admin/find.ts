import { z } from 'zod';
import type { Store } from '../../store/store.ts';
import { type Endpoint, endpoint, ok } from './endpoint.ts';
import { identifier, ofClient } from './query.ts';
import type { SearchUnverified } from './unverified-search.ts';

const sought = ofClient.extend({ id: z.string('is required').pipe(identifier) });

interface FindingNeeds {
  readonly store: () => Store;
  readonly search: SearchUnverified;
}

/**
 * `GET /api/find?id=`: everything that carries an identifier. Nobody vouches for what an unverified request says, so
 * those are found by their bytes, whatever client they name, and listed apart.
 */
export const createFinding = ({ store, search }: FindingNeeds): Endpoint =>
  endpoint(sought, async ({ query: { clientId, id } }) => {
    const [found, unverified] = await Promise.all([store().find(clientId, id), search([id])]);
    return ok({ orders: found.orders, notifications: found.notifications, refunds: found.refunds, ...unverified });
  });
