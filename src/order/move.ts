import { type Amount, type AmountText, toAmount, toAmountText } from './amount.ts';
import { isBlocking } from './attention.ts';
import type { MovementStatus } from './movement.ts';
import type { Order } from './order.ts';

/* Captures, cancels and refunds that we send: what may be sent of an order, and under which request id. */

export const MOVE_KINDS = ['capture', 'cancel', 'refund'] as const;
export type MoveKind = (typeof MOVE_KINDS)[number];

/** What somebody asks for. */
export interface MoveAsked {
  readonly kind: MoveKind;
  /** Null for all that is left to capture, and of a cancel. */
  readonly amount: AmountText | null;
  /** Null lets it be derived. */
  readonly requestId: string | null;
  /** Of a refund: the capture that it gives back, where that matters. */
  readonly captureId: string | null;
  /** Of a capture: none follows it. Null says nothing. */
  readonly isLast: boolean | null;
}

/** A move as far as a decision looks at it. */
export interface MoveMade {
  readonly kind: MoveKind;
  readonly requestId: string;
  readonly amount: AmountText | null;
  readonly isLast: boolean | null;
  readonly status: MovementStatus;
}

/** Why a move is not sent: a closed set. */
export const MOVE_REFUSALS = [
  'NO_PAYMENT',
  'NOT_AUTHORIZED',
  'NO_CAPTURE_REQUIRED',
  'OVER',
  'CLOSED',
  'EXPIRED',
  'BLOCKED',
  'CANCELLING',
  'CAPTURING',
  'LAST_CAPTURED',
  'CAPTURED',
  'NOT_CAPTURED',
  'NOTHING_LEFT',
  'TOO_MUCH',
  'CURRENCY',
  'UNKNOWN_CAPTURE',
  'ID_USED',
] as const;
export type MoveRefusal = (typeof MOVE_REFUSALS)[number];

export interface Refused {
  readonly reason: MoveRefusal;
  /** Why, and what to do instead: for a person. */
  readonly detail: string;
}

/** What is sent: null is the amount of a cancel. */
export type MoveVerdict = { readonly amount: AmountText | null } | { readonly refused: Refused };

const refuse = (reason: MoveRefusal, detail: string): { readonly refused: Refused } => ({
  refused: { reason, detail },
});

interface Shown {
  readonly requestId: string | null;
  readonly status: MovementStatus;
  readonly amount: AmountText | null;
}

const shownOf = (order: Order, kind: MoveKind): readonly Shown[] => {
  switch (kind) {
    case 'capture':
      return order.captures.map((one) => ({ ...one, requestId: one.captureRequestId }));
    case 'refund':
      return order.refunds.map((one) => ({ ...one, requestId: one.refundRequestId }));
    case 'cancel':
      return [];
  }
};

/** What the order's facts say of a move; null for nothing final. A cancel has no id at APO: it is seen in the status. */
export const finalIn = (
  order: Order,
  { kind, requestId }: Pick<MoveMade, 'kind' | 'requestId'>,
): { readonly status: 'SUCCEEDED' | 'FAILED'; readonly id: string | null; readonly code: string | null } | null => {
  if (kind === 'cancel') return order.status === 'CANCELLED' ? { status: 'SUCCEEDED', id: null, code: null } : null;
  const found =
    kind === 'capture'
      ? order.captures.find((one) => one.captureRequestId === requestId)
      : order.refunds.find((one) => one.refundRequestId === requestId);
  if (found === undefined || found.status === 'PROCESSING') return null;
  const id = 'captureTime' in found ? found.captureId : found.refundId;
  return { status: found.status, id, code: found.result.resultCode };
};

/** Whether APO itself says that it is under way. */
export const isUnderWayIn = (order: Order, { kind, requestId }: Pick<MoveMade, 'kind' | 'requestId'>): boolean =>
  shownOf(order, kind).some((one) => one.requestId === requestId && one.status === 'PROCESSING');

/** It may have moved money that the order does not know of. */
const isOutstanding = (order: Order, move: MoveMade): boolean => {
  if (move.status === 'FAILED') return false;
  const final = finalIn(order, move);
  return final === null || (final.status === 'FAILED' && move.status === 'SUCCEEDED');
};

const sum = (amounts: readonly (AmountText | null)[]): bigint =>
  amounts.reduce((all, amount) => all + (amount === null ? 0n : BigInt(amount.value)), 0n);

/** All of one kind that is neither final in the order nor failed: ours, and what somebody else has sent. */
const outstanding = (order: Order, moves: readonly MoveMade[], kind: MoveKind): bigint => {
  const ours = moves.filter((move) => move.kind === kind);
  const ids = new Set<string | null>(ours.map(({ requestId }) => requestId));
  const others = shownOf(order, kind).filter((one) => one.status === 'PROCESSING' && !ids.has(one.requestId));
  return (
    sum(ours.filter((move) => isOutstanding(order, move)).map(({ amount }) => amount)) +
    sum(others.map(({ amount }) => amount))
  );
};

const isUnderWay = (move: MoveMade): boolean => move.status === 'PROCESSING';

/** APO takes ids of at most 64 characters. */
export const LONGEST_REQUEST_ID = 64;
const MARK: Readonly<Record<MoveKind, string>> = { capture: '', refund: 'r', cancel: 'c' };

/**
 * The request id of a move that names none: of the `paymentId` and how many there were before. One that is under way
 * does not count, so that asking twice is one move. Null where it would be too long for APO.
 */
export const nextRequestId = (order: Order, moves: readonly MoveMade[], kind: MoveKind): string | null => {
  const ours = moves.filter((move) => move.kind === kind);
  const waiting = new Set<string | null>(ours.filter(isUnderWay).map(({ requestId }) => requestId));
  const shown = shownOf(order, kind).filter((one) => !waiting.has(one.requestId));
  const ids = new Set<string | null>(shown.map(({ requestId }) => requestId));
  const unseen = ours.filter((move) => !isUnderWay(move) && !ids.has(move.requestId));
  const id = `${order.paymentId}-${MARK[kind]}${shown.length + unseen.length + 1}`;
  return id.length > LONGEST_REQUEST_ID ? null : id;
};

/** Whether it may be sent, as of `now` (epoch milliseconds), by the order and all moves of its payment. */
export const judgeMove = (
  order: Order,
  asked: MoveAsked,
  { moves, now }: { readonly moves: readonly MoveMade[]; readonly now: number },
): MoveVerdict => {
  switch (asked.kind) {
    case 'capture':
      return judgeCapture(order, asked, { moves, now });
    case 'cancel':
      return judgeCancel(order, moves);
    case 'refund':
      return judgeRefund(order, asked, moves);
  }
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
  if (status === 'FAILED' || status === 'CANCELLED')
    return refuse(
      'OVER',
      `The payment is ${status}: nothing can be captured. Ask for a new payment under a new paymentRequestId.`,
    );
  if (order.review?.decision === 'CLOSE')
    return refuse('CLOSED', 'A person has closed this order. Take the review back to capture it, or cancel it.');
  const blocks = openBlocks(order);
  if (blocks.length > 0)
    return refuse(
      'BLOCKED',
      `A person has to look first: ${blocks.join(', ')}. Settle it with a review, or cancel the payment.`,
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
    return refuse('LAST_CAPTURED', 'The last capture has been sent: what was left of the authorization is released.');
  return within(asked.amount, { ...toAmount(remaining), of: outstanding(order, moves, 'capture') }, 'to capture');
};

const isExpired = ({ authorizationExpiresAt, attention }: Order, now: number): boolean =>
  (authorizationExpiresAt !== null && Date.parse(authorizationExpiresAt) <= now) ||
  attention.some(({ code }) => code === 'AUTHORIZATION_EXPIRED');

const judgeCancel = (order: Order, moves: readonly MoveMade[]): MoveVerdict => {
  const { status, captures } = order;
  if (status === 'CAPTURED' || status === 'PARTIALLY_CAPTURED' || captures.some((one) => one.status === 'SUCCEEDED'))
    return refuse('CAPTURED', 'Something is captured already, and what is captured cannot be cancelled. Refund it.');
  const isCapturing =
    captures.some((one) => one.status === 'PROCESSING') ||
    moves.some((move) => move.kind === 'capture' && isOutstanding(order, move));
  if (isCapturing)
    return refuse(
      'CAPTURING',
      'A capture is under way. Once it has failed the payment can be cancelled; once it has succeeded, refund it.',
    );
  if (status === 'FAILED' || status === 'CANCELLED') return refuse('OVER', `The payment is ${status} already.`);
  return { amount: null };
};

const judgeRefund = (order: Order, asked: MoveAsked, moves: readonly MoveMade[]): MoveVerdict => {
  const { captureRequired, status, capturedAmount, paymentAmount, captures } = order;
  const paid = captureRequired ? capturedAmount : status === 'CAPTURED' ? paymentAmount : null;
  if (status === 'CANCELLED' || (status === 'FAILED' && paid === null))
    return refuse('OVER', `The payment is ${status}: there is nothing to give back.`);
  if (paid === null)
    return refuse('NOT_CAPTURED', 'Nothing is captured yet, so nothing can be refunded. Cancel the payment.');
  const disputed = order.attention.some(({ code, settled }) => code === 'DISPUTED' && !settled);
  if (disputed)
    return refuse(
      'BLOCKED',
      'The payment is DISPUTED: its money may go back through the dispute. Settle it with a review first.',
    );
  const capture = captures.find((one) => one.captureId === asked.captureId && one.status === 'SUCCEEDED');
  if (asked.captureId !== null && capture === undefined)
    return refuse(
      'UNKNOWN_CAPTURE',
      'No successful capture of this order has this captureId. Look at its captures, or leave it out.',
    );
  if (
    capture !== undefined &&
    capture.amount !== null &&
    asked.amount !== null &&
    BigInt(asked.amount.value) > BigInt(capture.amount.value)
  )
    return refuse('TOO_MUCH', `This capture is of ${textOf(capture.amount)}: no more of it can be refunded.`);
  const gone = sum([order.refundedAmount]) + outstanding(order, moves, 'refund');
  return within(asked.amount, { ...toAmount(paid), of: gone }, 'to refund');
};

const textOf = ({ currency, value }: AmountText): string => `${currency} ${value}`;

/** At most what is left of it; all of that where no amount is asked for. */
const within = (
  asked: AmountText | null,
  { currency, value, of }: Amount & { readonly of: bigint },
  what: string,
): MoveVerdict => {
  const left: AmountText = toAmountText({ currency, value: value > of ? value - of : 0n });
  if (left.value === '0') return refuse('NOTHING_LEFT', `Nothing is left ${what}: wait for what is under way.`);
  if (asked === null) return { amount: left };
  if (asked.currency !== currency) return refuse('CURRENCY', `The amount has to be in ${currency}.`);
  return BigInt(asked.value) > BigInt(left.value)
    ? refuse('TOO_MUCH', `No more than ${textOf(left)} is left ${what}.`)
    : { amount: toAmountText(toAmount(asked)) };
};
