import { createHash, hash } from 'node:crypto';
import type { SignedRequest } from '../antom/signature.ts';
import { NO_SIBLINGS, type OrderEvidence } from '../order/evidence.ts';
import type { Identifier } from '../order/identifier.ts';
import type { Kind, Outcome, RawNotification, Reading } from '../order/reading.ts';
import type { Registration } from '../order/registration.ts';
import { type CaptureStatement, linksOf, type Sourced, type Statement } from '../order/statement.ts';
import { type Link, type OrderKey, paymentIdOf } from './order-key.ts';
import type { NotificationDelivery, UnverifiedDelivery, VerificationFailure } from './store.ts';

/** One identifier of a notification, `paymentId` excepted: that is a column of its own. */
export interface IdentifierRow {
  readonly name: string;
  readonly value: string;
  /** It joins the payment with what else names it (`linksOf`). */
  readonly joins: boolean;
}

/** A notification before it is stored, as plain values that pass between threads. Times are epoch milliseconds. */
export interface NotificationEntry {
  readonly clientId: string;
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
  /** SHA-256 of the body. */
  readonly digest: Buffer;
  /** What tells notifications apart: digest and client. */
  readonly id: string;
}

/** The columns that a reading fills. */
export type ReadingColumns = Pick<
  NotificationEntry,
  'kind' | 'outcome' | 'problem' | 'paymentId' | 'identifiers' | 'statements'
>;

export const toReadingColumns = ({ kind, outcome, problem, identifiers, statements }: Reading): ReadingColumns => {
  const links = outcome === 'APPLIED' ? statements.flatMap(linksOf) : [];
  return {
    kind,
    outcome,
    problem,
    paymentId: identifiers.find(({ name }) => name === 'paymentId')?.value ?? '',
    identifiers: toIdentifierRows(identifiers, links),
    statements: statements.length === 0 ? null : JSON.stringify(statements),
  };
};

/** All that it states, and all that joins it: a link may stand deeper in the body. */
const toIdentifierRows = (
  identifiers: readonly Identifier[],
  links: readonly Identifier[],
): readonly IdentifierRow[] => {
  const stated = identifiers.filter(({ name }) => name !== 'paymentId');
  const deeper = links.filter((link) => !isIn(identifiers, link));
  return [...stated, ...deeper].map((one) => ({ name: one.name, value: one.value, joins: isIn(links, one) }));
};

/** What is kept of a notification that the database itself refuses to apply. */
export const inapplicable = (reading: Reading): Reading => ({
  ...reading,
  outcome: 'FAILED',
  problem: 'The database rejected what was read from it, a fault of paynotify.',
  identifiers: reading.identifiers.filter(({ name }) => name === 'paymentId'),
  statements: [],
});

export const toEntry = ({ read, receivedAt }: Pick<NotificationDelivery, 'read' | 'receivedAt'>): WithBytes => ({
  clientId: read.clientId,
  ...toReadingColumns(read.reading),
  raw: read.raw,
  deliveries: 1,
  firstReceivedAt: receivedAt.getTime(),
  lastReceivedAt: receivedAt.getTime(),
});

export const notificationId = (clientId: string, digest: string): string => `${digest} ${clientId}`;

/** By way of its hexadecimal digits: Node makes those, and a buffer of them, in half the time of a buffer alone. */
export const withDigest = (entry: WithBytes): NotificationRow => {
  const digest = hash('sha256', entry.raw.body, 'hex');
  return { ...entry, digest: Buffer.from(digest, 'hex'), id: notificationId(entry.clientId, digest) };
};

/** A notification names these links, by its statements. */
export const linksIn = ({
  clientId,
  identifiers,
}: Pick<NotificationEntry, 'clientId' | 'identifiers'>): readonly Link[] =>
  identifiers.flatMap(({ name, value, joins }) => (joins ? [{ clientId, name, value } as Link] : []));

/** Of which notifications an order consists: those of a handled kind. */
export const OF_ORDERS = "outcome <> 'UNHANDLED' and kind <> 'UNKNOWN'";

/** The order of a notification; none where it names no payment, or its kind is not handled. */
export const orderOf = (
  entry: Pick<NotificationEntry, 'clientId' | 'kind' | 'paymentId' | 'outcome'>,
): readonly OrderKey[] => {
  const { clientId, kind, paymentId, outcome } = entry;
  return paymentId === '' || outcome === 'UNHANDLED' || kind === 'UNKNOWN' ? [] : [{ clientId, orderKey: paymentId }];
};

/** One stored notification, as far as its order is concerned. */
export interface EvidenceRow {
  readonly position: string;
  /** SHA-256 of the body, lower-case hex. */
  readonly digest: string;
  readonly outcome: Outcome;
  readonly problem: string | null;
  /** JSON */
  readonly statements: string | null;
  readonly firstReceivedAt: number;
}

export interface RegistrationRow {
  readonly registration: Registration;
  readonly createdAt: number;
}

/** The captures of an order that are not read one by one (fold.ts). */
export interface Fold {
  /** By the rules of which it was made: another one is made again from all that is stored. */
  readonly derivation: number;
  /** How many captures. */
  readonly count: number;
  /** One for all that are alike. */
  readonly statements: readonly Sourced<CaptureStatement>[];
  /** Sum of the digests of the captures as the order shows them, hexadecimal. */
  readonly shown: string;
  /** Positions of the order's notifications that are not folded. */
  readonly loose: readonly string[];
}

/** All that is stored about one order. */
export interface StoredOrder extends OrderKey {
  readonly evidence: OrderEvidence;
  /** The notifications that were read. */
  readonly notifications: readonly EvidenceRow[];
  /** What of its captures was not read, being folded; null where all was read. */
  readonly before: Fold | null;
  /** Something makes it an order: a notification of a handled kind, or a registration that no payment names. */
  readonly exists: boolean;
  /** The earliest first receipt, and creation of a registration. */
  readonly createdAt: number;
  /** Of the row in `orders`; null while there is none. */
  readonly row: { readonly updatedAt: number; readonly position: string; readonly fold: string | null } | null;
}

/** What a database reads about one order. */
export interface GatheredOrder extends OrderKey {
  /** `OF_ORDERS` */
  readonly notifications: readonly EvidenceRow[];
  /** `statementsOf` these notifications. */
  readonly statements: readonly Sourced<Statement>[];
  readonly registrations: readonly RegistrationRow[];
  /** Another payment names a link of this one. For a registration: a payment names it. */
  readonly isShared: boolean;
  readonly row: StoredOrder['row'];
}

/** What the applied ones among these notifications state. */
export const statementsOf = (notifications: readonly EvidenceRow[]): readonly Sourced<Statement>[] =>
  notifications.flatMap(({ outcome, statements, digest }) => {
    if (outcome !== 'APPLIED' || statements === null) return [];
    // Written by toReadingColumns; completed in place, for it was parsed just now.
    const parsed = JSON.parse(statements) as readonly Statement[];
    return parsed.map((statement, place) => Object.assign(statement, { digest, place }));
  });

/** What both databases make of the rows of one order. */
export const toStoredOrder = (gathered: GatheredOrder): StoredOrder => {
  const { clientId, orderKey, statements, registrations, isShared, row } = gathered;
  const paymentId = paymentIdOf(orderKey);
  const { notifications } = gathered;
  const unreadable = notifications.filter(({ outcome }) => outcome !== 'APPLIED');
  return {
    clientId,
    orderKey,
    evidence: {
      clientId,
      paymentId,
      statements,
      registrations: registrations.map(({ registration, createdAt }) => ({ ...registration, createdAt })),
      problems: unreadable.map(({ problem }) => problem ?? 'A fault of paynotify kept it from being applied.'),
      sharedIdentities: paymentId !== null && isShared ? ['an identifier of this payment names another one too'] : [],
      siblings: NO_SIBLINGS,
      newestAt: Math.max(
        ...(notifications.length > 0
          ? notifications.map(({ firstReceivedAt }) => firstReceivedAt)
          : registrations.map((one) => one.createdAt)),
      ),
      review: null,
    },
    notifications,
    before: null,
    exists: paymentId === null ? registrations.length > 0 && !isShared : notifications.length > 0,
    createdAt: earliest([
      ...notifications.map(({ firstReceivedAt }) => firstReceivedAt),
      ...registrations.map((one) => one.createdAt),
    ]),
    row,
  };
};

/** The epoch where there is none: a row that nothing stands for, until a rebuild removes it. */
const earliest = (times: readonly number[]): number => (times.length === 0 ? 0 : Math.min(...times));

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
export const isoTime = (milliseconds: number | string): string => new Date(Number(milliseconds)).toISOString();

const isIn = (list: readonly Identifier[], { name, value }: Identifier): boolean =>
  list.some((one) => one.name === name && one.value === value);
