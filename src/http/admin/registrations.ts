import { isIdentifier } from '../../order/identifier.ts';
import { finalAmountProblem, type Registration } from '../../order/registration.ts';
import type { AmendResult, RegisterResult } from '../../store/store.ts';
import type { Reply } from '../reply.ts';
import { notUnderstood, readSaid } from './body.ts';
import { type ClientNeeds, configuredClient } from './clients.ts';
import { type Endpoint, endpoint, json, ok } from './endpoint.ts';
import { notFound, problem } from './problem.ts';
import { IDENTIFIER_RULE, nothing, putOptions } from './query.ts';
import { changes, expectation, toChanges } from './said.ts';

const notAnIdentifier = (): Reply => problem('MALFORMED_REQUEST', `A paymentRequestId has ${IDENTIFIER_RULE}.`);

/** `PUT /api/orders/:paymentRequestId`: the shop says what it expects, before or after the first notification. */
export const createRegistering = ({ store, clientIds }: ClientNeeds): Endpoint =>
  endpoint(putOptions, async (request) => {
    const { id: paymentRequestId, query } = request;
    if (!isIdentifier(paymentRequestId)) return notAnIdentifier();
    const read = readSaid(request, expectation);
    if ('refusal' in read) return read.refusal;
    const { clientId: named, cancelled, ...expected } = read.said;
    const clientId = configuredClient(named, clientIds);
    if (typeof clientId !== 'string') return clientId;
    const requested = { ...expected, cancelled: cancelled ?? false, clientId, paymentRequestId };
    const reason = finalAmountProblem(requested);
    if (reason !== null) return notUnderstood(reason);
    const options = { replace: query.replace === 'true', now: new Date() };
    return registered(await store().register(requested, options), requested);
  });

const registered = ({ kind, registration }: RegisterResult, requested: Registration): Reply => {
  if (kind !== 'conflict') return json(kind === 'created' ? 201 : 200, registration);
  const { finalAmount } = registration;
  const fits = finalAmountProblem({ amount: requested.amount, finalAmount }) === null;
  return problem('REGISTRATION_CONFLICT', fits ? DIFFERENT : BELOW_FINAL_AMOUNT, { registration, requested });
};

const DIFFERENT = 'Something else is registered already: ?replace=true replaces it, PATCH changes some of its fields.';
const BELOW_FINAL_AMOUNT =
  'Something else is registered already, and this amount is below its finalAmount, or in another currency: change both together by PATCH.';

/** `PATCH /api/orders/:paymentRequestId`: some fields change, null takes one back. */
export const createAmending = ({ store, clientIds }: ClientNeeds): Endpoint =>
  endpoint(nothing, async (request) => {
    const { id: paymentRequestId } = request;
    if (!isIdentifier(paymentRequestId)) return notAnIdentifier();
    const read = readSaid(request, changes);
    if ('refusal' in read) return read.refusal;
    const { clientId: named, ...said } = read.said;
    const clientId = configuredClient(named, clientIds);
    if (typeof clientId !== 'string') return clientId;
    return amended(await store().amend({ clientId, paymentRequestId, changes: toChanges(said) }, new Date()));
  });

const amended = (result: AmendResult): Reply => {
  switch (result.kind) {
    case 'unknown':
      return notFound('registration');
    case 'invalid':
      return notUnderstood(result.problem);
    case 'unchanged':
    case 'replaced':
      return ok(result.registration);
  }
};
