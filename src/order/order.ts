import { type Amount, type AmountText, disagree, largest, toAmount, toAmountText } from './amount.ts';
import { type Attention, type AttentionCode, isBlocking, toAttention } from './attention.ts';
import { authorizationExpiry, isAuthorizationExpiring } from './authorization.ts';
import { type Capture, type CaptureEvidence, distinct, gatherCaptures, toCapture } from './capture.ts';
import { isCaptureRequired } from './capture-required.ts';
import { type NextAction, nextActionOf } from './next-action.ts';
import type { CaptureMode, Registration } from './registration.ts';
import {
  byCodeUnit,
  byPrecedence,
  type CaptureStatement,
  firstOf,
  type JsonObject,
  type PaymentStatement,
  type Result,
  type Statement,
} from './statement.ts';

export const ORDER_STATUSES = [
  'CAPTURED',
  'PARTIALLY_CAPTURED',
  'AUTHORIZED',
  'FAILED',
  'PROCESSING',
  'PENDING',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** The configuration that orders depend on; the same on all replicas. */
export interface OrderRules {
  readonly captureRequired: 'always' | 'cards';
  readonly captureMode: 'AUTOMATIC' | 'MANUAL';
  /** `NODE_ENV=production`: an order of a `SANDBOX_` client is play money, never fulfillable. */
  readonly production: boolean;
}

/** Everything that decides what an order is: a set, so nothing in it depends on the order of arrival. */
export interface OrderEvidence {
  readonly clientId: string;
  /** Null for a registration that no payment has named yet. */
  readonly paymentId: string | null;
  readonly statements: readonly Statement[];
  /** The registrations under any `paymentRequestId` that its payment statements name. */
  readonly registrations: readonly Registration[];
  /** A stored notification that names this payment could not be read or applied. */
  readonly unreadable: boolean;
  /** Another payment of the client shares a `paymentRequestId` or a `captureId` with this one. */
  readonly sharesIdentity: boolean;
}

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

/** What is found out on the way and looked at by more than one rule. */
export interface Findings {
  readonly clientId: string;
  readonly payments: readonly PaymentStatement[];
  readonly captures: readonly CaptureEvidence[];
  readonly registration: Registration | null;
  readonly expected: Amount | null;
  readonly paymentAmount: Amount | null;
  readonly capturedAmount: Amount | null;
  /** PAYMENT_RESULT S, F, U seen; PAYMENT_PENDING is none of them. */
  readonly paid: boolean;
  readonly declined: boolean;
  readonly anyResult: boolean;
  readonly captureSucceeded: boolean;
  readonly captureRequired: boolean;
  readonly unreadable: boolean;
  readonly sharesIdentity: boolean;
}

/** Derives an order from its evidence. Pure; the order of `statements` and `registrations` does not matter. */
export const deriveOrder = (evidence: OrderEvidence, rules: OrderRules): DerivedOrder => {
  const findings = find(evidence, rules);
  const { payments, captures, registration, expected, paymentAmount, capturedAmount } = findings;
  const status = statusOf(findings);
  const codes = attentionOf(findings, status);
  const fulfillable = isFulfillable(findings, { status, codes, production: rules.production });
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
    nextAction: nextActionOf(findings, { status, codes, fulfillable, captureMode: captureModeOf(registration, rules) }),
    paymentAmount: paymentAmount && toAmountText(paymentAmount),
    capturedAmount: capturedAmount && toAmountText(capturedAmount),
    expectedAmount: expected && toAmountText(expected),
    result: payments[0]?.result ?? null,
    paymentTime: firstOf(payments, ({ paymentTime }) => paymentTime),
    authorizationExpiresAt: authorizationExpiry(payments),
    acquirerInfo: firstOf(payments, ({ acquirerInfo }) => acquirerInfo),
    acquirerReferenceNo: firstOf(payments, ({ acquirerReferenceNo }) => acquirerReferenceNo),
    captures: captures.map(toCapture),
    attention: codes.map(toAttention),
  };
};

/** Adds what depends on our clock, at the moment of reading: it is never stored. */
export const withExpiry = <O extends DerivedOrder>(order: O, now: Date): O =>
  isAuthorizationExpiring(order, now)
    ? { ...order, attention: [...order.attention, toAttention('AUTHORIZATION_EXPIRING')] }
    : order;

const captureModeOf = (registration: Registration | null, rules: OrderRules): CaptureMode =>
  registration?.captureMode ?? rules.captureMode;

const find = (evidence: OrderEvidence, rules: OrderRules): Findings => {
  const payments = evidence.statements
    .filter((statement): statement is PaymentStatement => statement.about === 'payment')
    .sort(byPrecedence);
  const captures = gatherCaptures(
    evidence.statements.filter((statement): statement is CaptureStatement => statement.about === 'capture'),
  );
  const registration =
    [...evidence.registrations].sort((a, b) => byCodeUnit(a.paymentRequestId, b.paymentRequestId))[0] ?? null;
  const expected = registration && toAmount(registration.amount);
  const paymentAmount = largest(amountsOf(payments));
  const succeeded = captures.filter(({ status }) => status === 'SUCCEEDED');
  const results = payments.filter(({ pending }) => !pending);
  return {
    clientId: evidence.clientId,
    payments,
    captures,
    registration,
    expected,
    paymentAmount,
    capturedAmount: sumOf(succeeded, paymentAmount?.currency ?? expected?.currency ?? null),
    paid: results.some(({ result }) => result.resultStatus === 'S'),
    declined: results.some(({ result }) => result.resultStatus === 'F'),
    anyResult: results.length > 0,
    captureSucceeded: succeeded.length > 0,
    captureRequired: isCaptureRequired({ payments, captured: captures.length > 0, registration }, rules),
    unreadable: evidence.unreadable,
    sharesIdentity: evidence.sharesIdentity,
  };
};

const amountsOf = (stated: readonly { readonly amount: Amount | null }[]): readonly Amount[] =>
  stated.flatMap(({ amount }) => (amount === null ? [] : [amount]));

/** Captures in the order's currency add up; one in another currency, or without an amount, adds 0. */
const sumOf = (succeeded: readonly CaptureEvidence[], orderCurrency: string | null): Amount | null => {
  if (succeeded.length === 0) return null;
  const currency = orderCurrency ?? distinct(amountsOf(succeeded).map((amount) => amount.currency))[0];
  if (currency === undefined) return null;
  const value = amountsOf(succeeded).reduce(
    (sum, amount) => (amount.currency === currency ? sum + amount.value : sum),
    0n,
  );
  return { currency, value };
};

const statusOf = (findings: Findings): OrderStatus => {
  const { paymentAmount, capturedAmount, payments } = findings;
  const covered =
    paymentAmount !== null &&
    paymentAmount.value > 0n &&
    capturedAmount !== null &&
    capturedAmount.value >= paymentAmount.value;
  if (covered || (findings.paid && !findings.captureRequired)) return 'CAPTURED';
  if (findings.captureSucceeded) return 'PARTIALLY_CAPTURED';
  if (findings.paid) return 'AUTHORIZED';
  if (findings.declined) return 'FAILED';
  return payments.length > 0 ? 'PROCESSING' : 'PENDING';
};

const attentionOf = (findings: Findings, status: OrderStatus): readonly AttentionCode[] => {
  const { captures, paymentAmount, capturedAmount, expected } = findings;
  const paymentAmounts = amountsOf(findings.payments);
  const holds: readonly (readonly [AttentionCode, boolean])[] = [
    [
      'CONTRADICTORY_RESULT',
      (findings.declined && (findings.paid || findings.captureSucceeded)) ||
        captures.some(({ resultsDisagree }) => resultsDisagree),
    ],
    ['CONTRADICTORY_AMOUNT', disagree(paymentAmounts) || captures.some(({ amountsDisagree }) => amountsDisagree)],
    ['CONTRADICTORY_IDENTITY', findings.sharesIdentity || identifiersContradict(findings)],
    ['AMOUNT_MISMATCH', paymentAmount !== null && expected !== null && disagree([paymentAmount, expected])],
    ['CURRENCY_MISMATCH', currenciesOf(findings).size > 1],
    [
      'OVER_CAPTURED',
      paymentAmount !== null &&
        paymentAmount.value > 0n &&
        capturedAmount !== null &&
        capturedAmount.value > paymentAmount.value,
    ],
    [
      'AMOUNT_UNKNOWN',
      (findings.paid && !successStatesAmount(findings)) ||
        captures.some((capture) => capture.status === 'SUCCEEDED' && (capture.amount?.value ?? 0n) === 0n),
    ],
    ['UNREADABLE_NOTIFICATION', findings.unreadable],
    ['CAPTURE_WITHOUT_PAYMENT', captures.length > 0 && !findings.anyResult],
    ['CAPTURE_FAILED', status !== 'CAPTURED' && captures.some((capture) => capture.status === 'FAILED')],
  ];
  return holds.flatMap(([code, is]) => (is ? [code] : []));
};

const identifiersContradict = ({ payments, captures }: Findings): boolean => {
  const succeeded = captures.filter(({ status }) => status === 'SUCCEEDED');
  return (
    distinct(payments.map(({ paymentRequestId }) => paymentRequestId)).length > 1 ||
    captures.some(({ captureIds, captureRequestIds }) => captureIds.length > 1 || captureRequestIds.length > 1) ||
    (succeeded.some(({ captureRequestIds }) => captureRequestIds.length === 0) &&
      succeeded.some(({ captureIds }) => captureIds.length === 0))
  );
};

/** Every stated amount counts, those of failed captures included. */
const currenciesOf = ({ payments, captures, expected }: Findings): ReadonlySet<string> =>
  new Set(
    [
      ...amountsOf(payments),
      ...captures.flatMap(({ statements }) => amountsOf(statements)),
      ...(expected === null ? [] : [expected]),
    ].map(({ currency }) => currency),
  );

const successStatesAmount = ({ payments }: Findings): boolean =>
  payments.some(
    ({ pending, result, amount }) => !pending && result.resultStatus === 'S' && amount !== null && amount.value > 0n,
  );

const isFulfillable = (
  findings: Findings,
  {
    status,
    codes,
    production,
  }: { readonly status: OrderStatus; readonly codes: readonly AttentionCode[]; readonly production: boolean },
): boolean =>
  status === 'CAPTURED' &&
  successStatesAmount(findings) &&
  !codes.some(isBlocking) &&
  !(production && findings.clientId.startsWith('SANDBOX_'));
