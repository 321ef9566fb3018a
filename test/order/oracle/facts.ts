import type { OrderEvidence, RegistrationFact } from '../../../src/order/evidence.ts';
import type { ReviewDecision } from '../../../src/order/review.ts';
import type { OrderRules } from '../../../src/order/rules.ts';
import type { OrderStatus } from '../../../src/order/status.ts';
import type {
  AmountUpdateStatement,
  AnyPaymentStatement,
  CancellationStatement,
  CancelledPaymentStatement,
  CaptureStatement,
  DisputeStatement,
  PaymentStatement,
  RefundStatement,
  ResultStatus,
  Sourced,
  UnansweredStatement,
} from '../../../src/order/statement.ts';
import { captureNeed, type Need } from './capture-need.ts';
import { type Captured, capturesIn, type Disputed, disputesIn, type Refunded, refundsIn } from './movements.ts';
import { ascending, first, largestOf, type Money, nameOf, speaksBefore, stated, toMoney } from './spoken.ts';
import { toInstant, YEAR_10000 } from './time.ts';

/** What order.md says of an order before the clock and attention: terms are the page's own. */
/** A review, as far as it changes what others are told. */
interface Reviewed {
  readonly decision: ReviewDecision;
  readonly settled: readonly { readonly code: string }[];
}

export interface Facts {
  readonly evidence: OrderEvidence;
  readonly rules: OrderRules;
  readonly registration: RegistrationFact | null;
  /** PAYMENT_RESULT, PAYMENT_PENDING and an inquiry's CANCELLED, as they speak. */
  readonly payments: readonly Sourced<AnyPaymentStatement>[];
  /** S, F, U. */
  readonly results: readonly Sourced<PaymentStatement>[];
  /** Of the PAYMENT_RESULTs; an inquiry's CANCELLED states no result, but its amount counts. */
  readonly resultAmounts: readonly Money[];
  /** An inquiry says CANCELLED, or shows a CANCEL with S. */
  readonly inquiredCancelled: boolean;
  readonly captures: readonly Captured[];
  readonly refunds: readonly Refunded[];
  readonly disputes: readonly Disputed[];
  /** Amounts that an UPDATE_AMOUNT_RESULT S states. */
  readonly updates: readonly Money[];
  readonly need: Need;
  readonly cancelled: boolean;
  readonly status: OrderStatus;
  readonly currency: string | null;
  readonly paymentAmount: Money | null;
  readonly expected: Money | null;
  readonly due: Money | null;
  readonly captured: Money | null;
  readonly refunded: Money | null;
  readonly remaining: Money | null;
  readonly paid: bigint;
  readonly gone: bigint;
  /** Paid is above zero and gone reaches it. */
  readonly allGone: boolean;
  /** A person who knew that decided to fulfil it. */
  readonly isFulfilledThough: boolean;
  /** Of those that count, as they speak. */
  readonly failed: readonly Captured[];
  readonly expiresAt: number | null;
}

export const GONE_CODES: ReadonlySet<string> = new Set(['AUTH_CANCELLED', 'AUTH_EXPIRED', 'ORDER_IS_CANCELED']);
const CLOSED_CODES: ReadonlySet<string> = new Set(['ORDER_IS_CANCELED', 'ORDER_IS_CLOSED']);

export const saysClosed = ({ result }: PaymentStatement): boolean => CLOSED_CODES.has(result.resultCode ?? '');
export const says = (results: readonly PaymentStatement[], status: ResultStatus): boolean =>
  results.some(({ result }) => result.resultStatus === status);
export const succeeded = (captures: readonly Captured[]): readonly Captured[] =>
  captures.filter(({ verdict }) => verdict === 'S');

const sum = (moved: readonly { readonly verdict: ResultStatus; readonly amount: Money | null }[], currency: string) =>
  moved.reduce(
    (total, { verdict, amount }) => (verdict === 'S' && amount?.currency === currency ? total + amount.value : total),
    0n,
  );

const total = (moved: Parameters<typeof sum>[0], currency: string | null): Money | null =>
  currency === null || !moved.some(({ verdict }) => verdict === 'S') ? null : { currency, value: sum(moved, currency) };

const isAbove = (money: Money | null, currency: string | null): money is Money =>
  money !== null && money.currency === currency && money.value > 0n;

interface Taking {
  readonly disputes: readonly Disputed[];
  readonly currency: string | null;
  readonly paid: bigint;
}

const takenBy = ({ disputes, currency, paid }: Taking): bigint =>
  disputes.reduce((taken, { state, judged, largest }) => {
    if (!tookMoney(state)) return taken;
    if (isAbove(judged, currency)) return taken + judged.value;
    return taken + (isAbove(largest, currency) ? largest.value : paid);
  }, 0n);

export const tookMoney = (state: Disputed['state']): boolean =>
  state === 'LOST' || state === 'ACCEPTED' || state === 'RDR';

interface Asked extends Base {
  readonly need: Need;
  readonly inquiredCancelled: boolean;
  readonly cancellations: readonly CancellationStatement[];
}

const isCancelled = (asked: Asked): boolean => {
  const { registration, captures, results, need, inquiredCancelled, cancellations } = asked;
  if (registration?.cancelled === true || inquiredCancelled) return true;
  if (succeeded(captures).length > 0) return false;
  if (cancellations.some(({ type, result }) => type === 'VOID' && result.resultStatus === 'S')) return true;
  if (captures.some(({ verdict, code }) => verdict === 'F' && GONE_CODES.has(code ?? ''))) return true;
  const requires = need.rule === 1 || need.rule === 3 || need.rule === 4;
  return requires && says(results, 'S') && results.some((one) => one.result.resultStatus === 'F' && saysClosed(one));
};

interface Base {
  readonly registration: RegistrationFact | null;
  readonly payments: readonly Sourced<AnyPaymentStatement>[];
  readonly results: readonly Sourced<PaymentStatement>[];
  readonly captures: readonly Captured[];
}

const timeOf = ({ spoken }: Captured): number | null => toInstant(first(spoken, (one) => one.captureTime));
const isGone = ({ code }: Captured): boolean => GONE_CODES.has(code ?? '');

/** A failed capture does not count once a later one succeeded, unless the authorization is gone. */
const thatCount = (captures: readonly Captured[]): readonly Captured[] => {
  return captures
    .filter((one) => {
      if (one.verdict !== 'F') return false;
      const failedAt = timeOf(one);
      const isSuperseded =
        failedAt !== null && succeeded(captures).some((other) => (timeOf(other) ?? failedAt) > failedAt);
      return isGone(one) || !isSuperseded;
    })
    .sort((a, b) => Number(isGone(b)) - Number(isGone(a)) || speaksBefore(a.spoken[0]!, b.spoken[0]!));
};

const DAY = 86_400_000;

const expiryOf = ({ payments, results, registration }: Base, need: Need): number | null => {
  const paidAt = toInstant(first(payments, (one) => one.paymentTime));
  if (!says(results, 'S') || paidAt === null || !need.required) return null;
  for (const text of [registration?.authExpiryTime, first(payments, (one) => one.authExpiryTime)]) {
    const instant = toInstant(text);
    if (instant !== null && instant > paidAt) return instant;
  }
  const acquirer = first(payments, (one) => one.acquirerInfo);
  const isAntom = acquirer === null || acquirer['acquirerName'] === 'ANTOM' || acquirer['acquirerName'] === 'ALIPAY';
  return isAntom && paidAt + 7 * DAY < YEAR_10000 * 60_000 ? paidAt + 7 * DAY : null;
};

interface ForStatus extends Base {
  readonly need: Need;
  readonly cancelled: boolean;
  readonly due: Money | null;
  readonly captured: Money | null;
}

const statusFrom = ({ payments, results, captures, need, cancelled, due, captured }: ForStatus): OrderStatus => {
  if (due !== null && due.value > 0n && captured !== null && captured.value >= due.value) return 'CAPTURED';
  if (says(results, 'S') && !need.required && !cancelled) return 'CAPTURED';
  if (succeeded(captures).length > 0) return 'PARTIALLY_CAPTURED';
  if (cancelled) return 'CANCELLED';
  if (says(results, 'S')) return 'AUTHORIZED';
  if (says(results, 'F')) return 'FAILED';
  return payments.length > 0 ? 'PROCESSING' : 'PENDING';
};

const amountsFrom = (
  { registration, payments, captures, resultAmounts }: Base & Pick<Facts, 'resultAmounts'>,
  raised: readonly Money[],
) => {
  const base = largestOf(resultAmounts) ?? largestOf(stated(payments));
  const larger = base && largestOf(raised.filter((one) => one.currency === base.currency && one.value > base.value));
  const paymentAmount = larger ?? base;
  const expected = toMoney(registration?.amount);
  const final = toMoney(registration?.finalAmount);
  const capturedIn = succeeded(captures).flatMap(({ amount }) => (amount === null ? [] : [amount.currency]));
  const currency = paymentAmount?.currency ?? expected?.currency ?? capturedIn.sort(ascending)[0] ?? null;
  const due = final !== null && final.currency === currency ? final : paymentAmount;
  return { paymentAmount, expected, currency, due, captured: total(captures, currency) };
};

interface Sorts {
  readonly payment: Sourced<PaymentStatement>[];
  readonly 'cancelled payment': Sourced<CancelledPaymentStatement>[];
  readonly cancellation: CancellationStatement[];
  readonly inquiry: UnansweredStatement[];
  readonly 'amount update': Sourced<AmountUpdateStatement>[];
  readonly capture: Sourced<CaptureStatement>[];
  readonly refund: Sourced<RefundStatement>[];
  readonly dispute: Sourced<DisputeStatement>[];
}

const sortOut = ({ statements }: OrderEvidence): Sorts => {
  const sorts: Sorts = {
    payment: [],
    'cancelled payment': [],
    'amount update': [],
    capture: [],
    refund: [],
    cancellation: [],
    inquiry: [],
    dispute: [],
  };
  for (const one of statements) (sorts[one.about] as unknown[]).push(one);
  return sorts;
};

export const factsOf = (evidence: OrderEvidence, rules: OrderRules, review: Reviewed | null): Facts => {
  const sorts = sortOut(evidence);
  const payments = [...sorts.payment, ...sorts['cancelled payment']].sort(speaksBefore);
  const results = sorts.payment.filter(({ pending }) => !pending).sort(speaksBefore);
  const resultAmounts = stated([...results, ...sorts['cancelled payment']]);
  const inquiredCancelled =
    sorts['cancelled payment'].length > 0 ||
    sorts.cancellation.some(({ type, result }) => type === 'CANCEL' && result.resultStatus === 'S');
  const captures = capturesIn(sorts.capture);
  const refunds = refundsIn(sorts.refund);
  const disputes = disputesIn(sorts.dispute);
  const updates = stated(sorts['amount update'].filter(({ result }) => result.resultStatus === 'S'));
  const registration =
    [...evidence.registrations].sort((a, b) => ascending(a.paymentRequestId, b.paymentRequestId))[0] ?? null;
  const base = { registration, payments, results, captures };
  const need = captureNeed({ evidence, payments, registration, rules });
  const cancelled = isCancelled({ ...base, need, inquiredCancelled, cancellations: sorts.cancellation });
  const amounts = amountsFrom({ ...base, resultAmounts }, need.required ? updates : []);
  const { currency, due, captured } = amounts;
  const status = statusFrom({ ...base, need, cancelled, due, captured });
  const refunded = total(refunds, currency);
  const successes = stated(results.filter(({ result }) => result.resultStatus === 'S'));
  const paid = need.required
    ? (captured?.value ?? 0n)
    : (largestOf(successes.filter((one) => one.currency === currency))?.value ?? 0n);
  const gone = (refunded?.value ?? 0n) + takenBy({ disputes, currency, paid });
  const isUnfinished = status === 'AUTHORIZED' || status === 'PARTIALLY_CAPTURED';
  const hasRest = isUnfinished && need.required && says(results, 'S') && due !== null && due.value > 0n;
  return {
    evidence,
    rules,
    ...base,
    resultAmounts,
    inquiredCancelled,
    refunds,
    disputes,
    updates,
    need,
    cancelled,
    status,
    ...amounts,
    refunded,
    remaining: hasRest ? { currency: due.currency, value: atLeastZero(due.value - (captured?.value ?? 0n)) } : null,
    paid,
    gone,
    allGone: paid > 0n && gone >= paid,
    isFulfilledThough: review?.decision === 'FULFIL' && review.settled.some(({ code }) => code === 'REFUNDED'),
    failed: thatCount(captures),
    expiresAt: expiryOf(base, need),
  };
};

const atLeastZero = (value: bigint): bigint => (value < 0n ? 0n : value);

/** It counts as paid in the sense of DUPLICATE_PAYMENT. */
export const countsAsPaid = ({ results, captures, status, allGone, isFulfilledThough }: Facts): boolean =>
  (says(results, 'S') || succeeded(captures).length > 0) && status !== 'CANCELLED' && (!allGone || isFulfilledThough);

export const describe = (moved: Captured | Refunded): string =>
  `${moved.ids.join('+')}/${moved.requestIds.join('+')} ${moved.verdict} ${nameOf(moved.amount)}`;
