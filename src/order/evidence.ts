import { type Amount, largest, toAmount } from './amount.ts';
import { type CaptureEvidence, distinct, gatherCaptures } from './capture.ts';
import { isCaptureRequired } from './capture-required.ts';
import type { CaptureMode, Registration } from './registration.ts';
import type { OrderRules } from './rules.ts';
import {
  amountsOf,
  byCodeUnit,
  byPrecedence,
  type CaptureStatement,
  type PaymentStatement,
  type Sourced,
  type Statement,
} from './statement.ts';

/** Everything that decides what an order is: a set, so nothing in it depends on the order of arrival. */
export interface OrderEvidence {
  readonly clientId: string;
  /** Null for a registration that no payment has named yet. */
  readonly paymentId: string | null;
  readonly statements: readonly Sourced<Statement>[];
  /** The registrations under any `paymentRequestId` that its payment statements name. */
  readonly registrations: readonly Registration[];
  /** What is wrong with each stored notification that names this payment and could not be read or applied. */
  readonly problems: readonly string[];
  /** Another payment of the client has a link (`linksOf`) in common with this one. */
  readonly sharesIdentity: boolean;
}

/** What the rules of this folder look at: the evidence, sorted and summed up once. */
export interface Findings {
  readonly clientId: string;
  /** Sorted by precedence. */
  readonly payments: readonly Sourced<PaymentStatement>[];
  readonly captures: readonly CaptureEvidence[];
  readonly registration: Registration | null;
  readonly captureMode: CaptureMode;
  readonly production: boolean;
  readonly expected: Amount | null;
  readonly paymentAmount: Amount | null;
  readonly capturedAmount: Amount | null;
  /** PAYMENT_RESULT S, F, U seen; PAYMENT_PENDING is none of them. */
  readonly paid: boolean;
  readonly declined: boolean;
  readonly anyResult: boolean;
  readonly captureSucceeded: boolean;
  readonly captureRequired: boolean;
  readonly problems: readonly string[];
  readonly sharesIdentity: boolean;
}

export const findIn = (evidence: OrderEvidence, rules: OrderRules): Findings => {
  const { clientId, problems, sharesIdentity } = evidence;
  const { payments, captured } = gather(evidence.statements);
  const captures = gatherCaptures(captured);
  const registration =
    [...evidence.registrations].sort((a, b) => byCodeUnit(a.paymentRequestId, b.paymentRequestId))[0] ?? null;
  const expected = registration && toAmount(registration.amount);
  const paymentAmount = largest(amountsOf(payments));
  const succeeded = captures.filter(({ status }) => status === 'SUCCEEDED');
  const results = payments.filter(({ pending }) => !pending);
  return {
    clientId,
    payments,
    captures,
    registration,
    captureMode: registration?.captureMode ?? rules.captureMode,
    production: rules.production,
    expected,
    paymentAmount,
    capturedAmount: sumOf(succeeded, paymentAmount?.currency ?? expected?.currency ?? null),
    paid: results.some(({ result }) => result.resultStatus === 'S'),
    declined: results.some(({ result }) => result.resultStatus === 'F'),
    anyResult: results.length > 0,
    captureSucceeded: succeeded.length > 0,
    captureRequired: isCaptureRequired({ payments, captured: captures.length > 0, registration }, rules),
    problems,
    sharesIdentity,
  };
};

interface Gathered {
  /** Sorted by precedence. */
  readonly payments: readonly Sourced<PaymentStatement>[];
  readonly captured: readonly Sourced<CaptureStatement>[];
}

const gather = (statements: readonly Sourced<Statement>[]): Gathered => {
  const payments: Sourced<PaymentStatement>[] = [];
  const captured: Sourced<CaptureStatement>[] = [];
  for (const statement of statements) {
    switch (statement.about) {
      case 'payment':
        payments.push(statement);
        break;
      case 'capture':
        captured.push(statement);
        break;
    }
  }
  return { payments: payments.sort(byPrecedence), captured };
};

/** The amounts of captures that state one. */
export const capturedAmounts = (captures: readonly CaptureEvidence[]): readonly Amount[] =>
  captures.flatMap(({ amount }) => (amount === null ? [] : [amount]));

/** Captures in the order's currency add up; one in another currency, or without an amount, adds 0. */
const sumOf = (succeeded: readonly CaptureEvidence[], orderCurrency: string | null): Amount | null => {
  if (succeeded.length === 0) return null;
  const amounts = capturedAmounts(succeeded);
  const currency = orderCurrency ?? distinct(amounts.map((amount) => amount.currency))[0];
  if (currency === undefined) return null;
  const value = amounts.reduce((sum, amount) => (amount.currency === currency ? sum + amount.value : sum), 0n);
  return { currency, value };
};

/** A PAYMENT_RESULT S states an amount above zero. */
export const successStatesAmount = ({ payments }: Findings): boolean =>
  amountsOf(payments.filter(({ pending, result }) => !pending && result.resultStatus === 'S')).some(
    ({ value }) => value > 0n,
  );
