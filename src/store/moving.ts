import { hash } from 'node:crypto';
import type { Sourced, Statement } from '../order/statement.ts';
import type { Move } from './move.ts';

/** What a move that is under way says of its order until APO has answered. */
export interface Moving {
  readonly statement: Sourced<Statement>;
  /** Since when a capture is waited for, epoch milliseconds; null of what nobody waits for. */
  readonly waitsSince: number | null;
}

/** Of all moves of an order, as it stands. */
export const movingOf = (moves: readonly Move[]): readonly Moving[] =>
  moves.filter(({ status }) => status === 'PROCESSING').flatMap(toMoving);

/** The same as it was at a time (epoch milliseconds). */
export const movingAt = (moves: readonly Move[], at: number): readonly Moving[] =>
  moves
    .filter(
      ({ status, createdAt, updatedAt }) =>
        Date.parse(createdAt) <= at && (status === 'PROCESSING' || Date.parse(updatedAt) > at),
    )
    .flatMap(toMoving);

/** A cancel states nothing before it has succeeded. */
const toMoving = ({ kind, requestId, paymentId, amount, captureId, createdAt }: Move): readonly Moving[] => {
  const stated = {
    result: { resultStatus: 'U', resultCode: null, resultMessage: null },
    amount: amount ?? undefined,
    // Whatever APO says of it comes first.
    answer: '',
    digest: hash('sha256', `${kind}\n${requestId}`, 'hex'),
    place: 0,
  } as const;
  switch (kind) {
    case 'capture':
      return [
        {
          statement: { about: 'capture', captureRequestId: requestId, ...stated },
          waitsSince: Date.parse(createdAt),
        },
      ];
    case 'refund':
      return [
        {
          statement: {
            about: 'refund',
            refundRequestId: requestId,
            paymentId,
            captureId: captureId ?? undefined,
            ...stated,
          },
          waitsSince: null,
        },
      ];
    case 'cancel':
      return [];
  }
};
