import type { AmountText } from '../order/amount.ts';
import type { Order } from '../order/order.ts';
import {
  ANY_ORDER,
  type InquiryKey,
  type InquiryPlan,
  type ListedRefund,
  pagesOf,
  type Store,
} from '../store/store.ts';
import { type Why, whyAsk } from './due.ts';

/** So many payments are asked in one round; the next round asks the next ones. */
const A_ROUND = 20;
/** Of the orders that changed last so many are looked at. */
const LOOKED_AT = 1_000;
const PAGE = 200;

export interface Round {
  /** From 1. */
  readonly round: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * A refund made in the dashboard names no payment, and neither does APO's answer about it; but the answer about its
 * payment shows it. The payments that it may be of are asked, those of its very amount first.
 */
export const paymentsOfRefund = async (
  store: Pick<Store, 'find' | 'listOrders'>,
  { clientId, id }: Pick<InquiryKey, 'clientId' | 'id'>,
  { round, now }: Round,
): Promise<readonly InquiryPlan[]> => {
  const { refunds } = await store.find(clientId, id);
  const [amount] = refunds.flatMap((refund) => (isUnjoined(refund) ? [refund.amount] : []));
  if (amount === undefined || amount === null) return [];
  const orders = await lately(store, clientId);
  const rests = orders.flatMap((order) => {
    const rest = restOf(order, amount.currency);
    return rest !== null && rest >= BigInt(amount.value) ? [{ order, isExact: rest === BigInt(amount.value) }] : [];
  });
  const ranked = [...rests.filter(({ isExact }) => isExact), ...rests.filter(({ isExact }) => !isExact)];
  return ranked
    .slice((round - 1) * A_ROUND, round * A_ROUND)
    .flatMap(({ order }): readonly InquiryPlan[] => planOf(order, now));
};

const isUnjoined = ({ paymentIds }: ListedRefund): boolean => paymentIds.length === 0;

const lately = async (store: Pick<Store, 'listOrders'>, clientId: string): Promise<readonly Order[]> => {
  const filter = { ...ANY_ORDER, clientId, status: 'CAPTURED' } as const;
  const orders: Order[] = [];
  for await (const items of pagesOf(async (page) => await store.listOrders(filter, page), PAGE)) {
    orders.push(...items);
    if (orders.length >= LOOKED_AT) break;
  }
  return orders;
};

/** What can still be refunded; null where that is none, or another currency. */
const restOf = ({ capturedAmount, paymentAmount, refundedAmount }: Order, currency: string): bigint | null => {
  const paid: AmountText | null = capturedAmount ?? paymentAmount;
  return paid?.currency === currency ? BigInt(paid.value) - BigInt(refundedAmount?.value ?? 0) : null;
};

/** What is asked about for a reason of its own is told of its refunds, too. */
const planOf = (order: Order, now: number): readonly InquiryPlan[] => {
  const { clientId, paymentId: id } = order;
  if (id === null || whyAsk(order) !== null) return [];
  const why = 'refund of it' satisfies Why;
  return [{ key: { clientId, about: 'order', id }, position: '0', why, dueAt: now }];
};
