import type { BodyDiagnosis } from './diagnosis-body.ts';
import type { HeaderDiagnosis } from './diagnosis-headers.ts';
import type { Trust } from './signature.ts';

/** Why a request does not verify, as far as it can be told: a closed set. */
export const DIAGNOSIS_CODES = [
  'DUPLICATE_HEADER',
  'MISSING_HEADER',
  'MALFORMED_SIGNATURE',
  'UNSUPPORTED_ALGORITHM',
  'UNKNOWN_CLIENT',
  'UNKNOWN_KEY_VERSION',
  'OTHER_KEY',
  'TEXT_CHANGED_PATH',
  'TEXT_CHANGED_JSON',
  'TEXT_CHANGED_NEWLINE',
  'TEXT_CHANGED_BOM',
  'TEXT_CHANGED',
  'CUT_ELSEWHERE',
  'VERIFIES',
] as const;
export type DiagnosisCode = (typeof DIAGNOSIS_CODES)[number];

/**
 * What explains a failed verification; it never applies anything. `OTHER_KEY`: none of the client's keys made the
 * signature; `owner` is the configured client whose key did. `TEXT_CHANGED…`: one of them did, for another text, and
 * the one change that leads back to that text is named; `TEXT_CHANGED` alone: none of those that are tried does.
 */
export type Diagnosis =
  | HeaderDiagnosis
  | { readonly code: 'UNKNOWN_KEY_VERSION'; readonly keyVersion: string; readonly configured: readonly string[] }
  | {
      readonly code: 'UNKNOWN_CLIENT';
      readonly clientId: string;
      readonly configured: readonly string[];
      readonly owner: KeyOwner | null;
    }
  | { readonly code: 'OTHER_KEY'; readonly clientId: string; readonly owner: KeyOwner | null }
  | { readonly code: 'TEXT_CHANGED_PATH'; readonly signed: string; readonly received: string }
  | BodyDiagnosis
  | { readonly code: 'TEXT_CHANGED' | 'CUT_ELSEWHERE' | 'VERIFIES' };

/** A configured client whose key made the signature of a request that came with another client id. */
export interface KeyOwner {
  readonly clientId: string;
  /** With that key configured for the client id received; null: signed for the owner, whose client id was replaced. */
  readonly forReceived: Diagnosis | null;
}

/** What a request is diagnosed with: what it is verified against, and the paths that take notifications. */
export interface DiagnosisTrust extends Trust {
  readonly notifyPaths?: readonly string[];
}

/** A diagnosis as it is stored and shown. */
export interface Diagnosed {
  readonly code: DiagnosisCode;
  /** What it means and what to do, in sentences; what it quotes of the request is short and printable. */
  readonly message: string;
}

/** A configured key made the signature, for another text. */
export const isTextChanged = (code: DiagnosisCode): boolean => code.startsWith('TEXT_CHANGED');
