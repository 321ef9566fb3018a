import { type KeyObject, sign } from 'node:crypto';
import { type Signable, stringToSign } from './signature.ts';

/** The `signature` header over a message, as APO writes it; `keyVersion` names the key. */
export const signatureHeader = (message: Signable, key: KeyObject, keyVersion = '1'): string => {
  const signature = sign('sha256', stringToSign(message), key).toString('base64');
  return `algorithm=RSA256,keyVersion=${keyVersion},signature=${encodeURIComponent(signature)}`;
};
