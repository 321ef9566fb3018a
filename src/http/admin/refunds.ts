import { z } from 'zod';
import { isIdentifier } from '../../order/identifier.ts';
import type { RefundRegistration, RegisterRefundResult } from '../../store/store.ts';
import type { Reply } from '../reply.ts';
import { readSaid } from './body.ts';
import { type ClientNeeds, configuredClient } from './clients.ts';
import { type Endpoint, endpoint, json } from './endpoint.ts';
import { problem } from './problem.ts';
import { IDENTIFIER_RULE, oneOf, orNull, pageReply, paging, putOptions } from './query.ts';
import { refunded } from './said.ts';

const listing = z.strictObject({ joined: orNull(oneOf(['true', 'false'])), ...paging });

export interface RefundEndpoints {
  readonly list: Endpoint;
  readonly register: Endpoint;
}

export const createRefundEndpoints = ({ store, clientIds }: ClientNeeds): RefundEndpoints => ({
  list: endpoint(listing, async ({ query: { joined, limit, cursor } }) => {
    const filter = { joined: joined === null ? null : joined === 'true' };
    return await pageReply({ limit, cursor }, (page) => store().listRefunds(filter, page));
  }),
  /** `PUT /api/refunds/:refundRequestId`: a REFUND_RESULT states no payment; the shop says which one it refunds. */
  register: endpoint(putOptions, async (request) => {
    const { id: refundRequestId, query } = request;
    if (!isIdentifier(refundRequestId))
      return problem('MALFORMED_REQUEST', `A refundRequestId has ${IDENTIFIER_RULE}.`);
    const read = readSaid(request, refunded);
    if ('refusal' in read) return read.refusal;
    const { clientId: named, ...payment } = read.said;
    const clientId = configuredClient(named, clientIds);
    if (typeof clientId !== 'string') return clientId;
    const requested = { clientId, refundRequestId, ...payment };
    const replace = query.replace === 'true';
    return registered(await store().registerRefund(requested, { replace, now: new Date() }), requested);
  }),
});

const registered = ({ kind, registration }: RegisterRefundResult, requested: RefundRegistration): Reply =>
  kind === 'conflict'
    ? problem(
        'REGISTRATION_CONFLICT',
        'This refund is registered for another payment, or by its other id: ?replace=true replaces it.',
        { registration, requested },
      )
    : json(kind === 'created' ? 201 : 200, registration);
