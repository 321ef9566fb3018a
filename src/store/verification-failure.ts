import type { Diagnosed, DiagnosisCode } from '../antom/diagnosis.ts';
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

/** Which unverified requests are removed at all; without bounds, all. */
export interface PurgeBounds {
  /** Last received before; null for any time. */
  readonly before: Date | null;
  /** Also those whose signature a configured key made. */
  readonly signed: boolean;
  /** None once a service has started on this database. */
  readonly unlessInUse?: boolean;
}

export interface UnverifiedMeasure {
  readonly count: number;
  readonly bytes: number;
  /** The first receipt of the oldest and the last of the newest; null where there is none. */
  readonly oldest: string | null;
  readonly newest: string | null;
}

export interface UnverifiedSummary {
  /** SHA-256 over method, target, headers and body, lower-case hex. */
  readonly id: string;
  readonly reason: UnverifiedReason;
  /** What explains the failure, under the keys and paths of its last verification; null until that is found out. */
  readonly diagnosis: Diagnosed | null;
  readonly deliveries: number;
  readonly bytes: number;
  readonly firstReceivedAt: string;
  readonly lastReceivedAt: string;
}

export interface UnverifiedCount {
  readonly reason: UnverifiedReason;
  /** Null until it is made. */
  readonly diagnosis: DiagnosisCode | null;
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

/** A diagnosis to be kept with its request, unless that has failed under another trust since. */
export interface MadeDiagnosis {
  readonly id: string;
  /** The digest of the keys and paths that it was made with. */
  readonly trust: string;
  /** As the diagnosis found it: also the key of another configured client is asked. */
  readonly origin: SignatureOrigin;
  readonly diagnosis: Diagnosed;
}
