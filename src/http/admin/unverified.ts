import { z } from 'zod';
import { UNVERIFIED_REASONS } from '../../antom/signature.ts';
import type { Diagnosed } from '../../antom/diagnosis.ts';
import type { Store, StoredUnverified } from '../../store/store.ts';
import { type Endpoint, endpoint, ok } from './endpoint.ts';
import { notFound } from './problem.ts';
import { pageReply, isDigest, nothing, oneOf, orNull, paging } from './query.ts';
import { wholeUnverified } from './whole.ts';

const listing = z.strictObject({ reason: orNull(oneOf(UNVERIFIED_REASONS)), ...paging });

export interface UnverifiedEndpoints {
  readonly list: Endpoint;
  readonly find: Endpoint;
}

interface UnverifiedNeeds {
  readonly store: () => Store;
  readonly diagnosisOf: (stored: StoredUnverified) => Promise<Diagnosed>;
}

export const createUnverifiedEndpoints = ({ store, diagnosisOf }: UnverifiedNeeds): UnverifiedEndpoints => ({
  list: endpoint(
    listing,
    async ({ query: { reason, limit, cursor } }) =>
      await pageReply({ limit, cursor }, (page) => store().listUnverified(reason, page)),
  ),
  // Nobody vouches for the client that an unverified request names: its id alone finds it.
  find: endpoint(nothing, async ({ id }) => {
    const stored = isDigest(id) ? await store().findUnverified(id) : null;
    return stored === null ? notFound('unverified request') : ok(wholeUnverified(stored, await diagnosisOf(stored)));
  }),
});
