import { z } from 'zod';
import type { PaymentStatement } from '../order/statement.ts';
import {
  acquirerInfo,
  identifier,
  isMissing,
  isObject,
  optionalAmount,
  optionalIdentifier,
  result,
  toleratedText,
} from './fields.ts';
import { createHandler, hasType } from './handler.ts';

/** Fields of `paymentResultInfo` that only a card payment fills. */
const CARD_FIELDS = [
  'cardNo',
  'cardBin',
  'cardBrand',
  'lastFour',
  'funding',
  'networkTransactionId',
  'threeDSResult',
] as const;

const isFilled = (value: unknown): boolean =>
  !isMissing(value) && (typeof value !== 'object' || value === null || Object.keys(value).length > 0);

const hasCardFields = (info: unknown): true | undefined =>
  (isObject(info) && CARD_FIELDS.some((name) => isFilled(info[name]))) || undefined;

/** The fields of a payment, whichever kind of notification states it. */
export const paymentFields = z.object({
  paymentId: identifier,
  paymentRequestId: optionalIdentifier,
  result,
  paymentAmount: optionalAmount,
  paymentTime: toleratedText,
  paymentCreateTime: toleratedText,
  authExpiryTime: toleratedText,
  paymentMethodType: toleratedText,
  pspCustomerInfo: z.object({ pspName: toleratedText }).nullish().catch(undefined),
  paymentResultInfo: z.transform(hasCardFields),
  acquirerInfo,
  acquirerReferenceNo: toleratedText,
  // A payment states no capture, but what names one has to be legible.
  captureId: optionalIdentifier,
  captureRequestId: optionalIdentifier,
  captureAmount: optionalAmount,
});

export const statePayment = (
  fields: z.infer<typeof paymentFields>,
  { pending }: { readonly pending: boolean },
): PaymentStatement => ({
  about: 'payment',
  pending,
  result: fields.result,
  amount: fields.paymentAmount,
  paymentRequestId: fields.paymentRequestId,
  paymentTime: fields.paymentTime,
  paymentCreateTime: fields.paymentCreateTime,
  authExpiryTime: fields.authExpiryTime,
  paymentMethodType: fields.paymentMethodType,
  pspName: fields.pspCustomerInfo?.pspName,
  cardFields: fields.paymentResultInfo,
  acquirerInfo: fields.acquirerInfo,
  acquirerReferenceNo: fields.acquirerReferenceNo,
});

/** S is an authorization (for methods without capture: the payment), F a decline, U not final. */
export const payment = createHandler({
  kind: 'PAYMENT',
  matches: hasType('PAYMENT_RESULT'),
  schema: paymentFields,
  state: (fields) => [statePayment(fields, { pending: false })],
});
