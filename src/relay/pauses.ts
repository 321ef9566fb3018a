import { LONGEST_RETRY_AFTER_MS } from '../store/store.ts';

/** What a response means. */
export type Verdict = 'delivered' | 'pause the URL' | 'pause the order';

/** Nobody is there for any order, or not for us: it is no use to post others. */
const OF_THE_URL: ReadonlySet<number> = new Set([401, 403, 404, 410, 429]);

export const verdictOf = (status: number): Verdict => {
  if (status >= 200 && status < 300) return 'delivered';
  return status >= 400 && status < 500 && !OF_THE_URL.has(status) ? 'pause the order' : 'pause the URL';
};

/** Milliseconds after the first attempt, the second, and so on; the last one is for all that follow. */
export const SCHEDULE_MS: readonly number[] = [5_000, 30_000, 120_000, 300_000];

interface Failed {
  /** So many, from 1. */
  readonly attempts: number;
  readonly retryAfter: string | null;
  readonly now: number;
}

/** Milliseconds until the next attempt: by the schedule, or longer where `Retry-After` says so, up to an hour. */
export const pauseAfter = ({ attempts, retryAfter, now }: Failed, schedule: readonly number[]): number => {
  const scheduled = schedule[Math.min(attempts, schedule.length) - 1] ?? 0;
  return Math.max(scheduled, Math.min(readRetryAfter(retryAfter, now), LONGEST_RETRY_AFTER_MS));
};

/** Seconds or a date, in milliseconds from now; 0 for none. */
const readRetryAfter = (retryAfter: string | null, now: number): number => {
  if (retryAfter === null) return 0;
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  const date = Date.parse(retryAfter);
  return Number.isNaN(date) ? 0 : date - now;
};
