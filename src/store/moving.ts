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

/** Null where it says nothing: what has succeeded is shown by what APO was asked since. */
const resultOf = (move: Move): Result | null => {
  switch (move.status) {
    case 'PROCESSING':
      return UNDECIDED;
    case 'FAILED':
      return isRefused(move) ? { resultStatus: 'F', resultCode: move.resultCode, resultMessage: null } : null;
    case 'SUCCEEDED':
      return null;
  }
};

/** What says nothing of the movement itself: another one has this id, or a notification has told already. */
const SAYS_NOTHING: ReadonlySet<string | null> = new Set(['OUR_FAULT', 'TOLD', null]);

/** At once, so that there is no earlier request which may have been carried out. */
const isRefused = ({ attempts, reason, resultCode }: Move): boolean =>
  attempts === 1 && resultCode !== null && resultCode !== 'REPEAT_REQ_INCONSISTENT' && !SAYS_NOTHING.has(reason);

/** A cancel states nothing: the payment shows whether it is cancelled. */
const toMoving = (move: Move, result: Result | null): readonly Moving[] => {
  const { kind, requestId, paymentId, amount, captureId, createdAt } = move;
  // By it APO's own word on this movement is known for one.
  const id = move.id ?? undefined;
  if (result === null || kind === 'cancel') return [];
  const stated = {
    result,
    amount: amount ?? undefined,
    // Whatever APO says of it comes first.
    answer: '',
    digest: hash('sha256', `${kind}\n${requestId}`, 'hex'),
    place: 0,
  } as const;
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
