/**
 * What must not compile. Each `@ts-expect-error` is a promise of the types: once the line below it compiles,
 * `npm run typecheck` fails. Nothing here is ever run.
 */
import { type SignedAnswer, verifyAnswer } from '../src/antom/answer.ts';
import { type SignedRequest, type Trust, type VerifiedNotification, verify } from '../src/antom/signature.ts';
import type { Handler } from '../src/handlers/handler.ts';
import { readInquiry } from '../src/handlers/inquiry.ts';
import { readBody, readNotification } from '../src/handlers/read.ts';
import { ok } from '../src/http/admin/answer.ts';
import { endpoint } from '../src/http/admin/endpoint.ts';
import { notFound } from '../src/http/admin/problem.ts';
import { nothing } from '../src/http/admin/query.ts';
import { amount, text, textOrNull } from '../src/http/admin/shapes/plain.ts';
import { shapeOf } from '../src/http/admin/shapes/shape.ts';
import type { Inbox } from '../src/inbox/inbox.ts';
import type { Place } from '../src/inbox/queue.ts';
import type { AmountText } from '../src/order/amount.ts';
import type { Asked } from '../src/order/asked.ts';
import type { RawNotification, ReadInquiry, Reading, ReadNotification } from '../src/order/reading.ts';
import { acknowledge } from '../src/pay-notify.ts';
import type {
  Delivery,
  Recorded,
  RecordedNotification,
  RecordedUnverified,
  NoRoom,
  Store,
} from '../src/store/store.ts';

declare const request: SignedRequest;
declare const trust: Trust;
declare const reading: Reading;
declare const verified: VerifiedNotification;
declare const raw: RawNotification;
declare const read: ReadNotification;
declare const recorded: Recorded;
declare const noRoom: NoRoom;
declare const delivery: Delivery;
declare const store: Store;
declare const inbox: Inbox;
declare const place: Place;

declare const response: SignedAnswer;
declare const asked: Asked;
declare const inquiry: ReadInquiry;
declare const handler: Handler;

const receivedAt = new Date();
const bounds = { maxBytes: 0 };

/** The way it is meant: everything below changes one thing of it. */
export const meant = async (): Promise<string | null> => {
  const verification = verify(request, trust);
  if (!verification.verified) return null;
  const notification: Delivery = {
    kind: 'notification',
    read: readNotification(verification.notification),
    receivedAt,
  };
  const [result] = (await store.record([notification], bounds)).results;
  return result === undefined || result.kind === 'no room' ? null : acknowledge(result);
};

// --- reading takes what verified ------------------------------------------------------------------------------

export const readsARequest = (): ReadNotification =>
  // @ts-expect-error: a request that nobody verified
  readNotification(request);

export const readsAVerdict = (): ReadNotification =>
  // @ts-expect-error: the verdict has to be looked at before there is a notification
  readNotification(verify(request, trust).notification);

export const readsARefusal = (): ReadNotification | null => {
  const verification = verify(request, trust);
  // @ts-expect-error: what failed verification holds no notification
  return verification.verified ? null : readNotification(verification.notification);
};

export const readsABody = (): ReadNotification =>
  // @ts-expect-error: bare bytes are not verified
  readNotification(request.body);

export const readsTheStored = (): ReadNotification =>
  // @ts-expect-error: what is stored is verified again, or read with readBody
  readNotification(raw);

// --- only verify makes a VerifiedNotification -----------------------------------------------------------------

const fields = { clientId: 'c', method: 'POST', target: '/', requestTime: 't', signature: 's', body: request.body };

// @ts-expect-error: it has every field of one, and was never verified
export const byHand: VerifiedNotification = fields;

// @ts-expect-error: the mark cannot be named outside its module
export const marked: VerifiedNotification = { ...fields, verified: true };

// @ts-expect-error: nor does a cast make one of a request
export const cast = request as VerifiedNotification;

// --- only reading makes a ReadNotification --------------------------------------------------------------------

// @ts-expect-error: a reading beside a verified notification is not what was read from it
export const readByHand: ReadNotification = { clientId: verified.clientId, raw: verified, reading };

// @ts-expect-error: the mark cannot be named outside its module
export const readAndMarked: ReadNotification = { read: true, clientId: verified.clientId, raw: verified, reading };

// @ts-expect-error: reading a body does not say who sent it
export const readOnly: ReadNotification = readBody(request.body);

// @ts-expect-error: what was read stays as it is
export const changesTheReading = () => (read.reading.outcome = 'APPLIED');

// @ts-expect-error: nor does anybody add a statement to it
export const addsAStatement = () => read.reading.statements.push();

// --- what APO answers is no notification, and no notification is an answer -----------------------------------

export const meantOfAnswers = async (): Promise<void> => {
  const answer = verifyAnswer(response, trust.keys);
  if (answer !== null) await store.recordInquiry({ read: readInquiry(answer, asked), receivedAt });
};

// @ts-expect-error: a notification that looks like an answer is not one
export const readsANotificationAsAnAnswer = () => readInquiry(verified, asked);

// @ts-expect-error: nor is a request, whoever sent it
export const readsARequestAsAnAnswer = () => readInquiry(request, asked);

// @ts-expect-error: nor a response that was not verified
export const readsAResponse = () => readInquiry(response, asked);

// @ts-expect-error: what was read as a notification is recorded as one
export const recordsANotificationAsAnAnswer = () => store.recordInquiry({ read, receivedAt });

// @ts-expect-error: what was read as an answer is not acknowledged
export const answerAsNotification: Delivery = { kind: 'notification', read: inquiry, receivedAt };

// @ts-expect-error: the table by which notifications are told apart has no line of this kind
export const inTheTable: Handler = { kind: 'INQUIRY', matches: () => true, read: handler.read };

// --- recording takes what was read --------------------------------------------------------------------------

// @ts-expect-error: verified, but not read
export const recordsVerified = () => store.record([{ kind: 'notification', read: verified, receivedAt }], bounds);

// @ts-expect-error: neither verified nor read
export const recordsARequest = () => store.record([{ kind: 'notification', read: request, receivedAt }], bounds);

// @ts-expect-error: not read; the inbox asks for the same
export const placesVerified = () => place.record({ kind: 'notification', read: verified, receivedAt });

// @ts-expect-error: what was not verified is stored only with the reason
export const placesWithoutReason = () => place.record({ kind: 'unverified', request, receivedAt });

// @ts-expect-error: the reasons are a closed set
export const placesAnotherReason = () => place.record({ kind: 'unverified', request, reason: 'EXPIRED', receivedAt });

// @ts-expect-error: the inbox may have refused the request
export const recordsUnadmitted = async () => (await inbox.admit(0)).record(delivery);

// --- acknowledging takes what is stored -----------------------------------------------------------------------

// @ts-expect-error: there is no acknowledgement of nothing
export const acknowledgesNothing = () => acknowledge();

// @ts-expect-error: read, but not stored
export const acknowledgesParsed = () => acknowledge(read);

// @ts-expect-error: to be stored, but not stored yet
export const acknowledgesDelivery = () => acknowledge(delivery);

// @ts-expect-error: what found no room is not stored
export const acknowledgesRefused = () => acknowledge(noRoom);

// @ts-expect-error: the promise of a store is not yet a COMMIT
export const acknowledgesEarly = () => acknowledge(store.record([delivery], bounds));

// @ts-expect-error: the inbox may say that it was not stored
export const acknowledgesUnread = async () => acknowledge(await place.record(delivery));

// @ts-expect-error: one result of a batch may be a refusal
export const acknowledgesAnyResult = async () => acknowledge((await store.record([delivery], bounds)).results[0]);

// --- only a store makes a Recorded ----------------------------------------------------------------------------

// @ts-expect-error: it has every field of one, and was never stored
export const storedByHand: RecordedNotification = {
  kind: 'notification',
  reading: { kind: 'PAYMENT', outcome: 'APPLIED', problem: null, paymentId: null },
  deliveries: 1,
};

// @ts-expect-error: nor of what was not verified
export const unverifiedByHand: RecordedUnverified = { kind: 'unverified', deliveries: 1 };

// @ts-expect-error: what is stored stays as it is
export const changesDeliveries = () => (recorded.deliveries = 0);

// --- a shape and its type are one -------------------------------------------------------------------------------

const sum: AmountText = { currency: 'JPY', value: '120' };

export const shapedAsMeant = shapeOf<AmountText>('Amount')({ currency: text, value: text });

// @ts-expect-error: a field of the type is not in the shape
export const shapedWithLess = shapeOf<AmountText>('Amount')({ currency: text });

// @ts-expect-error: a field of the shape is not in the type
export const shapedWithMore = shapeOf<AmountText>('Amount')({ currency: text, value: text, scale: text });

// @ts-expect-error: the shape takes more than the type does
export const shapedWider = shapeOf<AmountText>('Amount')({ currency: textOrNull, value: text });

// @ts-expect-error: the type has more than the shape takes
export const shapedNarrower = shapeOf<{ readonly currency: string | null }>('Currency')({ currency: text });

// --- an endpoint answers what it documents ----------------------------------------------------------------------

const documented = {
  method: 'get',
  path: '/api/sum',
  name: 'findSum',
  tag: 'Orders',
  summary: 'A sum',
  description: 'A sum.',
  id: null,
  query: nothing,
  body: null,
  responses: { 200: { means: 'The sum.', body: amount } },
  problems: ['NOT_FOUND'],
} as const;

export const answersAsMeant = endpoint({ ...documented, answer: () => async () => ok(sum) });
export const refusesAsMeant = endpoint({ ...documented, answer: () => async () => notFound('sum') });

// @ts-expect-error: of another shape
export const answersOtherwise = endpoint({ ...documented, answer: () => async () => ok({ currency: 'JPY' }) });

// @ts-expect-error: a problem that it does not document
export const refusesOtherwise = endpoint({ ...documented, problems: [], answer: () => async () => notFound('sum') });

// @ts-expect-error: it documents no response
export const answersUndocumented = endpoint({ ...documented, responses: undefined, answer: () => async () => ok(sum) });

// @ts-expect-error: it documents no query
export const asksUndocumented = endpoint({ ...documented, query: undefined, answer: () => async () => ok(sum) });
