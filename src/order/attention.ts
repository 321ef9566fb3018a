import { ATTENTION_CODES, type AttentionCode } from './attention-code.ts';
import { type Held, type Line, type Situation } from './attention-line.ts';
import { CAPTURE_LINES } from './attention-capture.ts';
import { MONEY_LINES } from './attention-money.ts';
import { RETURN_LINES } from './attention-returned.ts';
import type { Findings } from './findings.ts';

/** When each code holds, and what it means for the order. */
export const LINES: Readonly<Record<AttentionCode, Line>> = { ...MONEY_LINES, ...RETURN_LINES, ...CAPTURE_LINES };

/** Every code that holds, in the order in which they are shown. */
export const attentionOf = (findings: Findings, situation: Situation): readonly Held[] =>
  ATTENTION_CODES.flatMap((code) => {
    const { rule, blocks, review } = LINES[code];
    const held = rule(findings, situation);
    if (held === null) return [];
    const isForReview = typeof review === 'boolean' ? review : review(situation);
    return [{ code, message: held.text, values: JSON.stringify(held.values), blocks, review: isForReview }];
  });

/** Whether an order with this code is not fulfillable until a person settles it. */
export const isBlocking = (code: AttentionCode): boolean => LINES[code].blocks;
