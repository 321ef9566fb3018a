import { type Amount, toAmount } from './amount.ts';
import { takingAll } from './attention-returned.ts';
import type { AttentionCode } from './attention-code.ts';
import { isExpired } from './authorization.ts';
import { saysAuthorizationGone } from './capture.ts';
import { type OrderEvidence, problemTexts } from './evidence.ts';
import { type Findings, isRefunded, payingSiblings, saysCancelled } from './findings.ts';
import { nameOf, nameWithCode } from './movement.ts';
import { actionBeforeTheClock, type NextAction } from './next-action.ts';
import { judge, UNDERIVABLE, type Verdict } from './order.ts';
import type { OrderRules } from './rules.ts';
import { inUnits, list, show } from './show.ts';
import { type AnyPaymentStatement, firstOf, type PaymentStatement } from './statement.ts';
import type { OrderStatus } from './status.ts';
import { legibleTime } from './time.ts';

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

type Say = (findings: Findings) => readonly string[];

const STATUS: Readonly<Record<OrderStatus, Say>> = {
  CAPTURED: (findings) => {
    const { amounts, need, succeeded, registration } = findings;
    if (succeeded.length > 0)
      return [`${captured(findings)} was captured, and ${dueText(findings)} is due. ${capturesNamed(findings)}`];
    const why =
      need.because === 'registration'
        ? `its registration says captureMode ${registration?.captureMode}`
        : `${need.method ?? ''} is a payment method without captures`;
    return [`APO reported the payment of ${amountText(amounts.payment)} as paid, and no capture follows: ${why}.`];
  },
  PARTIALLY_CAPTURED: (findings) => [
    `${captured(findings)} was captured of ${dueText(findings)} that is due. ${capturesNamed(findings)}`,
    ...(findings.hasSuccess ? [] : ['No PAYMENT_RESULT with S has come: what came is the capture alone.']),
    ...failuresSaid(findings),
  ],
  CANCELLED: (findings) => {
    const { registration, captures, results, cancelledByInquiry } = findings;
    const gone = captures.filter(saysAuthorizationGone);
    const said = results.filter((one) => one.result.resultStatus === 'F' && saysCancelled(one));
    if (registration?.cancelled === true)
      return ['The shop registered the payment as cancelled.', ...(said.length === 0 ? stillPaid(findings) : [])];
    if (cancelledByInquiry) return ['APO says that the payment was cancelled.'];
    if (gone.length > 0)
      return [`The authorization is gone, and nothing was captured. Failed: ${list(gone.map(nameWithCode))}.`];
    if (said.length === 0 || !findings.hasSuccess)
      return ['APO was asked, and shows a VOID: the authorization was taken back, and nothing was captured.'];
    return [`APO reported the authorization, and that it was cancelled: ${list(said.map(resultText))}.`];
  },
  AUTHORIZED: (findings) => [
    `Authorized, not paid: APO reported PAYMENT_RESULT S of ${amountText(findings.amounts.payment)}${paidAt(findings)}, and ${captureNeeded(findings)}.`,
    ...(findings.captures.length === 0 ? ['No CAPTURE_RESULT of this payment has come.'] : []),
    ...failuresSaid(findings),
    ...processingSaid(findings),
  ],
  FAILED: ({ results }) => [
    `APO declined the payment: ${list(results.filter(({ result }) => result.resultStatus === 'F').map(resultText))}.`,
  ],
  PROCESSING: ({ payments }) => [
    `The payment is under way: APO said ${list(payments.flatMap(underWayText))}, and no final PAYMENT_RESULT has come.`,
  ],
  PENDING: (findings) => {
    const { evidence, registration, captures, refunds, disputes } = findings;
    if (evidence.problems.length > 0) return [unreadable(evidence)];
    if (evidence.paymentId === null && registration !== null)
      return [
        `The shop registered ${show(toAmount(registration.amount))} at ${new Date(registration.createdAt).toISOString()}, and no notification has named this paymentRequestId since.`,
      ];
    const came = [
      ...(captures.length > 0 ? ['captures that did not succeed'] : []),
      ...(refunds.length > 0 ? ['refunds'] : []),
      ...(disputes.length > 0 ? ['disputes'] : []),
    ];
    return [`No PAYMENT_RESULT has come${came.length === 0 ? '' : `, only ${came.join(' and ')}`}.`];
  },
};

/** What a wallet paid is given back by APO's cancel, and by nothing that the shop registers. */
const stillPaid = (findings: Findings): readonly string[] =>
  findings.hasSuccess && !findings.need.required && !findings.cancelledByInquiry && !isRefunded(findings)
    ? [
        `APO reported ${amountText(findings.amounts.payment)} as paid, and not that it was cancelled. If you did not cancel it at APO, the money is there: register cancelled: false, then refund what is left of it.`,
      ]
    : [];

const underWayText = (payment: AnyPaymentStatement): readonly string[] =>
  payment.about === 'payment'
    ? [`${payment.pending ? 'PAYMENT_PENDING' : 'PAYMENT_RESULT'} ${resultText(payment)}`]
    : [];

const amountText = (amount: Amount | null): string => (amount === null ? 'an unknown amount' : show(amount));
const captured = ({ amounts }: Findings): string => amountText(amounts.captured);
const dueText = ({ amounts, registration }: Findings): string =>
  (registration?.finalAmount ?? null) === null
    ? amountText(amounts.due)
    : `${amountText(amounts.due)} (the registered finalAmount)`;

const unreadable = ({ problems }: OrderEvidence): string =>
  `A notification of this payment came and could not be read: ${list(problemTexts(problems))}`;

const paidAt = ({ payments }: Findings): string => {
  const time = firstOf(payments, ({ paymentTime }) => paymentTime);
  return time === null ? '' : ` at ${legibleTime(time)}`;
};

/** `RISK_REJECT (declined by the issuer)` */
const resultText = ({
  result: { resultStatus, resultCode, resultMessage },
}: Pick<PaymentStatement, 'result'>): string =>
  `${resultCode ?? resultStatus}${resultMessage === null ? '' : ` (${resultMessage.replace(/\.$/, '')})`}`;

const capturesNamed = ({ succeeded }: Findings): string => `Captures that succeeded: ${list(succeeded.map(nameOf))}.`;

const failuresSaid = ({ failures }: Findings): readonly string[] =>
  failures.length === 0 ? [] : [`A capture failed: ${list(failures.map(nameWithCode))}.`];

const processingSaid = ({ captures }: Findings): readonly string[] => {
  const processing = captures.filter(({ status }) => status === 'PROCESSING');
  return processing.length === 0 ? [] : [`A capture is under way: ${list(processing.map(nameOf))}.`];
};

/** Why PAYMENT_RESULT S is not the money. */
const captureNeeded = ({ need: { because, method } }: Findings): string => {
  switch (because) {
    case 'capture':
    case 'unexpected':
      return 'its captures bring the money';
    case 'configuration':
      return 'CAPTURE_REQUIRED=always says that a capture brings the money';
    case 'undecided': {
      const named = method === null ? 'no payment method is stated or registered' : `${method} is in no list`;
      return `nothing shows whether a capture has to follow (${named}), so one is waited for`;
    }
    case 'method':
    case 'registration':
      return `for ${method ?? 'its method'} a capture brings the money`;
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

const hour = (verdict: Verdict): string => new Date(verdict.findings.evidence.newestAt + 3_600_000).toISOString();
const since = (verdict: Verdict): string => new Date(verdict.findings.evidence.newestAt).toISOString();

const ACTION: Readonly<Record<NextAction, (verdict: Verdict) => readonly string[]>> = {
  FULFIL: () => ['It is paid.'],
  REVIEW: ({ open }) => open.filter(({ review }) => review).map(({ code }) => `A person has to decide: ${code}.`),
  WAIT: (verdict) => [
    `${waitedFor(verdict)} If nothing comes, it is ${isUndecided(verdict) ? 'REVIEW' : 'INQUIRE'} from ${hour(verdict)} on.`,
  ],
  INQUIRE: (verdict) => {
    const { findings } = verdict;
    const [decisive] = findings.failures;
    if (decisive !== undefined && actionBeforeTheClock(findings, verdict) === 'INQUIRE')
      return [
        `Capture ${nameWithCode(decisive)} failed, although no more was asked for than is left: a capture is missing here.`,
      ];
    return [`${waitedFor(verdict)} Nothing has come since ${since(verdict)}, for an hour or more.`];
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
  if (isExpired(findings, situation, situation.now)) return 'The authorization has ended.';
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
