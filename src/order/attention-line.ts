import type { AttentionCode } from './attention-code.ts';
import { refundedSums } from './contradiction.ts';
import type { Findings } from './findings.ts';
import { list } from './show.ts';
import type { OrderStatus } from './status.ts';

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

/** The same, and it holds anew with each further refund: while it is in doubt what was paid, so is what is left. */
export const inDoubt = (findings: Findings, values: readonly string[], text: (values: string) => string) => {
  const held = about(values, text);
  return held && { ...held, values: [...values, ...refundedSums(findings)] };
};
