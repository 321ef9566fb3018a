import type { AmountText } from '../order/amount.ts';
import type { Outcome } from './codes.ts';

/** What truly happened to a payment, whatever the notifications say. Times are ISO 8601 in UTC. */
export interface PaymentEntry {
  readonly paymentId: string;
  readonly paymentRequestId: string;
  /** What it looks like: CARD, GCASH, … */
  readonly method: string;
  /** NONE: its success is the money. */
  readonly captureMode: 'AUTOMATIC' | 'MANUAL' | 'NONE';
  readonly amount: AmountText;
  /** U while it is under way. */
  readonly result: Outcome;
  readonly createTime: string;
  /** Null until it succeeds. */
  readonly paymentTime: string | null;
  readonly notifyUrl: string | null;
  readonly gone: { readonly by: 'CANCEL' | 'LAPSE'; readonly time: string } | null;
  readonly captures: readonly CaptureEntry[];
  readonly refunds: readonly RefundEntry[];
  readonly disputes: readonly DisputeEntry[];
}

export interface CaptureEntry {
  readonly captureId: string;
  readonly captureRequestId: string;
  readonly amount: AmountText;
  readonly result: Outcome;
  /** Null until it succeeds. */
  readonly time: string | null;
  readonly isLast: boolean;
}

export interface RefundEntry {
  readonly refundId: string;
  readonly refundRequestId: string;
  readonly captureId: string | null;
  readonly amount: AmountText;
  readonly result: Outcome;
  /** Null until it succeeds. */
  readonly time: string | null;
  readonly notifyUrl: string | null;
}

export interface DisputeEntry {
  readonly disputeId: string;
  readonly amount: AmountText;
  /** Its last `disputeNotificationType`, and where it was judged, its `disputeJudgedResult`. */
  readonly type: string;
  readonly judged: string | null;
  readonly time: string;
}

/** What was asked under a request id: asked again, it has the same answer. */
export interface RequestEntry {
  /** `capture`, `refund` or `pay`. */
  readonly operation: string;
  readonly requestId: string;
  /** All that was asked, to be compared. */
  readonly asked: string;
  /** The payment that has what came of it; null where the outcome is all. */
  readonly paymentId: string | null;
  readonly outcome: Outcome;
}

/** What moved, in the smallest unit of the payment's currency. */
export interface Money {
  readonly authorized: bigint;
  /** Reached the merchant. */
  readonly paid: bigint;
  /** Went back by refunds or a cancellation. */
  readonly returned: bigint;
  /** Went back by disputes. */
  readonly taken: bigint;
}

export interface Ledger {
  readonly payments: () => readonly PaymentEntry[];
  readonly byId: (paymentId: string) => PaymentEntry | null;
  readonly byRequest: (paymentRequestId: string) => PaymentEntry | null;
  readonly refundById: (refundId: string) => RefundEntry | null;
  readonly refundByRequest: (refundRequestId: string) => RefundEntry | null;
  readonly put: (payment: PaymentEntry) => void;
  readonly request: (operation: string, requestId: string) => RequestEntry | null;
  readonly remember: (request: RequestEntry) => void;
}

/** One line of the ledger's file: what it is about as it is from then on. */
export type LedgerLine = { readonly payment: PaymentEntry } | { readonly request: RequestEntry };

const requestKey = (operation: string, requestId: string): string => JSON.stringify([operation, requestId]);

/** `write` gets every change; `lines` are those of a run before. */
export const createLedger = (lines: readonly LedgerLine[], write: (line: LedgerLine) => void): Ledger => {
  const payments = new Map<string, PaymentEntry>();
  const idsByRequest = new Map<string, string>();
  const refunds = new Map<string, RefundEntry>();
  const refundsByRequest = new Map<string, RefundEntry>();
  const requests = new Map<string, RequestEntry>();
  const byId = (paymentId: string | undefined): PaymentEntry | null => payments.get(paymentId ?? '') ?? null;
  const take = (line: LedgerLine): void => {
    if ('request' in line) {
      requests.set(requestKey(line.request.operation, line.request.requestId), line.request);
      return;
    }
    const { payment } = line;
    payments.set(payment.paymentId, payment);
    idsByRequest.set(payment.paymentRequestId, payment.paymentId);
    for (const refund of payment.refunds) {
      refunds.set(refund.refundId, refund);
      refundsByRequest.set(refund.refundRequestId, refund);
    }
  };
  const add = (line: LedgerLine): void => {
    write(line);
    take(line);
  };
  for (const line of lines) take(line);
  return {
    payments: () => [...payments.values()],
    byId,
    byRequest: (paymentRequestId) => byId(idsByRequest.get(paymentRequestId)),
    refundById: (refundId) => refunds.get(refundId) ?? null,
    refundByRequest: (refundRequestId) => refundsByRequest.get(refundRequestId) ?? null,
    put: (payment) => add({ payment }),
    request: (operation, requestId) => requests.get(requestKey(operation, requestId)) ?? null,
    remember: (request) => add({ request }),
  };
};

const sum = (items: readonly { readonly amount: AmountText }[]): bigint =>
  items.reduce((total, { amount }) => total + BigInt(amount.value), 0n);

export const withStatus = <T extends { readonly result: Outcome }>(
  items: readonly T[],
  ...statuses: readonly Outcome['resultStatus'][]
): readonly T[] => items.filter(({ result }) => statuses.includes(result.resultStatus));

const TAKEN: ReadonlySet<string> = new Set(['DISPUTE_ACCEPTED', 'RDR_RESOLVED']);
const isTaken = ({ type, judged }: DisputeEntry): boolean => TAKEN.has(type) || judged === 'ACCEPT_BY_MERCHANT';

export const moneyOf = (payment: PaymentEntry): Money => {
  const { amount, result, captureMode, captures, refunds, disputes, gone } = payment;
  const authorized = result.resultStatus === 'S' ? BigInt(amount.value) : 0n;
  const paid = captureMode === 'NONE' ? authorized : sum(withStatus(captures, 'S'));
  const returned = gone?.by === 'CANCEL' ? paid : sum(withStatus(refunds, 'S'));
  return { authorized, paid, returned, taken: sum(disputes.filter(isTaken)) };
};

/** What may still be captured, with what is in flight taken off. */
export const capturable = (payment: PaymentEntry): bigint =>
  BigInt(payment.amount.value) - sum(withStatus(payment.captures, 'S', 'U'));

/** What may still be refunded: of one capture, or of all. */
export const refundable = (payment: PaymentEntry, captureId: string | null): bigint => {
  const { paid, taken } = moneyOf(payment);
  const pending = withStatus(payment.refunds, 'S', 'U');
  const left = paid - taken - sum(pending);
  if (captureId === null) return left;
  const capture = withStatus(payment.captures, 'S').filter((one) => one.captureId === captureId);
  const ofCapture = sum(capture) - sum(pending.filter((one) => one.captureId === captureId));
  return ofCapture < left ? ofCapture : left;
};
