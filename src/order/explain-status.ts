import { type Amount, toAmount } from './amount.ts';
import { saysAuthorizationGone } from './capture.ts';
import { type OrderEvidence, problemTexts } from './evidence.ts';
import { type Findings, hasStatus, isRefunded, saysCancelled } from './findings.ts';
import { nameOf, nameWithCode } from './movement.ts';
import { list, show } from './show.ts';
import { type AnyPaymentStatement, firstOf, type PaymentStatement } from './statement.ts';
import type { OrderStatus } from './status.ts';
import { isoTime, legibleTime } from './time.ts';

type Say = (findings: Findings) => readonly string[];

/** Why an order has its status. */
export const STATUS: Readonly<Record<OrderStatus, Say>> = {
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
  FAILED: ({ results }) => [`APO declined the payment: ${list(results.filter(hasStatus('F')).map(resultText))}.`],
  PROCESSING: ({ payments }) => [
    `The payment is under way: APO said ${list(payments.flatMap(underWayText))}, and no final PAYMENT_RESULT has come.`,
  ],
  PENDING: (findings) => {
    const { evidence, registration, captures, refunds, disputes } = findings;
    if (evidence.problems.length > 0) return [unreadable(evidence)];
    if (evidence.paymentId === null && registration !== null)
      return [
        `The shop registered ${show(toAmount(registration.amount))} at ${isoTime(registration.createdAt)}, and no notification has named this paymentRequestId since.`,
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

export const failuresSaid = ({ failures }: Findings): readonly string[] =>
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
