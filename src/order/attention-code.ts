import type { Findings } from './findings.ts';
import { list } from './show.ts';
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

/** An attention that holds. */
export interface Held {
  readonly code: AttentionCode;
  readonly message: string;
  /** What decides it, for a review to settle: amounts, and identifiers with their state. */
  readonly values: string;
  /** Not fulfillable while it is not settled. */
  readonly blocks: boolean;
  /** A person has to decide. */
  readonly review: boolean;
}

/** What the codes look at besides the findings. */
export interface Situation {
  readonly status: OrderStatus;
  /** What is still to be captured; null where nothing is. */
  readonly remaining: bigint | null;
  /** Epoch milliseconds; null where it is not known. */
  readonly expiresAt: number | null;
  readonly now: number;
  /** Nothing has come for an hour. */
  readonly isQuiet: boolean;
}

/** What holds, said with its values; null where the code does not hold. */
export type Rule = (
  findings: Findings,
  situation: Situation,
) => { readonly values: readonly string[]; readonly text: string } | null;
type Mark = boolean | ((situation: Situation) => boolean);

export interface Line {
  readonly rule: Rule;
  readonly blocks: boolean;
  readonly review: Mark;
}

/** Holds where there is something to name. */
export const about = (values: readonly string[], text: (values: string) => string) =>
  values.length === 0 ? null : { values, text: text(list(values)) };
