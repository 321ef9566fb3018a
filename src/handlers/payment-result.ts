import { toAmount } from '../order/amount.ts';
import type { PaymentStatement } from '../order/statement.ts';
import type { AppliedNotification, Handler } from './handler.ts';

/** PAYMENT_RESULT: S is an authorization (for methods without capture: the payment), F a decline, U not final. */
export const paymentResult: Handler = {
  notifyType: 'PAYMENT_RESULT',
  about: 'payment',
  stateOf: (notification) => statePayment(notification, { pending: false }),
};

/** PAYMENT_PENDING has the fields of PAYMENT_RESULT, but promises nothing: its S is not a success. */
export const statePayment = (
  { facts, bodyDigest }: AppliedNotification,
  { pending }: { readonly pending: boolean },
): PaymentStatement => ({
  about: 'payment',
  pending,
  result: facts.result,
  amount: facts.paymentAmount === undefined ? null : toAmount(facts.paymentAmount),
  paymentRequestId: facts.paymentRequestId ?? null,
  paymentTime: facts.paymentTime ?? null,
  paymentCreateTime: facts.paymentCreateTime ?? null,
  authExpiryTime: facts.authExpiryTime ?? null,
  paymentMethodType: facts.paymentMethodType ?? null,
  pspName: facts.pspName ?? null,
  cardFields: facts.cardFields ?? false,
  acquirerInfo: facts.acquirerInfo ?? null,
  acquirerReferenceNo: facts.acquirerReferenceNo ?? null,
  bodyDigest,
});
