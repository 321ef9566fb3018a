import type { AmountText } from '../../../src/order/amount.ts';
import type { Sourced, Statement } from '../../../src/order/statement.ts';
import { toInstant } from './time.ts';

/* What order.md says of values: which statement speaks first, and how amounts compare. */

export interface Money {
  readonly currency: string;
  readonly value: bigint;
}

export const ascending = (a: string, b: string): number => Number(a > b) - Number(a < b);

export const toMoney = (text: AmountText | null | undefined): Money | null =>
  text === null || text === undefined ? null : { currency: text.currency, value: BigInt(text.value) };

export const toText = (money: Money | null): AmountText | null =>
  money === null ? null : { currency: money.currency, value: String(money.value) };

export const nameOf = (money: Money | null): string => (money === null ? '?' : `${money.currency} ${money.value}`);

export const stated = (statements: readonly { readonly amount?: AmountText | undefined }[]): readonly Money[] => {
  const amounts: Money[] = [];
  for (const { amount } of statements) if (amount !== undefined) amounts.push(toMoney(amount)!);
  return amounts;
};

/** Of equal values in two currencies the smaller currency counts. */
const pick = (amounts: readonly Money[], isBetter: (a: bigint, b: bigint) => boolean): Money | null => {
  let best: Money | null = null;
  for (const one of amounts) {
    const wins =
      best === null || isBetter(one.value, best.value) || (one.value === best.value && one.currency < best.currency);
    if (wins) best = one;
  }
  return best;
};

export const largestOf = (amounts: readonly Money[]): Money | null => pick(amounts, (a, b) => a > b);
export const smallestOf = (amounts: readonly Money[]): Money | null => pick(amounts, (a, b) => a < b);

export const distinctNames = (amounts: readonly Money[]): readonly string[] => [...new Set(amounts.map(nameOf))].sort();

const RANKS = { S: 0, F: 1, U: 2 } as const;

const rank = (statement: Statement): number => {
  if (statement.about === 'dispute') return 0;
  if (statement.about === 'payment' && statement.pending) return 3;
  if (statement.about === 'cancelled payment') return 4;
  return RANKS[statement.result.resultStatus];
};

const time = (statement: Statement): number => {
  if (statement.about === 'payment' || statement.about === 'cancelled payment')
    return at(statement.paymentTime ?? statement.paymentCreateTime);
  if (statement.about === 'capture') return at(statement.captureTime);
  if (statement.about === 'refund') return at(statement.refundTime);
  if (statement.about === 'dispute') return at(statement.judgedTime ?? statement.disputeTime);
  return at(undefined);
};

/** What is no time is earlier than any. */
const at = (text: string | undefined): number => toInstant(text) ?? -1e18;

/** What an inquiry was answered, by the SHA-256 of that; null for a notification. */
const inquired = (statement: Statement): string | null =>
  statement.about === 'dispute' ? null : (statement.answer ?? null);

/** S, F, U, PAYMENT_PENDING, CANCELLED; a notification before an inquiry; the later time; the greater SHA-256 of the bytes; the place. */
export const speaksBefore = (a: Sourced<Statement>, b: Sourced<Statement>): number => {
  const byRank = rank(a) - rank(b);
  if (byRank !== 0) return byRank;
  const [askedA, askedB] = [inquired(a), inquired(b)];
  if ((askedA === null) !== (askedB === null)) return askedA === null ? -1 : 1;
  const byTime = time(b) - time(a);
  if (byTime !== 0) return byTime;
  const [bytesA, bytesB] = [askedA ?? a.digest, askedB ?? b.digest];
  return bytesA === bytesB ? a.place - b.place : ascending(bytesB, bytesA);
};

/** The first value that is there, of statements in the order in which they speak. */
export const first = <S, T>(spoken: readonly S[], read: (one: S) => T | undefined): T | null => {
  for (const one of spoken) {
    const value = read(one);
    if (value !== undefined) return value;
  }
  return null;
};
