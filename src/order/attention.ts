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

export const toAttention = (code: AttentionCode): Attention => ({ code, message: MESSAGES[code] });
