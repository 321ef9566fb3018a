import type { UnverifiedReason } from '../antom/signature.ts';
import type { UnverifiedSummary } from '../store/store.ts';

const REASONS: Readonly<Record<UnverifiedReason, string>> = {
  DUPLICATE_HEADER: 'It has client-id, request-time or signature twice: APO sends each once.',
  MISSING_HEADER: 'It lacks client-id, request-time or signature: it is not from APO, or a proxy drops headers.',
  MALFORMED_SIGNATURE: 'Its signature header is none of APO, or its signature fits no configured key in length.',
  UNSUPPORTED_ALGORITHM: 'Its signature is by another algorithm than RSA256.',
  UNKNOWN_CLIENT: 'Its client-id is not configured: compare ANTOM_CLIENT_ID with the dashboard.',
  UNKNOWN_KEY_VERSION: 'It is signed with a key version that is not configured: add that key from the dashboard.',
  SIGNATURE_MISMATCH:
    "Its signature is not that of a configured key over what arrived: the key is not APO's, or a proxy changed the path, the query or the body.",
};

/** What is wrong with an unverified request, in sentences; by its reason alone where it has no diagnosis. */
export const flawOf = ({ reason, diagnosis }: Pick<UnverifiedSummary, 'reason' | 'diagnosis'>): string =>
  diagnosis?.message ?? REASONS[reason];
