import type { UnverifiedReason } from '../antom/signature.ts';
import type { AttentionCode } from '../order/attention-code.ts';
import type { Identifier } from '../order/identifier.ts';
import type { Order } from '../order/order.ts';
import type { Kind, Outcome, RawNotification, ReadNotification, Reading } from '../order/reading.ts';
import type { NextAction } from '../order/next-action.ts';
import type { Registration } from '../order/registration.ts';
import type { Statement } from '../order/statement.ts';
import type { OrderStatus } from '../order/status.ts';
import type { Checked, CheckedRow } from './checked.ts';
import type { BatchResult, Delivery, NotificationKey } from './delivery.ts';
import type {
  Amendment,
  AmendResult,
  ListedRefund,
  OrderName,
  RefundRegistration,
  RegisterRefundResult,
  RegisterResult,
  ReviewRequest,
  ReviewResult,
  ShopStatement,
  WithdrawResult,
} from './shop.ts';

import type { OrderIds, Timeline } from './timeline-shown.ts';
import type {
  FailedAgain,
  StoredUnverified,
  UnverifiedBounds,
  UnverifiedCount,
  UnverifiedSummary,
} from './verification-failure.ts';

export { CHECKED, type Checked, type CheckedRow, type Flaw } from './checked.ts';
export {
  InvalidCursorError,
  OutdatedCursorError,
  StoreRejectedError,
  StoreUnavailableError,
  StoreUnusableError,
} from './errors.ts';

export type {
  BatchResult,
  Delivery,
  NoRoom,
  NotificationDelivery,
  NotificationKey,
  Recorded,
  RecordedNotification,
  RecordedReading,
  RecordedUnverified,
  UnverifiedDelivery,
} from './delivery.ts';

export type {
  Amendment,
  AmendResult,
  ListedRefund,
  OrderName,
  RefundRegistration,
  RegisterRefundResult,
  RegisterResult,
  ReviewRequest,
  ReviewResult,
  ShopStatement,
  StoredRefundRegistration,
  StoredRegistration,
  WithdrawResult,
} from './shop.ts';

export type {
  FailedAgain,
  StoredUnverified,
  UnverifiedBounds,
  UnverifiedCount,
  UnverifiedRoom,
  UnverifiedSummary,
  VerificationFailure,
} from './verification-failure.ts';

export { LONGEST_TIMELINE, type OrderIds, type Timeline } from './timeline-shown.ts';

export interface NotificationSummary extends NotificationKey {
  readonly kind: Kind;
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

/** Null takes all. */
export interface OrderFilter {
  readonly clientId: string | null;
  readonly status: OrderStatus | null;
  readonly nextAction: NextAction | null;
  readonly attention: AttentionCode | null;
  readonly referenceOrderId: string | null;
}

export interface NotificationFilter {
  readonly kind: Kind | null;
  readonly outcome: Outcome | null;
  readonly clientId: string | null;
  /** Any identifier that it states. */
  readonly id: string | null;
}

/** Everything that carries an identifier; at most 100 of each, the newest. */
export interface Found {
  readonly orders: readonly Order[];
  readonly notifications: readonly NotificationSummary[];
  readonly refunds: readonly ListedRefund[];
}

/** A stored notification read again, to be applied again; it is left alone where it is not as it was read. */
export interface Reapplication {
  readonly stored: StoredNotification;
  readonly reading: Reading;
}

/** An unverified request that verifies by now: it moves to the notifications. */
export interface Promotion {
  readonly id: string;
  readonly read: ReadNotification;
}

/** What a copy brings over; orders are derived where it arrives. */
export const COPIED = ['notifications', 'shop_statements', 'unverified'] as const;
export type Copied = (typeof COPIED)[number];

export interface RebuildStep {
  readonly orders: number;
  readonly changed: number;
  /** Where to go on; null when all are done. */
  readonly next: string | null;
}

/** What bringing the schema forward came to. */
export interface Migrated {
  /** The schema's version now. */
  readonly version: number;
  /** The versions that were applied just now, in order; none where it was up to date. */
  readonly applied: readonly number[];
}

/**
 * The port. Both databases keep the same promises: one call that writes is one transaction, durable when its
 * promise resolves; what throws StoreUnavailableError may or may not have happened.
 */
export interface Store extends StoreReads, StoreWrites {
  /** Of the database: a file, or a server and its database; without a password. */
  readonly name: string;
  /** How many batches it is worth handing to `record` at the same time. */
  readonly concurrency: number;
  /** Runs a task on one replica at a time; null where another one has it. */
  readonly exclusively: <T>(task: string, work: () => Promise<T>) => Promise<T | null>;
  readonly backup: (file: string) => Promise<{ readonly bytes: number }>;
  readonly close: () => Promise<void>;
}

export interface StoreReads {
  /** As of this very moment; several where payments share a `paymentRequestId`. */
  readonly findOrders: (name: OrderName) => Promise<readonly Order[]>;
  /** Newest change first, each as of its last commit or sweep. */
  readonly listOrders: (filter: OrderFilter, page: PageRequest) => Promise<Page<Order>>;
  /**
   * Each order once, at the place of its latest change, oldest change first. `cursor` null is the beginning. Throws an
   * OutdatedCursorError where the database has gone back since the cursor was given out.
   */
  readonly followOrders: (
    page: PageRequest & Pick<OrderFilter, 'clientId'>,
  ) => Promise<{ readonly items: readonly Order[]; readonly next: string }>;
  /** The cursor after the latest change. */
  readonly endOfFeed: () => Promise<string>;

  /** The clients that anything is stored of, sorted. */
  readonly clientIds: () => Promise<readonly string[]>;
  /** Newest first. */
  readonly listNotifications: (filter: NotificationFilter, page: PageRequest) => Promise<Page<NotificationSummary>>;
  readonly findNotification: (key: NotificationKey) => Promise<StoredNotification | null>;
  /** Oldest first, with bytes: what reads all of them. */
  readonly readNotifications: (filter: NotificationFilter, page: PageRequest) => Promise<Page<StoredNotification>>;
  /** Whether notifications wait to be applied again; asked often, and nearly always none. */
  readonly hasFailed: () => Promise<boolean>;

  /** Refunds, those whose notification arrived last first; `joined` null takes all. */
  readonly listRefunds: (filter: { readonly joined: boolean | null }, page: PageRequest) => Promise<Page<ListedRefund>>;
  /** `clientId` null looks at all clients. */
  readonly find: (clientId: string | null, id: string) => Promise<Found>;
  /**
   * All that is stored about an order, with what the order said from then on, and why it says what it says now. Null
   * where there is none.
   */
  readonly timeline: (ids: OrderIds) => Promise<Timeline | null>;
  /** Unverified requests whose bytes hold one of these texts literally, the newest; reads all of them. */
  readonly findInUnverified: (texts: readonly string[], limit: number) => Promise<readonly UnverifiedSummary[]>;

  /** By reason, the most first. */
  readonly countUnverified: () => Promise<readonly UnverifiedCount[]>;
  /** Newest first. */
  readonly listUnverified: (reason: UnverifiedReason | null, page: PageRequest) => Promise<Page<UnverifiedSummary>>;
  readonly findUnverified: (id: string) => Promise<StoredUnverified | null>;
  /** Oldest first, with bytes. */
  readonly readUnverified: (page: PageRequest) => Promise<Page<StoredUnverified>>;
  /** The same, of those that failed under other keys or paths than these (`trustDigest`). */
  readonly readOutdated: (trust: string, page: PageRequest) => Promise<Page<StoredUnverified>>;

  /** Those that stand and those that were replaced, in the order of their identifiers. */
  readonly readShopStatements: (page: PageRequest) => Promise<Page<ShopStatement>>;
  /** Compares rows with their own checks and with what they are derived from; changes nothing. */
  readonly check: (what: Checked, page: PageRequest) => Promise<Page<CheckedRow>>;
  readonly count: (what: Copied) => Promise<number>;
  /** A remembered setting (`SETTING`). */
  readonly recall: (name: string) => Promise<string | null>;
}

export interface StoreWrites {
  /** Stores and applies a batch in one transaction. */
  readonly record: (batch: readonly Delivery[], bounds: UnverifiedBounds) => Promise<BatchResult>;
  /** Resolves while the store can write. */
  readonly ping: () => Promise<void>;
  readonly register: (
    registration: Registration,
    options: { readonly replace: boolean; readonly now: Date },
  ) => Promise<RegisterResult>;
  readonly amend: (amendment: Amendment, now: Date) => Promise<AmendResult>;
  readonly registerRefund: (
    registration: RefundRegistration,
    options: { readonly replace: boolean; readonly now: Date },
  ) => Promise<RegisterRefundResult>;
  readonly review: (request: ReviewRequest, now: Date) => Promise<ReviewResult>;
  /** Takes a review back. */
  readonly withdrawReview: (name: OrderName, now: Date) => Promise<WithdrawResult>;
  /** Derives at most `limit` orders that the clock changes by now; returns how many, 0 when none is due. */
  readonly sweep: (now: Date, limit: number) => Promise<number>;
  /** Applies stored notifications again; null for one that another replica holds or has changed since it was read. */
  readonly reapply: (reapplications: readonly Reapplication[], now: Date) => Promise<readonly (Outcome | null)[]>;

  /** Moves requests that verify by now; returns how many this call moved. */
  readonly promote: (promotions: readonly Promotion[], now: Date) => Promise<number>;
  /** Notes what came of verifying requests again. */
  readonly amendUnverified: (failures: readonly FailedAgain[]) => Promise<void>;
  /** Removes the unverified of one reason, or all, in short transactions; returns how many. */
  readonly purgeUnverified: (reason: UnverifiedReason | null) => Promise<number>;

  /**
   * Removes what came over the wire of some notifications that were received before, oldest first; what was read from
   * them, orders, counts and the knowledge that they were seen stay. A FAILED one keeps its bytes: they are all there
   * is to apply. `limit` is about as many as one short transaction does; returns how many have lost their bytes, 0 when
   * there is nothing left to remove.
   */
  readonly removeRaw: (before: Date, limit: number) => Promise<number>;
  /** Removes at most `limit` unverified requests that were last received before; returns how many. */
  readonly removeUnverified: (before: Date, limit: number) => Promise<number>;

  /** Derives the next `limit` orders again from what is stored. */
  readonly rebuild: (page: PageRequest, now: Date) => Promise<RebuildStep>;
  readonly remember: (name: string, value: string) => Promise<void>;

  /**
   * Takes in rows of another store, in one transaction, and derives their orders; returns how many were not there.
   * What is there never goes back: counts and times keep their extremes, and the shop's younger statement stands.
   */
  readonly importNotifications: (rows: readonly StoredNotification[], now: Date) => Promise<number>;
  readonly importShopStatements: (rows: readonly ShopStatement[], now: Date) => Promise<number>;
  readonly importUnverified: (rows: readonly StoredUnverified[]) => Promise<number>;
}
