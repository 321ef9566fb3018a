import { failure } from '../antom/acknowledgement.ts';
import type { NotStoredReason } from '../inbox/not-stored.ts';
import type { PayNotifyResult } from '../pay-notify.ts';
import type { Reply } from './reply.ts';

/** Why the public listener does not acknowledge, apart from what the inbox says. */
export type Reason =
  | NotStoredReason
  | 'WRONG_METHOD'
  | 'TOO_MANY_HEADERS'
  | 'AMBIGUOUS_FRAMING'
  | 'ENCODED_BODY'
  | 'BODY_TOO_LARGE'
  | 'TOO_MANY_PIECES'
  | 'TOO_MANY_BODIES'
  | 'UNVERIFIED'
  | 'NOT_FOUND'
  | 'INTERNAL_ERROR';

const failed = (status: number, message: string): Reply => ({ status, body: failure(message) });
const failedAndClosed = (status: number, message: string): Reply => ({
  ...failed(status, message),
  closesConnection: true,
});
const unavailable = (message: string): Reply => ({ ...failed(503, message), headers: { 'Retry-After': '10' } });

/** Reason → reply: the one table of the public listener. No message holds anything of the request. */
export const REPLIES: Readonly<Record<Reason, Reply>> = {
  WRONG_METHOD: {
    status: 405,
    body: JSON.stringify({
      error: 'method not allowed',
      message: 'APO sends its payment notifications to this URL with POST.',
    }),
    headers: { Allow: 'POST' },
  },
  TOO_MANY_HEADERS: failedAndClosed(431, 'too many headers'),
  AMBIGUOUS_FRAMING: failedAndClosed(400, 'the request is ambiguous'),
  ENCODED_BODY: failedAndClosed(415, 'a signed body comes as it is, without Content-Encoding'),
  BODY_TOO_LARGE: failedAndClosed(413, 'the body is too large'),
  TOO_MANY_PIECES: failedAndClosed(400, 'the body comes in too many pieces'),
  TOO_MANY_BODIES: {
    ...unavailable('too many bodies are being received; send it again'),
    closesConnection: true,
  },
  UNVERIFIED: failed(401, 'the signature could not be verified'),
  QUEUE_FULL: unavailable('too many notifications are waiting to be stored; send it again'),
  STORE_UNAVAILABLE: unavailable('the notification could not be stored; send it again'),
  STORE_SLOW: unavailable('the notification could not be stored in time; send it again'),
  UNVERIFIED_TOO_MANY: unavailable('too many requests are not verified just now; send it again'),
  UNVERIFIED_FULL: unavailable('the request is not verified and could not be kept; send it again'),
  NOT_FOUND: { status: 404, body: JSON.stringify({ error: 'not found' }) },
  INTERNAL_ERROR: failed(500, 'the notification could not be stored; send it again'),
};

/** Why a request is neither stored nor acknowledged: a closed set. */
export const NOT_ACKNOWLEDGED = (Object.keys(REPLIES) as Reason[]).filter((reason) => reason !== 'UNVERIFIED');

/** The acknowledgement of what is stored; a failure for what is not, and for the unverified where they are refused. */
export const replyTo = (result: PayNotifyResult, unverifiedReply: 'acknowledge' | 'refuse'): Reply => {
  if (result.kind === 'not stored') return REPLIES[result.because];
  if (result.recorded.kind === 'unverified' && unverifiedReply === 'refuse') return REPLIES.UNVERIFIED;
  return { status: 200, body: result.acknowledgement };
};
