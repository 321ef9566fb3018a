import { isoOrNull } from '../../order/time.ts';
import type { TimelineEntry } from '../../order/timeline.ts';
import { LONGEST_TIMELINE, type OrderCallback, type Timeline } from '../../store/store.ts';
import type { MarkedUnverified } from './shapes/notification.ts';
import type { Search } from './unverified-search.ts';

/** An unverified request that holds one of an order's ids: it changes nothing, whatever it says. */
export interface UnverifiedEntry extends MarkedUnverified {
  readonly type: 'unverified';
  /** Of its first receipt. */
  readonly at: string;
  readonly says: null;
}

/** What the shop was told of the order, or is still to be told. */
export interface CallbackEntry {
  readonly type: 'callback';
  /** When the shop answered 2xx; of what waits, since when. */
  readonly at: string;
  /** Of the URL, which is not shown. */
  readonly origin: string;
  /** Of the order: the one that was delivered, or that waits. */
  readonly revision: number;
  /** Null where it was delivered. `why` is what the last attempt came to; null before the first one. */
  readonly waiting: { readonly attempts: number; readonly nextAttemptAt: string; readonly why: string | null } | null;
  readonly says: null;
}

/** What was asked of APO, and when it is asked next. */
export interface ShownInquiry {
  /** The reason; a closed set. */
  readonly why: string;
  /** Null where it has not been asked yet. */
  readonly askedAt: string | null;
  /** What that came to: `OK`, or `UNKNOWN` or `FAILED` and a code. */
  readonly outcome: string | null;
  /** Answered inquiries for this reason. */
  readonly attempts: number;
  /** Null where it is not asked again by itself. */
  readonly nextAt: string | null;
}

export type ShownEntry = TimelineEntry | UnverifiedEntry | CallbackEntry;

/** A timeline as it is shown. */
export interface ShownTimeline extends Omit<Timeline, 'items' | 'callbacks' | 'inquiry'>, Pick<Search, 'notSearched'> {
  readonly items: readonly ShownEntry[];
  /** Null where nothing is to be asked of APO. */
  readonly inquiry: ShownInquiry | null;
  /** What is left out, in words; null for nothing. */
  readonly note: string | null;
}

/** The ids by which unverified requests may name an order. */
export const idsOf = ({ order }: Timeline): readonly string[] =>
  [order.paymentId, order.paymentRequestId].filter((id) => id !== null);

export const shownWith = (timeline: Timeline, { unverified, notSearched }: Search): ShownTimeline => {
  const { order, why, items, callbacks, inquiry, omitted } = timeline;
  const entries = unverified.map((one): UnverifiedEntry => ({
    type: 'unverified',
    at: one.firstReceivedAt,
    ...one,
    says: null,
  }));
  return {
    order,
    why,
    items: [...items, ...entries, ...callbacks.flatMap(callbackEntries)].toSorted(
      (a, b) => Date.parse(a.at) - Date.parse(b.at),
    ),
    inquiry: inquiryShown(inquiry),
    omitted,
    note:
      omitted === 0
        ? null
        : `The latest ${LONGEST_TIMELINE} entries are shown, and ${omitted} older ones are left out. Where says is null, what the order said then is not derived.`,
    notSearched,
  };
};

/** What is not to be asked, and never was, says nothing. */
const inquiryShown = (planned: Timeline['inquiry']): ShownInquiry | null => {
  if (planned === null || (planned.askedAt === null && planned.dueAt === null)) return null;
  const { why, askedAt, outcome, attempts, dueAt } = planned;
  return { why, askedAt: isoOrNull(askedAt), outcome, attempts, nextAt: isoOrNull(dueAt) };
};

/** A URL that is not in use any more is told nothing. */
const callbackEntries = ({ origin, inUse, delivered, pending }: OrderCallback): readonly CallbackEntry[] => [
  ...(delivered === null ? [] : [entryOf({ origin, at: delivered.at, revision: delivered.revision, waiting: null })]),
  ...(pending === null || !inUse
    ? []
    : [
        entryOf({
          origin,
          at: pending.since,
          revision: pending.revision,
          waiting: { attempts: pending.attempts, nextAttemptAt: pending.nextAttemptAt, why: pending.why },
        }),
      ]),
];

const entryOf = (entry: Omit<CallbackEntry, 'type' | 'says'>): CallbackEntry => ({
  type: 'callback',
  ...entry,
  says: null,
});
