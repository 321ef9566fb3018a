import type { AttentionCode } from './attention-code.ts';
import { about, type Line, type Situation } from './attention-line.ts';
import { isExpired, isExpiring } from './authorization.ts';
import { generalAdvice, saysAuthorizationGone } from './capture.ts';
import { isWithoutAmount } from './contradiction.ts';
import { type Findings, hasAskedAgain, isRefunded } from './findings.ts';
import { nameWithCode } from './movement.ts';
import { inUnits } from './show.ts';
import { isoTime } from './time.ts';

/** Captures that failed, are missing, or were not expected. */
export const CAPTURE_LINES = {
  CAPTURE_FAILED: {
    rule: ({ failures }, { status }) =>
      status === 'CAPTURED'
        ? null
        : about(
            failures.map(nameWithCode),
            (what) =>
              `A capture failed: ${what}. ${generalAdvice(failures[0]?.statements[0].furtherAction) ?? 'Ask APO.'}`,
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
      isExpiring(situation) && !isExpired(findings, situation)
        ? expiry(findings, situation, (left, at) => `The authorization ends at ${at}${beforeItEnds(findings, left)}`)
        : null,
    blocks: false,
    review: false,
  },
  AUTHORIZATION_EXPIRED: {
    rule: (findings, situation) =>
      isExpired(findings, situation)
        ? expiry(
            findings,
            situation,
            (left, at) =>
              `The authorization ended${at === '' ? '' : ` at ${at}`}${isUncounted(findings) ? '' : ` with ${left} not captured`}. ${onceItEnded(findings, situation)}`,
          )
        : null,
    blocks: false,
    review: ({ status }) => status === 'PARTIALLY_CAPTURED',
  },
} satisfies Partial<Record<AttentionCode, Line>>;

/** Where a capture says that the authorization is gone, it ended before its time, and nobody knows when. */
const expiry = (
  { amounts, failures }: Findings,
  { remaining, expiresAt }: Situation,
  text: (left: string, at: string) => string,
) => {
  const left = inUnits(amounts, remaining ?? 0n);
  const at = expiresAt === null || failures.some(saysAuthorizationGone) ? '' : isoTime(expiresAt);
  return { values: [left], text: text(left, at) };
};

const SETTLE_METHOD = 'It may be paid: settle the payment method first (CAPTURE_UNDECIDED).';

const ASK_AMOUNT = 'Ask APO first how much was captured (AMOUNT_UNKNOWN).';
const ALL_GONE = 'What was captured is gone again';

/** What is left cannot be told: a capture brought nobody knows how much. */
const isUncounted = ({ succeeded }: Findings): boolean => succeeded.some(isWithoutAmount);

const beforeItEnds = (findings: Findings, left: string): string => {
  const { need, captureMode, captures, failures } = findings;
  if (need.because === 'undecided') return `. ${SETTLE_METHOD}`;
  if (isUncounted(findings)) return `. ${ASK_AMOUNT}`;
  if (isRefunded(findings))
    return `. ${ALL_GONE}: if no more is to be captured, register what was captured as finalAmount.`;
  if (captures.some(({ status }) => status === 'PROCESSING'))
    return `, and a capture is under way: if it fails, capture the ${left} that is left before.`;
  return captureMode === 'AUTOMATIC' && failures.length === 0
    ? `: APO has to capture the ${left} that is left before (captureMode AUTOMATIC). Ask APO if it does not.`
    : `: capture the ${left} that is left before.`;
};

const onceItEnded = (findings: Findings, { status }: Situation): string => {
  if (findings.need.because === 'undecided') return SETTLE_METHOD;
  if (isUncounted(findings)) return ASK_AMOUNT;
  if (isRefunded(findings))
    return `${ALL_GONE}: register what was captured as finalAmount, or close the order by a review.`;
  const hasAnother = hasAskedAgain(findings);
  if (status === 'PARTIALLY_CAPTURED')
    return hasAnother
      ? 'The shop has another payment of the same order: register what is captured as finalAmount, or close the order by a review.'
      : 'Ask for a new payment of what is missing.';
  const next = hasAnother ? '' : ', then ask for a new payment';
  return `Ask APO what became of it (inquiryPayment). If it was not captured, register it as cancelled (cancelled: true)${next}.`;
};
