import { SETTING } from '../store/setting.ts';
import type { HeldUp, Store } from '../store/store.ts';
import { reportedThisHour } from './hourly.ts';

const REPORTED_AFTER_MS = 5 * 60_000;

/** Reports, at most once an hour and on one replica, that the change feed has been held up for five minutes. */
export const reportHeldUp = async (
  store: Pick<Store, 'status' | 'recall' | 'remember'>,
  report: (heldUp: HeldUp) => void,
  now: Date,
): Promise<void> => {
  if ((await reportedThisHour(store, SETTING.heldUp, now)) !== null) return;
  const { heldUp } = await store.status();
  if (heldUp === null || now.getTime() - Date.parse(heldUp.since) < REPORTED_AFTER_MS) return;
  await store.remember(SETTING.heldUp, now.toISOString());
  report(heldUp);
};
