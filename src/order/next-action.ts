import type { Held, Situation } from './attention-line.ts';
import { isExpired } from './authorization.ts';
import { type Findings, hasAskedAgain } from './findings.ts';
import { isOver } from './status.ts';

export const NEXT_ACTIONS = [
  'REVIEW',
  'FULFIL',
  'WAIT',
  'INQUIRE',
  'NEW_PAYMENT_REQUEST',
  'RETRY_CAPTURE',
  'CONTACT_SUPPORT',
  'CAPTURE',
  'NONE',
] as const;
export type NextAction = (typeof NEXT_ACTIONS)[number];

/** What decides what comes next, besides the findings. */
export interface Judged {
  readonly situation: Situation;
  /** All attention that holds. */
  readonly held: readonly Held[];
  /** That of it which no review settles. */
  readonly open: readonly Held[];
  /** By a review. */
  readonly isClosed: boolean;
  readonly fulfillable: boolean;
}

/** What the merchant should do next; the first rule that holds. */
export const nextActionOf = (findings: Findings, judged: Judged): NextAction => {
  const action = actionBeforeTheClock(findings, judged);
  return action === 'WAIT' && judged.situation.isQuiet ? 'INQUIRE' : action;
};

/** The same, had nothing been waited for too long. */
export const actionBeforeTheClock = (findings: Findings, judged: Judged): NextAction => {
  const { open, held, isClosed, fulfillable, situation } = judged;
  const { status } = situation;
  if (isClosed) return 'NONE';
  if (open.some(({ review }) => review)) return 'REVIEW';
  if (fulfillable) return 'FULFIL';
  // What was captured besides, of an unknown amount, is kept: somebody has to look at it.
  const isUncounted = open.some(({ code }) => code === 'AMOUNT_UNKNOWN');
  if (held.some(({ code }) => (code === 'REFUNDED' && !isUncounted) || code === 'SANDBOX')) return 'NONE';
  if (status === 'CANCELLED' && findings.registration?.cancelled === true) return 'NONE';
  if (findings.captures.some((capture) => capture.status === 'PROCESSING')) return 'WAIT';
  if (isOver(status)) return hasAskedAgain(findings) ? 'NONE' : 'NEW_PAYMENT_REQUEST';
  return isCapturable(findings, judged) ? captureAction(findings, judged) : 'WAIT';
};

/** Something is left to capture, and nothing speaks against it. */
const isCapturable = (findings: Findings, { situation, open }: Judged): boolean =>
  situation.remaining !== null && !isExpired(findings, situation) && !open.some(({ blocks }) => blocks);

/** Codes after which the same amount may be captured again, under a new `captureRequestId`. */
const RETRIED: ReadonlySet<string | null> = new Set([
  'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT',
  'CURRENCY_NOT_SUPPORT',
  'PARAM_ILLEGAL',
  'USER_AMOUNT_EXCEED_LIMIT',
]);
/** So many failed captures are a matter for APO's support. */
const TRIES = 3;

const captureAction = (findings: Findings, { situation, held }: Judged): NextAction => {
  const { failures, amounts, captureMode } = findings;
  const [decisive] = failures;
  if (decisive === undefined) {
    const isUndecided = held.some(({ code }) => code === 'CAPTURE_UNDECIDED');
    return captureMode === 'MANUAL' && !isUndecided ? 'CAPTURE' : 'WAIT';
  }
  const { resultCode } = decisive.statements[0].result;
  const left = situation.remaining ?? 0n;
  const isWithin =
    decisive.amount !== null && decisive.amount.currency === amounts.currency && decisive.amount.value <= left;
  // What is left would have sufficed: a capture is missing here.
  if (resultCode === 'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT' && isWithin) return 'INQUIRE';
  return RETRIED.has(resultCode) && failures.length < TRIES ? 'RETRY_CAPTURE' : 'CONTACT_SUPPORT';
};
