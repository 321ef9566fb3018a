import { z } from 'zod';
import { IDENTIFIER_RULE } from '../../order/identifier.ts';
import type { RegisterRefundResult, RefundRegistration, StoredRefundRegistration } from '../../store/store.ts';
import { type Answer, created, ok, pageAnswer } from './answer.ts';
import { type ClientNeeds, configuredClient } from './clients.ts';
import { endpoint } from './endpoint.ts';
import { problem, type Refusal } from './problem.ts';
import { identifier, orNull, paging, putOptions, trueOrFalse } from './query.ts';
import { refunded } from './said.ts';
import { pageOf } from './shapes/plain.ts';
import { listedRefund, refundRegistration } from './shapes/shop.ts';

const listing = z.strictObject({
  joined: orNull(trueOrFalse).describe('Whether it joins a known payment.'),
  ...paging,
});

export const listRefunds = endpoint({
  method: 'get',
  path: '/api/refunds',
  name: 'listRefunds',
  tag: 'Refunds',
  summary: 'List refunds',
  description: 'Those whose notification arrived last come first; one that is only registered is not among them.',
  id: null,
  query: listing,
  body: null,
  responses: { 200: { means: 'A page of refunds.', body: pageOf('RefundPage', listedRefund) } },
  problems: [],
  answer:
    ({ store }: ClientNeeds) =>
    async ({ query: { joined, limit, cursor } }) =>
      await pageAnswer({ limit, cursor }, (page) => store().listRefunds({ joined }, page)),
});

/** A REFUND_RESULT states no payment; the shop says which one it refunds. */
export const registerRefund = endpoint({
  method: 'put',
  path: '/api/refunds/:id',
  name: 'registerRefund',
  tag: 'Refunds',
  summary: 'Register which payment a refund belongs to',
  description:
    'Before or after its notification, and whether or not the payment is known yet. The same again changes nothing; another payment is 409, and `replace=true` replaces it, unless paynotify has sent the refund itself.',
  id: {
    means: 'The `refundRequestId`.',
    schema: identifier,
    otherwise: problem('MALFORMED_REQUEST', `A refundRequestId has ${IDENTIFIER_RULE}.`),
  },
  query: putOptions,
  body: refunded,
  responses: {
    200: { means: 'It was registered before, or is replaced.', body: refundRegistration },
    201: { means: 'It is new.', body: refundRegistration },
  },
  problems: ['CLIENT_REQUIRED', 'UNKNOWN_CLIENT', 'REGISTRATION_CONFLICT'],
  answer:
    ({ store, clientIds }: ClientNeeds) =>
    async ({ id: refundRequestId, query: { replace }, said: { clientId: named, ...payment } }) => {
      const clientId = configuredClient(named, clientIds);
      if (typeof clientId !== 'string') return clientId;
      const requested = { clientId, refundRequestId, ...payment };
      return registered(await store().registerRefund(requested, { replace, now: new Date() }), requested);
    },
});

const registered = (
  { kind, registration }: RegisterRefundResult,
  requested: RefundRegistration,
): Answer<200 | 201, StoredRefundRegistration> | Refusal<'REGISTRATION_CONFLICT'> => {
  if (kind !== 'conflict' && kind !== 'sent') return kind === 'created' ? created(registration) : ok(registration);
  return problem('REGISTRATION_CONFLICT', kind === 'sent' ? SENT : DIFFERENT, { registration, requested });
};

const DIFFERENT = 'This refund is registered for another payment, or by its other id: ?replace=true replaces it.';
const SENT = 'paynotify has sent this refund to APO for the payment that it is registered for, so it is of no other.';
