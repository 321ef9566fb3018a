import { finalAmountProblem, type Registration } from '../../order/registration.ts';
import { IDENTIFIER_RULE } from '../../order/identifier.ts';
import type { AmendResult, RegisterResult, StoredRegistration } from '../../store/store.ts';
import { type Answer, created, ok } from './answer.ts';
import { notUnderstood } from './body.ts';
import { type ClientNeeds, configuredClient } from './clients.ts';
import { endpoint } from './endpoint.ts';
import { notFound, problem, type Refusal } from './problem.ts';
import { identifier, nothing, putOptions } from './query.ts';
import { toName } from './orders.ts';
import { changes, expectation, toChanges } from './said.ts';
import { registration } from './shapes/shop.ts';

const ID = {
  means: 'The `paymentRequestId`.',
  schema: identifier,
  otherwise: problem('MALFORMED_REQUEST', `A paymentRequestId has ${IDENTIFIER_RULE}.`),
};

/** The shop says what it expects, before or after the first notification. */
export const register = endpoint({
  method: 'put',
  path: '/api/orders/:id',
  name: 'registerOrder',
  tag: 'Orders',
  summary: 'Register what the shop expects',
  description:
    'Before or after notifications. The same again changes nothing; something else is 409 and shows both, and `replace=true` replaces it. A first PUT may set `finalAmount` and `cancelled`; later ones neither compare nor take them.',
  id: ID,
  query: putOptions,
  body: expectation,
  responses: {
    200: { means: 'It was registered before, or is replaced.', body: registration },
    201: { means: 'It is new.', body: registration },
  },
  problems: ['CLIENT_REQUIRED', 'UNKNOWN_CLIENT', 'REGISTRATION_CONFLICT', 'PAYMENT_ID'],
  answer:
    ({ store, clientIds }: ClientNeeds) =>
    async ({ id: paymentRequestId, query: { replace }, said: { clientId: named, cancelled, ...expected } }) => {
      const clientId = configuredClient(named, clientIds);
      if (typeof clientId !== 'string') return clientId;
      const requested = { ...expected, cancelled: cancelled ?? false, clientId, paymentRequestId };
      const reason = finalAmountProblem(requested);
      if (reason !== null) return notUnderstood(reason);
      return registered(await store().register(requested, { replace, now: new Date() }), requested);
    },
});

const registered = (
  result: RegisterResult,
  requested: Registration,
): Answer<200 | 201, StoredRegistration> | Refusal<'REGISTRATION_CONFLICT' | 'PAYMENT_ID'> => {
  if (result.kind === 'payment') return problem('PAYMENT_ID', OF_A_PAYMENT, { payment: toName(result.order) });
  const { kind, registration: standing } = result;
  if (kind !== 'conflict') return kind === 'created' ? created(standing) : ok(standing);
  const { finalAmount } = standing;
  const fits = finalAmountProblem({ amount: requested.amount, finalAmount }) === null;
  const members = { registration: standing, requested };
  return problem('REGISTRATION_CONFLICT', fits ? DIFFERENT : BELOW_FINAL_AMOUNT, members);
};

const OF_A_PAYMENT = 'This is a paymentId: register under the paymentRequestId of that payment.';
const DIFFERENT = 'Something else is registered already: ?replace=true replaces it, PATCH changes some of its fields.';
const BELOW_FINAL_AMOUNT =
  'Something else is registered already, and this amount is below its finalAmount, or in another currency: change both together by PATCH.';

export const amend = endpoint({
  method: 'patch',
  path: '/api/orders/:id',
  name: 'amendOrder',
  tag: 'Orders',
  summary: 'Change some fields of what is registered',
  description: 'Null takes a field back, but not the amount. What stood before stays on record.',
  id: ID,
  query: nothing,
  body: changes,
  responses: { 200: { means: 'The registration as it stands now.', body: registration } },
  problems: ['CLIENT_REQUIRED', 'UNKNOWN_CLIENT', 'NOT_FOUND'],
  answer:
    ({ store, clientIds }: ClientNeeds) =>
    async ({ id: paymentRequestId, said: { clientId: named, ...said } }) => {
      const clientId = configuredClient(named, clientIds);
      if (typeof clientId !== 'string') return clientId;
      return amended(await store().amend({ clientId, paymentRequestId, changes: toChanges(said) }, new Date()));
    },
});

const amended = (result: AmendResult): Answer<200, StoredRegistration> | Refusal<'NOT_FOUND' | 'MALFORMED_REQUEST'> => {
  switch (result.kind) {
    case 'unknown':
      return notFound('registration', 'PUT makes one, under the paymentRequestId.');
    case 'invalid':
      return notUnderstood(result.problem);
    case 'unchanged':
    case 'replaced':
      return ok(result.registration);
  }
};
