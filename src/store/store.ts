import type { UnverifiedReason } from '../antom/signature.ts';
import type { Order } from '../order/order.ts';
import type { Outcome, ReadNotification, Reading } from '../order/reading.ts';
import type { Registration } from '../order/registration.ts';
import type { Checked, CheckedRow } from './checked.ts';
import type { StoreCallbackReads, StoreCallbackWrites } from './callback.ts';
import type { StoreInquiryReads, StoreInquiryWrites } from './inquiry.ts';
import type { BatchResult, Delivery, InquiryDelivery, NotificationKey, RecordedInquiry } from './delivery.ts';
import type {
  FeedEnds,
  FeedPage,
  FollowedNotifications,
  Found,
  NotificationFilter,
  NotificationSummary,
  OrderFilter,
  Page,
  PageRequest,
  StoredNotification,
} from './lists.ts';
import type { Measures } from './measures.ts';
import type { StoreMoveReads, StoreMoveWrites } from './move.ts';
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

import type { StoreStatus } from './store-status.ts';
import type { OrderIds, Timeline } from './timeline-shown.ts';
import type {
  FailedAgain,
  MadeDiagnosis,
  PurgeBounds,
  StoredUnverified,
  UnverifiedBounds,
  UnverifiedCount,
  UnverifiedMeasure,
  UnverifiedSummary,
} from './verification-failure.ts';

export * from './callback.ts';
export { type AllHeldBack, type HeldBack, recallHeldBack, rememberHeldBack } from './held-back.ts';
export type * from './inquiry.ts';
export * from './lists.ts';
export type * from './move.ts';
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
  InquiryDelivery,
  NoRoom,
  NotificationDelivery,
  NotificationKey,
  Recorded,
  RecordedInquiry,
  RecordedNotification,
  RecordedReading,
  RecordedUnverified,
  UnverifiedDelivery,
} from './delivery.ts';

export type { Counts, Measures } from './measures.ts';

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

export type { HeldUp, StoreStatus } from './store-status.ts';

export type {
  FailedAgain,
  MadeDiagnosis,
  PurgeBounds,
  StoredUnverified,
  UnverifiedBounds,
  UnverifiedCount,
  UnverifiedMeasure,
  UnverifiedRoom,
  UnverifiedSummary,
  VerificationFailure,
} from './verification-failure.ts';

export { LONGEST_TIMELINE, type OrderIds, type Timeline } from './timeline-shown.ts';
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

/**
 * What a copy brings over; orders are derived where it arrives. Moves come before them, so that who captures by itself
 * finds what was captured already.
 */
export const COPIED = ['moves', 'notifications', 'shop_statements', 'unverified'] as const;
export type Copied = (typeof COPIED)[number];

export interface RebuildStep {
  readonly orders: number;
  readonly changed: number;
  /** Where to go on; null when all are done. */
  readonly next: string | null;
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

export interface OpenedStore extends Store {
  /** The same for one's own work: SQLite reads for it in the thread that writes, and starts no other. */
  readonly own: Store;
}

export interface StoreReads extends StoreCallbackReads, StoreInquiryReads, StoreMoveReads {
  /** As of this very moment; several where payments share a `paymentRequestId`. */
  readonly findOrders: (name: OrderName) => Promise<readonly Order[]>;
  /** Newest change first, each as of its last commit or sweep. */
  readonly listOrders: (filter: OrderFilter, page: PageRequest) => Promise<Page<Order>>;
  /**
   * Each order once, at the place of its latest change, oldest change first. `cursor` null is the beginning. Throws an
   * OutdatedCursorError where the database has gone back since the cursor was given out.
   */
  readonly followOrders: (page: PageRequest & Pick<OrderFilter, 'clientId'>) => Promise<FeedPage<Order>>;
  /** The cursor after the latest change. */
  readonly endOfFeed: () => Promise<string>;
  /** The same of both feeds, in one look. */
  readonly feedEnds: () => Promise<FeedEnds>;

  /** The clients that anything is stored of, sorted. */
  readonly clientIds: () => Promise<readonly string[]>;
  /** Newest first. */
  readonly listNotifications: (filter: NotificationFilter, page: PageRequest) => Promise<Page<NotificationSummary>>;
  /**
   * Each notification once, as it is now, in the order in which they were stored. Cursors are as for orders.
   */
  readonly followNotifications: (page: PageRequest & FollowedNotifications) => Promise<FeedPage<NotificationSummary>>;
  readonly findNotification: (key: NotificationKey) => Promise<StoredNotification | null>;
  /** Oldest first, with bytes: what reads all of them. */
  readonly readNotifications: (filter: NotificationFilter, page: PageRequest) => Promise<Page<StoredNotification>>;
  /** Whether notifications wait to be applied again; asked often, and nearly always none. */
  readonly hasFailed: () => Promise<boolean>;
  /** The latest time as of which an order that changed lately stands, where that is still to come; else null. */
  readonly aheadUntil: (now: Date) => Promise<string | null>;

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

  /** By reason and diagnosis, the most first. */
  readonly countUnverified: () => Promise<readonly UnverifiedCount[]>;
  /** Newest first. */
  readonly listUnverified: (reason: UnverifiedReason | null, page: PageRequest) => Promise<Page<UnverifiedSummary>>;
  readonly findUnverified: (id: string) => Promise<StoredUnverified | null>;
  /** Oldest first, with bytes. */
  readonly readUnverified: (page: PageRequest) => Promise<Page<StoredUnverified>>;
  /** The same, of those that failed under other keys or paths than these (`trustDigest`). */
  readonly readOutdated: (trust: string, page: PageRequest) => Promise<Page<StoredUnverified>>;
  /** Those that failed under this trust and have no diagnosis yet, the newest. */
  readonly readUndiagnosed: (trust: string, limit: number) => Promise<readonly StoredUnverified[]>;

  /** Those that stand and those that were replaced, in the order of their identifiers. */
  readonly readShopStatements: (page: PageRequest) => Promise<Page<ShopStatement>>;
  /** Compares rows with their own checks and with what they are derived from; changes nothing. */
  readonly check: (what: Checked, page: PageRequest) => Promise<Page<CheckedRow>>;
  readonly count: (what: Copied) => Promise<number>;
  /** When a verified notification was received last; null while there is none. */
  readonly lastVerifiedAt: () => Promise<string | null>;
  /** Counts for metrics: some ten milliseconds with a million orders. */
  readonly measure: (bounds: UnverifiedBounds) => Promise<Measures>;
  readonly status: () => Promise<StoreStatus>;
  /** What `purgeUnverified` would remove. */
  readonly measureUnverified: (reason: UnverifiedReason | null, bounds?: PurgeBounds) => Promise<UnverifiedMeasure>;
  /** A remembered setting (`SETTING`). */
  readonly recall: (name: string) => Promise<string | null>;
}

export interface StoreWrites extends StoreCallbackWrites, StoreInquiryWrites, StoreMoveWrites {
  /** Stores and applies a batch in one transaction. */
  readonly record: (batch: readonly Delivery[], bounds: UnverifiedBounds) => Promise<BatchResult>;
  /** Stores and applies one answer; the same answer to the same question once more is only counted. */
  readonly recordInquiry: (inquiry: InquiryDelivery) => Promise<RecordedInquiry>;
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
  /** Whether this call kept it: not where somebody else did, or it was verified with other keys or paths since. */
  readonly keepDiagnosis: (made: MadeDiagnosis) => Promise<boolean>;
  /** Removes the unverified of one reason, or all, within the bounds, in short transactions; returns how many. */
  readonly purgeUnverified: (reason: UnverifiedReason | null, bounds?: PurgeBounds) => Promise<number>;

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
  /** Where `before` is given, only in its place. */
  readonly remember: (name: string, value: string, before?: string) => Promise<void>;

  /**
   * Takes in rows of another store, in one transaction, and derives their orders; returns how many were not there.
   * What is there never goes back: counts and times keep their extremes, and the shop's younger statement stands. With
   * `merge`, and where a service has started, no reading takes the place of one that is APPLIED.
   */
  readonly importNotifications: (
    rows: readonly StoredNotification[],
    options: { readonly merge: boolean; readonly now: Date },
  ) => Promise<number>;
  readonly importShopStatements: (rows: readonly ShopStatement[], now: Date) => Promise<number>;
  readonly importUnverified: (rows: readonly StoredUnverified[], merge?: boolean) => Promise<number>;
}
