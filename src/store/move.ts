import type { AmountText } from '../order/amount.ts';
import type { MoveAsked, MoveKind, Refused } from '../order/move.ts';
import type { MovementStatus } from '../order/movement.ts';
import type { Order } from '../order/order.ts';
import type { Page, PageRequest } from './lists.ts';
import type { OrderName } from './shop.ts';

/* Captures, cancels and refunds that we send. Times are UTC, ISO 8601 with milliseconds. */

export interface MoveKey {
  readonly clientId: string;
  readonly kind: MoveKind;
  /** A captureRequestId or refundRequestId; of a cancel, which has none at APO, an id of ours. */
  readonly requestId: string;
}

/** A move as it is stored: written down before it is sent. */
export interface Move extends MoveKey {
  readonly paymentId: string;
  /** Null of a cancel. */
  readonly amount: AmountText | null;
  /** Of a refund: the capture that it gives back. */
  readonly captureId: string | null;
  /** Of a capture: none follows it. */
  readonly isLast: boolean | null;
  /** PROCESSING until APO has said what became of it: then it is sent again, with the same id. */
  readonly status: MovementStatus;
  /** How often it has been sent. */
  readonly attempts: number;
  /** APO's last code; null where none was read. */
  readonly resultCode: string | null;
  /** What a failure, or a silence, asks for (`FAILURES`, `Unknown`); null after a success, and before any answer. */
  readonly reason: string | null;
  /** APO's captureId or refundId. */
  readonly id: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Moves of which APO has not said yet what became of them. */
export interface MovesUnderWay {
  readonly underWay: number;
  /** When the oldest of them was written down; null where there is none. */
  readonly since: string | null;
}

export interface MoveRequest extends OrderName, MoveAsked {
  /** Epoch milliseconds: when it is looked after, if who writes it down does not. */
  readonly nextAttemptAt: number;
}

export type BeginMoveResult =
  /** Written down just now: it is to be sent. */
  | { readonly kind: 'begun'; readonly move: Move }
  /** The same was written down before. */
  | { readonly kind: 'same'; readonly move: Move }
  /** Something else was written down under this request id. */
  | { readonly kind: 'conflict'; readonly move: Move }
  | { readonly kind: 'refused'; readonly refused: Refused; readonly order: Order }
  | { readonly kind: 'unknown' }
  /** Several payments name this paymentRequestId. */
  | { readonly kind: 'ambiguous'; readonly orders: readonly Order[] };

/** What an attempt came to. */
export interface MoveOutcome extends Pick<Move, 'status' | 'resultCode' | 'reason' | 'id'> {
  /** Whether it was sent: facts may have said what became of it. */
  readonly sent: boolean;
  /** Epoch milliseconds; of a final one it does not matter. */
  readonly nextAttemptAt: number;
}

export interface StoreMoveReads {
  /** Those under way whose time has come (epoch milliseconds), the longest due first. */
  readonly dueMoves: (before: number, limit: number) => Promise<readonly Move[]>;
  /** All of a payment, the oldest first. */
  readonly listMoves: (clientId: string, paymentId: string) => Promise<readonly Move[]>;
  /** In the order of their keys. */
  readonly readMoves: (page: PageRequest) => Promise<Page<Move>>;
}

export interface StoreMoveWrites {
  /** Checks a move and writes it down, under the lock of its order. */
  readonly beginMove: (request: MoveRequest, now: Date) => Promise<BeginMoveResult>;
  /** Writes down what an attempt came to; what is final stays. Resolves with the move as it stands. */
  readonly keepMove: (key: MoveKey, outcome: MoveOutcome, now: Date) => Promise<Move>;
  /** Takes in moves of another store: what is final there is final here. Returns how many were not here. */
  readonly importMoves: (moves: readonly Move[], now: Date) => Promise<number>;
}
