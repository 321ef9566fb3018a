import { toAmount, toAmountText } from './amount.ts';
import type { CaptureEvidence } from './capture.ts';
import { byCodeUnit, byPrecedence, type CaptureStatement, firstOf, type Sourced } from './statement.ts';

/*
 * A payment may have thousands of captures, and every new one derives its order. Captures that are alike, and that
 * nothing contradicts, say the same taken together as one by one: they are folded into one statement, which the rules
 * read like any other. Folding is commutative and associative: the same captures make the same fold, in whatever order.
 * Where what is folded changes, raise DERIVATION (rules.ts).
 */

/** So many captures are kept one by one: ordinary orders have no fold. */
export const FOLDED_ABOVE = 32;

/**
 * It has a final result that nothing contradicts, so nothing but another notification of it can change what it says.
 */
export const isFoldable = (capture: CaptureEvidence): boolean =>
  capture.status !== 'PROCESSING' &&
  !capture.resultsDisagree &&
  !capture.amountsDisagree &&
  capture.captureIds.length < 2 &&
  capture.captureRequestIds.length < 2 &&
  (capture.status === 'FAILED' || (capture.amount !== null && capture.amount.value > 0n));

/** What one capture says, without what only its own entry in the order shows. */
export const toFolded = ({ statements, amount }: CaptureEvidence): Sourced<CaptureStatement> => {
  const [first] = statements;
  if (first === undefined) throw new Error('a capture without a statement');
  return {
    about: 'capture',
    captureId: firstOf(statements, ({ captureId }) => captureId) ?? undefined,
    captureRequestId: firstOf(statements, ({ captureRequestId }) => captureRequestId) ?? undefined,
    result: { ...first.result, resultMessage: null },
    amount: amount === null ? undefined : toAmountText(amount),
    captureTime: firstOf(statements, ({ captureTime }) => captureTime) ?? undefined,
    onFailure: first.onFailure,
    digest: first.digest,
    place: first.place,
  };
};

/** One statement for all that are alike: the first by precedence, with the sum of what succeeded. */
export const foldAlike = (statements: readonly Sourced<CaptureStatement>[]): readonly Sourced<CaptureStatement>[] => {
  const folded = new Map<string, Sourced<CaptureStatement>>();
  for (const statement of statements) {
    const name = likenessOf(statement);
    const alike = folded.get(name);
    folded.set(name, alike === undefined ? statement : merge(alike, statement));
  }
  return [...folded].sort(([a], [b]) => byCodeUnit(a, b)).map(([, statement]) => statement);
};

/** Result, currency, and which identifiers there are: all that the rules ask of a capture besides its amount. */
const likenessOf = ({ result, amount, captureId, captureRequestId }: CaptureStatement): string =>
  [result.resultStatus, amount?.currency, captureId !== undefined, captureRequestId !== undefined].join(' ');

const merge = (a: Sourced<CaptureStatement>, b: Sourced<CaptureStatement>): Sourced<CaptureStatement> => {
  const first = byPrecedence(a, b) <= 0 ? a : b;
  if (a.result.resultStatus !== 'S' || a.amount === undefined || b.amount === undefined) return first;
  const value = toAmount(a.amount).value + toAmount(b.amount).value;
  return { ...first, amount: toAmountText({ currency: a.amount.currency, value }) };
};
