import { type Amount, disagree, largest, sameAmount } from './amount.ts';
import { type Findings, hasStatus, movedAmounts, ownAmounts, saysCancelled } from './findings.ts';
import { distinct, hasTwoNames, type Movement, nameOf } from './movement.ts';
import { show } from './show.ts';
import { amountsOf, byCodeUnit, type CaptureStatement, type RefundStatement } from './statement.ts';

/* What contradicts what, each as the words of a sentence; empty where nothing does. */

/** What APO reports both success and failure of. */
export const contradictoryResults = ({
  hasSuccess,
  hasFailure,
  isCancelled,
  results,
  succeeded,
  captures,
  refunds,
}: Findings): readonly string[] => {
  const failures = results.filter(hasStatus('F'));
  const isExplained = isCancelled && failures.every(saysCancelled);
  return [
    ...(hasFailure && hasSuccess && !isExplained ? [withCodes('the payment', results)] : []),
    ...(hasFailure && succeeded.length > 0
      ? [withCodes(`the payment, of which ${together(succeeded)} was captured`, results)]
      : []),
    ...captures
      .filter(({ resultsDisagree }) => resultsDisagree)
      .map((one) => withCodes(`capture ${nameOf(one)}`, one.statements)),
    ...refunds
      .filter(({ resultsDisagree }) => resultsDisagree)
      .map((one) => withCodes(`refund ${nameOf(one)}`, one.statements)),
  ];
};

/** With why it failed: a failure for another reason, later, is not what a review has settled. */
const withCodes = (what: string, statements: readonly Pick<Findings['results'][number], 'result'>[]): string => {
  const codes = statements.flatMap(({ result: { resultStatus, resultCode } }) =>
    resultStatus === 'F' ? [resultCode ?? 'no code'] : [],
  );
  return `${what} (${distinct(codes).join(', ')})`;
};

/** What APO states several amounts of. Where a capture is required, an amount may be raised by an update. */
export const contradictoryAmounts = (findings: Findings): readonly string[] => {
  const { need, resultAmounts, captures, refunds } = findings;
  const stated = need.required ? ownAmounts(findings) : resultAmounts;
  return [
    ...(disagree(stated) ? [withAmounts('the payment', stated)] : []),
    ...captures.filter(({ amountsDisagree }) => amountsDisagree).map((one) => ofMovement('capture', one)),
    ...refunds.filter(({ amountsDisagree }) => amountsDisagree).map((one) => ofMovement('refund', one)),
  ];
};

const withAmounts = (what: string, amounts: readonly Amount[]): string =>
  `${what} (${distinct(amounts.map(show)).join(' and ')})`;

const ofMovement = (what: string, one: Movement<CaptureStatement> | Movement<RefundStatement>): string =>
  withAmounts(`${what} ${nameOf(one)}`, amountsOf(one.statements.filter(hasStatus('S'))));

/** Which identifiers stand for two things, or which thing has two of a kind. */
export const contradictoryIdentities = ({
  evidence,
  payments,
  captures,
  refunds,
  succeeded,
  registration,
}: Findings): readonly string[] => {
  const reference = registration?.referenceOrderId ?? null;
  const requestIds = distinct(payments.map(({ paymentRequestId }) => paymentRequestId));
  const byRequestOnly = succeeded.filter(({ ids }) => ids.length === 0);
  const byIdOnly = succeeded.filter((one) => one.requestIds.length === 0);
  return [
    ...[...new Set(evidence.sharedIdentities)].sort(),
    ...(requestIds.length > 1
      ? [
          `one payment under the paymentRequestIds ${requestIds.join(' and ')}${reference === null ? '' : `, counted for the shop order ${reference}`}`,
        ]
      : []),
    ...captures.filter(hasTwoNames).map((one) => twoNames('capture', one)),
    ...refunds.filter(hasTwoNames).map((one) => twoNames('refund', one)),
    ...refunds.flatMap((one) => elsewhere(one, evidence.paymentId)),
    ...(byRequestOnly.length > 0 && byIdOnly.length > 0
      ? [
          `${together(byRequestOnly)} captured by captureRequestId alone and ${together(byIdOnly)} by captureId alone may be one capture`,
        ]
      : []),
  ];
};

/** What was captured in all, by currency: sums, for captures that are folded are told together (fold.ts). */
const sumsOf = (moved: readonly { readonly amount: Amount | null }[]): readonly Amount[] => {
  const sums = new Map<string, bigint>();
  for (const { currency, value } of movedAmounts(moved)) sums.set(currency, (sums.get(currency) ?? 0n) + value);
  return [...sums].sort(([a], [b]) => byCodeUnit(a, b)).map(([currency, value]) => ({ currency, value }));
};

const together = (captures: readonly Movement<CaptureStatement>[]): string => {
  const sums = sumsOf(captures).map(show);
  return sums.length === 0 ? 'an unknown amount' : sums.join(' and ');
};

/** A refund may join by its registration, and name another payment itself. */
const elsewhere = (refund: Movement<RefundStatement>, own: string | null): readonly string[] =>
  distinct(refund.statements.map(({ paymentId }) => paymentId))
    .filter((paymentId) => paymentId !== own)
    .map((paymentId) => `refund ${nameOf(refund)} names payment ${paymentId} itself`);

const twoNames = (what: string, { ids, requestIds }: Pick<Movement<CaptureStatement>, 'ids' | 'requestIds'>): string =>
  `one ${what} under ${[...ids, ...requestIds].join(' and ')}`;

/** The amount of the payment and the registered one, where they are not the same. */
export const mismatch = (findings: Findings): { readonly stated: Amount; readonly registered: Amount } | null => {
  const { payment, expected } = findings.amounts;
  if (payment === null || expected === null) return null;
  const own = largest(ownAmounts(findings));
  const isEither = sameAmount(payment, expected) || (own !== null && sameAmount(own, expected));
  return isEither ? null : { stated: payment, registered: expected };
};

/** Successful captures, refunds and updates that are not in the order's currency; none while that is not known. */
export const foreignAmounts = ({ succeeded, refunds, amounts }: Findings): readonly string[] => {
  const { currency, updates } = amounts;
  if (currency === null) return [];
  const refunded = refunds.filter(isSucceeded);
  const isForeign = (amount: Amount): boolean => amount.currency !== currency;
  return [
    ...sumsOf(succeeded)
      .filter(isForeign)
      .map((amount) => `${show(amount)} captured`),
    ...sumsOf(refunded)
      .filter(isForeign)
      .map((amount) => `${show(amount)} refunded`),
    ...distinct(updates.filter(isForeign).map((amount) => `a raise to ${show(amount)}`)),
  ];
};

/**
 * What is known beside an amount that is not: what is registered, where there is no payment's to compare it with, and
 * what was refunded, for what is left of it cannot be told.
 */
export const knownBeside = ({ refunds, amounts: { payment, expected } }: Findings): readonly string[] => [
  ...(payment === null && expected !== null ? [`${show(expected)} registered`] : []),
  ...refundedSums({ refunds }),
];

/** What was refunded, by currency. */
export const refundedSums = ({ refunds }: Pick<Findings, 'refunds'>): readonly string[] =>
  sumsOf(refunds.filter(isSucceeded)).map((amount) => `${show(amount)} refunded`);

/** Successes without an amount above zero. */
export const amountsUnknown = ({ hasSuccess, results, succeeded, refunds }: Findings): readonly string[] => {
  const isStated = amountsOf(results.filter(hasStatus('S'))).some(({ value }) => value > 0n);
  return [
    ...(hasSuccess && !isStated ? ['the payment'] : []),
    ...succeeded.filter(isWithoutAmount).map((one) => `capture ${nameOf(one)}`),
    ...refunds.filter((refund) => isSucceeded(refund) && isWithoutAmount(refund)).map((one) => `refund ${nameOf(one)}`),
  ];
};

const isSucceeded = ({ status }: Pick<Movement<RefundStatement>, 'status'>): boolean => status === 'SUCCEEDED';

export const isWithoutAmount = ({ amount }: { readonly amount: Amount | null }): boolean =>
  (amount?.value ?? 0n) === 0n;
