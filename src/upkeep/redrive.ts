import type { Handlers } from '../handlers/handler.ts';
import { readStored } from '../handlers/read-stored.ts';
import { type Outcome, OUTCOMES, type RawNotification } from '../order/reading.ts';
import {
  ANY_NOTIFICATION,
  type NotificationKey,
  pagesOf,
  type Store,
  type StoredNotification,
} from '../store/store.ts';

/** How many notifications one short transaction applies again. */
const AT_ONCE = 50;

export type RedriveResult =
  | { readonly kind: 'redriven'; readonly outcome: Outcome }
  /** Its bytes are gone (retention), or another replica holds it at this moment or has just applied it. */
  | { readonly kind: 'without bytes' | 'held' | 'not found' };

export interface RedriveReport {
  readonly redriven: number;
  /** How many ended with each outcome. */
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly withoutBytes: number;
  readonly held: number;
}

type WithBytes = StoredNotification & { readonly raw: RawNotification };

export interface Redriving {
  /** Reads one stored notification and applies it again; having been seen before never stops it. */
  readonly redriveOne: (key: NotificationKey) => Promise<RedriveResult>;
  /** The same for all of an outcome, or for all; oldest first, in short transactions. */
  readonly redriveAll: (outcome: Outcome | null) => Promise<RedriveReport>;
}

export const createRedriving = (store: Store, handlers: Handlers): Redriving => {
  const reapply = async (notifications: readonly WithBytes[]): Promise<readonly (Outcome | null)[]> =>
    await store.reapply(
      notifications.map((stored) => ({
        stored,
        reading: readStored({ asked: stored.asked, body: stored.raw.body }, handlers),
      })),
      new Date(),
    );

  return {
    redriveOne: async (key) => {
      const stored = await store.findNotification(key);
      if (stored === null) return { kind: 'not found' };
      if (!hasBytes(stored)) return { kind: 'without bytes' };
      const [outcome = null] = await reapply([stored]);
      return outcome === null ? { kind: 'held' } : { kind: 'redriven', outcome };
    },
    redriveAll: async (outcome) => {
      const outcomes = Object.fromEntries(OUTCOMES.map((one) => [one, 0])) as Record<Outcome, number>;
      const counts = { redriven: 0, withoutBytes: 0, held: 0 };
      const filter = { ...ANY_NOTIFICATION, outcome };
      const pages = pagesOf(async (page) => await store.readNotifications(filter, page), AT_ONCE);
      for await (const items of pages) {
        const whole = items.filter(hasBytes);
        const results = await reapply(whole);
        counts.withoutBytes += items.length - whole.length;
        for (const result of results) {
          if (result === null) counts.held += 1;
          else {
            counts.redriven += 1;
            outcomes[result] += 1;
          }
        }
      }
      return { ...counts, outcomes };
    },
  };
};

const hasBytes = (stored: StoredNotification): stored is WithBytes => stored.raw !== null;
