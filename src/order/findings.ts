import { type Amount, largest, sameAmount, toAmount } from './amount.ts';
import { type CaptureEvidence, countingFailures, gatherCaptures, saysAuthorizationGone } from './capture.ts';
import { type CaptureNeed, captureNeed } from './capture-required.ts';
import { type DisputeEvidence, gatherDisputes, takenBy, tookMoney } from './dispute.ts';
import { countedRegistration, type OrderEvidence, type RegistrationFact } from './evidence.ts';
import { gatherRefunds, type RefundEvidence } from './refund.ts';
import type { CaptureMode } from './registration.ts';
import { fulfilsRefunded } from './review.ts';
import type { OrderRules } from './rules.ts';
import {
  type AmountUpdateStatement,
  amountsOf,
  type AnyPaymentStatement,
  byCodeUnit,
  byPrecedence,
  type CancellationStatement,
  type PaymentStatement,
  type Sourced,
  type Statement,
} from './statement.ts';

/** What the statements of an order say, sorted and merged: of each thing that is stated, once. */
interface Gathered {
  /** PAYMENT_RESULT, PAYMENT_PENDING and an inquiry's CANCELLED, sorted by precedence. */
  readonly payments: readonly Sourced<AnyPaymentStatement>[];
  readonly cancellations: readonly CancellationStatement[];
  readonly updates: readonly AmountUpdateStatement[];
  readonly captures: readonly CaptureEvidence[];
  readonly refunds: readonly RefundEvidence[];
  readonly disputes: readonly DisputeEvidence[];
}

/** What the rules of this folder look at: the evidence, sorted and summed up once. */
export interface Findings extends Gathered {
  readonly evidence: OrderEvidence;
  readonly rules: OrderRules;
  /** PAYMENT_RESULT alone. */
  readonly results: readonly Sourced<PaymentStatement>[];
  /** The amounts of those, and of an inquiry's CANCELLED. */
  readonly resultAmounts: readonly Amount[];
  readonly succeeded: readonly CaptureEvidence[];
  /** Failed captures that count, the decisive one first. */
  readonly failures: readonly CaptureEvidence[];
  readonly registration: RegistrationFact | null;
  readonly captureMode: CaptureMode;
  readonly need: CaptureNeed;
  /** PAYMENT_RESULT S, F. */
  readonly hasSuccess: boolean;
  readonly hasFailure: boolean;
  readonly isCancelled: boolean;
  /** An inquiry says CANCELLED, or shows a CANCEL with S: that holds whatever was captured. */
  readonly cancelledByInquiry: boolean;
  readonly amounts: Amounts;
}

/** Amounts; what is added up counts the currency's smallest unit, in the order's currency. */
export interface Amounts {
  readonly currency: string | null;
  /** What APO states the payment to be. */
  readonly payment: Amount | null;
  readonly expected: Amount | null;
  /** What successful amount updates state. */
  readonly updates: readonly Amount[];
  /** Above zero, else null. */
  readonly due: Amount | null;
  readonly captured: Amount | null;
  readonly refunded: Amount | null;
  readonly paid: bigint;
  /** Refunded, or taken by disputes. */
  readonly gone: bigint;
}

type ByAbout = { readonly [A in Statement['about']]: Sourced<Extract<Statement, { readonly about: A }>>[] };

const gather = (statements: readonly Sourced<Statement>[]): Gathered => {
  const by: ByAbout = {
    payment: [],
    'cancelled payment': [],
    cancellation: [],
    'amount update': [],
    capture: [],
    refund: [],
    dispute: [],
    inquiry: [],
  };
  // A younger version may have stored another kind: it says nothing here.
  for (const statement of statements) (by[statement.about] as Sourced<Statement>[] | undefined)?.push(statement);
  return {
    payments: [...by.payment, ...by['cancelled payment']].sort(byPrecedence),
    cancellations: by.cancellation,
    updates: by['amount update'],
    captures: gatherCaptures(by.capture),
    refunds: gatherRefunds(by.refund),
    disputes: gatherDisputes(by.dispute),
  };
};

export const hasStatus =
  (status: 'S' | 'F' | 'U') =>
  ({ result }: { readonly result: { readonly resultStatus: string } }): boolean =>
    result.resultStatus === status;

export const findIn = (evidence: OrderEvidence, rules: OrderRules): Findings => {
  const gathered = gather(evidence.statements);
  const { payments, cancellations, captures } = gathered;
  const results = payments.filter((one) => one.about === 'payment').filter(({ pending }) => !pending);
  const cancelled = payments.filter((one) => one.about === 'cancelled payment');
  const resultAmounts = [...amountsOf(results), ...amountsOf(cancelled)];
  const shows = (wanted: CancellationStatement['type']): boolean =>
    cancellations.some((one) => one.type === wanted && hasStatus('S')(one));
  const cancelledByInquiry = cancelled.length > 0 || shows('CANCEL');
  const succeeded = captures.filter(({ status }) => status === 'SUCCEEDED');
  const registration = countedRegistration(evidence.registrations);
  const need = captureNeed({ payments, hasCapture: captures.length > 0, registration }, rules);
  return {
    ...gathered,
    evidence,
    rules,
    results,
    resultAmounts,
    succeeded,
    failures: countingFailures(captures),
    registration,
    captureMode: registration?.captureMode ?? rules.captureMode,
    need,
    hasSuccess: results.some(hasStatus('S')),
    hasFailure: results.some(hasStatus('F')),
    isCancelled:
      cancelledByInquiry || isCancelled({ registration, results, captures, succeeded, need, isVoided: shows('VOID') }),
    cancelledByInquiry,
    amounts: amountsIn(gathered, { results, resultAmounts, succeeded, registration, need }),
  };
};

/** An F that says that the payment was cancelled or closed contradicts no S. */
export const saysCancelled = ({ result }: PaymentStatement): boolean =>
  result.resultCode === 'ORDER_IS_CANCELED' || result.resultCode === 'ORDER_IS_CLOSED';

const isCancelled = ({
  registration,
  results,
  captures,
  succeeded,
  need,
  isVoided,
}: Pick<Findings, 'registration' | 'results' | 'captures' | 'succeeded' | 'need'> & {
  readonly isVoided: boolean;
}): boolean => {
  if (registration?.cancelled === true) return true;
  if (succeeded.length > 0) return false;
  if (isVoided || captures.some(saysAuthorizationGone)) return true;
  return (
    need.required &&
    need.because !== 'undecided' &&
    results.some(hasStatus('S')) &&
    results.some((one) => one.result.resultStatus === 'F' && saysCancelled(one))
  );
};

const amountsIn = (
  { payments, updates, refunds, disputes }: Gathered,
  {
    results,
    resultAmounts,
    succeeded,
    registration,
    need,
  }: Pick<Findings, 'results' | 'resultAmounts' | 'succeeded' | 'registration' | 'need'>,
): Amounts => {
  const stated = largest(resultAmounts) ?? largest(amountsOf(payments));
  const updated = amountsOf(updates.filter(hasStatus('S')));
  const raised =
    stated === null || !need.required ? [] : updated.filter(({ currency }) => currency === stated.currency);
  const payment = largest([...(stated === null ? [] : [stated]), ...raised]);
  const expected = registration && toAmount(registration.amount);
  const smallestCurrency = movedAmounts(succeeded)
    .map((amount) => amount.currency)
    .sort(byCodeUnit)[0];
  const currency = payment?.currency ?? expected?.currency ?? smallestCurrency ?? null;
  const final = registration !== null && registration.finalAmount !== null ? toAmount(registration.finalAmount) : null;
  const due = final !== null && final.currency === currency ? final : payment;
  const captured = sumOf(succeeded, currency);
  const refunded = sumOf(
    refunds.filter(({ status }) => status === 'SUCCEEDED'),
    currency,
  );
  const success = largest(amountsOf(results.filter(hasStatus('S'))));
  const paidOnce = success !== null && success.currency === currency ? success.value : 0n;
  const paid = need.required ? (captured?.value ?? 0n) : paidOnce;
  const taken = disputes
    .filter(tookMoney)
    .reduce((sum, dispute) => sum + (currency === null ? 0n : (takenBy(dispute, currency) ?? paid)), 0n);
  return {
    currency,
    payment,
    expected,
    updates: updated,
    due: due !== null && due.value > 0n ? due : null,
    captured,
    refunded,
    paid,
    gone: (refunded?.value ?? 0n) + taken,
  };
};

interface Moved {
  readonly amount: Amount | null;
}

/** The amounts of those that state one. */
export const movedAmounts = (movements: readonly Moved[]): readonly Amount[] =>
  movements.flatMap(({ amount }) => (amount === null ? [] : [amount]));

/** Null where there is none, or no currency is known; one in another currency, or without an amount, adds 0. */
const sumOf = (succeeded: readonly Moved[], currency: string | null): Amount | null => {
  if (succeeded.length === 0 || currency === null) return null;
  const value = movedAmounts(succeeded).reduce((sum, one) => (one.currency === currency ? sum + one.value : sum), 0n);
  return { currency, value };
};

/** Everything that was paid is gone again. */
export const isRefunded = ({ amounts: { paid, gone } }: Findings): boolean => paid > 0n && gone >= paid;

/** Of the amounts of its PAYMENT_RESULTs, those that no successful amount update states. */
export const ownAmounts = ({ resultAmounts, amounts: { updates } }: Findings): readonly Amount[] =>
  resultAmounts.filter((amount) => !updates.some((update) => sameAmount(amount, update)));

/**
 * It brought money, and has not given all of it back, or a person fulfils it all the same: two such payments of one
 * shop order are one too many.
 */
export const countsAsPaid = (findings: Findings): boolean =>
  (findings.hasSuccess || findings.succeeded.length > 0) &&
  !(findings.isCancelled && findings.succeeded.length === 0) &&
  !hasGivenBack(findings);

/** Everything that was paid is gone again, and nobody who knew it fulfils the order all the same. */
export const hasGivenBack = (findings: Findings): boolean =>
  isRefunded(findings) && !fulfilsRefunded(findings.evidence.review);

/** The other payments of the shop order that brought money and have not given it back. */
export const paidSiblings = (findings: Findings): readonly OrderEvidence[] =>
  countsAsPaid(findings) ? payingSiblings(findings) : [];

/** The same, whether or not this payment brought money. */
export const payingSiblings = ({ evidence, rules }: Findings): readonly OrderEvidence[] =>
  evidence.siblings.payments
    .filter((sibling) => sibling.paymentId !== null && isPaying(sibling, rules))
    .sort((a, b) => byCodeUnit(a.paymentId ?? '', b.paymentId ?? ''));

/** The shop has made a new payment of the same shop order already. */
export const hasAskedAgain = (findings: Findings): boolean =>
  findings.evidence.siblings.hasLaterRegistration || payingSiblings(findings).length > 0;

/** In doubt it is: one payment must not fail with another, nor two of a shop order be shipped. */
const isPaying = (sibling: OrderEvidence, rules: OrderRules): boolean => {
  try {
    return countsAsPaid(findIn(sibling, rules));
  } catch {
    return true;
  }
};
