import { CALLBACKS_LATE_MS, type Store } from '../store/store.ts';

/**
 * How far a callback URL in use is behind. Of the URL only its origin is told: the rest may be a secret. Times are ISO.
 */
export interface CallbackLag {
  readonly clientId: string;
  readonly origin: string;
  /** Orders that the relay has taken from the change feed and not delivered. */
  readonly waiting: number;
  /** Since when the one waits that waits longest; null where the shop has been told everything. */
  readonly waitingSince: string | null;
  /** The same in seconds; 0 for null. */
  readonly lagSeconds: number;
  /** Nothing but a probe is posted until the next attempt. */
  readonly paused: boolean;
  /** What the last attempt came to, of the URL or of the order that waits longest; null where there was none. */
  readonly why: string | null;
  readonly nextAttemptAt: string | null;
  /** The last 2xx. */
  readonly deliveredAt: string | null;
}

const SECOND = 1_000;

/** Of every URL in use, by client. `now` is epoch milliseconds. */
export const readCallbackLags = async (
  store: Pick<Store, 'listCallbackUrls' | 'listWaitingCallbacks'>,
  now: number,
): Promise<readonly CallbackLag[]> => {
  const urls = (await store.listCallbackUrls()).filter(({ inUse }) => inUse);
  return await Promise.all(
    urls.map(async ({ clientId, origin, waiting, waitingSince, why, paused, deliveredAt }): Promise<CallbackLag> => {
      const { items } =
        waiting === 0 ? { items: [] } : await store.listWaitingCallbacks({ clientId }, { limit: 1, cursor: null });
      const first = items[0]?.pending ?? null;
      return {
        clientId,
        origin,
        waiting,
        waitingSince,
        lagSeconds: waitingSince === null ? 0 : Math.max(0, Math.round((now - Date.parse(waitingSince)) / SECOND)),
        paused: paused !== null,
        why,
        nextAttemptAt: paused?.until ?? first?.nextAttemptAt ?? null,
        deliveredAt,
      };
    }),
  );
};

export const isLate = ({ lagSeconds }: CallbackLag): boolean => lagSeconds * SECOND > CALLBACKS_LATE_MS;
