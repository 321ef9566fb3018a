import type { TimelineEntry } from '../../order/timeline.ts';
import { LONGEST_TIMELINE, type Timeline } from '../../store/store.ts';
import type { MarkedUnverified } from './shapes/notification.ts';
import type { Search } from './unverified-search.ts';

/** An unverified request that holds one of an order's ids: it changes nothing, whatever it says. */
export interface UnverifiedEntry extends MarkedUnverified {
  readonly type: 'unverified';
  /** Of its first receipt. */
  readonly at: string;
  readonly says: null;
}

export type ShownEntry = TimelineEntry | UnverifiedEntry;

/** A timeline as it is shown. */
export interface ShownTimeline extends Omit<Timeline, 'items'>, Pick<Search, 'notSearched'> {
  readonly items: readonly ShownEntry[];
  /** What is left out, in words; null for nothing. */
  readonly note: string | null;
}

/** The ids by which unverified requests may name an order. */
export const idsOf = ({ order }: Timeline): readonly string[] =>
  [order.paymentId, order.paymentRequestId].filter((id) => id !== null);

export const shownWith = (timeline: Timeline, { unverified, notSearched }: Search): ShownTimeline => {
  const { order, why, items, omitted } = timeline;
  const entries = unverified.map((one): UnverifiedEntry => ({
    type: 'unverified',
    at: one.firstReceivedAt,
    ...one,
    says: null,
  }));
  return {
    order,
    why,
    items: [...items, ...entries].toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at)),
    omitted,
    note:
      omitted === 0
        ? null
        : `The latest ${LONGEST_TIMELINE} entries are shown, and ${omitted} older ones are left out. Where says is null, what the order said then is not derived.`,
    notSearched,
  };
};
