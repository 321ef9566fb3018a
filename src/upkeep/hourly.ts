import type { Store } from '../store/store.ts';

export const HOUR_MS = 60 * 60_000;

/**
 * When a report was made last, in epoch milliseconds; null where that was an hour or more before `now`. The setting
 * holds it, as ISO time. One more than an hour ahead is of a clock that was wrong, and holds back nothing.
 */
export const reportedThisHour = async (
  { recall }: Pick<Store, 'recall'>,
  setting: string,
  now: Date,
): Promise<number | null> => {
  const last = Date.parse((await recall(setting)) ?? '');
  return Math.abs(now.getTime() - last) < HOUR_MS ? last : null;
};
