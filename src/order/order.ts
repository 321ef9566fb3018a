import { type AmountText, toAmountText } from './amount.ts';
import { type Attention, type AttentionCode, attentionOf, isBlocking, toAttention } from './attention.ts';
import { authorizationExpiry, isAuthorizationExpiring } from './authorization.ts';
import { type Capture, distinct, toCapture } from './capture.ts';
import { type Findings, findIn, type OrderEvidence, successStatesAmount } from './evidence.ts';
import { type NextAction, nextActionOf } from './next-action.ts';
import type { OrderRules } from './rules.ts';
import { firstOf, type JsonObject, type Result } from './statement.ts';
import { type OrderStatus, statusOf } from './status.ts';

/** An order as derived; amounts in the currency's smallest unit, times as APO sent them. */
export interface DerivedOrder {
  readonly clientId: string;
  readonly paymentId: string | null;
  readonly paymentRequestId: string | null;
  readonly referenceOrderId: string | null;
  readonly status: OrderStatus;
  readonly fulfillable: boolean;
  readonly nextAction: NextAction;
  readonly paymentAmount: AmountText | null;
  readonly capturedAmount: AmountText | null;
  readonly expectedAmount: AmountText | null;
  readonly result: Result | null;
  readonly paymentTime: string | null;
  /** UTC, ISO 8601 with milliseconds. */
  readonly authorizationExpiresAt: string | null;
  readonly acquirerInfo: JsonObject | null;
  readonly acquirerReferenceNo: string | null;
  readonly captures: readonly Capture[];
  readonly attention: readonly Attention[];
}

/** An order as shown: derived, with our own two times (UTC, ISO 8601 with milliseconds). */
export interface Order extends DerivedOrder {
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Derives an order from its evidence. Pure; the order of `statements` and `registrations` does not matter. */
export const deriveOrder = (evidence: OrderEvidence, rules: OrderRules): DerivedOrder => {
  const findings = findIn(evidence, rules);
  const { payments, captures, registration, expected, paymentAmount, capturedAmount } = findings;
  const status = statusOf(findings);
  const codes = attentionOf(findings, status);
  const fulfillable = isFulfillable(findings, status, codes);
  return {
    clientId: evidence.clientId,
    paymentId: evidence.paymentId,
    paymentRequestId:
      evidence.paymentId === null
        ? (registration?.paymentRequestId ?? null)
        : (distinct(payments.map(({ paymentRequestId }) => paymentRequestId))[0] ?? null),
    referenceOrderId: registration?.referenceOrderId ?? null,
    status,
    fulfillable,
    nextAction: nextActionOf(findings, { status, codes, fulfillable }),
    paymentAmount: paymentAmount && toAmountText(paymentAmount),
    capturedAmount: capturedAmount && toAmountText(capturedAmount),
    expectedAmount: expected && toAmountText(expected),
    result: payments[0]?.result ?? null,
    paymentTime: firstOf(payments, ({ paymentTime }) => paymentTime),
    authorizationExpiresAt: authorizationExpiry(payments),
    acquirerInfo: firstOf(payments, ({ acquirerInfo }) => acquirerInfo),
    acquirerReferenceNo: firstOf(payments, ({ acquirerReferenceNo }) => acquirerReferenceNo),
    captures: captures.map(toCapture),
    attention: codes.map((code) => toAttention(code, findings.problems)),
  };
};

/** Adds what depends on our clock, at the moment of reading: it is never stored. */
export const withExpiry = <O extends DerivedOrder>(order: O, now: Date): O =>
  isAuthorizationExpiring(order, now)
    ? { ...order, attention: [...order.attention, toAttention('AUTHORIZATION_EXPIRING')] }
    : order;

const isFulfillable = (findings: Findings, status: OrderStatus, codes: readonly AttentionCode[]): boolean =>
  status === 'CAPTURED' &&
  successStatesAmount(findings) &&
  !codes.some(isBlocking) &&
  !(findings.production && findings.clientId.startsWith('SANDBOX_'));

/**
 * The order where deriving it failed, which is a fault of ours: it exists, it is not fulfillable, and a person is told.
 */
export const underivable = ({ clientId, paymentId, problems }: OrderEvidence): DerivedOrder => ({
  clientId,
  paymentId,
  paymentRequestId: null,
  referenceOrderId: null,
  status: 'PENDING',
  fulfillable: false,
  nextAction: 'REVIEW',
  paymentAmount: null,
  capturedAmount: null,
  expectedAmount: null,
  result: null,
  paymentTime: null,
  authorizationExpiresAt: null,
  acquirerInfo: null,
  acquirerReferenceNo: null,
  captures: [],
  attention: [toAttention('UNREADABLE_NOTIFICATION', problems)],
});
