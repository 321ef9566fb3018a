import type { SignatureOrigin } from '../antom/origin.ts';
import type { SignedRequest, UnverifiedReason } from '../antom/signature.ts';

/** What came of the last verification of a request that failed it. */
export interface VerificationFailure {
  readonly reason: UnverifiedReason;
  readonly origin: SignatureOrigin;
  /** The digest of the keys and paths that it failed under (`trustDigest`). */
  readonly trust: string;
}

/** The bounds of the unverified store that a batch has to keep. Repeats of a stored request are always counted. */
export interface UnverifiedBounds {
  /** All of them together, bytes. */
  readonly maxBytes: number;
}

/** How full a share of the unverified store is, or all of it. */
export interface UnverifiedRoom {
  readonly share: SignatureOrigin | 'ALL';
  readonly bytes: number;
  readonly maxBytes: number;
}

export interface UnverifiedSummary {
  /** SHA-256 over method, target, headers and body, lower-case hex. */
  readonly id: string;
  readonly reason: UnverifiedReason;
  readonly deliveries: number;
  readonly bytes: number;
  readonly firstReceivedAt: string;
  readonly lastReceivedAt: string;
}

export interface UnverifiedCount {
  readonly reason: UnverifiedReason;
  readonly count: number;
  readonly lastReceivedAt: string;
}

export interface StoredUnverified extends UnverifiedSummary, VerificationFailure {
  readonly request: SignedRequest;
}

/** An unverified request that was verified again, and failed. */
export interface FailedAgain extends VerificationFailure {
  readonly id: string;
}
