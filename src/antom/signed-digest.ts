import { constants, publicDecrypt } from 'node:crypto';
import type { AntomKey } from './keys.ts';

/** RFC 8017, 9.2 notes 1: the DER in front of a SHA-256 digest. */
const SHA256_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');
const SHA256_BYTES = 32;

/**
 * The SHA-256 digest that one of these keys signed (PKCS#1 v1.5), of whatever text; null where none of them made this
 * signature. Never throws.
 */
export const signedDigest = (signature: Uint8Array, keys: readonly AntomKey[]): Buffer | null => {
  for (const { key } of keys) {
    const block = recover(key, signature);
    if (
      block?.length === SHA256_INFO.length + SHA256_BYTES &&
      block.subarray(0, SHA256_INFO.length).equals(SHA256_INFO)
    )
      return block.subarray(SHA256_INFO.length);
  }
  return null;
};

/** What was padded and signed; null where it is no block of this key. */
const recover = (key: AntomKey['key'], signature: Uint8Array): Buffer | null => {
  try {
    return publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
  } catch {
    return null;
  }
};
