import { z } from 'zod';
import { CAPTURE_MODES } from '../../order/registration.ts';
import type { RegisterResult, Store } from '../../store/store.ts';
import type { Reply } from '../reply.ts';
import { type ClientIds, clientMeant, clientRequired } from './clients.ts';
import { complaints, type Endpoint, endpoint, json } from './endpoint.ts';
import { problem } from './problem.ts';
import { isIdentifier, isStorable, oneOf, orNull } from './query.ts';

const LONGEST_REFERENCE = 128;

/** What the shop expects; null is absent. The amount comes out without leading zeros. */
const expectation = z.strictObject(
  {
    amount: z.strictObject(
      {
        currency: z.string('must be a string').regex(/^[A-Z]{3}$/, 'must be three capital letters'),
        value: z
          .string('must be a string of digits')
          .regex(/^[0-9]{1,64}$/, "must be 1 to 64 digits, counting the currency's smallest unit")
          .regex(/[^0]/, 'must be above zero')
          .transform((digits) => digits.replace(/^0+/, '')),
      },
      'must be an object of currency and value',
    ),
    referenceOrderId: orNull(
      z
        .string('must be a string')
        .min(1, 'must not be empty')
        .max(LONGEST_REFERENCE, `must have at most ${LONGEST_REFERENCE} characters`)
        .refine(isStorable, 'must hold neither U+0000 nor lone surrogates'),
    ),
    captureMode: orNull(oneOf(CAPTURE_MODES)),
    clientId: orNull(z.string('must be a string')),
  },
  'must be an object',
);
type Expectation = z.output<typeof expectation>;

const options = z.strictObject({ replace: oneOf(['true', 'false']).default('false') });

/** Only bytes that are UTF-8 and nothing else: a replaced character would register another reference. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type ExpectationResult = { readonly expected: Expectation } | { readonly problem: Reply };

const readExpectation = (contentType: string, body: Uint8Array): ExpectationResult => {
  if (!/^application\/json *(;|$)/i.test(contentType)) {
    return { problem: problem('UNSUPPORTED_BODY', 'The body has to be application/json.') };
  }
  let input: unknown;
  try {
    input = JSON.parse(utf8.decode(body));
  } catch {
    return { problem: problem('MALFORMED_REQUEST', 'The body is not JSON.') };
  }
  const read = expectation.safeParse(input);
  return read.success
    ? { expected: read.data }
    : { problem: problem('MALFORMED_REQUEST', `The body is not understood: ${complaints(read.error)}.`) };
};

/** `PUT /api/orders/:paymentRequestId`: the shop says what it expects, before or after the first notification. */
export const createRegistering = ({
  store,
  clientIds,
}: {
  readonly store: () => Store;
  readonly clientIds: ClientIds;
}): Endpoint =>
  endpoint(options, async ({ query, id, contentType, body }) => {
    if (!isIdentifier(id))
      return problem('MALFORMED_REQUEST', 'A paymentRequestId has 1 to 64 visible ASCII characters.');
    const result = readExpectation(contentType, body);
    if ('problem' in result) return result.problem;
    const { expected } = result;
    const clientId = clientMeant(expected.clientId, clientIds);
    if (clientId === null) return clientRequired();
    if (!clientIds().includes(clientId))
      return problem('UNKNOWN_CLIENT', 'The clientId is not one that is configured.');
    const { amount, referenceOrderId, captureMode } = expected;
    const registration = { clientId, paymentRequestId: id, amount, referenceOrderId, captureMode };
    return toReply(await store().register(registration, { replace: query.replace === 'true', now: new Date() }));
  });

const toReply = ({ kind, registration }: RegisterResult): Reply =>
  kind === 'conflict'
    ? problem('REGISTRATION_CONFLICT', 'Something else is registered already: ?replace=true replaces it.', {
        registration,
      })
    : json(kind === 'created' ? 201 : 200, registration);
