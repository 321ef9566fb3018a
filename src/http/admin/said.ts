import { z } from 'zod';
import { CAPTURE_MODES, type RegistrationChanges } from '../../order/registration.ts';
import { REVIEW_DECISIONS } from '../../order/review.ts';
import { readInstant } from '../../order/time.ts';
import { clientId, identifier, isStorable, oneOf, orNull } from './query.ts';

/* What the shop may say: the bodies of the admin API, which the command line says too. Null is absent. */

const NOT_A_VALUE = 'must be a string of digits, or a whole number up to 2^53 - 1';

/** `value` comes out as a string without leading zeros. */
export const amountToSay = z
  .strictObject(
    {
      currency: z.string('must be a string').regex(/^[A-Z]{3}$/, 'must be three capital letters'),
      value: z
        .union(
          [
            z
              .string()
              .regex(/^[0-9]{1,64}$/, "must be 1 to 64 digits, counting the currency's smallest unit")
              .regex(/[^0]/, 'must be above zero'),
            z.int(NOT_A_VALUE).min(1, 'must be above zero'),
          ],
          NOT_A_VALUE,
        )
        .transform((value) => String(value).replace(/^0+/, ''))
        .describe("Counts the currency's smallest unit, above zero: a string of 1 to 64 digits, or a whole number."),
    },
    'must be an object of currency and value',
  )
  .meta({ id: 'AmountToRegister' });

const LONGEST_TEXT = 128;
const text = z
  .string('must be a string')
  .min(1, 'must not be empty')
  .max(LONGEST_TEXT, `must have at most ${LONGEST_TEXT} characters`)
  .refine(isStorable, 'must hold neither U+0000 nor lone surrogates');

const time = z
  .union([z.string(), z.int().transform(String)], 'must be a time')
  .refine(
    (value) => readInstant(value) !== null,
    'must be ISO 8601 with Z or an offset, or 13-digit epoch milliseconds',
  )
  .describe('ISO 8601 with Z or an offset, or 13-digit epoch milliseconds.');

/** What the shop may say besides the amount. */
const FIELDS = {
  referenceOrderId: identifier.nullable(),
  captureMode: oneOf(CAPTURE_MODES).nullable(),
  paymentMethodType: text.nullable(),
  authExpiryTime: time.nullable(),
  finalAmount: amountToSay.nullable(),
  cancelled: z.boolean('must be true or false').nullable(),
};

export const clientToSay = orNull(clientId.nullable().describe('It may be left out where one client is configured.'));
export const NOT_AN_OBJECT = 'must be an object';

/** Of a payment: what the shop expects. */
export const expectation = z
  .strictObject(
    {
      amount: amountToSay,
      referenceOrderId: orNull(FIELDS.referenceOrderId),
      captureMode: orNull(FIELDS.captureMode),
      paymentMethodType: orNull(FIELDS.paymentMethodType),
      authExpiryTime: orNull(FIELDS.authExpiryTime),
      finalAmount: orNull(FIELDS.finalAmount),
      cancelled: orNull(FIELDS.cancelled),
      clientId: clientToSay,
    },
    NOT_AN_OBJECT,
  )
  .meta({ id: 'Expectation' });

/** Of a payment: what changes. */
export const changes = z
  .strictObject({ amount: amountToSay, ...FIELDS }, NOT_AN_OBJECT)
  .partial()
  .extend({ clientId: clientToSay })
  .meta({ id: 'ExpectationChanges' });

/** Only what is there changes; `cancelled: null` takes a cancellation back. */
export const toChanges = ({
  cancelled,
  ...others
}: Omit<z.output<typeof changes>, 'clientId'>): RegistrationChanges => ({
  ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)),
  ...(cancelled === undefined ? {} : { cancelled: cancelled ?? false }),
});

/** Of a refund: its payment. */
export const refunded = z
  .strictObject(
    {
      paymentId: orNull(identifier.nullable()),
      paymentRequestId: orNull(identifier.nullable()),
      clientId: clientToSay,
    },
    NOT_AN_OBJECT,
  )
  .refine(
    ({ paymentId, paymentRequestId }) => (paymentId === null) !== (paymentRequestId === null),
    'it must name the payment by either paymentId or paymentRequestId',
  )
  .meta({ id: 'RefundedPayment', description: 'Names the payment by either paymentId or paymentRequestId.' });

const LONGEST_NOTE = 1_024;
const note = z
  .string('must be a string')
  .max(LONGEST_NOTE, `must have at most ${LONGEST_NOTE} characters`)
  .refine(isStorable, 'must hold neither U+0000 nor lone surrogates');

/** Of an order: what a person has decided. An empty note is none. */
export const decision = z
  .strictObject(
    {
      decision: oneOf(REVIEW_DECISIONS),
      revision: z.int('must be a whole number: the revision of the order that you saw').min(0, 'must not be negative'),
      note: note.nullish().transform((words) => words || null),
      clientId: clientToSay,
    },
    NOT_AN_OBJECT,
  )
  .meta({ id: 'Decision' });
