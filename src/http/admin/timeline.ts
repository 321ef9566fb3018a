import { isIdentifier } from '../../order/identifier.ts';
import type { TimelineEntry } from '../../order/timeline.ts';
import { LONGEST_TIMELINE, type Timeline } from '../../store/store.ts';
import { type ClientNeeds, clientMeant, clientRequired } from './clients.ts';
import { type Endpoint, endpoint, ok } from './endpoint.ts';
import { ambiguous } from './orders.ts';
import { notFound } from './problem.ts';
import { ofClient } from './query.ts';
import type { Search, SearchUnverified, Unverified } from './unverified-search.ts';

/** An unverified request that holds one of an order's ids: it changes nothing, whatever it says. */
export interface UnverifiedEntry extends Unverified {
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

interface TimelineNeeds extends ClientNeeds {
  readonly search: SearchUnverified;
}

/** `GET /api/orders/:id/timeline`: all that is stored about an order, oldest first. */
export const createTimeline = ({ store, clientIds, search }: TimelineNeeds): Endpoint =>
  endpoint(ofClient, async ({ id, query }) => {
    const clientId = clientMeant(query.clientId, clientIds);
    if (clientId === null) return clientRequired();
    const [order, ...others] = isIdentifier(id) ? await store().findOrders({ clientId, id }) : [];
    if (order === undefined) return notFound('order');
    if (others.length > 0) return ambiguous([order, ...others]);
    const timeline = await store().timeline(order);
    return timeline === null ? notFound('order') : ok(shownWith(timeline, await search(idsOf(timeline))));
  });
