import { SETTING } from '../store/setting.ts';
import type { Store } from '../store/store.ts';
import { HOUR_MS, reportedThisHour } from './hourly.ts';

/** Registrations wait for their notifications, and nothing verifies. */
export interface Silence {
  /** When the newest of the registrations that are an hour old was made. */
  readonly registeredAt: string;
  /** Null where nothing ever has verified. */
  readonly lastVerifiedAt: string | null;
}

/** Newest first: what was registered before these says nothing that they do not. */
const LOOKED_AT = 100;

/**
 * Reports, at most once an hour and on one replica, that a registration is an hour old without a payment while nothing
 * has verified since it was made. `now` is ours.
 */
export const reportSilence = async (
  store: Pick<Store, 'lastVerifiedAt' | 'listOrders' | 'recall' | 'remember'>,
  report: (silence: Silence) => void,
  now: Date,
): Promise<void> => {
  if ((await reportedThisHour(store, SETTING.silence, now)) !== null) return;
  const registeredAt = await newestWaiting(store, now);
  if (registeredAt === null) return;
  const lastVerifiedAt = await store.lastVerifiedAt();
  if (lastVerifiedAt !== null && lastVerifiedAt >= registeredAt) return;
  await store.remember(SETTING.silence, now.toISOString());
  report({ registeredAt, lastVerifiedAt });
};

/** The sweep gives a registration INQUIRE when it has waited for an hour (order.ts); a cancelled one does not wait. */
const newestWaiting = async ({ listOrders }: Pick<Store, 'listOrders'>, now: Date): Promise<string | null> => {
  const filter = { clientId: null, referenceOrderId: null, attention: null };
  const { items } = await listOrders(
    { ...filter, status: 'PENDING', nextAction: 'INQUIRE' },
    { limit: LOOKED_AT, cursor: null },
  );
  const times = items.flatMap(({ paymentId, createdAt }) =>
    paymentId === null && now.getTime() - Date.parse(createdAt) >= HOUR_MS ? [createdAt] : [],
  );
  return times.sort().at(-1) ?? null;
};
