import { createHash, hash } from 'node:crypto';
import type { Facts, Reading } from '../antom/notification.ts';
import type { SignedRequest, UnverifiedReason } from '../antom/signature.ts';
import type { Handlers } from '../handlers/index.ts';
import { type Links, linksOf } from './projection.ts';
import {
  type Delivery,
  type NotificationDelivery,
  type Outcome,
  paymentNamedBy,
  type Promotion,
  type Reapplication,
} from './store.ts';

/** What a reading puts into columns. */
export interface ReadingColumns extends Links {
  readonly notifyType: string | null;
  readonly paymentId: string | null;
  readonly outcome: Outcome;
  /** JSON */
  readonly facts: string | null;
}

/** A delivery as plain values, as a database takes them. Times are epoch milliseconds. */
export interface NotificationEntry extends ReadingColumns {
  readonly kind: 'notification';
  readonly clientId: string;
  readonly method: string;
  readonly target: string;
  readonly requestTime: string;
  readonly signature: string;
  readonly body: Uint8Array;
  readonly receivedAt: number;
}

export interface UnverifiedEntry {
  readonly kind: 'unverified';
  readonly reason: UnverifiedReason;
  readonly method: string;
  readonly target: string;
  /** JSON: every occurrence of the three signed headers. */
  readonly headers: string;
  readonly body: Uint8Array;
  readonly receivedAt: number;
}

export type Entry = NotificationEntry | UnverifiedEntry;

export interface PromotionEntry {
  readonly id: string;
  readonly entry: NotificationEntry;
}

/** A stored notification as read anew. */
export interface ReapplicationEntry extends ReadingColumns {
  readonly clientId: string;
  readonly id: string;
}

const NO_LINKS: Links = { paymentRequestId: null, captureId: null };

const columnsOfReading = (reading: Reading, handlers: Handlers): ReadingColumns => {
  const { notifyType, outcome } = reading;
  if (outcome !== 'APPLIED') {
    return { notifyType, outcome, paymentId: paymentNamedBy(reading), facts: null, ...NO_LINKS };
  }
  const { facts } = reading;
  return {
    notifyType,
    outcome,
    paymentId: facts.paymentId,
    facts: factsText(facts),
    ...linksOf(notifyType, facts, handlers),
  };
};

/** As stored: the payment has a column of its own, and its id is long. */
const factsText = (facts: Facts): string => JSON.stringify({ ...facts, paymentId: undefined });

/** The facts of a stored notification; the inverse of what was written. What was parsed just now is completed, not copied. */
export const factsOf = (stored: object, paymentId: string): Facts => Object.assign(stored, { paymentId }) as Facts;

export const toEntry = (delivery: Delivery, handlers: Handlers): Entry =>
  delivery.kind === 'notification' ? toNotificationEntry(delivery, handlers) : toUnverifiedEntry(delivery);

export const toPromotionEntry = (
  { id, parsed }: Promotion,
  { handlers, now }: { handlers: Handlers; now: Date },
): PromotionEntry => ({
  id,
  entry: toNotificationEntry({ kind: 'notification', parsed, receivedAt: now }, handlers),
});

export const toReapplicationEntry = (
  { clientId, id, reading }: Reapplication,
  handlers: Handlers,
): ReapplicationEntry => ({
  clientId,
  id,
  ...columnsOfReading(reading, handlers),
});

const toNotificationEntry = (
  { parsed, receivedAt, inapplicable }: NotificationDelivery,
  handlers: Handlers,
): NotificationEntry => {
  const { clientId, method, target, requestTime, signature, body } = parsed.notification;
  const columns = columnsOfReading(parsed.reading, handlers);
  const kept = inapplicable === true ? { ...columns, ...NO_LINKS, outcome: 'FAILED' as const, facts: null } : columns;
  return {
    kind: 'notification',
    clientId,
    method,
    target,
    requestTime,
    signature,
    body,
    receivedAt: receivedAt.getTime(),
    ...kept,
  };
};

const toUnverifiedEntry = ({
  request,
  reason,
  receivedAt,
}: Extract<Delivery, { kind: 'unverified' }>): UnverifiedEntry => {
  const { method, target, clientIds, requestTimes, signatures, body } = request;
  return {
    kind: 'unverified',
    reason,
    method,
    target,
    headers: JSON.stringify({ clientIds, requestTimes, signatures }),
    body,
    receivedAt: receivedAt.getTime(),
  };
};

/** The inverse of `toUnverifiedEntry`: the request as it came. */
export const toSignedRequest = (
  stored: Pick<UnverifiedEntry, 'method' | 'target' | 'headers' | 'body'>,
): SignedRequest => {
  const headers = JSON.parse(stored.headers) as Pick<SignedRequest, 'clientIds' | 'requestTimes' | 'signatures'>;
  return { method: stored.method, target: stored.target, ...headers, body: stored.body };
};

/** By way of its hexadecimal digits: Node makes those, and a buffer of them, in half the time of a buffer alone. */
export const bodyDigest = (body: Uint8Array): Buffer => Buffer.from(hash('sha256', body, 'hex'), 'hex');

/** What tells unverified requests apart: method, target, headers and body, all of them. */
export const requestDigest = ({ method, target, headers, body }: UnverifiedEntry): Buffer =>
  createHash('sha256')
    .update(JSON.stringify([method, target, headers]))
    .update('\0')
    .update(body)
    .digest();

/** What one row costs beyond its texts; an estimate, so that empty requests are not free. */
const ROW_BYTES = 256;
export const requestBytes = ({ target, headers, body }: UnverifiedEntry): number =>
  ROW_BYTES + target.length + headers.length + body.length;

/** The reasons that any stranger can cause without knowing a client id: together they get a quarter of the room. */
export const STRANGERS_REASONS: readonly UnverifiedReason[] = [
  'DUPLICATE_HEADER',
  'MISSING_HEADER',
  'MALFORMED_SIGNATURE',
  'UNSUPPORTED_ALGORITHM',
];
export const STRANGERS_SHARE = 4;
