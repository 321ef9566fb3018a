import type { JsonObject } from '../order/statement.ts';
import type { Sample } from './sample.ts';

/*
 * Money that goes back. Ours, in the fields of APO's notifyRefund and notifyDispute pages: those print no samples that
 * belong to a card payment of APO. They are about the payment of the sample `payment-card`.
 */

const AMOUNT = { currency: 'GBP', value: '1523' };

const REFUND: JsonObject = {
  notifyType: 'REFUND_RESULT',
  refundAmount: AMOUNT,
  refundId: '20250220194010801600111600255681204',
  refundRequestId: 'refund-2025021786031300001258802935146',
  refundStatus: 'SUCCESS',
  refundTime: '2025-02-20T09:14:31-08:00',
  result: { resultCode: 'SUCCESS', resultMessage: 'success.', resultStatus: 'S' },
};

const OPENED: JsonObject = {
  disputeAmount: AMOUNT,
  disputeId: '2025030119401080010018800255690377',
  disputeReasonCode: '4853',
  disputeReasonMsg: 'Goods or services not as described or defective',
  disputeSource: 'MASTERCARD',
  disputeTime: '2025-03-01T02:11:09-08:00',
  disputeType: 'CHARGEBACK',
  paymentId: '20250217164010890100111460207325722',
  paymentRequestId: '2025021786031300001258802935146',
};

const dispute = (disputeNotificationType: string, fields: JsonObject = {}): JsonObject => ({
  disputeNotificationType,
  ...OPENED,
  ...fields,
});

const judged = (disputeJudgedResult: string, fields: JsonObject = {}): JsonObject =>
  dispute('DISPUTE_JUDGED', { disputeJudgedResult, disputeJudgedTime: '2025-03-20T18:40:00-07:00', ...fields });

const DUE = { defendable: true, defenseDueTime: '2025-03-08T02:11:09-08:00' };

/** Of each type of dispute the first is the one that a type is written after. */
export const RETURNED_SAMPLES: readonly Sample[] = [
  {
    name: 'refund',
    about: 'REFUND_RESULT S: like most it names no payment, the registered refundRequestId or an inquiry does',
    notification: REFUND,
  },
  {
    name: 'refund-failed',
    about: 'REFUND_RESULT F: the refund window has passed',
    notification: {
      notifyType: 'REFUND_RESULT',
      refundAmount: AMOUNT,
      refundId: '20250220194010801600111600255681299',
      refundRequestId: 'refund-2025021786031300001258802935199',
      refundStatus: 'FAIL',
      result: {
        resultCode: 'REFUND_WINDOW_EXCEED',
        resultMessage: 'The refund date exceeds the allowed window.',
        resultStatus: 'F',
      },
    },
  },
  {
    name: 'dispute-created',
    about: 'DISPUTE_CREATED: a chargeback of the whole payment, to be defended within a week',
    notification: dispute('DISPUTE_CREATED', DUE),
  },
  {
    name: 'dispute-due',
    about: 'DEFENSE_DUE_ALERT: less than a day is left to defend it',
    notification: dispute('DEFENSE_DUE_ALERT', DUE),
  },
  {
    name: 'dispute-defended',
    about: 'DEFENSE_SUPPLIED: the documents are with the issuer',
    notification: dispute('DEFENSE_SUPPLIED'),
  },
  {
    name: 'dispute-accepted',
    about: 'DISPUTE_ACCEPTED: not defended in time, the money is gone',
    notification: dispute('DISPUTE_ACCEPTED', {
      disputeAcceptReason: 'TIMEOUT',
      disputeAcceptTime: '2025-03-08T02:12:00-08:00',
    }),
  },
  {
    name: 'dispute-lost',
    about: 'DISPUTE_JUDGED for the buyer: the money is gone',
    notification: judged('ACCEPT_BY_MERCHANT', { disputeJudgedAmount: AMOUNT }),
  },
  {
    name: 'dispute-won',
    about: 'DISPUTE_JUDGED for the merchant: the money stays',
    notification: judged('ACCEPT_BY_CUSTOMER'),
  },
  {
    name: 'dispute-cancelled',
    about: 'DISPUTE_CANCELLED: the buyer has withdrawn it',
    notification: dispute('DISPUTE_CANCELLED'),
  },
  {
    name: 'dispute-rdr',
    about: 'RDR_RESOLVED: refunded by the scheme at once, without defence',
    notification: dispute('RDR_RESOLVED'),
  },
  {
    name: 'documents-requested',
    about: 'DISPUTE_CREATED: a retrieval request, which asks for documents and takes no money',
    notification: dispute('DISPUTE_CREATED', {
      ...DUE,
      disputeId: '2025030119401080010018800255690412',
      disputeReasonCode: '6341',
      disputeReasonMsg: 'Cardholder inquiry',
      disputeType: 'RETRIEVAL_REQUEST',
    }),
  },
];
