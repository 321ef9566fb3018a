import { toAmount, toAmountText } from './amount.ts';
import type { CaptureEvidence } from './capture.ts';
import { hasTwoNames } from './movement.ts';
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
 * It succeeded, and nothing contradicts that: nothing but another notification of it can change what it says. A failed
 * one decides by itself what comes next, so it stays.
 */
export const isFoldable = (capture: CaptureEvidence): boolean =>
  capture.status === 'SUCCEEDED' &&
  !capture.resultsDisagree &&
  !capture.amountsDisagree &&
  !hasTwoNames(capture) &&
  capture.amount !== null &&
  capture.amount.value > 0n;

/** What one capture says, without what only its own entry in the order shows. */
export const toFolded = ({ statements, amount }: CaptureEvidence): Sourced<CaptureStatement> => {
  const [first] = statements;
  return {
    about: 'capture',
    captureId: firstOf(statements, ({ captureId }) => captureId) ?? undefined,
    captureRequestId: firstOf(statements, ({ captureRequestId }) => captureRequestId) ?? undefined,
    answer: first.answer,
    result: { ...first.result, resultMessage: null },
    amount: amount === null ? undefined : toAmountText(amount),
    captureTime: firstOf(statements, ({ captureTime }) => captureTime) ?? undefined,
    digest: first.digest,
    place: first.place,
  };
};

/** One statement for all that are alike: the first by precedence, which has the latest time, with the sum of all. */
export const foldAlike = (statements: readonly Sourced<CaptureStatement>[]): readonly Sourced<CaptureStatement>[] => {
  const folded = new Map<string, Sourced<CaptureStatement>>();
  for (const statement of statements) {
    const name = likenessOf(statement);
    const alike = folded.get(name);
    folded.set(name, alike === undefined ? statement : merge(alike, statement));
  }
  return [...folded].sort(([a], [b]) => byCodeUnit(a, b)).map(([, statement]) => statement);
};

/**
 * Currency, and which identifiers there are: all that the rules ask of a successful capture besides amount and time.
 */
const likenessOf = ({ amount, captureId, captureRequestId }: CaptureStatement): string =>
  [amount?.currency, captureId !== undefined, captureRequestId !== undefined].join(' ');

const merge = (a: Sourced<CaptureStatement>, b: Sourced<CaptureStatement>): Sourced<CaptureStatement> => {
  const first = byPrecedence(a, b) <= 0 ? a : b;
  if (a.amount === undefined || b.amount === undefined) return first;
  const value = toAmount(a.amount).value + toAmount(b.amount).value;
  return { ...first, amount: toAmountText({ currency: a.amount.currency, value }) };
};
