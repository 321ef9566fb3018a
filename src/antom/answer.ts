import { type SignedRequest, type Trust, verify } from './signature.ts';

/** APO's response to a call of ours, as it came off the socket. */
export interface SignedAnswer {
  /** Of the request, as it was signed there. */
  readonly path: string;
  /** Every occurrence of each header, in the order received. */
  readonly clientIds: readonly string[];
  readonly responseTimes: readonly string[];
  readonly signatures: readonly string[];
  readonly body: Uint8Array;
}

declare const verified: unique symbol;

/** A response whose signature verified over its raw bytes. Only `verifyAnswer` makes one. */
export interface VerifiedAnswer {
  readonly [verified]: true;
  readonly clientId: string;
  /** Of the request, as it was signed there. */
  readonly path: string;
  readonly responseTime: string;
  /** The header as received. */
  readonly signature: string;
  readonly body: Uint8Array;
}

/** A response is signed as a notification to the path of its request would be, at the time of the response. */
const toRequest = ({ path, clientIds, responseTimes, signatures, body }: SignedAnswer): SignedRequest => ({
  method: 'POST',
  target: path,
  clientIds,
  requestTimes: responseTimes,
  signatures,
  body,
});

/** Null where the signature is missing or does not verify. Never throws. */
export const verifyAnswer = (answer: SignedAnswer, keys: Trust['keys']): VerifiedAnswer | null => {
  const verification = verify(toRequest(answer), { keys, publicUris: [] });
  if (!verification.verified) return null;
  const { clientId, target: path, requestTime: responseTime, signature, body } = verification.notification;
  return { clientId, path, responseTime, signature, body } as unknown as VerifiedAnswer;
};
