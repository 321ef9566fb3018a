import { setTimeout as pause } from 'node:timers/promises';
import { SENT_AFTER } from '../sandbox/courier.ts';
import { isAcknowledged, post, type Posted, type SignedPost } from './post.ts';

/** How long APO waits before it sends again what is not acknowledged, in milliseconds: at most 8 sends. */
export const RESENT_AFTER: readonly number[] = SENT_AFTER.slice(1).map((seconds) => seconds * 1_000);

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
