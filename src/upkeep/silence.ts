import type { Order } from '../order/order.ts';
import { SETTING } from '../store/setting.ts';
import { ANY_ORDER, type Store } from '../store/store.ts';
import { HOUR_MS, reportedThisHour } from './hourly.ts';

/** Registrations wait for their notifications, and nothing verifies. */
export interface Silence {
  /** When the newest of the registrations that are an hour old was made. */
  readonly registeredAt: string;
  /** Null where nothing ever has verified. */
  readonly lastVerifiedAt: string | null;
}

const PAGE = 100;
/** An hour's orders, of all but the largest merchants. */
const MOST_PAGES = 100;

/**
 * Reports, at most once an hour and on one replica, that a registration is an hour old without a notification while
 * nothing has verified since it was made. What inquiries are answered is no notification. `now` is ours.
 */
export const reportSilence = async (
  store: Pick<Store, 'lastVerifiedAt' | 'listOrders' | 'recall' | 'remember'>,
  report: (silence: Silence) => void,
  now: Date,
): Promise<void> => {
  if ((await reportedThisHour(store, SETTING.silence, now)) !== null) return;
  const lastVerifiedAt = await store.lastVerifiedAt();
  const after = lastVerifiedAt ?? '';
  const until = new Date(now.getTime() - HOUR_MS).toISOString();
  if (after >= until) return;
  const registeredAt = await newestWaiting(store, { after, until });
  if (registeredAt === null) return;
  await store.remember(SETTING.silence, now.toISOString());
  report({ registeredAt, lastVerifiedAt });
};

/**
 * An order made after all that verified has no notification. Those that changed last come first: what has not changed
 * since was not made since.
 */
const newestWaiting = async (
  { listOrders }: Pick<Store, 'listOrders'>,
  { after, until }: { readonly after: string; readonly until: string },
): Promise<string | null> => {
  for (let cursor: string | null = null, pages = 0; pages < MOST_PAGES; pages += 1) {
    const { items, next } = await listOrders(ANY_ORDER, { limit: PAGE, cursor });
    const times = items.flatMap((order) => (isOwed(order) ? [order.createdAt] : []));
    const newest = times
      .filter((time) => time > after && time <= until)
      .sort()
      .at(-1);
    if (newest !== undefined) return newest;
    if (next === null || items.some(({ updatedAt }) => updatedAt < after)) return null;
    cursor = next;
  }
  return null;
};

/** Of what is registered. Where APO says that a payment is under way or cancelled, it may owe no notification. */
const isOwed = ({ expectedAmount, status, nextAction }: Order): boolean =>
  expectedAmount !== null && nextAction !== 'NONE' && status !== 'PROCESSING' && status !== 'CANCELLED';
