import { setTimeout as pause } from 'node:timers/promises';
import { isAcknowledged, post, type Posted, type SignedPost } from './post.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * How long APO waits before it sends again what is not acknowledged, in milliseconds: at most 8 sends, 24 h 22 min in
 * all.
 */
export const RESENT_AFTER: readonly number[] = [
  2 * MINUTE,
  10 * MINUTE,
  10 * MINUTE,
  HOUR,
  2 * HOUR,
  6 * HOUR,
  15 * HOUR,
];

export interface Resending {
  /** How long each answer is waited for. */
  readonly timeoutMs: number;
  /** So many times faster than APO. */
  readonly faster: number;
}

/**
 * Sends it until it is acknowledged or APO would give up, and returns what came of each send. It is the same request
 * each time, with the request-time and the signature of the first.
 */
export const postUntilAcknowledged = async (
  signed: SignedPost,
  { timeoutMs, faster }: Resending,
): Promise<readonly [first: Posted, ...Posted[]]> => {
  const first = await post(signed, timeoutMs);
  const sends: [Posted, ...Posted[]] = [first];
  let latest = first;
  for (const after of RESENT_AFTER) {
    if (isAcknowledged(latest)) break;
    await pause(after / faster);
    latest = await post(signed, timeoutMs);
    sends.push(latest);
  }
  return sends;
};
