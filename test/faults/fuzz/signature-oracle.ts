import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type Forge from 'node-forge';
import type { SignedRequest, UnverifiedReason } from '../../../src/antom/signature.ts';
import { instantOf } from './time-oracle.ts';

/*
 * What a signed request is worth, from the protocol page and the contract alone: parsed by hand, the RSA block
 * recovered with big integers. It shares no code with src.
 */

const forge = createRequire(import.meta.url)('node-forge') as typeof Forge;

/** A key as the oracle knows it. */
export interface OracleKey {
  readonly version: string | null;
  readonly modulus: bigint;
  readonly exponent: bigint;
  /** Of the modulus. */
  readonly bytes: number;
}

export interface OracleTrust {
  readonly clients: ReadonlyMap<string, readonly OracleKey[]>;
  readonly publicUris: readonly string[];
}

export const readOracleKey = (pem: string, version: string | null): OracleKey => {
  const key = forge.pki.publicKeyFromPem(pem);
  return {
    version,
    modulus: BigInt(`0x${key.n.toString(16)}`),
    exponent: BigInt(key.e.toString(10)),
    bytes: Math.ceil(key.n.bitLength() / 8),
  };
};

const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const HEX = '0123456789abcdef';

/** Every `%XX` as the character it stands for; null where an escape is broken. */
const withoutEscapes = (text: string): string | null => {
  let plain = '';
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== '%') {
      plain += text[at];
      continue;
    }
    const high = HEX.indexOf((text[at + 1] ?? '?').toLowerCase());
    const low = HEX.indexOf((text[at + 2] ?? '?').toLowerCase());
    if (high === -1 || low === -1) return null;
    plain += String.fromCharCode(16 * high + low);
    at += 2;
  }
  return plain;
};

/** The bytes, where this is Base64 in one alphabet, with all of its padding or none, and nothing in the spare bits. */
const base64 = (text: string): Buffer | null => {
  const digits = text.replace(/=*$/, '');
  const padding = text.length - digits.length;
  if (digits === '' || digits.length % 4 === 1) return null;
  if (padding > 0 && (text.length % 4 !== 0 || padding > 2)) return null;
  if (/[+/]/.test(digits) && /[-_]/.test(digits)) return null;
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const digit of digits) {
    const value = STANDARD.indexOf(digit === '-' ? '+' : digit === '_' ? '/' : digit);
    if (value === -1) return null;
    bits = bits * 64 + value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push(Math.floor(bits / 2 ** held));
    bits %= 2 ** held;
  }
  return bits === 0 ? Buffer.from(bytes) : null;
};

interface Header {
  readonly keyVersion: string | null;
  readonly signature: Buffer;
}

const readHeader = (text: string): Header | 'MALFORMED_SIGNATURE' | 'UNSUPPORTED_ALGORITHM' => {
  const pairs = text.split(',').map((pair) => /^\s*([^=]*?)\s*=\s*([\s\S]*?)\s*$/.exec(pair)?.slice(1));
  const names = pairs.map((pair) => pair?.[0]);
  if (names.some((name, index) => name === undefined || name === '' || names.indexOf(name) !== index))
    return 'MALFORMED_SIGNATURE';
  const valueOf = (name: string): string | undefined => pairs[names.indexOf(name)]?.[1];
  const plain = withoutEscapes(valueOf('signature') ?? '');
  const signature = plain === null ? null : base64(plain);
  const algorithm = valueOf('algorithm') ?? '';
  const keyVersion = valueOf('keyVersion') ?? null;
  if (signature === null || algorithm === '' || keyVersion === '') return 'MALFORMED_SIGNATURE';
  return algorithm === 'RSA256' ? { keyVersion, signature } : 'UNSUPPORTED_ALGORITHM';
};

/** RFC 8017: DigestInfo of SHA-256, up to the digest. */
const DIGEST_INFO = '3031300d060960864801650304020105000420';
const KNOWN_AT_MOST = 5_000;

/** Of each key, the digest that was signed, by the signature; null where it is none of this key's. */
const recovered = new Map<OracleKey, Map<string, string | null>>();

const digestIn = (signature: Buffer, key: OracleKey): string | null => {
  const ofKey = recovered.get(key) ?? new Map<string, string | null>();
  recovered.set(key, ofKey);
  const hex = signature.toString('hex');
  const known = ofKey.get(hex);
  if (known !== undefined) return known;
  if (ofKey.size > KNOWN_AT_MOST) ofKey.clear();
  const digest = recoverDigest(BigInt(`0x${hex}`), key);
  ofKey.set(hex, digest);
  return digest;
};

const recoverDigest = (signature: bigint, { modulus, exponent, bytes }: OracleKey): string | null => {
  if (signature >= modulus) return null;
  let block = 1n;
  for (const bit of exponent.toString(2)) {
    block = (block * block) % modulus;
    if (bit === '1') block = (block * signature) % modulus;
  }
  const text = block.toString(16).padStart(2 * bytes, '0');
  const filling = 'ff'.repeat(bytes - 3 - DIGEST_INFO.length / 2 - 32);
  const head = `0001${filling}00${DIGEST_INFO}`;
  return text.startsWith(head) ? text.slice(head.length) : null;
};

const digestOf = ({
  uri,
  clientId,
  requestTime,
  body,
}: {
  uri: string;
  clientId: string;
  requestTime: string;
  body: Uint8Array;
}): string =>
  createHash('sha256')
    .update(Buffer.from(`POST ${uri}\n${clientId}.${requestTime}.`, 'latin1'))
    .update(body)
    .digest('hex');

/** `time.body` could be cut at another dot than the sender's. */
const couldBeCutElsewhere = (requestTime: string, body: Uint8Array): boolean =>
  requestTime.includes('"') ||
  requestTime.includes('{') ||
  (instantOf(requestTime) === null && String.fromCharCode(body[0] ?? 0) !== '{');

export const judge = (request: SignedRequest, { clients, publicUris }: OracleTrust): 'verified' | UnverifiedReason => {
  const { target, body } = request;
  const headers = [request.clientIds, request.requestTimes, request.signatures];
  if (headers.some(({ length }) => length > 1)) return 'DUPLICATE_HEADER';
  const [clientId = '', requestTime = '', header = ''] = headers.map(([only]) => only);
  if (clientId === '' || requestTime === '' || header === '') return 'MISSING_HEADER';
  const read = readHeader(header);
  if (typeof read === 'string') return read;
  const keys = clients.get(clientId);
  if (keys === undefined) return 'UNKNOWN_CLIENT';
  const fitting = keys.filter(({ bytes }) => bytes === read.signature.length);
  if (fitting.length === 0) return 'MALFORMED_SIGNATURE';
  if (couldBeCutElsewhere(requestTime, body)) return 'SIGNATURE_MISMATCH';
  const digests = new Set(fitting.map((key) => digestIn(read.signature, key)));
  const [path = ''] = target.split('?');
  if ([path, target, ...publicUris].some((uri) => digests.has(digestOf({ uri, clientId, requestTime, body }))))
    return 'verified';
  const versions = new Set(keys.map(({ version }) => version));
  const isUnknown = read.keyVersion !== null && !versions.has(null) && !versions.has(read.keyVersion);
  return isUnknown ? 'UNKNOWN_KEY_VERSION' : 'SIGNATURE_MISMATCH';
};
