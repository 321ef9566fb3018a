import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import forge from 'node-forge';

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

/** A key that cannot be used; the message says why and what to do, and never quotes key material. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}

/**
 * Reads one configured key: `key` or `keyVersion:key`, where `key` is bare Base64 (as the dashboard shows it)
 * or PEM, of a SubjectPublicKeyInfo, a PKCS#1 RSAPublicKey or an X.509 certificate; line breaks and `\n`
 * escapes do not matter. node-forge reads it and writes it anew; requests are verified by node:crypto alone.
 * Throws a KeyError for anything that is not an RSA public key of at least 2048 bits and e >= 65537.
 */
export const readKey = (configured: string): AntomKey => {
  const { version, text } = splitVersion(configured.trim());
  const publicKey = readPublicKey(text);
  const exponent = BigInt(`0x${publicKey.e.toString(16)}`);
  const bits = publicKey.n.bitLength();
  if (bits < MINIMUM_BITS) throw new KeyError(`the key has ${bits} bits; at least ${MINIMUM_BITS} are needed`);
  if (exponent < MINIMUM_EXPONENT) throw new KeyError(`the key's exponent is ${exponent}; at least ${MINIMUM_EXPONENT} is needed`);
  const key = createPublicKey(forge.pki.publicKeyToPem(publicKey));
  return {
    version,
    key,
    signatureBytes: Math.ceil(bits / 8),
    fingerprint: createHash('sha256').update(key.export({ format: 'der', type: 'spki' })).digest('base64'),
  };
};

/** Neither Base64 nor a PEM header line holds a colon, so a colon ends a version. */
const splitVersion = (configured: string): { version: string | null; text: string } => {
  const parts = /^([A-Za-z0-9._-]{1,32}):(.+)$/s.exec(configured);
  return parts === null ? { version: null, text: configured } : { version: parts[1] ?? null, text: parts[2] ?? '' };
};

const readPublicKey = (configured: string): forge.pki.rsa.PublicKey => {
  const text = configured.replaceAll('\\r', '').replaceAll('\\n', '\n').trim();
  if (text === '') throw new KeyError('the key is empty');
  const pem = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/.exec(text);
  if (text.includes('-----') && pem === null) throw new KeyError('the PEM block is incomplete');
  const label = pem?.[1] ?? '';
  if (label.includes('PRIVATE KEY')) throw privateKey();
  const der = decodeBase64(pem?.[2] ?? text);
  return readDer(der);
};

const privateKey = (): KeyError =>
  new KeyError("this is a private key, and it may be compromised now: what belongs here is APO's public key, from the dashboard");

const decodeBase64 = (text: string): string => {
  const bare = text.replaceAll(/\s/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(bare)) throw new KeyError('the key is neither PEM nor Base64');
  return forge.util.decode64(bare);
};

const readDer = (der: string): forge.pki.rsa.PublicKey => {
  let asn1: forge.asn1.Asn1;
  try {
    asn1 = forge.asn1.fromDer(der);
  } catch {
    throw new KeyError('the key is not DER: it may have been cut off when it was copied');
  }
  const read = attempt(() => forge.pki.publicKeyFromAsn1(asn1)) ?? attempt(() => forge.pki.certificateFromAsn1(asn1).publicKey);
  if (read !== null && 'n' in read) return read;
  if (attempt(() => forge.pki.privateKeyFromAsn1(asn1)) !== null || isPrivateKeyInfo(asn1)) throw privateKey();
  throw new KeyError('the key is not an RSA public key');
};

const attempt = <T>(read: () => T): T | null => {
  try {
    return read();
  } catch {
    return null;
  }
};

/** PKCS#8 PrivateKeyInfo of any algorithm: a sequence of a version, an algorithm and an octet string. */
const isPrivateKeyInfo = (asn1: forge.asn1.Asn1): boolean => {
  const parts = Array.isArray(asn1.value) ? asn1.value : [];
  const [version, , key] = parts;
  return (
    typeof version === 'object' && 'type' in version && version.type === forge.asn1.Type.INTEGER &&
    typeof key === 'object' && 'type' in key && key.type === forge.asn1.Type.OCTETSTRING
  );
};
