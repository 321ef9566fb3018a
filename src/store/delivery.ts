import type { SignedRequest } from '../antom/signature.ts';
import type { Kind, Outcome, ReadInquiry, ReadNotification } from '../order/reading.ts';
import type { UnverifiedRoom, VerificationFailure } from './verification-failure.ts';

/**
 * `id` is the SHA-256 of the body in lower-case hex: one client and one body are one notification. Of an answer it is a
 * hash over what was asked, too.
 */
export interface NotificationKey {
  readonly clientId: string;
  readonly id: string;
}

/** A verified notification to store and apply. */
export interface NotificationDelivery {
  readonly kind: 'notification';
  readonly read: ReadNotification;
  readonly receivedAt: Date;
  /** The database itself rejected what was read from it: keep the bytes, and say FAILED. */
  readonly inapplicable?: true;
}

/** A verified answer of APO to store and apply; what was asked is in `read`. */
export interface InquiryDelivery {
  readonly read: ReadInquiry;
  readonly receivedAt: Date;
  /** As of a notification: after a StoreRejectedError. */
  readonly inapplicable?: true;
}

/** An answer that is stored. */
export interface RecordedInquiry extends NotificationKey {
  readonly reading: RecordedReading;
  /** How often APO has answered so. */
  readonly deliveries: number;
  /** Notifications and answers that FAILED with it. */
  readonly failed: readonly NotificationKey[];
}

/** A request that failed verification, to store apart. */
export interface UnverifiedDelivery {
  readonly kind: 'unverified';
  readonly request: SignedRequest;
  readonly failure: VerificationFailure;
  readonly receivedAt: Date;
}

export type Delivery = NotificationDelivery | UnverifiedDelivery;

declare const recorded: unique symbol;

/** The proof that a delivery is durable: the COMMIT that holds it has returned. Only a store makes one. */
export type Recorded = RecordedNotification | RecordedUnverified;

export interface RecordedNotification {
  readonly [recorded]: true;
  readonly kind: 'notification';
  readonly reading: RecordedReading;
  readonly deliveries: number;
}

/** Of a resend, `outcome` is as stored; the rest is as it was read now. */
export interface RecordedReading {
  readonly kind: Kind;
  readonly outcome: Outcome;
  readonly problem: string | null;
  readonly paymentId: string | null;
}

export interface RecordedUnverified {
  readonly [recorded]: true;
  readonly kind: 'unverified';
  readonly deliveries: number;
}

/** The unverified store has no room for it: not stored, and so not acknowledged. */
export interface NoRoom {
  readonly kind: 'no room';
}

export interface BatchResult {
  /** One a delivery, in the order given. */
  readonly results: readonly (Recorded | NoRoom)[];
  /** How full the unverified store is now: all of it and each share; empty where the batch asked for no room. */
  readonly unverifiedRoom: readonly UnverifiedRoom[];
  /** Notifications that FAILED in this batch, also older ones of the same orders. */
  readonly failed: readonly NotificationKey[];
}
