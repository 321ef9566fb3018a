import { verify as verifySignature } from 'node:crypto';
import { readInstant } from '../order/time.ts';
import type { AntomKey, KeyRing } from './keys.ts';
import { signedDigest } from './signed-digest.ts';

/** Why a request is unverified: a closed set, in the order in which the checks are made. */
export const UNVERIFIED_REASONS = [
  'DUPLICATE_HEADER',
  'MISSING_HEADER',
  'MALFORMED_SIGNATURE',
  'UNSUPPORTED_ALGORITHM',
  'UNKNOWN_CLIENT',
  'UNKNOWN_KEY_VERSION',
  'SIGNATURE_MISMATCH',
] as const;
export type UnverifiedReason = (typeof UNVERIFIED_REASONS)[number];
/** Those for which the headers are enough: no signature is checked. */
export type HeaderReason = Exclude<UnverifiedReason, 'UNKNOWN_KEY_VERSION' | 'SIGNATURE_MISMATCH'>;

/** A request as it came off the socket. Header values and target are latin1 text, one character a byte. */
export interface SignedRequest {
  readonly method: string;
  /** The request target with its query, unchanged. */
  readonly target: string;
  /** Every occurrence of each header, in the order received. */
  readonly clientIds: readonly string[];
  readonly requestTimes: readonly string[];
  readonly signatures: readonly string[];
  readonly body: Uint8Array;
}

declare const verified: unique symbol;

/** A request whose signature verified. Only `verify` makes one. */
export interface VerifiedNotification {
  readonly [verified]: true;
  readonly clientId: string;
  readonly method: string;
  readonly target: string;
  readonly requestTime: string;
  /** The header as received. */
  readonly signature: string;
  readonly body: Uint8Array;
}

export type Verification =
  | { readonly verified: true; readonly notification: VerifiedNotification }
  | { readonly verified: false; readonly reason: UnverifiedReason };

/** What requests are verified against. */
export interface Trust {
  readonly keys: KeyRing;
  /** The path of `PUBLIC_NOTIFY_URL`, without and with its query; empty where it is not configured. */
  readonly publicUris: readonly string[];
}

const unverified = (reason: UnverifiedReason): Verification => ({ verified: false, reason });

/** What the three headers say, where nothing is wrong with them by themselves. */
export interface Head {
  readonly clientId: string;
  readonly requestTime: string;
  /** The signature header as received. */
  readonly header: string;
  /** The key version that it names; null where it names none. */
  readonly keyVersion: string | null;
  readonly signature: Buffer;
  /** All keys of the client. */
  readonly keys: readonly AntomKey[];
  /** Those among them that the signature is as long as; at least one. */
  readonly fitting: readonly AntomKey[];
}

type Headers = Pick<SignedRequest, 'clientIds' | 'requestTimes' | 'signatures'>;

/** Reads the headers, or returns what is wrong with them: cheap, for no signature is checked. Never throws. */
export const readHead = (
  { clientIds, requestTimes, signatures }: Headers,
  { keys }: Pick<Trust, 'keys'>,
): Head | HeaderReason => {
  if (clientIds.length > 1 || requestTimes.length > 1 || signatures.length > 1) return 'DUPLICATE_HEADER';
  const [clientId = ''] = clientIds;
  const [requestTime = ''] = requestTimes;
  const [header = ''] = signatures;
  if (clientId === '' || requestTime === '' || header === '') return 'MISSING_HEADER';
  const parsed = parseSignatureHeader(header);
  if (typeof parsed === 'string') return parsed === 'UNSUPPORTED_ALGORITHM' ? parsed : 'MALFORMED_SIGNATURE';
  const { keyVersion, signature } = parsed;
  const ofClient = keys.get(clientId);
  if (ofClient === undefined) return 'UNKNOWN_CLIENT';
  const fitting = ofClient.filter(({ signatureBytes }) => signatureBytes === signature.length);
  if (fitting.length === 0) return 'MALFORMED_SIGNATURE';
  return { clientId, requestTime, header, keyVersion, signature, keys: ofClient, fitting };
};

/**
 * Verifies the RSA-SHA256 signature over `<METHOD> <uri>\n<client-id>.<request-time>.<raw body>`. Never throws.
 * The uri is the received path, the received target, or the public path: APO's pages and samples differ on
 * whether the query is signed, and a balancer may rewrite the path; each form is bound by the signature.
 */
export const verify = (request: SignedRequest, trust: Trust): Verification => {
  const head = readHead(request, trust);
  if (typeof head === 'string') return unverified(head);
  const { clientId, requestTime, header, keyVersion, keys } = head;
  const { method, target, body } = request;
  if (isCutElsewhere(requestTime, body)) return unverified('SIGNATURE_MISMATCH');
  if (isSigned(request, head, trust)) {
    const notification = { clientId, method, target, requestTime, signature: header, body };
    return { verified: true, notification: notification as unknown as VerifiedNotification };
  }
  const versionUnknown = keyVersion !== null && keys.every(({ version }) => version !== null && version !== keyVersion);
  return unverified(versionUnknown ? 'UNKNOWN_KEY_VERSION' : 'SIGNATURE_MISMATCH');
};

const OPENING_BRACE = 0x7b;

/**
 * `<time>.<body>` is signed as one text, which can be cut at any dot: after it in the time's fraction, or in the body.
 * A time holds no quotation mark and no brace, and is complete. A body that begins with a brace was not cut within the
 * time; where it begins with something else, the time decides.
 */
const isCutElsewhere = (requestTime: string, body: Uint8Array): boolean =>
  /["{]/.test(requestTime) || (body[0] !== OPENING_BRACE && readInstant(requestTime) === null);

/**
 * Whether one of the keys signed the request for one of the uris. To hash a large body takes a millisecond: where the
 * first key and uri fail, only a key that made the signature, whatever it signed, is tried further.
 */
const isSigned = (request: SignedRequest, head: Head, { publicUris }: Trust): boolean => {
  const { clientId, requestTime, signature, fitting, keyVersion } = head;
  const { method, target, body } = request;
  const uris = [...urisOf(target, publicUris)];
  const keys =
    fitting.length === 1
      ? fitting
      : [...fitting].sort((a, b) => Number(b.version === keyVersion) - Number(a.version === keyVersion));
  const isSignedBy = ({ key }: AntomKey, uri: string): boolean =>
    verifySignature('sha256', stringToSign({ method, uri, clientId, requestTime, body }), key, signature);
  if (isSignedBy(keys[0] as AntomKey, uris[0] as string)) return true;
  const left = uris.length === 1 ? keys.slice(1) : keys;
  return left.some((key) => signedDigest(signature, [key]) !== null && uris.some((uri) => isSignedBy(key, uri)));
};

/** The uris that may have been signed, most likely first. */
export const urisOf = (target: string, publicUris: readonly string[]): Iterable<string> => {
  const path = pathOf(target);
  return path === target && publicUris.length === 0 ? [path] : new Set([path, target, ...publicUris]);
};

/** The request target up to its query. */
export const pathOf = (target: string): string => {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
};

export interface Signable {
  readonly method: string;
  readonly uri: string;
  readonly clientId: string;
  readonly requestTime: string;
  readonly body: Uint8Array;
}

/** The bytes that are signed; header values and uri go in verbatim, byte for byte. */
export const stringToSign = ({ method, uri, clientId, requestTime, body }: Signable): Buffer =>
  Buffer.concat([Buffer.from(`${method} ${uri}\n${clientId}.${requestTime}.`, 'latin1'), body]);

export interface ParsedSignature {
  readonly keyVersion: string | null;
  readonly signature: Buffer;
}

/** What is wrong with a signature header: a closed set, the first that holds. */
export type SignatureFlaw =
  | 'NO_FIELD'
  | 'FIELD_TWICE'
  | 'NO_ALGORITHM'
  | 'EMPTY_KEY_VERSION'
  | 'NO_SIGNATURE'
  | 'BROKEN_PERCENT'
  | 'NOT_BASE64'
  | 'UNSUPPORTED_ALGORITHM';

/**
 * Parses `algorithm=RSA256,keyVersion=1,signature=<percent-encoded Base64>`: fields in any order, white space
 * around them tolerated, unknown fields passed over; a field of ours twice, or none, is malformed.
 */
export const parseSignatureHeader = (header: string): ParsedSignature | SignatureFlaw => {
  const fields = new Map<string, string>();
  for (const field of header.split(',')) {
    const equals = field.indexOf('=');
    const name = field.slice(0, equals).trim();
    if (equals === -1 || name === '') return 'NO_FIELD';
    if (fields.has(name)) return 'FIELD_TWICE';
    fields.set(name, field.slice(equals + 1).trim());
  }
  const algorithm = fields.get('algorithm') ?? '';
  if (algorithm === '') return 'NO_ALGORITHM';
  const keyVersion = fields.get('keyVersion') ?? null;
  if (keyVersion === '') return 'EMPTY_KEY_VERSION';
  const signature = decodeSignature(fields.get('signature') ?? '');
  if (typeof signature === 'string') return signature;
  return algorithm === 'RSA256' ? { keyVersion, signature } : 'UNSUPPORTED_ALGORITHM';
};

/**
 * Percent-encoded or plain, standard or URL-safe, padded or unpadded Base64; one reading, or what is wrong.
 * A `+` stays a `+`: this is not form encoding. Node reads Base64 leniently, so what it read is written again, and
 * has to be the same text: one alphabet, whole padding or none, nothing in the spare bits.
 */
const decodeSignature = (text: string): Buffer | SignatureFlaw => {
  if (text === '') return 'NO_SIGNATURE';
  const encoded = decodePercent(text);
  if (encoded === null) return 'BROKEN_PERCENT';
  const bytes = Buffer.from(encoded, 'base64');
  const padded = bytes.toString('base64');
  if (encoded === padded) return bytes;
  const bare = padded.replace(/=+$/, '');
  const urlSafe = bytes.toString('base64url');
  const padding = padded.slice(bare.length);
  return encoded === bare || encoded === urlSafe || encoded === urlSafe + padding ? bytes : 'NOT_BASE64';
};

const decodePercent = (text: string): string | null => {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
};
