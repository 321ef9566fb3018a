import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { KeyError, type KeySlot, readKeyText } from './key-text.ts';
import { checkStrength, fingerprintOf, readKey, splitVersion } from './keys.ts';

/** A merchant's own key, ready to sign with. */
export interface PrivateKey {
  /** The `keyVersion` it was configured with; null where none stands before it. */
  readonly version: string | null;
  readonly key: KeyObject;
  /** Of its public half, as `AntomKey` has it. */
  readonly fingerprint: string;
}

/**
 * Reads one private key: `key` or `keyVersion:key`, where `key` is PEM or bare Base64, of PKCS#8 or PKCS#1; line breaks
 * and `\n` escapes do not matter. Throws a KeyError for anything that is not an RSA private key of at least 2048 bits
 * and e >= 65537, without a passphrase.
 */
export const readPrivateKeyText = (configured: string): PrivateKey => {
  const { version, text } = splitVersion(configured.trim());
  if (/-----[^-]*-----\s*Proc-Type: 4,ENCRYPTED/.test(text)) throw encrypted();
  const key = privateKeyOf(Buffer.from(readKeyText(text, PRIVATE_KEY), 'latin1'));
  if (key === null) throw isPublicKey(text) ? publicKey() : noPrivateKey();
  const { modulusLength: bits = 0, publicExponent: exponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== 'rsa') throw new KeyError('the key is not an RSA key');
  checkStrength({ bits, exponent });
  const publicHalf = createPublicKey(key);
  if (!belongTogether(key, publicHalf))
    throw new KeyError('the key is damaged: its halves do not belong together; copy it again');
  return { version, key, fingerprint: fingerprintOf(publicHalf) };
};

/** A letter that changed in copying leaves a key that can be read; what it signs verifies nowhere. */
const belongTogether = (key: KeyObject, publicHalf: KeyObject): boolean => {
  const text = Buffer.from('paynotify');
  try {
    return verify('sha256', text, publicHalf, sign('sha256', text, key));
  } catch {
    return false;
  }
};

const PRIVATE_KEY: KeySlot = {
  fileVariable: 'ANTOM_PRIVATE_KEY_FILE',
  takes: 'keep the one whose public half the dashboard holds',
  refuse: (label) => {
    if (label.includes('ENCRYPTED')) return encrypted();
    return label.includes('PRIVATE KEY') ? null : publicKey();
  },
};

/** Null where it is none, or one with a passphrase. SEC 1 is an EC key, which is told from what is no key at all. */
const privateKeyOf = (der: Buffer): KeyObject | null => {
  for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    try {
      return createPrivateKey({ key: der, format: 'der', type });
    } catch {
      // Of another type, or none.
    }
  }
  return null;
};

const isPublicKey = (text: string): boolean => {
  try {
    readKey(text);
    return true;
  } catch {
    return false;
  }
};

const publicKey = (): KeyError =>
  new KeyError('this is a public key: what belongs here is your own private key, with which requests are signed');
const encrypted = (): KeyError =>
  new KeyError('the key is protected by a passphrase, which nobody can enter here: `openssl pkey -in FILE` removes it');
const noPrivateKey = (): KeyError =>
  new KeyError('this is no private key: PEM or bare Base64, of PKCS#8 or PKCS#1, without a passphrase');
