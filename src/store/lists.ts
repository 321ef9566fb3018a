import type { AttentionCode } from '../order/attention-code.ts';
import type { Asked } from '../order/asked.ts';
import type { Identifier } from '../order/identifier.ts';
import type { NextAction } from '../order/next-action.ts';
import type { Order } from '../order/order.ts';
import type { Kind, Outcome, RawNotification } from '../order/reading.ts';
import type { Statement } from '../order/statement.ts';
import type { OrderStatus } from '../order/status.ts';
import type { NotificationKey } from './delivery.ts';
import type { ListedRefund, StoredRefundRegistration } from './shop.ts';

/* What is read of a store in lists. */

export interface NotificationSummary extends NotificationKey {
  readonly kind: Kind;
  /** What was asked, of an answer; null for a notification. */
  readonly asked: Asked | null;
  readonly outcome: Outcome;
  /** MALFORMED, FAILED: which field is wrong and how, in one sentence. */
  readonly problem: string | null;
  readonly paymentId: string | null;
  /** All that it states, the paymentId among them. */
  readonly identifiers: readonly Identifier[];
  readonly deliveries: number;
  readonly firstReceivedAt: string;
  readonly lastReceivedAt: string;
}

export interface StoredNotification extends NotificationSummary {
  readonly statements: readonly Statement[];
  /** Null once retention has removed it. */
  readonly raw: RawNotification | null;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; null after the last. */
  readonly next: string | null;
}

export interface PageRequest {
  /** At least 1. */
  readonly limit: number;
  readonly cursor: string | null;
}

/** The items of a list from its beginning, page by page; `isStopping` is asked before each is read. */
export async function* pagesOf<T>(
  read: (page: PageRequest) => Promise<Page<T>>,
  limit: number,
  isStopping: () => boolean = () => false,
): AsyncGenerator<readonly T[], void, undefined> {
  for (let cursor: string | null = null, more = true; more && !isStopping(); more = cursor !== null) {
    const page: Page<T> = await read({ limit, cursor });
    yield page.items;
    cursor = page.next;
  }
}

export interface FeedPage<T> {
  readonly items: readonly T[];
  /** Where to go on, after the latest too; it may advance although nothing was found. */
  readonly next: string;
}

/** What is followed in the order of commits; each is the name of a table. */
export type Feed = 'orders' | 'notifications';

/** The cursors after the latest change. */
export type FeedEnds = Readonly<Record<Feed, string>>;

/** Null takes all. */
export interface OrderFilter {
  readonly clientId: string | null;
  readonly status: OrderStatus | null;
  readonly nextAction: NextAction | null;
  readonly attention: AttentionCode | null;
  readonly referenceOrderId: string | null;
}
export const ANY_ORDER: OrderFilter = {
  clientId: null,
  status: null,
  nextAction: null,
  attention: null,
  referenceOrderId: null,
};

export interface NotificationFilter {
  readonly kind: Kind | null;
  readonly outcome: Outcome | null;
  readonly clientId: string | null;
  /** Any identifier that it states. */
  readonly id: string | null;
}
export const ANY_NOTIFICATION: NotificationFilter = { kind: null, outcome: null, clientId: null, id: null };

export type FollowedNotifications = Pick<NotificationFilter, 'kind' | 'clientId'>;

/** Everything that carries an identifier; at most 100 of each, the newest. */
export interface Found {
  readonly orders: readonly Order[];
  readonly notifications: readonly NotificationSummary[];
  readonly refunds: readonly ListedRefund[];
  /** Of refunds that no notification names yet. */
  readonly refundRegistrations: readonly StoredRefundRegistration[];
}
