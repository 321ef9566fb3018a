import type { AttentionCode } from './attention-code.ts';
import { about, type Line, type Situation } from './attention-line.ts';
import { isExpired, isExpiring } from './authorization.ts';
import type { Findings } from './findings.ts';
import { nameWithCode } from './movement.ts';
import { inUnits } from './show.ts';

/** Captures that failed, are missing, or were not expected. */
export const CAPTURE_LINES = {
  CAPTURE_FAILED: {
    rule: ({ failures }, { status }) =>
      status === 'CAPTURED'
        ? null
        : about(
            failures.map(nameWithCode),
            (what) => `A capture failed: ${what}. ${failures[0]?.statements[0].furtherAction ?? 'Ask APO.'}`,
          ),
    blocks: false,
    review: false,
  },
  CAPTURE_UNDECIDED: {
    rule: ({ need }, { status }) =>
      need.because === 'undecided' && status === 'AUTHORIZED'
        ? {
            values: [],
            text: 'Nothing shows whether this payment method is captured, so it counts as authorized only. Register its paymentMethodType or captureMode, or add the method to NO_CAPTURE_METHODS.',
          }
        : null,
    blocks: false,
    review: ({ isQuiet }) => isQuiet,
  },
  CAPTURE_UNEXPECTED: {
    rule: ({ need }) =>
      need.because === 'unexpected'
        ? {
            values: [],
            text: 'A capture came for a method that is listed as one without: the list is wrong for this merchant. Correct NO_CAPTURE_METHODS or the registration.',
          }
        : null,
    blocks: false,
    review: false,
  },
  AUTHORIZATION_EXPIRING: {
    rule: (findings, situation) =>
      isExpiring(situation, situation.now) && !isExpired(findings, situation, situation.now)
        ? expiry(
            findings,
            situation,
            (left, at) => `The authorization ends at ${at}: capture the ${left} that is left before.`,
          )
        : null,
    blocks: false,
    review: false,
  },
  AUTHORIZATION_EXPIRED: {
    rule: (findings, situation) =>
      isExpired(findings, situation, situation.now)
        ? expiry(
            findings,
            situation,
            (left, at) =>
              `The authorization ended${at === '' ? '' : ` at ${at}`} with ${left} not captured. Ask for a new payment of what is missing.`,
          )
        : null,
    blocks: false,
    review: ({ status }) => status === 'PARTIALLY_CAPTURED',
  },
} satisfies Partial<Record<AttentionCode, Line>>;

const expiry = (
  { amounts }: Findings,
  { remaining, expiresAt }: Situation,
  text: (left: string, at: string) => string,
) => {
  const left = inUnits(amounts, remaining ?? 0n);
  return { values: [left], text: text(left, expiresAt === null ? '' : new Date(expiresAt).toISOString()) };
};
