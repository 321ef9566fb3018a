import { type NotStored, notStored } from './not-stored.ts';

/**
 * What lets requests that failed verification through to the database, new ones and repeats: so many a second, and only
 * up to a size. Null where it does.
 */
export interface UnverifiedGate {
  /** Whether one with so large a body would be refused now. */
  readonly refuses: (bodyBytes: number) => NotStored | null;
  /** The same, and it counts. */
  readonly pass: (bodyBytes: number) => NotStored | null;
}

const BODY_BYTES = 32_768;
const SECOND_MS = 1_000;

export const createUnverifiedGate = (perSecond: number): UnverifiedGate => {
  let began = Number.NEGATIVE_INFINITY;
  let passed = 0;
  const refuses = (bodyBytes: number): NotStored | null => {
    if (bodyBytes > BODY_BYTES) return notStored('UNVERIFIED_FULL');
    const now = performance.now();
    if (now - began >= SECOND_MS) {
      began = now;
      passed = 0;
    }
    return passed < perSecond ? null : notStored('UNVERIFIED_TOO_MANY');
  };
  return {
    refuses,
    pass: (bodyBytes) => {
      const refusal = refuses(bodyBytes);
      if (refusal === null) passed += 1;
      return refusal;
    },
  };
};
