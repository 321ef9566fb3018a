import type { AttentionCode } from './attention-code.ts';
import type { OrderStatus } from './status.ts';

export const REVIEW_DECISIONS = ['FULFIL', 'CLOSE'] as const;
export type ReviewDecision = (typeof REVIEW_DECISIONS)[number];

/** A code of attention with the values that decided it: with other values it is another matter. */
export interface Settled {
  readonly code: AttentionCode;
  readonly values: string;
}

/** What a person has decided about an order, and what the order said then. */
export interface Review {
  readonly decision: ReviewDecision;
  /** Of the order that the person saw. */
  readonly revision: number;
  readonly note: string | null;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly settled: readonly Settled[];
  /** What was captured then, in the currency's smallest unit. */
  readonly captured: string;
  readonly status: OrderStatus;
}

/** The clock marks these later: a closed order stays closed. */
const SETTLED_BY_CLOSING: ReadonlySet<AttentionCode> = new Set<AttentionCode>([
  'CAPTURE_UNDECIDED',
  'AUTHORIZATION_EXPIRED',
]);

interface Now {
  readonly status: OrderStatus;
  readonly captured: bigint;
}

/** The review while it stands: closing is void once more is captured than then, or the order has become CAPTURED. */
export const standing = (review: Review | null, { status, captured }: Now): Review | null => {
  if (review === null || review.decision === 'FULFIL') return review;
  const isPaidSince = captured > BigInt(review.captured) || (status === 'CAPTURED' && review.status !== 'CAPTURED');
  return isPaidSince ? null : review;
};

export const isSettled = (review: Review | null, { code, values }: Settled): boolean =>
  review !== null &&
  ((review.decision === 'CLOSE' && SETTLED_BY_CLOSING.has(code)) ||
    review.settled.some((one) => one.code === code && one.values === values));

/** Everything is gone again, and the person who knew it decided to fulfil the order. */
export const fulfilsRefunded = (review: Review | null): boolean =>
  review?.decision === 'FULFIL' && review.settled.some(({ code }) => code === 'REFUNDED');
