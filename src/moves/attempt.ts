import type { Failure } from '../antom/call-codes.ts';
import type { CallResult } from '../antom/call-result.ts';
import type { AntomClient } from '../antom/client.ts';
import { toAmount } from '../order/amount.ts';
import type { Move, MoveOutcome } from '../store/store.ts';

/** What an answer says of the movement itself: captureId or refundId; null of a cancel. */
type Answered = CallResult<{ readonly id: string | null }>;

/** Sends a move: the same one is always the same request, with the same id. */
export const send = async (client: AntomClient, move: Move, signal: AbortSignal): Promise<Answered> => {
  const { kind, paymentId, requestId, captureId, isLast } = move;
  if (kind === 'cancel') return withId(await client.cancel({ paymentId }, signal), () => null);
  if (move.amount === null) throw new Error(`a ${kind} without an amount was written down`);
  const amount = toAmount(move.amount);
  if (kind === 'capture') {
    const ask = { captureRequestId: requestId, paymentId, captureAmount: amount, isLastCapture: isLast ?? undefined };
    return withId(await client.capture(ask, signal), (answer) => answer.captureId);
  }
  const ask = { refundRequestId: requestId, paymentId, refundAmount: amount, captureId: captureId ?? undefined };
  return withId(await client.refund(ask, signal), (answer) => answer.refundId);
};

const withId = <T>(result: CallResult<T>, idOf: (answer: T) => string | null): Answered =>
  result.outcome === 'OK' ? { ...result, answer: { id: idOf(result.answer) } } : result;

interface Circumstances {
  /** Epoch milliseconds. */
  readonly now: number;
  /** It was certainly never sent before. */
  readonly isFirst: boolean;
  /** APO has just been asked, and knew nothing of it. */
  readonly isUnknownThere: boolean;
}

const SECOND = 1_000;
const HOUR = 3_600_000;
const AT_LEAST = 15 * SECOND;
/** Somebody has to correct something first. */
const CONFIGURATION_AT_LEAST = 300 * SECOND;
const AT_MOST = 6 * HOUR;
/** By then an earlier request with the same id would show. */
const SHOWS_AFTER = HOUR;
const TRIES_UNTIL_FOUND = 3;
/** Of a capture a person's matter, for it may be about the payment: call-codes.ts. */
const NOT_LET_IN = 'ACCESS_DENIED';

interface Waiting {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly atLeast?: number | undefined;
}

/** As before, and looked after later: waits grow with its age. */
export const waitingFor = (
  { createdAt, resultCode }: Pick<Move, 'createdAt' | 'resultCode'>,
  reason: string,
  { now, atLeast = AT_LEAST }: Waiting,
): MoveOutcome => {
  const pause = Math.min(AT_MOST, Math.max(atLeast, (now - Date.parse(createdAt)) / 2));
  return { status: 'PROCESSING', resultCode, reason, id: null, sent: false, nextAttemptAt: Math.round(now + pause) };
};

/** What becomes of a move by APO's answer. F is final for its id, but where it says nothing of an earlier request. */
export const outcomeOf = (move: Move, result: Answered, circumstances: Circumstances): MoveOutcome => {
  const { now } = circumstances;
  const resultCode = result.result?.resultCode ?? null;
  const waiting = (reason: string, atLeast?: number): MoveOutcome => ({
    ...waitingFor(move, reason, { now, atLeast }),
    resultCode,
    sent: true,
  });
  switch (result.outcome) {
    case 'OK':
      return { status: 'SUCCEEDED', resultCode, reason: null, id: result.answer.id, sent: true, nextAttemptAt: now };
    case 'FAILED': {
      const { failure } = result;
      if (failure === 'CONFIGURATION') return waiting(failure, CONFIGURATION_AT_LEAST);
      // Whoever was not let in was told nothing of an earlier request, which may have been carried out.
      if (resultCode === NOT_LET_IN && !saysAll(move, circumstances))
        return waiting('CONFIGURATION', CONFIGURATION_AT_LEAST);
      if (isOfRequest(failure) && !saysAll(move, circumstances)) return waiting(failure, CONFIGURATION_AT_LEAST);
      if (failure === 'NOT_FOUND' && move.attempts < TRIES_UNTIL_FOUND) return waiting(failure);
      return { status: 'FAILED', resultCode, reason: failure, id: null, sent: true, nextAttemptAt: now };
    }
    case 'UNKNOWN':
      return waiting(result.reason, result.reason === 'CONFIGURATION' ? CONFIGURATION_AT_LEAST : AT_LEAST);
  }
};

/** There was no earlier request, or it would have shown by now. */
const saysAll = ({ createdAt }: Move, { isFirst, isUnknownThere, now }: Circumstances): boolean =>
  isFirst || (isUnknownThere && now - Date.parse(createdAt) > SHOWS_AFTER);

const isOfRequest = (failure: Failure): boolean => failure === 'OUR_FAULT' || failure === 'USED_ID';
