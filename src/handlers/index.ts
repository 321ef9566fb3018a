import type { JsonObject } from '../order/statement.ts';
import { capture } from './capture.ts';
import { dispute } from './dispute.ts';
import { isMissing } from './fields.ts';
import { type Handlers, has, hasType, unhandled } from './handler.ts';
import { payment } from './payment.ts';
import { paymentPending } from './payment-pending.ts';
import { refund } from './refund.ts';
import { subscriptionPayment } from './subscription-payment.ts';
import { updateAmount } from './update-amount.ts';

/** A payment whose outcome is in `paymentStatus`: of another product. */
const isDirectPayment = (json: JsonObject): boolean =>
  json['notifyType'] === 'PAYMENT_RESULT' && !isMissing(json['paymentStatus']) && isMissing(json['result']);

const isDirectRefund = (json: JsonObject): boolean =>
  json['notifyType'] === 'REFUND_RESULT' &&
  (!isMissing(json['refundFromMethod']) || !isMissing(json['refundToAmount']) || isMissing(json['result']));

/**
 * The dispatch table: one line a kind. The first line that matches decides, so the order counts; it is that of the
 * specification (wire, §1). `notifyType` alone does not tell the kinds apart: half of them have none.
 */
export const handlers: Handlers = [
  dispute,
  unhandled('DEFENSE_DOCUMENT', has('disputeId', 'notifyTime')),
  unhandled('AUTHORIZATION', has('authorizationNotifyType')),
  unhandled('SUBSCRIPTION', has('subscriptionNotificationType')),
  subscriptionPayment,
  unhandled('BILLING_SUBSCRIPTION', has('subscriptionId', 'eventTime')),
  unhandled('INVOICE', has('invoiceId', 'invoiceStatus')),
  unhandled('CREDIT_NOTE', has('creditNoteNotificationType')),
  unhandled('METER', has('eventName', 'errorEvents')),
  unhandled('VAULTING', has('vaultingRequestId')),
  unhandled('CARD_BILL', has('billNo')),
  unhandled('CARD_STATUS', has('assetId', 'cardStatus')),
  unhandled('TRANSFER', has('transferRequestId')),
  unhandled('DIRECT_PAYMENT', isDirectPayment),
  unhandled('DIRECT_REFUND', isDirectRefund),
  payment,
  paymentPending,
  updateAmount,
  unhandled('OFFLINE_CODE', hasType('OFFLINE_PAYMENT_CODE')),
  capture,
  refund,
  unhandled('UNKNOWN', () => true),
];
