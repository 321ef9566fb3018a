import type { KeyRing } from './keys.ts';
import { type HeaderReason, parseSignatureHeader, type SignatureFlaw, type SignedRequest } from './signature.ts';

const SIGNED_HEADERS = ['client-id', 'request-time', 'signature'] as const;
export type SignedHeader = (typeof SIGNED_HEADERS)[number];

/** How a signature header is malformed: the first that holds. */
export type MalformedSignature =
  | { readonly flaw: Exclude<SignatureFlaw, 'UNSUPPORTED_ALGORITHM'> | 'ENCODED_TWICE' | 'PLUS_BECAME_SPACE' }
  | { readonly flaw: 'LENGTH'; readonly bytes: number; readonly expected: readonly number[] };

export type HeaderDiagnosis =
  | { readonly code: 'DUPLICATE_HEADER' | 'MISSING_HEADER'; readonly headers: readonly SignedHeader[] }
  | ({ readonly code: 'MALFORMED_SIGNATURE' } & MalformedSignature)
  | { readonly code: 'UNSUPPORTED_ALGORITHM'; readonly algorithm: string };

interface Failed {
  /** As `readHead` gives it. */
  readonly reason: Exclude<HeaderReason, 'UNKNOWN_CLIENT'>;
  readonly keys: KeyRing;
}

/** Explains why the headers alone fail, but for an unknown client. */
export const diagnoseHeaders = (request: SignedRequest, { reason, keys }: Failed): HeaderDiagnosis => {
  const occurrences = {
    'client-id': request.clientIds,
    'request-time': request.requestTimes,
    signature: request.signatures,
  };
  const where = (holds: (values: readonly string[]) => boolean): readonly SignedHeader[] =>
    SIGNED_HEADERS.filter((name) => holds(occurrences[name]));
  const header = request.signatures[0] ?? '';
  switch (reason) {
    case 'DUPLICATE_HEADER':
      return { code: reason, headers: where(({ length }) => length > 1) };
    case 'MISSING_HEADER':
      return { code: reason, headers: where(([value = '']) => value === '') };
    case 'UNSUPPORTED_ALGORITHM':
      return { code: reason, algorithm: /(?:^|,)\s*algorithm\s*=([^,]*)/.exec(header)?.[1]?.trim() ?? '' };
    case 'MALFORMED_SIGNATURE':
      return { code: reason, ...malformed(header, keys.get(request.clientIds[0] ?? '') ?? []) };
  }
};

const malformed = (header: string, keys: readonly { readonly signatureBytes: number }[]): MalformedSignature => {
  const parsed = parseSignatureHeader(header);
  if (typeof parsed === 'object') {
    const expected = [...new Set(keys.map(({ signatureBytes }) => signatureBytes))];
    return { flaw: 'LENGTH', bytes: parsed.signature.length, expected };
  }
  const signature = /(?:^|,)\s*signature\s*=([^,]*)/.exec(header)?.[1]?.trim() ?? '';
  if (parsed === 'NOT_BASE64' && /%25[0-9A-F]{2}/i.test(signature)) return { flaw: 'ENCODED_TWICE' };
  if (parsed === 'NOT_BASE64' && /^[A-Za-z0-9+/ ]+={0,2}$/.test(signature)) return { flaw: 'PLUS_BECAME_SPACE' };
  return { flaw: parsed === 'UNSUPPORTED_ALGORITHM' ? 'NOT_BASE64' : parsed };
};
