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
  'DUPLICATE_PAYMENT',
  'CANCELLED_BUT_CAPTURED',
  'OVER_REFUNDED',
  'DISPUTED',
  'UNREGISTERED',
  'SANDBOX',
  'REFUNDED',
  'PARTIALLY_REFUNDED',
  'REFUND_FAILED',
  'DOCUMENTS_REQUESTED',
  'CAPTURE_FAILED',
  'CAPTURE_UNDECIDED',
  'CAPTURE_UNEXPECTED',
  'AUTHORIZATION_EXPIRING',
  'AUTHORIZATION_EXPIRED',
] as const;
export type AttentionCode = (typeof ATTENTION_CODES)[number];

/** The message names the values that matter and says what to do next. */
export interface Attention {
  readonly code: AttentionCode;
  readonly message: string;
  /** A person has settled it, with the values that it has (`Review`). */
  readonly settled: boolean;
}
