import type { Store } from '../store/store.ts';

const HOUR_MS = 60 * 60_000;

/** Whether a report was made within the hour before `now`; the setting holds when it was made last, as ISO time. */
export const isReportedThisHour = async (
  { recall }: Pick<Store, 'recall'>,
  setting: string,
  now: Date,
): Promise<boolean> => {
  const last = await recall(setting);
  return last !== null && now.getTime() - Date.parse(last) < HOUR_MS;
};
