import type { Asked } from './asked.ts';
import type { Identifier } from './identifier.ts';
import type { Statement } from './statement.ts';

/** Every kind of notification (spec: wire, §1), in the order in which they are told apart. */
export const NOTIFICATION_KINDS = [
  'DISPUTE',
  'DEFENSE_DOCUMENT',
  'AUTHORIZATION',
  'SUBSCRIPTION',
  'SUBSCRIPTION_PAYMENT',
  'BILLING_SUBSCRIPTION',
  'INVOICE',
  'CREDIT_NOTE',
  'METER',
  'VAULTING',
  'CARD_BILL',
  'CARD_STATUS',
  'TRANSFER',
  'DIRECT_PAYMENT',
  'DIRECT_REFUND',
  'PAYMENT',
  'PAYMENT_PENDING',
  'UPDATE_AMOUNT',
  'OFFLINE_CODE',
  'CAPTURE',
  'REFUND',
  'UNKNOWN',
] as const;
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

/** Those of them that may state refunds: they join orders by the names of refunds, also where they cannot be read. */
export const REFUND_KINDS = ['DIRECT_REFUND', 'REFUND'] as const satisfies readonly NotificationKind[];

/** The kinds of all that is stored and read. INQUIRY is an answer to what we asked: no notification is of that kind. */
export const KINDS = [...NOTIFICATION_KINDS, 'INQUIRY'] as const;
export type Kind = (typeof KINDS)[number];

/** What became of a stored notification: a closed set. */
export const OUTCOMES = ['APPLIED', 'UNHANDLED', 'MALFORMED', 'FAILED'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What was read from the bytes of a notification or an answer, once: it is stored beside them and outlives them. */
export interface Reading {
  readonly kind: Kind;
  readonly outcome: Outcome;
  /** MALFORMED, FAILED: which field is wrong and how, in one sentence without any value of the notification. */
  readonly problem: string | null;
  /** Every identifier that it legibly states, whatever its outcome. */
  readonly identifiers: readonly Identifier[];
  /** What it says about its payment; empty unless APPLIED. */
  readonly statements: readonly Statement[];
}

/**
 * What came over the wire and was signed, byte for byte: all that is needed to verify it again. An answer has the
 * method and the path of the request that it answers.
 */
export interface RawNotification {
  readonly method: string;
  /** The request target with its query, as received. */
  readonly target: string;
  /** The header `request-time`; of an answer `response-time`. */
  readonly requestTime: string;
  /** The header as received. */
  readonly signature: string;
  readonly body: Uint8Array;
}

declare const read: unique symbol;

/** A verified notification and what was read from it. Only `readNotification` makes one, and only of a verified one. */
export interface ReadNotification {
  readonly [read]: true;
  readonly clientId: string;
  readonly raw: RawNotification;
  readonly reading: Reading;
}

declare const readAnswer: unique symbol;

/** A verified answer, what was asked, and what was read from it. Only `readInquiry` makes one, of a verified one. */
export interface ReadInquiry {
  readonly [readAnswer]: true;
  readonly clientId: string;
  readonly asked: Asked;
  readonly raw: RawNotification;
  readonly reading: Reading;
}
