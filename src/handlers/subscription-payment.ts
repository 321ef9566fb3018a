import { createHandler } from './handler.ts';
import { paymentFields, statePayment } from './payment.ts';
import { isMissing, optionalIdentifier } from './fields.ts';

/** One payment of a subscription: an ordinary payment. */
export const subscriptionPayment = createHandler({
  kind: 'SUBSCRIPTION_PAYMENT',
  matches: (json) =>
    json['notifyType'] === 'PAYMENT_RESULT' &&
    !(isMissing(json['subscriptionId']) && isMissing(json['subscriptionOrderId'])),
  schema: paymentFields.extend({ subscriptionId: optionalIdentifier }),
  state: (fields) => [statePayment(fields, { pending: false })],
});
