import { type AmountText, toAmountText } from './amount.ts';
import { attentionOf } from './attention.ts';
import type { Attention } from './attention-code.ts';
import type { Held, Situation } from './attention-line.ts';
import { authorizationExpiry, remaining, WARNED_BEFORE } from './authorization.ts';
import { type Capture, toCapture } from './capture.ts';
import { type Dispute, toDispute } from './dispute.ts';
import { type OrderEvidence, problemTexts } from './evidence.ts';
import { type Findings, findIn } from './findings.ts';
import { type Judged, type NextAction, nextActionOf } from './next-action.ts';
import { type Refund, toRefund } from './refund.ts';
import type { CaptureMode } from './registration.ts';
import { isSettled, type Review, type ReviewDecision, type Settled, standing } from './review.ts';
import type { OrderRules } from './rules.ts';
import { firstOf, type JsonObject, type Result } from './statement.ts';
import type { OrderStatus } from './status.ts';
import { statusOf } from './status-rules.ts';
import { isoOrNull, isoTime } from './time.ts';

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
  readonly expectedAmount: AmountText | null;
  readonly finalAmount: AmountText | null;
  readonly capturedAmount: AmountText | null;
  readonly remainingAmount: AmountText | null;
  readonly refundedAmount: AmountText | null;
  readonly paymentMethod: string | null;
  readonly captureRequired: boolean;
  readonly captureMode: CaptureMode;
  readonly result: Result | null;
  readonly paymentTime: string | null;
  /** UTC, ISO 8601 with milliseconds. */
  readonly authorizationExpiresAt: string | null;
  readonly acquirerInfo: JsonObject | null;
  readonly acquirerReferenceNo: string | null;
  readonly captures: readonly Capture[];
  readonly refunds: readonly Refund[];
  readonly disputes: readonly Dispute[];
  readonly attention: readonly Attention[];
  readonly review: ShownReview | null;
}

/** A review as shown; `createdAt` is UTC, ISO 8601 with milliseconds. */
export interface ShownReview {
  readonly decision: ReviewDecision;
  readonly revision: number;
  readonly note: string | null;
  readonly createdAt: string;
}

/** An order as shown: derived, with its revision and our own two times (UTC, ISO 8601 with milliseconds). */
export interface Order extends DerivedOrder {
  /** Grows with every change and never goes back. */
  readonly revision: number;
  /** The `paymentRequestId` of the placeholder that this payment's order replaced. */
  readonly replaces: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What an order comes to at one instant. */
export interface Derivation {
  readonly order: DerivedOrder;
  /** The next instant at which the clock changes it, in epoch milliseconds; null where it never does. */
  readonly dueAt: number | null;
  /** What a review of it now would settle. */
  readonly settleable: readonly Settled[];
  /** What is captured, in the currency's smallest unit. */
  readonly captured: bigint;
}

const HOUR = 3_600_000;

/** From then on nothing has come for an hour: epoch milliseconds. */
export const quietFrom = ({ newestAt }: OrderEvidence): number => newestAt + HOUR;

/** What the rules make of an order's evidence at one instant. */
export interface Verdict extends Judged {
  readonly findings: Findings;
  /** Null for none, and for one that is void. */
  readonly review: Review | null;
  readonly nextAction: NextAction;
}

/** Judges an order by its evidence, as of `now` (epoch milliseconds). */
export const judge = (evidence: OrderEvidence, rules: OrderRules, now: number): Verdict => {
  const findings = findIn(evidence, rules);
  const status = statusOf(findings);
  const situation: Situation = {
    status,
    remaining: remaining(findings, status),
    expiresAt: authorizationExpiry(findings),
    now,
    isQuiet: now >= quietFrom(evidence),
  };
  const held = attentionOf(findings, situation);
  const review = standing(evidence.review, { status, captured: findings.amounts.captured?.value ?? 0n });
  const open = held.filter((one) => !isSettled(review, one));
  const closes = review?.decision === 'CLOSE';
  const isClosed = closes && !open.some((one) => one.blocks || one.review);
  const fulfillable =
    status === 'CAPTURED' &&
    !closes &&
    (findings.hasSuccess || review?.decision === 'FULFIL') &&
    !open.some(({ blocks }) => blocks);
  const nextAction = nextActionOf(findings, { situation, open, held, isClosed, fulfillable });
  return { findings, situation, held, open, review, isClosed, fulfillable, nextAction };
};

/**
 * Derives an order from its evidence, as of `now` (epoch milliseconds). Pure; the order of what the evidence lists does
 * not matter.
 */
export const deriveOrder = (evidence: OrderEvidence, rules: OrderRules, now: number): Derivation => {
  const verdict = judge(evidence, rules, now);
  const { findings, situation, held, review, fulfillable, nextAction } = verdict;
  const { due, captured } = findings.amounts;
  return {
    order: {
      ...describe(findings, {
        status: situation.status,
        fulfillable,
        nextAction,
        remainingAmount:
          situation.remaining === null || due === null ? null : toAmountText({ ...due, value: situation.remaining }),
        authorizationExpiresAt: isoOrNull(situation.expiresAt),
      }),
      attention: held.map((one) => ({ code: one.code, message: one.message, settled: isSettled(review, one) })),
      review: review === null ? null : toShown(review),
    },
    dueAt: nextInstant(verdict),
    settleable: held.filter(({ blocks, review: isForReview }) => blocks || isForReview).map(toSettled),
    captured: captured?.value ?? 0n,
  };
};

const toSettled = ({ code, values }: Held): Settled => ({ code, values });

const toShown = ({ decision, revision, note, createdAt }: Review): ShownReview => ({
  decision,
  revision,
  note,
  createdAt: isoTime(createdAt),
});

type Judgement = Pick<
  DerivedOrder,
  'status' | 'fulfillable' | 'nextAction' | 'remainingAmount' | 'authorizationExpiresAt'
>;

/** What the facts say by themselves, and among it, in the order in which an order is shown, what follows from them. */
const describe = (findings: Findings, judgement: Judgement) => {
  const { evidence, payments, registration, amounts, need } = findings;
  return {
    clientId: evidence.clientId,
    paymentId: evidence.paymentId,
    paymentRequestId:
      evidence.paymentId === null
        ? (registration?.paymentRequestId ?? null)
        : firstOf(payments, ({ paymentRequestId }) => paymentRequestId),
    referenceOrderId: registration?.referenceOrderId ?? null,
    status: judgement.status,
    fulfillable: judgement.fulfillable,
    nextAction: judgement.nextAction,
    paymentAmount: amounts.payment && toAmountText(amounts.payment),
    expectedAmount: amounts.expected && toAmountText(amounts.expected),
    finalAmount: registration?.finalAmount ?? null,
    capturedAmount: amounts.captured && toAmountText(amounts.captured),
    remainingAmount: judgement.remainingAmount,
    refundedAmount: amounts.refunded && toAmountText(amounts.refunded),
    paymentMethod: methodOf(findings),
    captureRequired: need.required,
    captureMode: findings.captureMode,
    result: firstOf(payments, (payment) => (payment.about === 'payment' ? payment.result : undefined)),
    paymentTime: firstOf(payments, ({ paymentTime }) => paymentTime),
    authorizationExpiresAt: judgement.authorizationExpiresAt,
    acquirerInfo: firstOf(payments, ({ acquirerInfo }) => acquirerInfo),
    acquirerReferenceNo: firstOf(payments, ({ acquirerReferenceNo }) => acquirerReferenceNo),
    captures: findings.captures.map(toCapture),
    refunds: findings.refunds.map(toRefund),
    disputes: findings.disputes.map(toDispute),
  };
};

const methodOf = ({ registration, payments }: Findings): string | null =>
  registration?.paymentMethodType ??
  firstOf(payments, ({ paymentMethodType }) => paymentMethodType) ??
  firstOf(payments, ({ pspName }) => pspName) ??
  (payments.some(({ hasResultInfo }) => hasResultInfo === true) ? 'CARD' : null);

const nextInstant = ({ findings, situation, held, open, nextAction }: Verdict): number | null => {
  const { expiresAt, remaining: left, now } = situation;
  const asksLater = nextAction !== 'REVIEW' && open.some(({ code }) => code === 'CAPTURE_UNDECIDED');
  const isEnding = left !== null && left > 0n && !held.some(({ code }) => code === 'AUTHORIZATION_EXPIRED');
  const instants = [
    ...(nextAction === 'WAIT' || asksLater ? [quietFrom(findings.evidence)] : []),
    ...(expiresAt !== null && isEnding ? [expiresAt - WARNED_BEFORE, expiresAt] : []),
  ].filter((instant) => instant > now);
  return instants.length === 0 ? null : Math.min(...instants);
};

/**
 * The order where deriving it failed, which is a fault of ours: it exists, it is not fulfillable, and a person is told.
 */
export const underivable = ({ clientId, paymentId, problems }: OrderEvidence): Derivation => ({
  order: {
    clientId,
    paymentId,
    paymentRequestId: null,
    referenceOrderId: null,
    status: 'PENDING',
    fulfillable: false,
    nextAction: 'REVIEW',
    paymentAmount: null,
    expectedAmount: null,
    finalAmount: null,
    capturedAmount: null,
    remainingAmount: null,
    refundedAmount: null,
    paymentMethod: null,
    captureRequired: true,
    captureMode: 'AUTOMATIC',
    result: null,
    paymentTime: null,
    authorizationExpiresAt: null,
    acquirerInfo: null,
    acquirerReferenceNo: null,
    captures: [],
    refunds: [],
    disputes: [],
    attention: [
      { code: 'UNREADABLE_NOTIFICATION', message: [UNDERIVABLE, ...problemTexts(problems)].join(' '), settled: false },
    ],
    review: null,
  },
  dueAt: null,
  settleable: [],
  captured: 0n,
});

export const UNDERIVABLE = 'This order could not be derived, a fault of paynotify. Redrive its notifications.';
