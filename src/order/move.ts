import type { AmountText } from './amount.ts';
import type { MovementStatus } from './movement.ts';
import type { Order } from './order.ts';
import { isOver } from './status.ts';

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
  readonly captureId: string | null;
  readonly isLast: boolean | null;
  readonly status: MovementStatus;
  /** UTC, ISO 8601. */
  readonly updatedAt: string;
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
  'REPEATED',
] as const;
export type MoveRefusal = (typeof MOVE_REFUSALS)[number];

export interface Refused {
  readonly reason: MoveRefusal;
  /** Why, and what to do instead: for a person. */
  readonly detail: string;
}

/** A capture or refund as an order shows it. */
export interface Shown {
  readonly requestId: string | null;
  /** Of its result. */
  readonly message: string | null;
  readonly status: MovementStatus;
  readonly amount: AmountText | null;
}

/** What the order knows of, whoever sent it. */
export const shownOf = (order: Order, kind: MoveKind): readonly Shown[] => {
  switch (kind) {
    case 'capture':
      return order.captures.map(({ captureRequestId, result, ...one }) => ({
        ...one,
        requestId: captureRequestId,
        message: result.resultMessage,
      }));
    case 'refund':
      return order.refunds.map(({ refundRequestId, result, ...one }) => ({
        ...one,
        requestId: refundRequestId,
        message: result.resultMessage,
      }));
    case 'cancel':
      return [];
  }
};

/**
 * What the order's facts say of a move; null for nothing final. A cancel has no id at APO: the status shows it, and of
 * a payment that failed there is nothing left to cancel.
 */
export const finalIn = (
  order: Order,
  { kind, requestId }: Pick<MoveMade, 'kind' | 'requestId'>,
): { readonly status: 'SUCCEEDED' | 'FAILED'; readonly id: string | null; readonly code: string | null } | null => {
  if (kind === 'cancel') return isOver(order.status) ? { status: 'SUCCEEDED', id: null, code: null } : null;
  const found =
    kind === 'capture'
      ? order.captures.find((one) => one.captureRequestId === requestId)
      : order.refunds.find((one) => one.refundRequestId === requestId);
  if (found === undefined || found.status === 'PROCESSING') return null;
  const id = 'captureTime' in found ? found.captureId : found.refundId;
  return { status: found.status, id, code: found.result.resultCode };
};

/** What an order says of a move that nobody but us has said anything of. */
export const NOT_ANSWERED = 'Sent, and not answered yet.';

/** Whether APO itself says that it is under way. */
export const isUnderWayIn = (order: Order, { kind, requestId }: Pick<MoveMade, 'kind' | 'requestId'>): boolean =>
  shownOf(order, kind).some(
    (one) => one.requestId === requestId && one.status === 'PROCESSING' && one.message !== NOT_ANSWERED,
  );

/** Asking again is the same one. A cancel is for the whole payment, and for ever. */
const isStanding = ({ kind, status }: MoveMade): boolean =>
  kind === 'cancel' ? status !== 'FAILED' : status === 'PROCESSING';

/** APO takes ids of at most 64 characters. */
export const LONGEST_REQUEST_ID = 64;
const MARK: Readonly<Record<MoveKind, string>> = { capture: '', refund: 'r', cancel: 'c' };

/**
 * The request id of a move that names none: of the `paymentId` and how many there were before. One that is under way
 * does not count, so that asking twice is one move. Null where it would be too long for APO.
 */
export const nextRequestId = (order: Order, moves: readonly MoveMade[], kind: MoveKind): string | null => {
  const ours = moves.filter((move) => move.kind === kind);
  const waiting = new Set<string | null>(ours.filter(isStanding).map(({ requestId }) => requestId));
  const shown = shownOf(order, kind).filter((one) => !waiting.has(one.requestId));
  const ids = new Set<string | null>(shown.map(({ requestId }) => requestId));
  const unseen = ours.filter((move) => !isStanding(move) && !ids.has(move.requestId));
  const id = `${order.paymentId}-${MARK[kind]}${shown.length + unseen.length + 1}`;
  return id.length > LONGEST_REQUEST_ID ? null : id;
};
