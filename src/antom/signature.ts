import { verify as verifySignature } from 'node:crypto';
import type { AntomKey, KeyRing } from './keys.ts';

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

/**
 * Verifies the RSA-SHA256 signature over `<METHOD> <uri>\n<client-id>.<request-time>.<raw body>`. Never throws.
 * The uri is the received path, the received target, or the public path: APO's pages and samples differ on
 * whether the query is signed, and a balancer may rewrite the path; each form is bound by the signature.
 */
export const verify = (request: SignedRequest, trust: Trust): Verification => {
  const { clientIds, requestTimes, signatures } = request;
  const headers = [clientIds, requestTimes, signatures];
  if (headers.some(({ length }) => length > 1)) return unverified('DUPLICATE_HEADER');
  const [clientId = ''] = clientIds;
  const [requestTime = ''] = requestTimes;
  const [header = ''] = signatures;
  if (clientId === '' || requestTime === '' || header === '') return unverified('MISSING_HEADER');
  const parsed = parseSignatureHeader(header);
  if (typeof parsed === 'string') return unverified(parsed);
  const keys = trust.keys.get(clientId);
  if (keys === undefined) return unverified('UNKNOWN_CLIENT');
  const fitting = keys.filter(({ signatureBytes }) => signatureBytes === parsed.signature.length);
  if (fitting.length === 0) return unverified('MALFORMED_SIGNATURE');
  // `<time>.<body>` can be cut at any dot of a genuine body. A body begins with a brace and a time never holds one.
  if (/["{]/.test(requestTime)) return unverified('SIGNATURE_MISMATCH');
  const inTurn = [...fitting].sort((a, b) => Number(b.version === parsed.keyVersion) - Number(a.version === parsed.keyVersion));
  for (const bytes of candidates(request, { clientId, requestTime, publicUris: trust.publicUris })) {
    if (!inTurn.some((key) => isSignedBy(key, bytes, parsed.signature))) continue;
    const { method, target, body } = request;
    const notification = { clientId, method, target, requestTime, signature: header, body };
    return { verified: true, notification: notification as unknown as VerifiedNotification };
  }
  const versionUnknown = parsed.keyVersion !== null && keys.every(({ version }) => version !== null && version !== parsed.keyVersion);
  return unverified(versionUnknown ? 'UNKNOWN_KEY_VERSION' : 'SIGNATURE_MISMATCH');
};

const isSignedBy = ({ key }: AntomKey, bytes: Uint8Array, signature: Uint8Array): boolean =>
  verifySignature('sha256', bytes, key, signature);

/** The texts to verify against, most likely first; made one at a time, for the first one nearly always fits. */
function* candidates(
  { method, target, body }: SignedRequest,
  { clientId, requestTime, publicUris }: { readonly clientId: string; readonly requestTime: string; readonly publicUris: readonly string[] },
): Generator<Uint8Array> {
  for (const uri of new Set([pathOf(target), target, ...publicUris])) yield stringToSign({ method, uri, clientId, requestTime, body });
}

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

interface ParsedSignature {
  readonly keyVersion: string | null;
  readonly signature: Buffer;
}

/**
 * Parses `algorithm=RSA256,keyVersion=1,signature=<percent-encoded Base64>`: fields in any order, white space
 * around them tolerated, unknown fields passed over; a field of ours twice, or none, is malformed.
 */
const parseSignatureHeader = (header: string): ParsedSignature | 'MALFORMED_SIGNATURE' | 'UNSUPPORTED_ALGORITHM' => {
  const fields = new Map<string, string>();
  for (const field of header.split(',')) {
    const equals = field.indexOf('=');
    const name = field.slice(0, equals).trim();
    if (equals === -1 || name === '' || fields.has(name)) return 'MALFORMED_SIGNATURE';
    fields.set(name, field.slice(equals + 1).trim());
  }
  const algorithm = fields.get('algorithm') ?? '';
  const keyVersion = fields.get('keyVersion') ?? null;
  const signature = decodeSignature(fields.get('signature') ?? '');
  if (algorithm === '' || keyVersion === '' || signature === null) return 'MALFORMED_SIGNATURE';
  return algorithm === 'RSA256' ? { keyVersion, signature } : 'UNSUPPORTED_ALGORITHM';
};

const STANDARD = /^[A-Za-z0-9+/]+$/;
const URL_SAFE = /^[A-Za-z0-9_-]+$/;
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * Percent-encoded or plain, standard or URL-safe, padded or unpadded Base64; one reading, or null.
 * A `+` stays a `+`: this is not form encoding.
 */
const decodeSignature = (text: string): Buffer | null => {
  const encoded = decodePercent(text);
  if (encoded === null) return null;
  const bare = withoutPadding(encoded);
  if (bare === null || !(STANDARD.test(bare) || URL_SAFE.test(bare)) || !endsCleanly(bare)) return null;
  return Buffer.from(bare, 'base64');
};

/** Padding is whole or absent. */
const withoutPadding = (encoded: string): string | null => {
  if (!encoded.endsWith('=')) return encoded;
  const bare = encoded.slice(0, encoded.endsWith('==') ? -2 : -1);
  return encoded.length % 4 === 0 && !bare.endsWith('=') ? bare : null;
};

/** The bits of the last digit that belong to no byte must be zero, or one signature could be written in many ways. */
const endsCleanly = (bare: string): boolean => {
  const spare = [1, null, 16, 4][bare.length % 4];
  if (spare === null || spare === undefined) return false;
  return spare === 1 || valueOf(bare.at(-1) ?? '') % spare === 0;
};

const valueOf = (digit: string): number => {
  const value = DIGITS.indexOf(digit);
  if (value !== -1) return value;
  return digit === '+' || digit === '-' ? 62 : 63;
};

const decodePercent = (text: string): string | null => {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
};
