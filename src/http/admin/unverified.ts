import { z } from 'zod';
import { UNVERIFIED_REASONS } from '../../antom/signature.ts';
import type { Diagnosed } from '../../antom/diagnosis.ts';
import type { Store, StoredUnverified } from '../../store/store.ts';
import { ok, pageAnswer } from './answer.ts';
import { endpoint } from './endpoint.ts';
import { notFound } from './problem.ts';
import { nothing, oneOf, orNull, paging } from './query.ts';
import { unverified, unverifiedInFull } from './shapes/notification.ts';
import { digest, pageOf } from './shapes/plain.ts';
import { wholeUnverified } from './whole.ts';

const listing = z.strictObject({ reason: orNull(oneOf(UNVERIFIED_REASONS)), ...paging });

interface Needs {
  readonly store: () => Store;
}

interface Diagnosing {
  readonly diagnosisOf: (stored: StoredUnverified) => Promise<Diagnosed>;
}

export const listUnverified = endpoint({
  method: 'get',
  path: '/api/unverified',
  name: 'listUnverified',
  tag: 'Unverified',
  summary: 'List unverified requests',
  description: 'Newest first.',
  id: null,
  query: listing,
  body: null,
  responses: { 200: { means: 'A page of unverified requests.', body: pageOf('UnverifiedPage', unverified) } },
  problems: [],
  answer:
    ({ store }: Needs) =>
    async ({ query: { reason, limit, cursor } }) =>
      await pageAnswer({ limit, cursor }, (page) => store().listUnverified(reason, page)),
});

// Nobody vouches for the client that an unverified request names: its id alone finds it.
export const findUnverified = endpoint({
  method: 'get',
  path: '/api/unverified/:id',
  name: 'findUnverified',
  tag: 'Unverified',
  summary: 'Read one unverified request',
  description: 'With its headers and the very bytes of its body.',
  id: {
    means: 'The id of an unverified request: SHA-256 over method, target, headers and body, in lower-case hex.',
    schema: digest,
    otherwise: notFound('unverified request'),
  },
  query: nothing,
  body: null,
  responses: { 200: { means: 'The request.', body: unverifiedInFull } },
  problems: ['NOT_FOUND'],
  answer:
    ({ store, diagnosisOf }: Needs & Diagnosing) =>
    async ({ id }) => {
      const stored = await store().findUnverified(id);
      return stored === null ? notFound('unverified request') : ok(wholeUnverified(stored, await diagnosisOf(stored)));
    },
});
