import { type InquiryPlan, type ListedRefund, pagesOf, type Store, type Unplanned } from '../store/store.ts';
import { firstDue, firstDueOfRefund, type Why, whyAsk } from './due.ts';

/** What changed less long ago is changed again before it is due, most of it. */
const SETTLES_WITHIN_MS = 120_000;
const PLANNED_AT_ONCE = 500;

export interface Planning {
  readonly store: Pick<Store, 'unplannedOrders' | 'planInquiries' | 'hurryInquiries' | 'listRefunds'>;
  /** Not empty. */
  readonly clientIds: readonly string[];
  readonly now: number;
  /** The service was down: all that something is waited for is due at once. */
  readonly isBack: boolean;
  /** All refunds without a payment, and not just the newest. */
  readonly isFirst: boolean;
  readonly isStopping: () => boolean;
}

/**
 * Writes down what is to be asked, and when: what has changed since it was written down, or is new. False where it was
 * stopped half-way.
 */
export const planInquiries = async (planning: Planning): Promise<boolean> => {
  const { store, clientIds, now, isBack, isStopping } = planning;
  const before = isBack ? now : now - SETTLES_WITHIN_MS;
  let found: readonly Unplanned[];
  do {
    found = await store.unplannedOrders(clientIds, { before, limit: PLANNED_AT_ONCE });
    await store.planInquiries(found.map(planOf));
  } while (found.length === PLANNED_AT_ONCE && !isStopping());
  await planRefunds(planning);
  if (isStopping()) return false;
  if (isBack) await store.hurryInquiries(clientIds, now);
  return true;
};

/** What is not to be asked about is written down as well: it is not looked at again until it changes. */
export const planOf = ({ key, position, order }: Unplanned): InquiryPlan => {
  const why = whyAsk(order);
  return { key, position, why: why ?? '', dueAt: why === null ? null : firstDue(order, why) };
};

const planRefunds = async (planning: Planning): Promise<void> => {
  const { store, clientIds, isFirst, isStopping } = planning;
  const pages = pagesOf(async (page) => await store.listRefunds({ joined: false }, page), PLANNED_AT_ONCE);
  for await (const refunds of pages) {
    const ours = refunds.filter(({ clientId }) => clientIds.includes(clientId));
    await store.planInquiries(ours.flatMap(refundPlan));
    // Of the older ones every one was planned when it came.
    if (!isFirst || isStopping()) break;
  }
};

export const refundPlan = ({
  clientId,
  refundId,
  refundRequestId,
  firstReceivedAt,
}: ListedRefund): readonly InquiryPlan[] => {
  const why = 'unjoined refund' satisfies Why;
  const plan = { position: '0', why, dueAt: firstDueOfRefund(firstReceivedAt) };
  if (refundId !== null) return [{ ...plan, key: { clientId, about: 'refundId', id: refundId } }];
  if (refundRequestId !== null) return [{ ...plan, key: { clientId, about: 'refundRequestId', id: refundRequestId } }];
  return [];
};
