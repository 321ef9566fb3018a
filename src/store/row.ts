import { createHash, hash } from 'node:crypto';
import type { SignedRequest } from '../antom/signature.ts';
import { textOfAsked } from '../order/asked.ts';
import type { Identifier } from '../order/identifier.ts';
import { type Kind, type Outcome, type RawNotification, type Reading, REFUND_KINDS } from '../order/reading.ts';
import { linksOf } from '../order/statement.ts';
import type { OrderKey } from './order-key.ts';
import type { InquiryDelivery, NotificationDelivery, UnverifiedDelivery, VerificationFailure } from './store.ts';

/**
 * How an identifier joins its notification with what else names it: 1 as what it states (`linksOf`), 2 as one that
 * could not be read, whose identifiers contradict nothing; 0 not at all.
 */
export type Joins = 0 | 1 | 2;

/** One identifier of a notification, `paymentId` excepted: that is a column of its own. */
export interface IdentifierRow {
  readonly name: string;
  readonly value: string;
  readonly joins: Joins;
}

/**
 * A notification, or an answer, before it is stored, as plain values that pass between threads. Times are epoch
 * milliseconds.
 */
export interface NotificationEntry {
  readonly clientId: string;
  /** What was asked (`textOfAsked`); null for a notification. It says what the bytes are, whatever they hold. */
  readonly asked: string | null;
  readonly kind: Kind;
  readonly outcome: Outcome;
  readonly problem: string | null;
  /**
   * Empty where it names none legibly. Read the same from the same bytes, whatever the kind: a resend is found by it.
   */
  readonly paymentId: string;
  readonly identifiers: readonly IdentifierRow[];
  /** JSON: the statements; null where there are none. */
  readonly statements: string | null;
  /** Null once retention has removed it. */
  readonly raw: RawNotification | null;
  readonly deliveries: number;
  readonly firstReceivedAt: number;
  readonly lastReceivedAt: number;
}

export type WithBytes = NotificationEntry & { readonly raw: RawNotification };

export interface NotificationRow extends NotificationEntry {
  /** See `digestOf`. */
  readonly digest: Buffer;
  /** What tells notifications apart: digest and client. */
  readonly id: string;
}

/** The columns that a reading fills. */
export type ReadingColumns = Pick<
  NotificationEntry,
  'kind' | 'outcome' | 'problem' | 'paymentId' | 'identifiers' | 'statements'
>;

export const toReadingColumns = (reading: Reading): ReadingColumns => {
  const { kind, outcome, problem, identifiers, statements } = reading;
  return {
    kind,
    outcome,
    problem,
    paymentId: identifiers.find(({ name }) => name === 'paymentId')?.value ?? '',
    identifiers: toIdentifierRows(reading),
    statements: statements.length === 0 ? null : JSON.stringify(statements),
  };
};

/** All that it states, and all that joins it: a link may stand deeper in the body. */
const toIdentifierRows = ({ kind, outcome, identifiers, statements }: Reading): readonly IdentifierRow[] => {
  const links = outcome === 'APPLIED' ? statements.flatMap(linksOf) : [];
  const stated = identifiers.filter(({ name }) => name !== 'paymentId');
  const deeper = links.filter((link) => !isIn(identifiers, link));
  return [...stated, ...deeper].map((one) => ({
    name: one.name,
    value: one.value,
    joins: joinsBy(one, { kind, outcome, links }),
  }));
};

/** How an identifier joins, by what became of its notification and what that states (`links`). */
export const joinsBy = (
  one: Identifier,
  { kind, outcome, links }: Pick<Reading, 'kind' | 'outcome'> & { readonly links: readonly Identifier[] },
): Joins => {
  if (outcome === 'APPLIED') return isIn(links, one) ? 1 : 0;
  return outcome !== 'UNHANDLED' && leads(kind, one.name) ? 2 : 0;
};

/** An unreadable notification is of a payment by its `paymentRequestId`, and of a refund as a readable one would be. */
export const leads = (kind: Kind, name: string): boolean =>
  kind !== 'UNKNOWN' && (name === 'paymentRequestId' || (isOfRefunds(kind) && isRefundName(name)));

const isOfRefunds = (kind: Kind): boolean => kind === 'INQUIRY' || REFUND_KINDS.some((one) => one === kind);

export const isRefundName = (name: string): boolean => name === 'refundId' || name === 'refundRequestId';

/** Selects what says anything about a refund; word for word that of the index. */
export const OF_REFUNDS = `(
  kind in ('${REFUND_KINDS.join("', '")}') or kind = 'INQUIRY' and statements like '%{"about":"refund"%'
)`;

/** What is kept of a notification that the database itself refuses to apply. */
const inapplicable = (reading: Reading): Reading => ({
  ...reading,
  outcome: 'FAILED',
  problem: 'The database rejected what was read from it, a fault of paynotify.',
  identifiers: reading.identifiers.filter(({ name }) => name === 'paymentId'),
  statements: [],
});

export const toEntry = ({
  read,
  receivedAt,
  inapplicable: isRefused,
}: Omit<NotificationDelivery, 'kind'> | InquiryDelivery): WithBytes => ({
  clientId: read.clientId,
  asked: 'asked' in read ? textOfAsked(read.asked) : null,
  ...toReadingColumns(isRefused === true ? inapplicable(read.reading) : read.reading),
  raw: read.raw,
  deliveries: 1,
  firstReceivedAt: receivedAt.getTime(),
  lastReceivedAt: receivedAt.getTime(),
});

export const notificationId = (clientId: string, digest: string): string => `${digest} ${clientId}`;

/**
 * What tells notifications and answers of one client apart, lower-case hex: of a notification the SHA-256 of its body.
 * Asked twice and answered the same, there is one answer; but the same bytes in answer to another question ("no such
 * payment") are another one. An answer has another hash, so that it is never taken for a notification of the same
 * bytes. By way of hexadecimal digits: Node makes those, and a buffer of them, in half the time of a buffer alone.
 */
export const digestOf = ({ asked }: Pick<NotificationEntry, 'asked'>, body: Uint8Array): string =>
  asked === null
    ? hash('sha256', body, 'hex')
    : createHash('sha512-256').update(asked).update('\0').update(body).digest('hex');

export const withDigest = (entry: WithBytes): NotificationRow => {
  const digest = digestOf(entry, entry.raw.body);
  return { ...entry, digest: Buffer.from(digest, 'hex'), id: notificationId(entry.clientId, digest) };
};

/** Of which notifications an order consists: those of a handled kind. */
export const OF_ORDERS = "outcome <> 'UNHANDLED' and kind <> 'UNKNOWN'";

/** The order of a notification; none where it names no payment, or its kind is not handled. */
export const orderOf = (
  entry: Pick<NotificationEntry, 'clientId' | 'kind' | 'paymentId' | 'outcome'>,
): readonly OrderKey[] => {
  const { clientId, kind, paymentId, outcome } = entry;
  return paymentId === '' || outcome === 'UNHANDLED' || kind === 'UNKNOWN' ? [] : [{ clientId, orderKey: paymentId }];
};

/** A request that failed verification, as plain values that pass between threads. */
export interface UnverifiedEntry extends VerificationFailure {
  readonly method: string;
  readonly target: string;
  /** JSON: every occurrence of the three signed headers. */
  readonly headers: string;
  readonly body: Uint8Array;
  readonly receivedAt: number;
}

/** An unverified request as it stands in the table. Times are epoch milliseconds. */
export interface UnverifiedRow extends Omit<UnverifiedEntry, 'receivedAt'> {
  /** SHA-256 over the request (`requestDigest`), lower-case hex. */
  readonly id: string;
  readonly deliveries: number;
  readonly bytes: number;
  readonly firstReceivedAt: number;
  readonly lastReceivedAt: number;
}

export const toUnverifiedEntry = ({ request, failure, receivedAt }: UnverifiedDelivery): UnverifiedEntry => {
  const { method, target, clientIds, requestTimes, signatures, body } = request;
  const headers = JSON.stringify({ clientIds, requestTimes, signatures });
  return { ...failure, method, target, headers, body, receivedAt: receivedAt.getTime() };
};

/** The inverse of `toUnverifiedEntry`: the request as it came. */
export const toRequest = (stored: Pick<UnverifiedEntry, 'method' | 'target' | 'headers' | 'body'>): SignedRequest => ({
  method: stored.method,
  target: stored.target,
  ...(JSON.parse(stored.headers) as Pick<SignedRequest, 'clientIds' | 'requestTimes' | 'signatures'>),
  body: stored.body,
});

/** What tells unverified requests apart: method, target, headers and body, all of them. */
export const requestDigest = ({
  method,
  target,
  headers,
  body,
}: Pick<UnverifiedEntry, 'method' | 'target' | 'headers' | 'body'>): string =>
  createHash('sha256')
    .update(JSON.stringify([method, target, headers]))
    .update('\0')
    .update(body)
    .digest('hex');

export const hexOf = (digest: Uint8Array): string =>
  Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('hex');
export const bytesOf = (hexadecimal: string): Buffer => Buffer.from(hexadecimal, 'hex');

const isIn = (list: readonly Identifier[], { name, value }: Identifier): boolean =>
  list.some((one) => one.name === name && one.value === value);

/** For `position in (…)`, with the positions as the first values of the statement. */
export const placesOf = (positions: readonly string[]): string =>
  positions.map((_, index) => `cast($${index + 1} as bigint)`).join(', ');
