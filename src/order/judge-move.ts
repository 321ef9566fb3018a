import { type Amount, type AmountText, sameAmount, toAmount, toAmountText } from './amount.ts';
import { isBlocking } from './attention.ts';
import type { AttentionCode } from './attention-code.ts';
import { tookMoney } from './dispute.ts';
import {
  finalIn,
  type MoveAsked,
  type MoveKind,
  type MoveMade,
  type MoveRefusal,
  type Refused,
  type Shown,
  shownOf,
} from './move.ts';
import type { Order } from './order.ts';
import { show } from './show.ts';
import { isOver } from './status.ts';

/** What is sent: null is the amount of a cancel. */
export type MoveVerdict = { readonly amount: AmountText | null } | { readonly refused: Refused };

const refuse = (reason: MoveRefusal, detail: string): { readonly refused: Refused } => ({
  refused: { reason, detail },
});

/** Whether it may be sent, as of `now` (epoch milliseconds), by the order and all moves of its payment. */
export const judgeMove = (
  order: Order,
  asked: MoveAsked,
  { moves, now }: { readonly moves: readonly MoveMade[]; readonly now: number },
): MoveVerdict => {
  const repeated = repetitionOf(asked, { moves, now });
  if (repeated !== null) return repeated;
  switch (asked.kind) {
    case 'capture':
      return judgeCapture(order, asked, { moves, now });
    case 'cancel':
      return judgeCancel(order, moves);
    case 'refund':
      return judgeRefund(order, asked, moves);
  }
};

const REPEATED_WITHIN_MS = 600_000;

/** Who got no answer asks again: without an id that must not move the same amount twice. */
const repetitionOf = (
  asked: MoveAsked,
  { moves, now }: { readonly moves: readonly MoveMade[]; readonly now: number },
): MoveVerdict | null => {
  if (asked.requestId !== null || asked.amount === null) return null;
  const same = moves.find(
    (move) =>
      move.status === 'SUCCEEDED' && isSameMove(asked, move) && now - Date.parse(move.updatedAt) < REPEATED_WITHIN_MS,
  );
  if (same === undefined) return null;
  const detail = `The same ${asked.kind} has just succeeded, as ${same.requestId}. To make another, name its request id.`;
  return refuse('REPEATED', detail);
};

/** Whether what is asked for is this one; a null amount is whatever it was. */
export const isSameMove = (
  { kind, amount, captureId, isLast }: MoveAsked,
  move: Pick<MoveMade, 'kind' | 'amount' | 'captureId' | 'isLast'>,
): boolean =>
  kind === move.kind &&
  (amount === null || (move.amount !== null && sameAmount(toAmount(amount), toAmount(move.amount)))) &&
  captureId === move.captureId &&
  (isLast ?? false) === (move.isLast ?? false);

/** It may have moved money that the order does not know of. */
const isOutstanding = (order: Order, move: MoveMade): boolean => {
  if (move.status === 'FAILED') return false;
  const final = finalIn(order, move);
  return final === null || (final.status === 'FAILED' && move.status === 'SUCCEEDED');
};

const sum = (amounts: readonly (AmountText | null)[]): bigint =>
  amounts.reduce((all, amount) => all + (amount === null ? 0n : BigInt(amount.value)), 0n);

/** All of one kind that APO works on, but for these. */
const underWayBeside = (order: Order, moves: readonly MoveMade[], kind: MoveKind): readonly Shown[] => {
  const ids = new Set<string | null>(moves.map(({ requestId }) => requestId));
  return shownOf(order, kind).filter((one) => one.status === 'PROCESSING' && !ids.has(one.requestId));
};

const ofUnknownAmount = (kind: MoveKind): string =>
  `Another ${kind} is under way, and nobody knows of how much. Wait for its result.`;

/** All of one kind that is neither final in the order nor failed: ours, and what somebody else has sent. */
const outstanding = (order: Order, moves: readonly MoveMade[], kind: MoveKind): bigint => {
  const ours = moves.filter((move) => move.kind === kind);
  // One that has failed is under way all the same where APO says so.
  const others = underWayBeside(
    order,
    ours.filter(({ status }) => status !== 'FAILED'),
    kind,
  );
  return (
    sum(ours.filter((move) => isOutstanding(order, move)).map(({ amount }) => amount)) +
    sum(others.map(({ amount }) => amount))
  );
};

/** Final, or about to be. */
const isCancelling = (moves: readonly MoveMade[]): boolean =>
  moves.some((move) => move.kind === 'cancel' && move.status !== 'FAILED');

const openBlocks = (order: Order): readonly string[] =>
  order.attention.filter(({ code, settled }) => !settled && isBlocking(code)).map(({ code }) => code);

const judgeCapture = (
  order: Order,
  asked: MoveAsked,
  { moves, now }: { readonly moves: readonly MoveMade[]; readonly now: number },
): MoveVerdict => {
  const { status, remainingAmount: remaining } = order;
  if (!order.captureRequired)
    return refuse(
      'NO_CAPTURE_REQUIRED',
      'This payment is not captured: it is paid once it succeeds. To give money back, refund it.',
    );
  if (status === 'CAPTURED')
    return refuse('CAPTURED', 'All that is due is captured already. To give money back, refund it.');
  if (isOver(status))
    return refuse(
      'OVER',
      `The payment is ${status}: nothing can be captured. Ask for a new payment under a new paymentRequestId.`,
    );
  if (order.review?.decision === 'CLOSE')
    return refuse(
      'CLOSED',
      `A person has closed this order. Take the review back to capture it${orCancel(order, moves)}.`,
    );
  const blocks = openBlocks(order);
  if (blocks.length > 0)
    return refuse(
      'BLOCKED',
      `A person has to look first: ${blocks.join(', ')}. No review lets a capture through: correct what is wrong, or ask APO${orCancel(order, moves)}.`,
    );
  if (isExpired(order, now))
    return refuse('EXPIRED', 'The authorization has expired. Ask for a new payment under a new paymentRequestId.');
  if (remaining === null) return refuse('NOT_AUTHORIZED', `The order is ${status}: capture it once it is AUTHORIZED.`);
  if (isCancelling(moves))
    return refuse(
      'CANCELLING',
      'A cancel of this payment is under way, or has succeeded: nothing is captured any more.',
    );
  const captures = moves.filter((move) => move.kind === 'capture');
  if (captures.some((move) => move.isLast === true && move.status !== 'FAILED'))
    return refuse(
      'LAST_CAPTURED',
      'The last capture has been sent: what was left of the authorization is released. If that is all, register what is captured as finalAmount, with the amount if nothing is registered yet.',
    );
  if (underWayBeside(order, captures, 'capture').some(({ amount }) => amount === null))
    return refuse('BLOCKED', ofUnknownAmount('capture'));
  const underWay = outstanding(order, moves, 'capture');
  return within(asked.amount, { ...toAmount(remaining), gone: 0n, underWay }, 'to capture');
};

const orCancel = (order: Order, moves: readonly MoveMade[]): string =>
  'refused' in judgeCancel(order, moves) ? '' : ', or cancel the payment';

const isExpired = ({ authorizationExpiresAt, attention }: Order, now: number): boolean =>
  (authorizationExpiresAt !== null && Date.parse(authorizationExpiresAt) <= now) ||
  attention.some(({ code }) => code === 'AUTHORIZATION_EXPIRED');

const judgeCancel = (order: Order, moves: readonly MoveMade[]): MoveVerdict => {
  const { status, captures } = order;
  if (status === 'CAPTURED' || status === 'PARTIALLY_CAPTURED' || captures.some((one) => one.status === 'SUCCEEDED'))
    return refuse(
      'CAPTURED',
      order.captureRequired
        ? 'Something is captured already, and what is captured cannot be cancelled. Refund it.'
        : 'The payment is paid already, without a capture. Refund it.',
    );
  const isCapturing =
    captures.some((one) => one.status === 'PROCESSING') ||
    moves.some((move) => move.kind === 'capture' && isOutstanding(order, move));
  if (isCapturing)
    return refuse(
      'CAPTURING',
      'A capture is under way. Once it has failed the payment can be cancelled; once it has succeeded, refund it.',
    );
  if (isOver(status)) return refuse('OVER', `The payment is ${status} already.`);
  return { amount: null };
};

const judgeRefund = (order: Order, asked: MoveAsked, moves: readonly MoveMade[]): MoveVerdict => {
  const { captureRequired, status, capturedAmount, paymentAmount, captures } = order;
  const isPaid = captureRequired ? captures.some((one) => one.status === 'SUCCEEDED') : status === 'CAPTURED';
  const paid = captureRequired ? capturedAmount : paymentAmount;
  if (status === 'CANCELLED' || (status === 'FAILED' && !isPaid))
    return refuse('OVER', `The payment is ${status}: ${nothingToRefund(order)}`);
  if (!isPaid)
    return refuse('NOT_CAPTURED', 'Nothing is captured yet, so nothing can be refunded. Cancel the payment.');
  if (paid === null || paid.value === '0')
    return refuse('BLOCKED', 'Nobody knows how much was paid: ask APO before you refund it.');
  const doubt = doubtOf(order, paid, moves);
  if (doubt !== null) return refuse('BLOCKED', doubt);
  const capture =
    asked.captureId === null
      ? undefined
      : captures.find((one) => one.captureId === asked.captureId && one.status === 'SUCCEEDED');
  if (asked.captureId !== null && capture === undefined)
    return refuse(
      'UNKNOWN_CAPTURE',
      'No successful capture of this order has this captureId. Look at its captures, or leave it out.',
    );
  const ofCapture =
    capture === undefined || capture.amount === null
      ? asked
      : within(
          asked.amount,
          { ...toAmount(capture.amount), gone: refundedOf(order, asked.captureId, moves), underWay: 0n },
          'to refund of this capture',
        );
  if ('refused' in ofCapture) return ofCapture;
  const taken = takenFrom(order, toAmount(paid));
  const gone = sum([order.refundedAmount]) + taken;
  const underWay = outstanding(order, moves, 'refund');
  const what = taken === 0n ? 'to refund' : 'to refund beside what disputes took';
  return within(ofCapture.amount, { ...toAmount(paid), gone, underWay }, what);
};

/** What was refunded of a capture, or may be. Of our own, APO's answers need not say which capture they are of. */
const refundedOf = (order: Order, captureId: string | null, moves: readonly MoveMade[]): bigint => {
  const ours = moves.filter(
    (move) => move.kind === 'refund' && (isOutstanding(order, move) || finalIn(order, move)?.status === 'SUCCEEDED'),
  );
  const ids = new Set<string | null>(ours.map(({ requestId }) => requestId));
  const others = order.refunds.filter((one) => one.status !== 'FAILED' && !ids.has(one.refundRequestId));
  return sum([...ours, ...others].filter((one) => one.captureId === captureId).map(({ amount }) => amount));
};

/** What disputes took, at most: all that was disputed, for an order does not show what was judged. */
const takenFrom = ({ disputes }: Order, paid: Amount): bigint =>
  disputes
    .filter(tookMoney)
    .map(({ amount }) => (amount === null || amount.currency !== paid.currency ? 0n : BigInt(amount.value)))
    .reduce((all, amount) => all + (amount > 0n ? amount : paid.value), 0n);

/** The shop alone may have called it cancelled: a wallet's money is not given back by that. */
const nothingToRefund = ({ status, captureRequired, result, attention }: Order): string =>
  status === 'CANCELLED' &&
  !captureRequired &&
  result?.resultStatus === 'S' &&
  !attention.some(({ code }) => code === 'REFUNDED')
    ? 'APO gives back what it cancelled. If you registered `cancelled`, and APO cancelled nothing, take that back, then refund it.'
    : 'there is nothing to give back.';

const isOpen = ({ attention }: Order, code: AttentionCode): boolean =>
  attention.some((one) => one.code === code && !one.settled);

/** Why nobody can tell how much is left to refund; null where it can be told. */
const doubtOf = (order: Order, { currency }: AmountText, moves: readonly MoveMade[]): string | null => {
  if (isOpen(order, 'DISPUTED'))
    return 'The payment is DISPUTED: its money may go back through the dispute. Settle it with a review first.';
  const isUncounted = ({ amount }: Pick<Shown, 'amount'>): boolean =>
    amount === null || amount.value === '0' || amount.currency !== currency;
  const isInDoubt = isOpen(order, 'AMOUNT_UNKNOWN') || isOpen(order, 'CURRENCY_MISMATCH');
  if (isInDoubt && order.refunds.some((one) => one.status === 'SUCCEEDED' && isUncounted(one)))
    return 'A refund succeeded whose amount or currency is not known to fit: ask APO what is left. Settle it with a review first.';
  return underWayBeside(order, moves, 'refund').some(isUncounted) ? ofUnknownAmount('refund') : null;
};

/** At most what is left of it; all of that where no amount is asked for. */
const within = (
  asked: AmountText | null,
  { currency, value, gone, underWay }: Amount & { readonly gone: bigint; readonly underWay: bigint },
  what: string,
): MoveVerdict => {
  const left: AmountText = toAmountText({ currency, value: value > gone + underWay ? value - gone - underWay : 0n });
  if (left.value === '0')
    return refuse('NOTHING_LEFT', `Nothing is left ${what}${underWay > 0n ? ': wait for what is under way' : ''}.`);
  if (asked === null) return { amount: left };
  if (asked.currency !== currency) return refuse('CURRENCY', `The amount has to be in ${currency}.`);
  return BigInt(asked.value) > BigInt(left.value)
    ? refuse('TOO_MUCH', `No more than ${show(left)} is left ${what}.`)
    : { amount: toAmountText(toAmount(asked)) };
};
