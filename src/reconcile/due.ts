import type { Asked } from '../order/asked.ts';
import type { Order } from '../order/order.ts';

/** Why APO is asked: a closed set, as it is stored and shown. */
export const WHY = {
  authorized: 'AUTHORIZED, and captured by itself: its CAPTURE_RESULT is to come',
  'to capture': 'AUTHORIZED, to be captured by the merchant',
  processing: 'the payment or a capture is not decided',
  'capture without payment': 'a capture has succeeded, and its PAYMENT_RESULT is to come',
  registered: 'registered, and no notification has come',
  inquire: 'nextAction is INQUIRE',
  expiry: 'its authorization ends, or has ended',
  'unjoined refund': 'the refund joins no payment',
  'refund of it': 'a refund that joins no payment may be of this one',
  'by hand': 'asked by hand',
} as const;
export type Why = keyof typeof WHY;

export const readWhy = (text: string): Why => (Object.hasOwn(WHY, text) ? (text as Why) : 'by hand');

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** From the change after which something is waited for to the first inquiry, in milliseconds (spec: wire, §4). */
const FIRST_AFTER: Readonly<Record<Why, number>> = {
  authorized: 15 * MINUTE,
  'to capture': DAY,
  processing: 15 * MINUTE,
  'capture without payment': 2 * MINUTE,
  registered: 30 * MINUTE,
  inquire: 0,
  expiry: Infinity,
  'unjoined refund': 15 * MINUTE,
  'refund of it': 0,
  'by hand': 0,
};

/** Then; the last one is for all that follow. */
const PAUSES = [15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY] as const;
/** An inquiry that got no answer is made again after so long, and does not count. */
export const UNANSWERED_AFTER = PAUSES[0];
/** What becomes due together is not asked at the same moment again. */
const JITTER = 0.2;

/** Somebody can still act on what is learnt then. */
const BEFORE_EXPIRY = DAY;
const AFTER_EXPIRY = 15 * MINUTE;

/** Times around the end of its authorization at which it is asked about; none where nothing is left to capture. */
const aroundExpiry = ({ authorizationExpiresAt, remainingAmount, status }: Order): readonly number[] => {
  const isOpen = status === 'AUTHORIZED' || status === 'PARTIALLY_CAPTURED';
  if (authorizationExpiresAt === null || !isOpen || remainingAmount === null || remainingAmount.value === '0')
    return [];
  const end = Date.parse(authorizationExpiresAt);
  return [end - BEFORE_EXPIRY, end + AFTER_EXPIRY];
};

/** Why APO should be asked about this order sooner or later; null where nothing is to come. */
export const whyAsk = (order: Order): Why | null => {
  const { status, captures, paymentId, nextAction } = order;
  // Closed, refunded, or ready to ship.
  if (nextAction === 'NONE' || nextAction === 'FULFIL') return null;
  const hasCaptured = captures.some((capture) => capture.status === 'SUCCEEDED');
  if (hasCaptured && order.result?.resultStatus !== 'S') return 'capture without payment';
  if (captures.some((capture) => capture.status === 'PROCESSING')) return 'processing';
  switch (status) {
    case 'AUTHORIZED':
      return order.captureMode === 'AUTOMATIC' ? 'authorized' : 'to capture';
    case 'PROCESSING':
      return 'processing';
    case 'PENDING':
      return paymentId === null ? 'registered' : 'processing';
    case 'PARTIALLY_CAPTURED':
    case 'CAPTURED':
    case 'CANCELLED':
    case 'FAILED':
      if (nextAction === 'INQUIRE') return 'inquire';
      return aroundExpiry(order).length === 0 ? null : 'expiry';
  }
};

/** The earlier of a time and those around the end of the authorization that are after `since`; null for never. */
const notAfterExpiry = (at: number, order: Order, since: number): number | null => {
  const earliest = Math.min(at, ...aroundExpiry(order).filter((time) => time > since));
  return Number.isFinite(earliest) ? earliest : null;
};

/** When to ask about an order for the first time, epoch milliseconds; null where there is nothing to ask. */
export const firstDue = (order: Order, why: Why): number | null => {
  const changed = Date.parse(order.updatedAt);
  const after = order.nextAction === 'INQUIRE' ? 0 : FIRST_AFTER[why];
  return notAfterExpiry(changed + after, order, changed);
};

/** The same of a refund that joins none. */
export const firstDueOfRefund = (firstReceivedAt: string): number =>
  Date.parse(firstReceivedAt) + FIRST_AFTER['unjoined refund'];

export interface Asking {
  readonly why: Why;
  /** How often it has been asked for this reason. */
  readonly attempts: number;
  /** APO refuses to answer: somebody has to ask APO why. */
  readonly isRefused: boolean;
  readonly now: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Milliseconds until it is asked again: never more often than it was asked first. */
const pauseAfter = ({ why, attempts, random }: Pick<Asking, 'why' | 'attempts' | 'random'>): number => {
  const pauses = PAUSES.filter((pause) => pause > FIRST_AFTER[why]);
  const pause = pauses[Math.min(attempts, pauses.length) - 1] ?? PAUSES[PAUSES.length - 1] ?? DAY;
  return spread(pause, random);
};

export const spread = (ms: number, random: () => number): number => Math.round(ms * (1 + JITTER * (random() - 0.5)));

/** When to ask again; `order` null for a refund. Null for never. */
export const nextDue = (order: Order | null, asking: Asking): number | null => {
  const isOver = asking.why === 'expiry' || asking.isRefused;
  const at = isOver ? Infinity : asking.now + pauseAfter(asking);
  if (order !== null) return notAfterExpiry(at, order, asking.now);
  return isOver ? null : at;
};

/**
 * So often APO says that it knows of no such payment until it is believed: it was never placed. Not three times within
 * a minute: a shop may register long before its buyer pays.
 */
const NEVER_PLACED_AFTER = PAUSES.length;

export const isNeverPlaced = (
  why: Why,
  { attempts, code }: { readonly attempts: number; readonly code: string },
): boolean => why === 'registered' && code === 'ORDER_NOT_EXIST' && attempts >= NEVER_PLACED_AFTER;

/** The question about an order. */
export const questionAbout = ({ paymentId, paymentRequestId }: Order): Asked =>
  paymentId === null
    ? { operation: 'inquiryPayment', paymentRequestId: paymentRequestId ?? '' }
    : { operation: 'inquiryPayment', paymentId };
