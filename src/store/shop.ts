import type { Order } from '../order/order.ts';
import type { Registration, RegistrationChanges } from '../order/registration.ts';
import type { MovementStatus } from '../order/movement.ts';
import type { AmountText } from '../order/amount.ts';
import type { ReviewDecision } from '../order/review.ts';
import type { Result } from '../order/statement.ts';

/* What the shop says, and what comes of saying it. Times are UTC, ISO 8601 with milliseconds. */

/** What a statement of the shop is about. */
const SHOP_SUBJECTS = ['registration', 'refund', 'review'] as const;
export type ShopSubject = (typeof SHOP_SUBJECTS)[number];

/** A statement of the shop as it is stored: one that stands, or stood until another replaced it. */
export interface ShopStatement {
  readonly clientId: string;
  readonly about: ShopSubject;
  /** A paymentRequestId, a refundRequestId, or the key of the order that was reviewed. */
  readonly id: string;
  /** What it is looked up by: the referenceOrderId, or the key of the refunded order; empty for none. */
  readonly target: string;
  /** JSON: all else. */
  readonly said: string;
  /** When it was first made, whatever replaced it since. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Null while it stands. */
  readonly replacedAt: string | null;
}

export interface StoredRegistration extends Registration {
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type RegisterResult =
  | { readonly kind: 'created' | 'unchanged' | 'replaced'; readonly registration: StoredRegistration }
  | { readonly kind: 'conflict'; readonly registration: StoredRegistration }
  /** What was given is the paymentId of this order, and no payment names it as its paymentRequestId. */
  | { readonly kind: 'payment'; readonly order: Order };

export interface Amendment extends Pick<Registration, 'clientId' | 'paymentRequestId'> {
  readonly changes: RegistrationChanges;
}

export type AmendResult =
  | { readonly kind: 'unchanged' | 'replaced'; readonly registration: StoredRegistration }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'invalid'; readonly problem: string };

/** To which payment a refund belongs: exactly one of `paymentId` and `paymentRequestId` is not null. */
export interface RefundRegistration {
  readonly clientId: string;
  readonly refundRequestId: string;
  readonly paymentId: string | null;
  readonly paymentRequestId: string | null;
}

export interface StoredRefundRegistration extends RefundRegistration {
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface RegisterRefundResult {
  /** `sent`: it was sent to APO, for a payment that is not the one asked for. */
  readonly kind: 'created' | 'unchanged' | 'replaced' | 'conflict' | 'sent';
  /** The one that stands; with a conflict and with `sent`, the one that stood before. */
  readonly registration: StoredRefundRegistration;
}

/** One refund as the list shows it, whether or not it joins a payment. */
export interface ListedRefund {
  readonly clientId: string;
  readonly refundId: string | null;
  readonly refundRequestId: string | null;
  /** Null where no notification of it could be read. */
  readonly status: MovementStatus | null;
  readonly amount: AmountText | null;
  readonly refundTime: string | null;
  readonly result: Result | null;
  /** The payments that it joins and that are known; none for a refund that is not joined. */
  readonly paymentIds: readonly string[];
  /** What was registered for it. */
  readonly registration: StoredRefundRegistration | null;
  /** Ids of its notifications. */
  readonly notifications: readonly string[];
  readonly firstReceivedAt: string;
}

/** An order by its `paymentId`, else by its `paymentRequestId`. */
export interface OrderName {
  readonly clientId: string;
  readonly id: string;
}

export interface ReviewRequest extends OrderName {
  readonly decision: ReviewDecision;
  /** Of the order that the person saw. */
  readonly revision: number;
  readonly note: string | null;
}

export type ReviewResult =
  /** The order as it is now. */
  | { readonly kind: 'reviewed'; readonly order: Order }
  | { readonly kind: 'unknown' }
  /** Several payments name this paymentRequestId. */
  | { readonly kind: 'ambiguous'; readonly orders: readonly Order[] }
  /** The person saw another revision than the one of this order. */
  | { readonly kind: 'outdated'; readonly order: Order }
  /** FULFIL of an order that is not CAPTURED. */
  | { readonly kind: 'not captured'; readonly order: Order };

export type WithdrawResult =
  | { readonly kind: 'withdrawn'; readonly order: Order }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'no review' }
  | { readonly kind: 'ambiguous'; readonly orders: readonly Order[] };
