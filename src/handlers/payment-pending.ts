import type { Handler } from './handler.ts';
import { statePayment } from './payment-result.ts';

/** PAYMENT_PENDING: the payment is under way. Receivers in the field book its S as paid; it is not. */
export const paymentPending: Handler = {
  notifyType: 'PAYMENT_PENDING',
  about: 'payment',
  stateOf: (notification) => statePayment(notification, { pending: true }),
};
