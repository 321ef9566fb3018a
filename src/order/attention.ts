import { disagree } from './amount.ts';
import { type CaptureEvidence, distinct } from './capture.ts';
import { type Findings, successStatesAmount } from './evidence.ts';
import { amountsOf } from './statement.ts';
import type { OrderStatus } from './status.ts';

/** Why a person should look at an order, in the order in which the codes are shown. */
export const ATTENTION_CODES = [
  'CONTRADICTORY_RESULT',
  'CONTRADICTORY_AMOUNT',
  'CONTRADICTORY_IDENTITY',
  'AMOUNT_MISMATCH',
  'CURRENCY_MISMATCH',
  'OVER_CAPTURED',
  'AMOUNT_UNKNOWN',
  'UNREADABLE_NOTIFICATION',
  'CAPTURE_WITHOUT_PAYMENT',
  'CAPTURE_FAILED',
  'AUTHORIZATION_EXPIRING',
] as const;

export type AttentionCode = (typeof ATTENTION_CODES)[number];

/** The message names the values that matter and says what to do next. */
export interface Attention {
  readonly code: AttentionCode;
  readonly message: string;
}

const MESSAGES: Readonly<Record<AttentionCode, string>> = {
  CONTRADICTORY_RESULT: 'APO reported both success and failure. Ask APO which one stands before you ship or refund.',
  CONTRADICTORY_AMOUNT: 'APO stated two different amounts for the same payment or capture. Ask APO which one stands.',
  CONTRADICTORY_IDENTITY:
    'Identifiers contradict each other: one id stands for two payments, or one capture has two ids. Money may be counted twice or under the wrong order.',
  AMOUNT_MISMATCH: "The payment's amount is not the amount that the shop registered.",
  CURRENCY_MISMATCH: 'The stated amounts are not all in one currency.',
  OVER_CAPTURED: 'More was captured than the payment amounts to.',
  AMOUNT_UNKNOWN:
    'A success was reported without an amount above zero, so it cannot be told whether all of it was paid.',
  UNREADABLE_NOTIFICATION:
    'A notification that names this payment could not be read or applied. Look it up by its paymentId and apply it again.',
  CAPTURE_WITHOUT_PAYMENT: 'A capture was reported, but the result of its payment has not arrived yet.',
  CAPTURE_FAILED: 'A capture failed. Its furtherAction says what APO advises.',
  AUTHORIZATION_EXPIRING: 'The authorization ends within 48 hours, or has ended, and not all of it has been captured.',
};

/** With one of these an order is never fulfillable. */
const BLOCKING: ReadonlySet<AttentionCode> = new Set<AttentionCode>([
  'CONTRADICTORY_RESULT',
  'CONTRADICTORY_AMOUNT',
  'CONTRADICTORY_IDENTITY',
  'AMOUNT_MISMATCH',
  'CURRENCY_MISMATCH',
  'OVER_CAPTURED',
  'AMOUNT_UNKNOWN',
  'UNREADABLE_NOTIFICATION',
]);

export const isBlocking = (code: AttentionCode): boolean => BLOCKING.has(code);

/** `problems`: what is wrong with the notifications that could not be read. */
export const toAttention = (code: AttentionCode, problems: readonly string[] = []): Attention => {
  const about = code === 'UNREADABLE_NOTIFICATION' ? [...new Set(problems)].sort() : [];
  return { code, message: [MESSAGES[code], ...about].join(' ') };
};

/**
 * Every code that holds, in the order in which they are shown; what depends on the clock is added when an order is
 * read.
 */
export const attentionOf = (findings: Findings, status: OrderStatus): readonly AttentionCode[] => {
  const { captures, paymentAmount, capturedAmount, expected, paid, declined } = findings;
  const holds: Readonly<Record<AttentionCode, boolean>> = {
    CONTRADICTORY_RESULT:
      (declined && (paid || findings.captureSucceeded)) || captures.some(({ resultsDisagree }) => resultsDisagree),
    CONTRADICTORY_AMOUNT:
      disagree(amountsOf(findings.payments)) || captures.some(({ amountsDisagree }) => amountsDisagree),
    CONTRADICTORY_IDENTITY: findings.sharesIdentity || identifiersContradict(findings),
    AMOUNT_MISMATCH: paymentAmount !== null && expected !== null && disagree([paymentAmount, expected]),
    CURRENCY_MISMATCH: currenciesOf(findings).size > 1,
    OVER_CAPTURED:
      paymentAmount !== null &&
      paymentAmount.value > 0n &&
      capturedAmount !== null &&
      capturedAmount.value > paymentAmount.value,
    AMOUNT_UNKNOWN:
      (paid && !successStatesAmount(findings)) ||
      captures.some((capture) => capture.status === 'SUCCEEDED' && (capture.amount?.value ?? 0n) === 0n),
    UNREADABLE_NOTIFICATION: findings.problems.length > 0,
    CAPTURE_WITHOUT_PAYMENT: captures.length > 0 && !findings.anyResult,
    CAPTURE_FAILED: status !== 'CAPTURED' && captures.some((capture) => capture.status === 'FAILED'),
    // It depends on the clock (withExpiry).
    AUTHORIZATION_EXPIRING: false,
  };
  return ATTENTION_CODES.filter((code) => holds[code]);
};

const identifiersContradict = ({ payments, captures }: Findings): boolean => {
  const succeeded = captures.filter(({ status }) => status === 'SUCCEEDED');
  return (
    distinct(payments.map(({ paymentRequestId }) => paymentRequestId)).length > 1 ||
    captures.some(hasTwoNames) ||
    (succeeded.some(({ captureRequestIds }) => captureRequestIds.length === 0) &&
      succeeded.some(({ captureIds }) => captureIds.length === 0))
  );
};

const hasTwoNames = ({ captureIds, captureRequestIds }: CaptureEvidence): boolean =>
  captureIds.length > 1 || captureRequestIds.length > 1;

/** Every stated amount counts, those of failed captures included. */
const currenciesOf = ({ payments, captures, expected }: Findings): ReadonlySet<string> =>
  new Set(
    [
      ...amountsOf(payments),
      ...captures.flatMap(({ statements }) => amountsOf(statements)),
      ...(expected === null ? [] : [expected]),
    ].map(({ currency }) => currency),
  );
