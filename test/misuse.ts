/**
 * What must not compile. Each `@ts-expect-error` is a promise of the types: once the line below it compiles,
 * `npm run typecheck` fails. Nothing here is ever run.
 */
import { acknowledge } from '../src/antom/acknowledgement.ts';
import {
  type Kinds,
  type ParsedNotification,
  parseNotification,
  type Reading,
  readBody,
} from '../src/antom/notification.ts';
import { type SignedRequest, type Trust, type VerifiedNotification, verify } from '../src/antom/signature.ts';
import type { Inbox } from '../src/inbox.ts';
import type {
  Delivery,
  Recorded,
  RecordedNotification,
  RecordedUnverified,
  Refused,
  Store,
} from '../src/store/store.ts';

declare const request: SignedRequest;
declare const trust: Trust;
declare const kinds: Kinds;
declare const reading: Reading;
declare const verified: VerifiedNotification;
declare const parsed: ParsedNotification;
declare const recorded: Recorded;
declare const refused: Refused;
declare const delivery: Delivery;
declare const store: Store;
declare const inbox: Inbox;

const receivedAt = new Date();
const bounds = { maxBytes: 0, maxNew: 0 };

/** The way it is meant: everything below changes one thing of it. */
export const meant = async (): Promise<string | null> => {
  const verification = verify(request, trust);
  if (!verification.verified) return null;
  const notification: Delivery = {
    kind: 'notification',
    parsed: parseNotification(verification.notification, kinds),
    receivedAt,
  };
  const [result] = (await store.record([notification], bounds)).results;
  return result === undefined || result.kind === 'refused' ? null : acknowledge(result);
};

// --- parsing takes what verified ------------------------------------------------------------------------------

export const parsesARequest = (): ParsedNotification =>
  // @ts-expect-error: a request that nobody verified
  parseNotification(request, kinds);

export const parsesAVerdict = (): ParsedNotification =>
  // @ts-expect-error: the verdict has to be looked at before there is a notification
  parseNotification(verify(request, trust).notification, kinds);

export const parsesARefusal = (): ParsedNotification | null => {
  const verification = verify(request, trust);
  // @ts-expect-error: what failed verification holds no notification
  return verification.verified ? null : parseNotification(verification.notification, kinds);
};

export const parsesABody = (): ParsedNotification =>
  // @ts-expect-error: bare bytes are not verified
  parseNotification(request.body, kinds);

// --- only verify makes a VerifiedNotification -----------------------------------------------------------------

const fields = { clientId: 'c', method: 'POST', target: '/', requestTime: 't', signature: 's', body: request.body };

// @ts-expect-error: it has every field of one, and was never verified
export const byHand: VerifiedNotification = fields;

// @ts-expect-error: the mark cannot be named outside its module
export const marked: VerifiedNotification = { ...fields, verified: true };

// @ts-expect-error: nor does a cast make one of a request
export const cast = request as VerifiedNotification;

// --- only parsing makes a ParsedNotification ------------------------------------------------------------------

// @ts-expect-error: a reading beside a verified notification is not its reading
export const readByHand: ParsedNotification = { notification: verified, reading };

// @ts-expect-error: reading a body is not parsing a notification
export const readOnly: ParsedNotification = readBody(request.body, kinds);

// --- recording takes what was parsed --------------------------------------------------------------------------

// @ts-expect-error: verified, but not parsed
export const recordsVerified = () => store.record([{ kind: 'notification', parsed: verified, receivedAt }], bounds);

// @ts-expect-error: neither verified nor parsed
export const recordsARequest = () => store.record([{ kind: 'notification', parsed: request, receivedAt }], bounds);

// @ts-expect-error: not parsed; the inbox asks for the same
export const submitsVerified = () => inbox.submit({ kind: 'notification', parsed: verified, receivedAt });

// @ts-expect-error: what was not verified is stored only with the reason
export const submitsWithoutReason = () => inbox.submit({ kind: 'unverified', request, receivedAt });

// @ts-expect-error: the reasons are a closed set
export const submitsAnotherReason = () => inbox.submit({ kind: 'unverified', request, reason: 'EXPIRED', receivedAt });

// --- acknowledging takes what is stored -----------------------------------------------------------------------

// @ts-expect-error: there is no acknowledgement of nothing
export const acknowledgesNothing = () => acknowledge();

// @ts-expect-error: parsed, but not stored
export const acknowledgesParsed = () => acknowledge(parsed);

// @ts-expect-error: to be stored, but not stored yet
export const acknowledgesDelivery = () => acknowledge(delivery);

// @ts-expect-error: refused is not stored
export const acknowledgesRefused = () => acknowledge(refused);

// @ts-expect-error: the promise of a store is not yet a COMMIT
export const acknowledgesEarly = () => acknowledge(store.record([delivery], bounds));

// @ts-expect-error: the inbox may answer that it was not stored
export const acknowledgesUnread = async () => acknowledge(await inbox.submit(delivery));

// @ts-expect-error: one result of a batch may be a refusal
export const acknowledgesAnyResult = async () => acknowledge((await store.record([delivery], bounds)).results[0]);

// --- only a store makes a Recorded ----------------------------------------------------------------------------

// @ts-expect-error: it has every field of one, and was never stored
export const storedByHand: RecordedNotification = {
  kind: 'notification',
  outcome: 'APPLIED',
  notifyType: null,
  paymentId: null,
  deliveries: 1,
};

// @ts-expect-error: nor of what was not verified
export const unverifiedByHand: RecordedUnverified = { kind: 'unverified', deliveries: 1 };

// @ts-expect-error: what is stored stays as it is
export const changesDeliveries = () => (recorded.deliveries = 0);
