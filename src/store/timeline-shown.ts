import type { Explanation } from '../order/explain.ts';
import type { Order } from '../order/order.ts';
import type { TimelineEntry } from '../order/timeline.ts';
import type { OrderCallback } from './callback.ts';
import type { PlannedInquiry } from './inquiry.ts';

/** Which order: a payment's, or the one of a registration that no payment names. */
export type OrderIds = Pick<Order, 'clientId' | 'paymentId' | 'paymentRequestId'>;

/** All that is stored about an order, oldest first. */
export interface Timeline {
  /** As it is at this moment. */
  readonly order: Order;
  /** Why it says that. */
  readonly why: Explanation;
  readonly items: readonly TimelineEntry[];
  readonly callbacks: readonly OrderCallback[];
  /** When APO is asked about it next, and what the last inquiry came to; null where none is planned. */
  readonly inquiry: PlannedInquiry | null;
  /** So many older ones are left out. */
  readonly omitted: number;
}

/** So many entries are shown, the latest. */
export const LONGEST_TIMELINE = 100;
