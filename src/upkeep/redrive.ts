import { type Kinds, readBody } from '../antom/notification.ts';
import type {
  NotificationFilter,
  NotificationKey,
  Outcome,
  RawNotification,
  Store,
  StoredNotification,
} from '../store/store.ts';

/** How many notifications one short transaction applies again. */
const AT_ONCE = 50;

export type RedriveResult =
  | { readonly kind: 'redriven'; readonly outcome: Outcome }
  /** Its bytes are gone (retention), or another replica holds it at this moment. */
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
  /** Reads one stored notification anew and applies it again; having been seen before never stops it. */
  readonly redriveOne: (key: NotificationKey) => Promise<RedriveResult>;
  /** The same for all of an outcome, or for all; oldest first, in short transactions. */
  readonly redriveAll: (outcome: Outcome | null) => Promise<RedriveReport>;
}

export const createRedriving = (store: Store, kinds: Kinds): Redriving => {
  const reapply = async (notifications: readonly WithBytes[]): Promise<readonly (Outcome | null)[]> =>
    await store.reapply(
      notifications.map(({ clientId, id, raw }) => ({ clientId, id, reading: readBody(raw.body, kinds) })),
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
      const outcomes: Record<Outcome, number> = { APPLIED: 0, UNHANDLED: 0, MALFORMED: 0, FAILED: 0 };
      const counts = { redriven: 0, withoutBytes: 0, held: 0 };
      const filter: NotificationFilter = { notifyType: null, outcome, paymentId: null };
      for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
        const page = await store.readNotifications(filter, { limit: AT_ONCE, cursor });
        const whole = page.items.filter(hasBytes);
        const results = await reapply(whole);
        counts.withoutBytes += page.items.length - whole.length;
        for (const result of results) {
          if (result === null) counts.held += 1;
          else {
            counts.redriven += 1;
            outcomes[result] += 1;
          }
        }
        cursor = page.next;
      }
      return { ...counts, outcomes };
    },
  };
};

const hasBytes = (stored: StoredNotification): stored is WithBytes => stored.raw !== null;
