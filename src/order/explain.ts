import { takingAll } from './attention-returned.ts';
import type { AttentionCode } from './attention-code.ts';
import { isExpired } from './authorization.ts';
import type { OrderEvidence } from './evidence.ts';
import { failuresSaid, STATUS } from './explain-status.ts';
import { type Findings, payingSiblings } from './findings.ts';
import { nameWithCode } from './movement.ts';
import { actionBeforeTheClock, type NextAction } from './next-action.ts';
import { judge, quietFrom, UNDERIVABLE, type Verdict } from './order.ts';
import type { OrderRules } from './rules.ts';
import { inUnits, list } from './show.ts';
import { isoTime } from './time.ts';

/** Why an order says what it says, in sentences: values and causes are named. */
export interface Explanation {
  readonly status: readonly string[];
  readonly fulfillable: readonly string[];
  readonly nextAction: readonly string[];
  /** What is to be done. */
  readonly advice: readonly string[];
  /** Somebody has to act, or what is waited for is overdue. */
  readonly isWrong: boolean;
}

/** Explains an order as of `now` (epoch milliseconds). Never throws. */
export const explain = (evidence: OrderEvidence, rules: OrderRules, now: number): Explanation => {
  try {
    const verdict = judge(evidence, rules, now);
    return {
      status: STATUS[verdict.situation.status](verdict.findings),
      fulfillable: fulfillableBecause(verdict),
      nextAction: ACTION[verdict.nextAction](verdict),
      advice: adviceOn(verdict),
      isWrong: isWrong(verdict),
    };
  } catch {
    const words = [UNDERIVABLE];
    return { status: words, fulfillable: words, nextAction: words, advice: words, isWrong: true };
  }
};

const fulfillableBecause = (verdict: Verdict): readonly string[] => {
  const { findings, situation, held, open, review, fulfillable } = verdict;
  if (fulfillable) {
    const settled = held.filter((one) => !open.includes(one)).map(({ code }) => code);
    return [
      settled.length === 0
        ? 'Yes: it is captured, and nothing speaks against it.'
        : `Yes: it is captured, and a review settled what speaks against it: ${list(settled)}.`,
      ...(review?.decision === 'FULFIL' ? [`A person decided FULFIL${noteOf(verdict)}.`] : []),
      ...(findings.registration === null
        ? ['No price is registered, so nothing says whether the amount is right.']
        : []),
    ];
  }
  return [
    ...(situation.status === 'CAPTURED' ? [] : [`No: only a CAPTURED order is, and this one is ${situation.status}.`]),
    ...(review?.decision === 'CLOSE' ? [`No: a person decided CLOSE${noteOf(verdict)}.`] : []),
    ...(situation.status === 'CAPTURED' && !findings.hasSuccess && review?.decision !== 'FULFIL'
      ? ['No: captures came, but no PAYMENT_RESULT S.']
      : []),
    ...open.filter(({ blocks }) => blocks).map(({ code, message }) => `No: ${code}. ${message}`),
  ];
};

const noteOf = ({ review }: Verdict): string => {
  const note = review?.note ?? '';
  return note === '' ? '' : ` (${note.replace(/\.$/, '')})`;
};

const ACTION: Readonly<Record<NextAction, (verdict: Verdict) => readonly string[]>> = {
  FULFIL: () => ['It is paid.'],
  REVIEW: ({ open }) => open.filter(({ review }) => review).map(({ code }) => `A person has to decide: ${code}.`),
  WAIT: (verdict) => [
    `${waitedFor(verdict)} If nothing comes, it is ${isUndecided(verdict) ? 'REVIEW' : 'INQUIRE'} from ${isoTime(quietFrom(verdict.findings.evidence))} on.`,
  ],
  INQUIRE: (verdict) => {
    const { findings } = verdict;
    const [decisive] = findings.failures;
    if (decisive !== undefined && actionBeforeTheClock(findings, verdict) === 'INQUIRE')
      return [
        `Capture ${nameWithCode(decisive)} failed, although no more was asked for than is left: a capture is missing here.`,
      ];
    return [
      `${waitedFor(verdict)} Nothing has come since ${isoTime(findings.evidence.newestAt)}, for an hour or more.`,
    ];
  },
  CAPTURE: ({ findings, situation }) => [
    `The capture mode is MANUAL, and ${left(findings, situation.remaining)} is to be captured by the shop.`,
  ],
  RETRY_CAPTURE: ({ findings }) => [
    `${failuresSaid(findings).join(' ')} It may be captured again under a new captureRequestId.`,
  ],
  CONTACT_SUPPORT: ({ findings }) => [
    `${failuresSaid(findings).join(' ')} ${findings.failures.length > 2 ? `${findings.failures.length} captures failed.` : 'No capture of this kind is tried again.'}`,
  ],
  NEW_PAYMENT_REQUEST: ({ situation }) => [
    `The payment is ${situation.status}: nothing more comes of it, and the shop has asked for no later payment of the same order.`,
  ],
  NONE: (verdict) => {
    const { findings, situation, held, isClosed } = verdict;
    if (isClosed) return [`A person closed it${noteOf(verdict)}.`];
    const said = held.filter(({ code }) => code === 'REFUNDED' || code === 'SANDBOX');
    if (said.length > 0) return said.map(({ code, message }) => `${code}: ${message}`);
    if (findings.registration?.cancelled === true) return ['The shop cancelled the payment.'];
    const paying = payingSiblings(findings);
    return [
      paying.length > 0
        ? `Another payment of the same shop order is paid or authorized: ${list(paying.map(({ paymentId }) => paymentId ?? ''))}.`
        : `The payment is ${situation.status}, and the shop has registered another payment of the same order since.`,
    ];
  },
};

const left = ({ amounts }: Findings, remaining: bigint | null): string => inUnits(amounts, remaining ?? 0n);

const isUndecided = ({ open }: Verdict): boolean => open.some(({ code }) => code === 'CAPTURE_UNDECIDED');

/** What has not come yet. */
const waitedFor = (verdict: Verdict): string => {
  const { findings, situation } = verdict;
  const { captures, captureMode, evidence } = findings;
  if (isUndecided(verdict)) return 'A CAPTURE_RESULT is waited for, or a word of the shop about the payment method.';
  if (isExpired(findings, situation)) return 'The authorization has ended.';
  if (captures.some(({ status }) => status === 'PROCESSING')) return 'The result of a capture is waited for.';
  switch (situation.status) {
    case 'AUTHORIZED':
    case 'PARTIALLY_CAPTURED':
      if (!findings.hasSuccess) return 'A PAYMENT_RESULT is waited for.';
      return captureMode === 'AUTOMATIC'
        ? 'APO captures by itself (captureMode AUTOMATIC), and its CAPTURE_RESULT is waited for.'
        : 'A CAPTURE_RESULT is waited for.';
    case 'PENDING':
      return evidence.paymentId === null ? 'The first notification is waited for.' : 'A PAYMENT_RESULT is waited for.';
    case 'CAPTURED':
    case 'CANCELLED':
    case 'FAILED':
    case 'PROCESSING':
      return 'A PAYMENT_RESULT is waited for.';
  }
};

const ADVICE: Readonly<Record<NextAction, string>> = {
  FULFIL: 'Ship it, once for its referenceOrderId.',
  REVIEW: 'A person decides: `paynotify review`, or correct what is wrong.',
  WAIT: 'Nothing: the next notification decides.',
  INQUIRE: "Ask APO what became of it (inquiryPayment, or APO's dashboard).",
  CAPTURE: 'Capture the payment.',
  RETRY_CAPTURE: 'Capture it again, with a new captureRequestId.',
  CONTACT_SUPPORT: "Ask APO's support.",
  NEW_PAYMENT_REQUEST: 'Let the buyer pay again, with a new paymentRequestId.',
  NONE: 'Nothing.',
};

/** Where an open attention asks for something. */
const ADVICE_BESIDE: Readonly<Partial<Record<NextAction, string>>> = {
  WAIT: 'Nothing but what follows: the next notification decides.',
  NONE: 'Nothing but what follows.',
};

/** What is to be done, and what each attention says about it. */
const adviceOn = (verdict: Verdict): readonly string[] => {
  const { nextAction, open } = verdict;
  const advice = (isAsked(verdict) ? ADVICE_BESIDE[nextAction] : undefined) ?? ADVICE[nextAction];
  return [`${nextAction}: ${advice}`, ...open.map(({ code, message }) => `${code}: ${message}`)];
};

const CALM: ReadonlySet<NextAction> = new Set<NextAction>(['FULFIL', 'WAIT', 'CAPTURE', 'NONE']);
/** They say what happened, and ask for nothing, unless nobody knows how much a dispute took. */
const NEWS: ReadonlySet<AttentionCode> = new Set<AttentionCode>(['REFUNDED', 'PARTIALLY_REFUNDED']);

const isAsked = ({ findings, open }: Verdict): boolean =>
  open.some(({ code }) => !NEWS.has(code) || takingAll(findings).length > 0);

const isWrong = (verdict: Verdict): boolean => !CALM.has(verdict.nextAction) || isAsked(verdict);
