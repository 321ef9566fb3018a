import type { OrderEvidence } from '../../../src/order/evidence.ts';
import type { NextAction } from '../../../src/order/next-action.ts';
import type { DerivedOrder } from '../../../src/order/order.ts';
import type { Review } from '../../../src/order/review.ts';
import type { OrderRules } from '../../../src/order/rules.ts';
import type { AttentionCode } from '../../../src/order/attention-code.ts';
import { attentionAt, HOUR, type Noted, paidSiblings, WARNING } from './attention.ts';
import { type Facts, factsOf, says } from './facts.ts';
import { showCapture, showRefund } from './movements.ts';
import { first, toText } from './spoken.ts';

/*
 * order.md, said again as plainly as possible. It shares nothing with src/ but types: where both agree, two readings
 * of the page agree. It is slow, and it takes no short cut.
 */

/** An order as the oracle tells it; no messages, for the wording is the program's own. */
export type ToldOrder = Omit<DerivedOrder, 'attention'> & {
  readonly attention: readonly { readonly code: AttentionCode; readonly settled: boolean }[];
};

export interface Told {
  readonly order: ToldOrder;
  /** The next instant at which the clock changes what the order says; null where it never does. */
  readonly changesAt: number | null;
  /** What a review now would settle, in the oracle's own words. */
  readonly settleable: readonly Noted[];
  /** In the currency's smallest unit. */
  readonly captured: bigint;
}

/** A review as far as the page speaks of it; `settled` in the oracle's own words. */
type Standing = Omit<Review, 'settled'> & { readonly settled: readonly { code: AttentionCode; values: string }[] };

const RETRIED: ReadonlySet<string> = new Set([
  'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT',
  'CURRENCY_NOT_SUPPORT',
  'PARAM_ILLEGAL',
  'USER_AMOUNT_EXCEED_LIMIT',
]);

interface Decision {
  readonly noted: readonly Noted[];
  readonly isOpen: (one: Noted) => boolean;
  readonly review: Standing | null;
  readonly fulfillable: boolean;
  readonly now: number;
}

const wait = ({ evidence }: Facts, now: number): NextAction => (now >= evidence.newestAt + HOUR ? 'INQUIRE' : 'WAIT');

const byFailedCapture = ({ failed, remaining }: Facts): NextAction => {
  const [{ code, amount } = { code: null, amount: null }] = failed;
  const isWithin = amount !== null && amount.currency === remaining?.currency && amount.value <= remaining.value;
  if (code === 'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT' && isWithin) return 'INQUIRE';
  return RETRIED.has(code ?? '') && failed.length < 3 ? 'RETRY_CAPTURE' : 'CONTACT_SUPPORT';
};

const nextOf = (facts: Facts, { noted, isOpen, review, fulfillable, now }: Decision): NextAction => {
  const { evidence, rules, registration, status, captures, failed, remaining } = facts;
  const holds = (code: AttentionCode): boolean => noted.some((one) => one.code === code);
  const open = noted.filter(isOpen);
  if (review?.decision === 'CLOSE' && !open.some((one) => one.blocks || one.review)) return 'NONE';
  if (open.some((one) => one.review)) return 'REVIEW';
  if (fulfillable) return 'FULFIL';
  const isUncounted = open.some(({ code }) => code === 'AMOUNT_UNKNOWN');
  if ((holds('REFUNDED') && !isUncounted) || holds('SANDBOX')) return 'NONE';
  if (status === 'CANCELLED' && registration?.cancelled === true) return 'NONE';
  if (captures.some(({ verdict }) => verdict === 'U')) return wait(facts, now);
  if (status === 'FAILED' || status === 'CANCELLED') {
    const hasAsked = evidence.siblings.hasLaterRegistration || paidSiblings(facts).length > 0;
    return hasAsked ? 'NONE' : 'NEW_PAYMENT_REQUEST';
  }
  const mayCapture = remaining !== null && !holds('AUTHORIZATION_EXPIRED') && !open.some(({ blocks }) => blocks);
  if (mayCapture && failed.length > 0) return byFailedCapture(facts);
  const mode = registration?.captureMode ?? rules.captureMode;
  if (mayCapture && mode === 'MANUAL' && !holds('CAPTURE_UNDECIDED')) return 'CAPTURE';
  return wait(facts, now);
};

/** Closing is void once more is captured than then, or the order has become CAPTURED. */
const standing = (review: Standing | null, { captured, status }: Facts): Standing | null => {
  if (review?.decision !== 'CLOSE') return review;
  const isMore = (captured?.value ?? 0n) > BigInt(review.captured);
  return isMore || (status === 'CAPTURED' && review.status !== 'CAPTURED') ? null : review;
};

const methodOf = ({ registration, payments }: Facts): string | null =>
  registration?.paymentMethodType ??
  first(payments, (one) => one.paymentMethodType) ??
  first(payments, (one) => one.pspName) ??
  (payments.some(({ hasResultInfo }) => hasResultInfo === true) ? 'CARD' : null);

const timeless = (facts: Facts) => {
  const { evidence, registration, payments, rules } = facts;
  return {
    clientId: evidence.clientId,
    paymentId: evidence.paymentId,
    paymentRequestId:
      evidence.paymentId === null
        ? (registration?.paymentRequestId ?? null)
        : first(payments, (one) => one.paymentRequestId),
    referenceOrderId: registration?.referenceOrderId ?? null,
    status: facts.status,
    paymentAmount: toText(facts.paymentAmount),
    expectedAmount: toText(facts.expected),
    finalAmount: registration?.finalAmount ?? null,
    capturedAmount: toText(facts.captured),
    remainingAmount: toText(facts.remaining),
    refundedAmount: toText(facts.refunded),
    paymentMethod: methodOf(facts),
    captureRequired: facts.need.required,
    captureMode: registration?.captureMode ?? rules.captureMode,
    // CANCELLED speaks last, and states none.
    result: payments.flatMap((one) => ('result' in one ? [one.result] : []))[0] ?? null,
    paymentTime: first(payments, (one) => one.paymentTime),
    authorizationExpiresAt: facts.expiresAt === null ? null : new Date(facts.expiresAt).toISOString(),
    acquirerInfo: first(payments, (one) => one.acquirerInfo),
    acquirerReferenceNo: first(payments, (one) => one.acquirerReferenceNo),
    captures: facts.captures.map(showCapture),
    refunds: facts.refunds.map(showRefund),
    disputes: facts.disputes.map(({ shown }) => shown),
  };
};

/** What the clock decides; of `review` the one that stands. */
const timely = (facts: Facts, given: Standing | null, now: number) => {
  const review = standing(given, facts);
  const noted = attentionAt(facts, now);
  const isSettled = ({ code, values }: Noted): boolean =>
    review !== null &&
    (review.settled.some((one) => one.code === code && one.values === values) ||
      (review.decision === 'CLOSE' && (code === 'CAPTURE_UNDECIDED' || code === 'AUTHORIZATION_EXPIRED')));
  const isOpen = (one: Noted): boolean => !isSettled(one);
  const fulfillable =
    facts.status === 'CAPTURED' &&
    (says(facts.results, 'S') || review?.decision === 'FULFIL') &&
    review?.decision !== 'CLOSE' &&
    !noted.some((one) => one.blocks && isOpen(one));
  return {
    settleable: noted.filter((one) => one.blocks || one.review),
    changing: {
      fulfillable,
      nextAction: nextOf(facts, { noted, isOpen, review, fulfillable, now }),
      attention: noted.map((one) => ({ code: one.code, settled: isSettled(one) })),
      review:
        review === null
          ? null
          : {
              decision: review.decision,
              revision: review.revision,
              note: review.note,
              createdAt: new Date(review.createdAt).toISOString(),
            },
    },
  };
};

/**
 * Tells an order at any instant (epoch milliseconds). What the clock changes it changes an hour after the newest
 * notification, 48 hours before the authorization expires, and then: the oracle looks at each of them.
 */
export const tell = (
  evidence: OrderEvidence,
  rules: OrderRules,
  review: Standing | null = null,
): ((now: number) => Told) => {
  const facts = factsOf(evidence, rules, review);
  const constant = timeless(facts);
  const { expiresAt } = facts;
  const instants = [evidence.newestAt + HOUR, ...(expiresAt === null ? [] : [expiresAt - WARNING, expiresAt])].sort(
    (a, b) => a - b,
  );
  const known = new Map<number, ReturnType<typeof timely>>();
  const at = (now: number) => {
    // Nothing changes between two of the instants.
    const since = instants.findLast((instant) => instant <= now) ?? Number.NEGATIVE_INFINITY;
    const one = known.get(since) ?? timely(facts, review, since);
    known.set(since, one);
    return one;
  };
  const names = (now: number): string => JSON.stringify(at(now).changing);
  return (now) => {
    const { changing, settleable } = at(now);
    const present = names(now);
    return {
      order: { ...constant, ...changing },
      changesAt: instants.find((instant) => instant > now && names(instant) !== present) ?? null,
      settleable,
      captured: facts.captured?.value ?? 0n,
    };
  };
};
