import type { Environment } from '../config.ts';
import type { Order } from '../order/order.ts';
import { readWhy, type Why, whyAsk } from '../reconcile/due.ts';
import { planOf, refundPlan } from '../reconcile/plan.ts';
import { orderKeyOf } from '../store/order-key.ts';
import { ANY_ORDER, type InquiryKey, type Page, type PageRequest, pagesOf, type Store } from '../store/store.ts';
import { orderNamed } from './stored.ts';

/** What may be asked, and why. */
export interface Candidate {
  readonly key: InquiryKey;
  readonly why: Why;
  /** Of the order; null of a refund, and where it was not looked up. */
  readonly status: string | null;
}

const keyOf = (order: Order): InquiryKey => ({ clientId: order.clientId, about: 'order', id: orderKeyOf(order) });

const toCandidate = (order: Order): Candidate => ({
  key: keyOf(order),
  why: whyAsk(order) ?? 'by hand',
  status: order.status,
});

export const candidateNamed = async (
  store: Store,
  named: { readonly id: string; readonly client: string | undefined; readonly env: Environment },
): Promise<Candidate> => toCandidate(await orderNamed(store, { ...named, advice: REGISTER_FIRST }));

const REGISTER_FIRST =
  ': a payment of which nothing is known yet can be asked about once its paymentRequestId is registered (paynotify register)';

const AT_ONCE = 200;

/** Every item of a list, page by page, while it is wanted. */
const all = async <T>(
  list: (page: PageRequest) => Promise<Page<T>>,
  isWanted: (item: T) => boolean = () => true,
): Promise<readonly T[]> => {
  const items: T[] = [];
  for await (const page of pagesOf(list, AT_ONCE)) {
    items.push(...page.filter(isWanted));
    if (!page.every(isWanted)) break;
  }
  return items;
};

/** Longer than a commit takes. */
const A_COMMIT_MS = 60_000;

/** The oldest change first: who waits longest. */
export const candidatesSince = async (
  store: Store,
  clientIds: readonly string[],
  since: Date,
): Promise<readonly Candidate[]> => {
  const from = since.toISOString();
  // The list is in the order of commits; the time of an order is a little older than its commit.
  const surely = new Date(since.getTime() - A_COMMIT_MS).toISOString();
  const orders = await all(
    async (page) => await store.listOrders(ANY_ORDER, page),
    ({ updatedAt }) => updatedAt >= surely,
  );
  const refunds = await all(async (page) => await store.listRefunds({ joined: false }, page));
  const candidates = [
    ...orders
      .filter(({ updatedAt }) => updatedAt >= from)
      .toReversed()
      .map(toCandidate),
    ...refunds
      .filter(({ firstReceivedAt }) => firstReceivedAt >= from)
      .flatMap(refundPlan)
      .map(({ key }): Candidate => ({ key, why: 'unjoined refund', status: null })),
  ];
  return candidates.filter(({ key }) => clientIds.includes(key.clientId));
};

const MOST_DUE = 1_000;

/** What the service would ask by now, planned by it or not; nothing is written. */
export const candidatesDue = async (
  store: Store,
  clientIds: readonly string[],
  now: number,
): Promise<readonly Candidate[]> => {
  const planned = await store.dueInquiries(clientIds, { now, limit: MOST_DUE });
  const unplanned = await store.unplannedOrders(clientIds, { before: now, limit: MOST_DUE });
  const due = unplanned.flatMap((one): readonly Candidate[] => {
    const { dueAt } = planOf(one);
    return dueAt === null || dueAt > now ? [] : [toCandidate(one.order)];
  });
  const seen = new Set(due.map(({ key }) => `${key.clientId}\n${key.id}`));
  return [
    ...due,
    ...planned
      .filter(({ clientId, id }) => !seen.has(`${clientId}\n${id}`))
      .map(({ clientId, about, id, why }) => ({ key: { clientId, about, id }, why: readWhy(why), status: null })),
  ];
};
