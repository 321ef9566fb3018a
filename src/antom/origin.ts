import { readHead, type SignedRequest, type Trust } from './signature.ts';
import { signedDigest } from './signed-digest.ts';

/**
 * Where the signature of a request that failed verification comes from, whatever text it was made for:
 * - `UNKNOWN`: the headers alone fail, so that there is no key to ask. Anybody can send that.
 * - `OTHER_KEY`: no configured key of the client made it. Who knows the client id can send that.
 * - `CONFIGURED_KEY`: a configured key made it, for another text or, as a diagnosis finds, for another client id. That
 *   takes a genuine signature.
 */
export type SignatureOrigin = 'UNKNOWN' | 'OTHER_KEY' | 'CONFIGURED_KEY';

/** Costs one RSA operation for each key that the signature fits. Never throws. */
export const originOf = (request: SignedRequest, trust: Trust): SignatureOrigin => {
  const head = readHead(request, trust);
  if (typeof head === 'string') return 'UNKNOWN';
  return signedDigest(head.signature, head.fitting) === null ? 'OTHER_KEY' : 'CONFIGURED_KEY';
};
