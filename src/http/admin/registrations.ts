import { z } from 'zod';
import { isIdentifier } from '../../order/identifier.ts';
import { CAPTURE_MODES, finalAmountProblem, type RegistrationChanges } from '../../order/registration.ts';
import { readInstant } from '../../order/time.ts';
import type { AmendResult, RegisterResult, Store } from '../../store/store.ts';
import type { Reply } from '../reply.ts';
import { type ClientIds, clientMeant, clientRequired } from './clients.ts';
import { complaints, type Endpoint, type EndpointRequest, endpoint, json, ok } from './endpoint.ts';
import { notFound, problem } from './problem.ts';
import { IDENTIFIER_RULE, isStorable, oneOf, orNull } from './query.ts';

const LONGEST_TEXT = 128;

/** It comes out without leading zeros. */
const amount = z.strictObject(
  {
    currency: z.string('must be a string').regex(/^[A-Z]{3}$/, 'must be three capital letters'),
    value: z
      .string('must be a string of digits')
      .regex(/^[0-9]{1,64}$/, "must be 1 to 64 digits, counting the currency's smallest unit")
      .regex(/[^0]/, 'must be above zero')
      .transform((digits) => digits.replace(/^0+/, '')),
  },
  'must be an object of currency and value',
);
const text = z
  .string('must be a string')
  .min(1, 'must not be empty')
  .max(LONGEST_TEXT, `must have at most ${LONGEST_TEXT} characters`)
  .refine(isStorable, 'must hold neither U+0000 nor lone surrogates');
const time = text.refine(
  (value) => readInstant(value) !== null,
  'must be ISO 8601 with Z or an offset, or 13-digit epoch milliseconds',
);

/** What the shop may say besides the amount; null is absent. */
const FIELDS = {
  referenceOrderId: text.nullable(),
  captureMode: oneOf(CAPTURE_MODES).nullable(),
  paymentMethodType: text.nullable(),
  authExpiryTime: time.nullable(),
  finalAmount: amount.nullable(),
  cancelled: z.boolean('must be true or false').nullable(),
};

const clientId = orNull(z.string('must be a string'));
const NOT_AN_OBJECT = 'must be an object';

/** What the shop expects. */
const expectation = z.strictObject(
  {
    amount,
    referenceOrderId: FIELDS.referenceOrderId.default(null),
    captureMode: FIELDS.captureMode.default(null),
    paymentMethodType: FIELDS.paymentMethodType.default(null),
    authExpiryTime: FIELDS.authExpiryTime.default(null),
    finalAmount: FIELDS.finalAmount.default(null),
    cancelled: FIELDS.cancelled.default(null),
    clientId,
  },
  NOT_AN_OBJECT,
);

/** What changes. */
const changes = z
  .strictObject({ amount, ...FIELDS }, NOT_AN_OBJECT)
  .partial()
  .extend({ clientId });

const putOptions = z.strictObject({ replace: oneOf(['true', 'false']).default('false') });
const patchOptions = z.strictObject({});

/** Only bytes that are UTF-8 and nothing else: a replaced character would register another reference. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type Read<T> = { readonly said: T } | { readonly refusal: Reply };

const readSaid = <T>(
  { contentType, body }: Pick<EndpointRequest<unknown>, 'contentType' | 'body'>,
  schema: z.ZodType<T>,
): Read<T> => {
  if (!/^application\/json *(;|$)/i.test(contentType)) {
    return { refusal: problem('UNSUPPORTED_BODY', 'The body has to be application/json.') };
  }
  let input: unknown;
  try {
    input = JSON.parse(utf8.decode(body));
  } catch {
    return { refusal: problem('MALFORMED_REQUEST', 'The body is not JSON.') };
  }
  const read = schema.safeParse(input);
  return read.success
    ? { said: read.data }
    : { refusal: problem('MALFORMED_REQUEST', `The body is not understood: ${complaints(read.error)}.`) };
};

/** Whose registration is meant, or why that cannot be told. */
const clientOf = (named: string | null, clientIds: ClientIds): string | Reply => {
  const meant = clientMeant(named, clientIds);
  if (meant === null) return clientRequired();
  return clientIds().includes(meant) ? meant : problem('UNKNOWN_CLIENT', 'The clientId is not one that is configured.');
};

const notAnIdentifier = (): Reply => problem('MALFORMED_REQUEST', `A paymentRequestId has ${IDENTIFIER_RULE}.`);
const badFinalAmount = (reason: string): Reply =>
  problem('MALFORMED_REQUEST', `The body is not understood: ${reason}.`);

interface Needs {
  readonly store: () => Store;
  readonly clientIds: ClientIds;
}

/** `PUT /api/orders/:paymentRequestId`: the shop says what it expects, before or after the first notification. */
export const createRegistering = ({ store, clientIds }: Needs): Endpoint =>
  endpoint(putOptions, async (request) => {
    const { id: paymentRequestId, query } = request;
    if (!isIdentifier(paymentRequestId)) return notAnIdentifier();
    const read = readSaid(request, expectation);
    if ('refusal' in read) return read.refusal;
    const { clientId: named, cancelled, ...expected } = read.said;
    const client = clientOf(named, clientIds);
    if (typeof client !== 'string') return client;
    const registration = { ...expected, cancelled: cancelled ?? false, clientId: client, paymentRequestId };
    const reason = finalAmountProblem(registration);
    if (reason !== null) return badFinalAmount(reason);
    return toReply(await store().register(registration, { replace: query.replace === 'true', now: new Date() }));
  });

const toReply = ({ kind, registration }: RegisterResult): Reply =>
  kind === 'conflict'
    ? problem(
        'REGISTRATION_CONFLICT',
        'Something else is registered already: ?replace=true replaces it, as long as the amount is not below finalAmount and in its currency.',
        { registration },
      )
    : json(kind === 'created' ? 201 : 200, registration);

/** `PATCH /api/orders/:paymentRequestId`: some fields change, null takes one back. */
export const createAmending = ({ store, clientIds }: Needs): Endpoint =>
  endpoint(patchOptions, async (request) => {
    const { id: paymentRequestId } = request;
    if (!isIdentifier(paymentRequestId)) return notAnIdentifier();
    const read = readSaid(request, changes);
    if ('refusal' in read) return read.refusal;
    const { clientId: named, ...said } = read.said;
    const client = clientOf(named, clientIds);
    if (typeof client !== 'string') return client;
    return amended(await store().amend({ clientId: client, paymentRequestId, changes: toChanges(said) }, new Date()));
  });

type Said = Omit<z.output<typeof changes>, 'clientId'>;

/** Only what is there changes; `cancelled: null` takes a cancellation back. */
const toChanges = ({ cancelled, ...others }: Said): RegistrationChanges => ({
  ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)),
  ...(cancelled === undefined ? {} : { cancelled: cancelled ?? false }),
});

const amended = (result: AmendResult): Reply => {
  switch (result.kind) {
    case 'unknown':
      return notFound('registration');
    case 'invalid':
      return badFinalAmount(result.problem);
    case 'unchanged':
    case 'replaced':
      return ok(result.registration);
  }
};
