import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import forge from 'node-forge';
import { KeyError, type KeySlot, readKeyText } from './key-text.ts';

export { KeyError } from './key-text.ts';

const MINIMUM_BITS = 2048;
const MINIMUM_EXPONENT = 65_537n;

/** One of APO's public keys, ready to verify with. */
export interface AntomKey {
  /** The `keyVersion` it answers to; null where the configuration names none. */
  readonly version: string | null;
  readonly key: KeyObject;
  /** Length of the modulus, and so of every signature by this key, in bytes. */
  readonly signatureBytes: number;
  /** SHA-256 of the DER SubjectPublicKeyInfo, Base64: what an operator compares with the dashboard's key. */
  readonly fingerprint: string;
}

/** The keys of each client, by `client-id`. */
export type KeyRing = ReadonlyMap<string, readonly AntomKey[]>;

/**
 * Reads one configured key: `key` or `keyVersion:key`, where `key` is bare Base64 (as the dashboard shows it)
 * or PEM, of a SubjectPublicKeyInfo, a PKCS#1 RSAPublicKey or an X.509 certificate; line breaks and `\n`
 * escapes do not matter. node-forge reads it and writes it in one form; requests are verified by node:crypto alone.
 * Throws a KeyError for anything that is not an RSA public key of at least 2048 bits and e >= 65537.
 */
export const readKey = (configured: string): AntomKey => {
  const { version, text } = splitVersion(configured.trim());
  const publicKey = readDer(readKeyText(text, PUBLIC_KEY));
  const bits = publicKey.n.bitLength();
  checkStrength({ bits, exponent: BigInt(`0x${publicKey.e.toString(16)}`) });
  const key = createPublicKey(forge.pki.publicKeyToPem(publicKey));
  return { version, key, signatureBytes: Math.ceil(bits / 8), fingerprint: fingerprintOf(key) };
};

/** Throws a KeyError for an RSA key that is too weak to rely on. */
export const checkStrength = ({ bits, exponent }: { readonly bits: number; readonly exponent: bigint }): void => {
  if (bits < MINIMUM_BITS) throw new KeyError(`the key has ${bits} bits; at least ${MINIMUM_BITS} are needed`);
  if (exponent < MINIMUM_EXPONENT)
    throw new KeyError(`the key's exponent is ${exponent}; at least ${MINIMUM_EXPONENT} is needed`);
};

/** Of a public key: SHA-256 of its DER SubjectPublicKeyInfo, Base64. */
export const fingerprintOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest('base64');

/** Neither Base64 nor a PEM header line holds a colon, so a colon ends a version. */
export const splitVersion = (configured: string): { version: string | null; text: string } => {
  const parts = /^([A-Za-z0-9._-]{1,32}):(.+)$/s.exec(configured);
  return parts === null ? { version: null, text: configured } : { version: parts[1] ?? null, text: parts[2] ?? '' };
};

const PUBLIC_KEY: KeySlot = {
  fileVariable: 'ANTOM_PUBLIC_KEY_FILE',
  takes: 'give each key on its own, separated by commas',
  refuse: (label) => (label.includes('PRIVATE KEY') ? privateKey() : null),
};

const privateKey = (): KeyError =>
  new KeyError(
    "this is a private key, and it may be compromised now: what belongs here is APO's public key, from the dashboard",
  );

const readDer = (der: string): forge.pki.rsa.PublicKey => {
  const asn1 = attempt(() => forge.asn1.fromDer(der));
  if (asn1 === null)
    throw new KeyError(
      `the key is not DER: it may have been cut off when it was copied, or several stand here: ${PUBLIC_KEY.takes}`,
    );
  // Looked for first: forge would take the version of a PKCS#1 private key for a modulus.
  if (isPrivateKey(asn1)) throw privateKey();
  const read =
    attempt(() => forge.pki.publicKeyFromAsn1(asn1)) ?? attempt(() => forge.pki.certificateFromAsn1(asn1).publicKey);
  if (read !== null && 'n' in read) return read;
  throw new KeyError('the key is not an RSA public key');
};

const attempt = <T>(read: () => T): T | null => {
  try {
    return read();
  } catch {
    return null;
  }
};

/**
 * Private keys of any kind: PKCS#1 (nine integers), SEC 1 and encrypted PKCS#8 (an octet string second),
 * PKCS#8 (an octet string third). No public key has these shapes.
 */
const isPrivateKey = ({ value }: forge.asn1.Asn1): boolean => {
  const types = Array.isArray(value)
    ? value.map((part) => (typeof part === 'object' && 'type' in part ? part.type : null))
    : [];
  const { INTEGER, OCTETSTRING } = forge.asn1.Type;
  return (
    types[1] === OCTETSTRING ||
    types[2] === OCTETSTRING ||
    (types.length >= 9 && types.every((type) => type === INTEGER))
  );
};
