import { normaliseMethod } from '../order/capture-required.ts';
import type { Json, JsonObject } from '../order/statement.ts';
import { type Outcome, SUCCESS } from './codes.ts';
import type { CaptureEntry, DisputeEntry, PaymentEntry, RefundEntry } from './ledger.ts';
import { stamp } from './stamp.ts';
import type { World } from './world.ts';

/** Notifications and answers in the fields of the documents' samples. */

type Sample = World['sample'];

export const resultJson = ({ resultStatus, resultCode, resultMessage }: Outcome): JsonObject => ({
  resultCode,
  resultMessage,
  resultStatus,
});
const json = ({ currency, value }: PaymentEntry['amount']): JsonObject => ({ currency, value });

const isCard = ({ method }: PaymentEntry): boolean => normaliseMethod(method) === 'CARD';

/** Antom is the acquirer: an authorization lapses after seven days. */
const acquirerInfo = (transactionId: string, requestId: string): JsonObject => ({
  acquirerMerchantId: '2181110021840423',
  acquirerName: 'ALIPAY',
  acquirerTransactionId: transactionId,
  referenceRequestId: requestId,
});
const acquirerAnswer = (transactionId: string, requestId: string): JsonObject => ({
  ...acquirerInfo(transactionId, requestId),
  acquirerResultCode: 'SUCCESS',
  acquirerResultMessage: 'success',
});

/** What differs by the method: a card's masked data, or the wallet's name. */
const methodFields = (sample: Sample, payment: PaymentEntry): JsonObject => {
  if (isCard(payment)) return { paymentResultInfo: sample('payment-card')['paymentResultInfo'] ?? {} };
  const psp = sample('payment-wallet')['pspCustomerInfo'] as JsonObject;
  return { pspCustomerInfo: { ...psp, pspName: payment.method } };
};

const paymentFields = (sample: Sample, payment: PaymentEntry): JsonObject => ({
  acquirerInfo: acquirerInfo(payment.paymentId, payment.paymentRequestId),
  paymentAmount: json(payment.amount),
  paymentCreateTime: stamp(payment.createTime),
  paymentId: payment.paymentId,
  paymentRequestId: payment.paymentRequestId,
  ...methodFields(sample, payment),
  ...(payment.paymentTime === null ? {} : { paymentTime: stamp(payment.paymentTime) }),
});

/** PAYMENT_PENDING while it is under way; a failure as APO's own sample, without an amount. */
export const paymentNotification = (sample: Sample, payment: PaymentEntry): JsonObject => {
  const { paymentId, paymentRequestId, result } = payment;
  if (result.resultStatus === 'F')
    return { notifyType: 'PAYMENT_RESULT', paymentId, paymentRequestId, result: resultJson(result) };
  const isPending = result.resultStatus === 'U';
  return {
    ...paymentFields(sample, payment),
    notifyType: isPending ? 'PAYMENT_PENDING' : 'PAYMENT_RESULT',
    result: isPending ? (sample('payment-pending')['result'] ?? {}) : resultJson(result),
  };
};

const captureFields = (payment: PaymentEntry, capture: CaptureEntry): JsonObject => ({
  captureAmount: json(capture.amount),
  captureId: capture.captureId,
  captureRequestId: capture.captureRequestId,
  ...(capture.time === null ? {} : { captureTime: stamp(capture.time) }),
  paymentId: payment.paymentId,
});

export const captureNotification = (payment: PaymentEntry, capture: CaptureEntry): JsonObject => ({
  ...captureFields(payment, capture),
  ...(capture.time === null ? {} : { acquirerInfo: acquirerInfo(capture.captureId, capture.captureRequestId) }),
  notifyType: 'CAPTURE_RESULT',
  result: resultJson(capture.result),
});

const STATUSES = { S: 'SUCCESS', F: 'FAIL', U: 'PROCESSING' } as const;

const refundFields = ({ refundId, refundRequestId, amount, time, result }: RefundEntry): JsonObject => ({
  refundAmount: json(amount),
  refundId,
  refundRequestId,
  refundStatus: STATUSES[result.resultStatus],
  ...(time === null ? {} : { refundTime: stamp(time) }),
});

/** It names no payment. */
export const refundNotification = (refund: RefundEntry): JsonObject => ({
  notifyType: 'REFUND_RESULT',
  ...refundFields(refund),
  result: resultJson(refund.result),
});

const DISPUTE_SAMPLES: Readonly<Record<string, string>> = {
  DISPUTE_CREATED: 'dispute-created',
  DEFENSE_DUE_ALERT: 'dispute-due',
  DEFENSE_SUPPLIED: 'dispute-defended',
  DISPUTE_ACCEPTED: 'dispute-accepted',
  DISPUTE_CANCELLED: 'dispute-cancelled',
  RDR_RESOLVED: 'dispute-rdr',
};
const WEEK = 7 * 24 * 3_600_000;
/** Written by the sample, where it has them. */
const DISPUTE_TIMES = ['disputeTime', 'disputeJudgedTime', 'disputeAcceptTime'] as const;

export const disputeNotification = (
  sample: Sample,
  payment: PaymentEntry,
  { disputeId, amount, type, judged, time }: DisputeEntry,
): JsonObject => {
  const isLost = judged === 'ACCEPT_BY_MERCHANT';
  const base = sample(DISPUTE_SAMPLES[type] ?? (isLost ? 'dispute-lost' : 'dispute-won'));
  const times: readonly (readonly [string, Json])[] = DISPUTE_TIMES.filter((name) => name in base).map((name) => [
    name,
    stamp(time),
  ]);
  return {
    ...base,
    disputeNotificationType: type,
    ...Object.fromEntries(times),
    ...('defenseDueTime' in base ? { defenseDueTime: stamp(new Date(new Date(time).getTime() + WEEK)) } : {}),
    ...(judged === null ? {} : { disputeJudgedResult: judged }),
    ...(isLost ? { disputeJudgedAmount: json(amount) } : {}),
    disputeAmount: json(amount),
    disputeId,
    paymentId: payment.paymentId,
    paymentRequestId: payment.paymentRequestId,
  };
};

/** `authExpiryTime` is no expiry: in the documents' sample it is the time of the payment. */
export const payAnswer = (sample: Sample, payment: PaymentEntry): JsonObject => ({
  ...paymentFields(sample, payment),
  acquirerInfo: acquirerAnswer(payment.paymentId, payment.paymentRequestId),
  ...(payment.paymentTime !== null && isCard(payment) ? { authExpiryTime: stamp(payment.paymentTime) } : {}),
});

export const captureAnswer = (payment: PaymentEntry, capture: CaptureEntry): JsonObject => ({
  acquirerInfo: acquirerAnswer(capture.captureId, capture.captureRequestId),
  ...captureFields(payment, capture),
});

export const refundAnswer = (payment: PaymentEntry, refund: RefundEntry): JsonObject => {
  const { refundStatus: _, ...fields } = refundFields(refund);
  return {
    acquirerInfo: acquirerAnswer(refund.refundId, refund.refundRequestId),
    ...fields,
    paymentId: payment.paymentId,
  };
};

export const refundInquiryAnswer = (refund: RefundEntry): JsonObject => ({
  acquirerInfo: acquirerInfo(refund.refundId, refund.refundRequestId),
  ...refundFields(refund),
});

type Transaction = Pick<CaptureEntry, 'amount' | 'result' | 'time'> & {
  readonly type: 'CAPTURE' | 'REFUND' | 'CANCEL';
  readonly id: string;
  readonly requestId: string;
};

const transactionJson = ({ type, id, requestId, amount, result, time }: Transaction): JsonObject => ({
  transactionType: type,
  transactionStatus: STATUSES[result.resultStatus],
  transactionRequestId: requestId,
  transactionAmount: json(amount),
  ...(time === null ? {} : { transactionTime: stamp(time) }),
  transactionId: id,
  transactionResult: resultJson(result),
});

const captureTransaction = ({ captureId: id, captureRequestId: requestId, ...entry }: CaptureEntry): JsonObject =>
  transactionJson({ ...entry, type: 'CAPTURE', id, requestId });
const refundTransaction = ({ refundId: id, refundRequestId: requestId, ...entry }: RefundEntry): JsonObject =>
  transactionJson({ ...entry, type: 'REFUND', id, requestId });

const transactionsOf = (payment: PaymentEntry): readonly JsonObject[] => {
  const { paymentId: id, paymentRequestId: requestId, captures, refunds, gone, amount } = payment;
  const cancelled =
    gone?.by === 'CANCEL'
      ? [transactionJson({ type: 'CANCEL', id, requestId, amount, result: SUCCESS, time: gone.time })]
      : [];
  return [...captures.map(captureTransaction), ...refunds.map(refundTransaction), ...cancelled];
};

const statusOf = (payment: PaymentEntry): string => {
  if (payment.gone !== null) return 'CANCELLED';
  switch (payment.result.resultStatus) {
    case 'S':
      return 'SUCCESS';
    case 'F':
      return 'FAIL';
    case 'U':
      return isCard(payment) ? 'PROCESSING' : 'PENDING';
  }
};

export const inquiryAnswer = (sample: Sample, payment: PaymentEntry): JsonObject => {
  const transactions = transactionsOf(payment);
  return {
    ...paymentFields(sample, payment),
    paymentResultCode: payment.result.resultCode,
    paymentResultMessage: payment.result.resultMessage,
    paymentStatus: statusOf(payment),
    ...(transactions.length === 0 ? {} : { transactions }),
  };
};
