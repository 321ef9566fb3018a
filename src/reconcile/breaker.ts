import type { Inquired } from './inquire.ts';

/** Keeps inquiries of one client back while APO's API does not answer them. Times are epoch milliseconds. */
export interface Breaker {
  /** No inquiry before then; null while all is well. After it, one at a time until one is answered. */
  readonly openUntil: () => number | null;
  /** Since when it has been open; null while it is not. */
  readonly openSince: () => number | null;
  readonly note: (inquired: Pick<Inquired, 'trouble'>, now: number) => Turn;
}

/** What a result changes: it `opens`, or stays so after another try, which is `lasts` once an hour; `closes`. */
export type Turn = 'opens' | 'stays open' | 'lasts' | 'closes' | null;

/** A single failure is the matter of its order. */
const FAILURES = 3;
const PAUSES = [30_000, 60_000, 120_000, 300_000] as const;
/** Somebody has to correct it first. */
const CONFIGURATION_PAUSE = 600_000;
const HOUR = 3_600_000;

export const createBreaker = (): Breaker => {
  let failures = 0;
  let until: number | null = null;
  let since: number | null = null;
  let pauses = 0;
  let toldAt = 0;
  return {
    openUntil: () => until,
    openSince: () => since,
    note: ({ trouble }, now) => {
      if (trouble === null) {
        const wasOpen = until !== null;
        [failures, until, since, pauses] = [0, null, null, 0];
        return wasOpen ? 'closes' : null;
      }
      failures += 1;
      if (trouble === 'outage' && failures < FAILURES && until === null) return null;
      const before = until;
      // What was under way when it opened tells nothing new.
      if (before !== null && before > now) return null;
      const scheduled = PAUSES[Math.min(pauses, PAUSES.length - 1)] ?? CONFIGURATION_PAUSE;
      until = now + (trouble === 'configuration' ? CONFIGURATION_PAUSE : scheduled);
      since ??= now;
      pauses += 1;
      if (before !== null && now - toldAt < HOUR) return 'stays open';
      toldAt = now;
      return before === null ? 'opens' : 'lasts';
    },
  };
};
