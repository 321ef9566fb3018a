import { z } from 'zod';
import type { PaymentDetails, PaymentStatement } from '../order/statement.ts';
import {
  acquirerInfo,
  identifier,
  isFilled,
  isObject,
  optionalAmount,
  optionalIdentifier,
  result,
  toleratedText,
  toleratedTime,
} from './fields.ts';
import { createHandler, hasType } from './handler.ts';

const hasFilledField = (info: unknown): true | undefined =>
  (isObject(info) && Object.values(info).some(isFilled)) || undefined;

/** The fields of a payment, whichever kind of notification states it. */
export const paymentFields = z.object({
  paymentId: identifier,
  paymentRequestId: optionalIdentifier,
  result,
  paymentAmount: optionalAmount,
  paymentTime: toleratedTime,
  paymentCreateTime: toleratedTime,
  authExpiryTime: toleratedTime,
  paymentMethodType: toleratedText,
  pspCustomerInfo: z.object({ pspName: toleratedText }).nullish().catch(undefined),
  paymentResultInfo: z.transform(hasFilledField),
  acquirerInfo,
  acquirerReferenceNo: toleratedText,
});

/** What is said of a payment besides its result. */
export const detailsOf = (fields: Omit<z.infer<typeof paymentFields>, 'result'>): PaymentDetails => ({
  amount: fields.paymentAmount,
  paymentRequestId: fields.paymentRequestId,
  paymentTime: fields.paymentTime,
  paymentCreateTime: fields.paymentCreateTime,
  authExpiryTime: fields.authExpiryTime,
  paymentMethodType: fields.paymentMethodType,
  pspName: fields.pspCustomerInfo?.pspName,
  hasResultInfo: fields.paymentResultInfo,
  acquirerInfo: fields.acquirerInfo,
  acquirerReferenceNo: fields.acquirerReferenceNo,
});

export const statePayment = (
  fields: z.infer<typeof paymentFields>,
  { pending }: { readonly pending: boolean },
): PaymentStatement => ({ about: 'payment', pending, result: fields.result, ...detailsOf(fields) });

/** S is an authorization (for methods without capture: the payment), F a decline, U not final. */
export const payment = createHandler({
  kind: 'PAYMENT',
  matches: hasType('PAYMENT_RESULT'),
  schema: paymentFields,
  state: (fields) => [statePayment(fields, { pending: false })],
});
