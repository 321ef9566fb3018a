import type { ParsedNotification, Reading } from '../antom/notification.ts';
import type { SignedRequest, UnverifiedReason } from '../antom/signature.ts';
import type { AttentionCode } from '../order/attention.ts';
import type { Order, OrderStatus } from '../order/order.ts';
import type { Registration } from '../order/registration.ts';

/** What became of a stored notification: a closed set. */
export const OUTCOMES = ['APPLIED', 'UNHANDLED', 'MALFORMED', 'FAILED'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A verified notification to store and apply. */
export interface NotificationDelivery {
  readonly kind: 'notification';
  readonly parsed: ParsedNotification;
  readonly receivedAt: Date;
  /** Applying it was refused by the database itself: keep the bytes, and say FAILED. */
  readonly inapplicable?: true;
}

/** A request that failed verification, to store apart. */
export interface UnverifiedDelivery {
  readonly kind: 'unverified';
  readonly request: SignedRequest;
  readonly reason: UnverifiedReason;
  readonly receivedAt: Date;
}

export type Delivery = NotificationDelivery | UnverifiedDelivery;

/** The payment that it names legibly, whether or not it can be applied. */
export const paymentNamedBy = (reading: Reading): string | null => {
  if (reading.outcome === 'APPLIED') return reading.facts.paymentId;
  return reading.outcome === 'MALFORMED' ? reading.paymentId : null;
};

declare const recorded: unique symbol;

/** The proof that a delivery is durable: the COMMIT that holds it has returned. Only a store makes one. */
export type Recorded = RecordedNotification | RecordedUnverified;

export interface RecordedNotification {
  readonly [recorded]: true;
  readonly kind: 'notification';
  readonly outcome: Outcome;
  readonly notifyType: string | null;
  readonly paymentId: string | null;
  readonly deliveries: number;
}

export interface RecordedUnverified {
  readonly [recorded]: true;
  readonly kind: 'unverified';
  readonly deliveries: number;
}

/** Over a bound of the unverified store: not stored, and so not acknowledged. */
export interface Refused {
  readonly kind: 'refused';
}

/** The bounds of the unverified store that a batch has to keep. Repeats of a stored request are always counted. */
export interface UnverifiedBounds {
  /** All of them together, bytes. */
  readonly maxBytes: number;
  /** How many new ones this batch may still add. */
  readonly maxNew: number;
}

export interface BatchResult {
  /** One a delivery, in the order given. */
  readonly results: readonly (Recorded | Refused)[];
  /** New unverified requests that this batch stored. */
  readonly newUnverified: number;
  /** Bytes that the unverified requests take now, where the batch added to them. */
  readonly unverifiedBytes: number | null;
  /** Notifications that FAILED in this batch, also older ones of the same orders. */
  readonly failed: readonly NotificationKey[];
}

/** `id` is the SHA-256 of the body in lower-case hex: one client and one body are one notification. */
export interface NotificationKey {
  readonly clientId: string;
  readonly id: string;
}

export interface NotificationSummary extends NotificationKey {
  readonly notifyType: string | null;
  readonly paymentId: string | null;
  readonly outcome: Outcome;
  readonly deliveries: number;
  readonly firstReceivedAt: string;
  readonly lastReceivedAt: string;
}

/** What came over the wire and was signed, byte for byte: all that is needed to verify it again. */
export interface RawNotification {
  readonly method: string;
  /** The request target with its query, as received. */
  readonly target: string;
  readonly requestTime: string;
  /** The header as received. */
  readonly signature: string;
  readonly body: Uint8Array;
}

export interface StoredNotification extends NotificationSummary {
  /** Null once retention has removed it. */
  readonly raw: RawNotification | null;
}

export interface UnverifiedSummary {
  /** SHA-256 over method, target, headers and body, lower-case hex. */
  readonly id: string;
  readonly reason: UnverifiedReason;
  readonly deliveries: number;
  readonly bytes: number;
  readonly firstReceivedAt: string;
  readonly lastReceivedAt: string;
}

export interface StoredUnverified extends UnverifiedSummary {
  readonly request: SignedRequest;
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

export interface OrderFilter {
  readonly status: OrderStatus | null;
  readonly attention: AttentionCode | null;
}

export interface NotificationFilter {
  readonly notifyType: string | null;
  readonly outcome: Outcome | null;
  readonly paymentId: string | null;
}

export interface StoredRegistration extends Registration {
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type RegisterResult =
  | { readonly kind: 'created' | 'unchanged' | 'replaced'; readonly registration: StoredRegistration }
  | { readonly kind: 'conflict'; readonly registration: StoredRegistration };

/** A stored notification read anew, to be applied again. */
export interface Reapplication extends NotificationKey {
  readonly reading: Reading;
}

/** An unverified request that verifies by now: it moves to the notifications. */
export interface Promotion {
  readonly id: string;
  readonly parsed: ParsedNotification;
}

export interface RebuildStep {
  readonly orders: number;
  readonly changed: number;
  /** Where to go on; null when all are done. */
  readonly next: string | null;
}

export interface Backlog {
  /** Notifications wait to be applied again. */
  readonly failed: boolean;
  /** Requests wait to be verified again. */
  readonly unverified: boolean;
}

export interface Backup {
  readonly bytes: number;
}

/** What bringing the schema forward came to. */
export interface Migrated {
  /** The schema's version now. */
  readonly version: number;
  /** The versions that were applied just now, in order; none where it was up to date. */
  readonly applied: readonly number[];
}

/** An outage of the database: full, locked, unreachable, too slow. What was to be stored may or may not be. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/** The database refused these values, not this moment: trying again as it is will not help. */
export class StoreRejectedError extends Error {
  override readonly name = 'StoreRejectedError';
}

/** A cursor that this store did not give out. */
export class InvalidCursorError extends Error {
  override readonly name = 'InvalidCursorError';
}

/** The store must not be used by this program at all: a newer schema, or unsafe settings. */
export class StoreUnusableError extends Error {
  override readonly name = 'StoreUnusableError';
}

/**
 * The port. Both databases keep the same promises: one call that writes is one transaction, durable when its
 * promise resolves; what throws StoreUnavailableError may or may not have happened.
 */
export interface Store {
  /** How many batches it is worth handing to `record` at the same time. */
  readonly concurrency: number;
  /** Stores and applies a batch in one transaction. */
  readonly record: (batch: readonly Delivery[], bounds: UnverifiedBounds) => Promise<BatchResult>;
  /** Resolves while the store can write. */
  readonly ping: () => Promise<void>;

  readonly findOrders: (clientId: string, id: string) => Promise<readonly Order[]>;
  /** Newest change first. */
  readonly listOrders: (filter: OrderFilter, page: PageRequest) => Promise<Page<Order>>;
  /** Each order once, at the place of its latest change, oldest change first; misses none. `cursor` null is the beginning. */
  readonly followOrders: (page: PageRequest) => Promise<{ readonly items: readonly Order[]; readonly next: string }>;
  readonly register: (
    registration: Registration,
    options: { readonly replace: boolean; readonly now: Date },
  ) => Promise<RegisterResult>;

  /** The clients that anything is stored of, sorted. */
  readonly clientIds: () => Promise<readonly string[]>;
  /** Newest first. */
  readonly listNotifications: (filter: NotificationFilter, page: PageRequest) => Promise<Page<NotificationSummary>>;
  readonly findNotification: (key: NotificationKey) => Promise<StoredNotification | null>;
  /** Oldest first, with bytes: what reads all of them. */
  readonly readNotifications: (filter: NotificationFilter, page: PageRequest) => Promise<Page<StoredNotification>>;
  /** What upkeep has to look after; asked often, and nearly always nothing. */
  readonly backlog: () => Promise<Backlog>;
  /** Applies stored notifications again; one that another replica holds is passed over (null). */
  readonly reapply: (reapplications: readonly Reapplication[], now: Date) => Promise<readonly (Outcome | null)[]>;

  /** Newest first. */
  readonly listUnverified: (reason: UnverifiedReason | null, page: PageRequest) => Promise<Page<UnverifiedSummary>>;
  readonly findUnverified: (id: string) => Promise<StoredUnverified | null>;
  /** Oldest first, with bytes. */
  readonly readUnverified: (page: PageRequest) => Promise<Page<StoredUnverified>>;
  /** Moves requests that verify by now; returns how many this call moved. */
  readonly promote: (promotions: readonly Promotion[], now: Date) => Promise<number>;
  readonly changeReasons: (
    changes: readonly { readonly id: string; readonly reason: UnverifiedReason }[],
  ) => Promise<void>;
  /** Removes the unverified of one reason, in short transactions; returns how many. */
  readonly purgeUnverified: (reason: UnverifiedReason) => Promise<number>;

  /**
   * Removes what came over the wire of some notifications that were received before, oldest first; facts, orders,
   * counts and the knowledge that they were seen stay. A FAILED one keeps its bytes: they are all there is to apply.
   * `limit` is about as many as one short transaction does; returns how many have lost their bytes, 0 when there is
   * nothing left to remove.
   */
  readonly removeRaw: (before: Date, limit: number) => Promise<number>;
  /** Removes at most `limit` unverified requests that were last received before; returns how many. */
  readonly removeUnverified: (before: Date, limit: number) => Promise<number>;

  /** Derives the next `limit` orders anew from the stored facts. */
  readonly rebuild: (page: PageRequest, now: Date) => Promise<RebuildStep>;

  /** A remembered setting, to notice at start that it changed. */
  readonly recall: (name: string) => Promise<string | null>;
  readonly remember: (name: string, value: string) => Promise<void>;
  /** Runs a task on one replica at a time; null where another one has it. */
  readonly exclusively: <T>(task: string, work: () => Promise<T>) => Promise<T | null>;
  readonly backup: (file: string) => Promise<Backup>;
  readonly close: () => Promise<void>;
}
