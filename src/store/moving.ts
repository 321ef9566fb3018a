import { hash } from 'node:crypto';
import { furtherAction } from '../antom/result-codes.ts';
import { NOT_ANSWERED } from '../order/move.ts';
import type { Result, Sourced, Statement } from '../order/statement.ts';
import type { Move } from './move.ts';

/** What a move says of its order, until APO says more of it in a notification or an answer. */
export interface Moving {
  readonly statement: Sourced<Statement>;
  /** Since when a capture is waited for, epoch milliseconds; null where nothing is. */
  readonly waitsSince: number | null;
}

/** Of all moves of an order, as it stands. */
export const movingOf = (moves: readonly Move[]): readonly Moving[] =>
  moves.flatMap((move) => toMoving(move, resultOf(move)));

/** The same as it was at a time (epoch milliseconds). */
export const movingAt = (moves: readonly Move[], at: number): readonly Moving[] =>
  moves
    .filter(({ createdAt }) => Date.parse(createdAt) <= at)
    .flatMap((move) => toMoving(move, Date.parse(move.updatedAt) > at ? UNDECIDED : resultOf(move)));

const UNDECIDED: Result = { resultStatus: 'U', resultCode: null, resultMessage: NOT_ANSWERED };

const SUCCEEDED: Result = { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: null };

/** Null where it says nothing. */
const resultOf = (move: Move): Result | null => {
  switch (move.status) {
    case 'PROCESSING':
      return UNDECIDED;
    case 'FAILED':
      return isRefused(move) ? { resultStatus: 'F', resultCode: move.resultCode, resultMessage: null } : null;
    case 'SUCCEEDED':
      return isAnswered(move) ? SUCCEEDED : null;
  }
};

/** F is final for its id, but where another one has this id, or where a notification has told already. */
const isRefused = ({ reason, resultCode }: Move): boolean =>
  resultCode !== null && resultCode !== 'REPEAT_REQ_INCONSISTENT' && reason !== 'TOLD';

/** Of a payment that has failed nothing is left to cancel: such a cancel has succeeded without an answer. */
const isAnswered = ({ kind, resultCode }: Move): boolean => kind !== 'cancel' || resultCode !== null;

/** A cancel that APO has not said S of states nothing. */
const toMoving = (move: Move, result: Result | null): readonly Moving[] => {
  const { kind, requestId, paymentId, amount, captureId, createdAt } = move;
  // By it APO's own word on this movement is known for one.
  const id = move.id ?? undefined;
  if (result === null) return [];
  const stated = {
    result,
    amount: amount ?? undefined,
    // Whatever APO says of it comes first.
    answer: '',
    digest: hash('sha256', `${kind}\n${requestId}`, 'hex'),
    place: 0,
  } as const;
  if (kind === 'cancel')
    return result === SUCCEEDED
      ? [{ statement: { about: 'cancellation', type: 'CANCEL', ...stated }, waitsSince: null }]
      : [];
  if (kind === 'refund')
    return [
      {
        statement: {
          about: 'refund',
          refundId: id,
          refundRequestId: requestId,
          paymentId,
          captureId: captureId ?? undefined,
          ...stated,
        },
        waitsSince: null,
      },
    ];
  return [
    {
      statement: {
        about: 'capture',
        captureId: id,
        captureRequestId: requestId,
        furtherAction: furtherAction(result.resultCode),
        ...stated,
      },
      waitsSince: result === UNDECIDED ? Date.parse(createdAt) : null,
    },
  ];
};
