import { createHandler, hasType } from './handler.ts';
import { paymentFields, statePayment } from './payment.ts';

/** The payment is under way. Receivers in the field book its S as paid; it is not. */
export const paymentPending = createHandler({
  kind: 'PAYMENT_PENDING',
  matches: hasType('PAYMENT_PENDING'),
  schema: paymentFields,
  state: (fields) => [statePayment(fields, { pending: true })],
});
