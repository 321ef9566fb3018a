import { STATUS_CODES } from 'node:http';
import { type Log, problemOf } from '../../log.ts';
import { StoreUnavailableError } from '../../store/store.ts';
import type { Reply } from '../reply.ts';

/** Why a request is refused, and the status that says so: a closed set. */
const STATUS_OF = {
  MALFORMED_REQUEST: 400,
  CLIENT_REQUIRED: 400,
  UNKNOWN_CLIENT: 400,
  TOKEN_REQUIRED: 401,
  READ_ONLY_TOKEN: 403,
  FOREIGN_HOST: 403,
  FOREIGN_ORIGIN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  AMBIGUOUS_ORDER: 409,
  REGISTRATION_CONFLICT: 409,
  REVISION_OUTDATED: 409,
  ORDER_NOT_CAPTURED: 409,
  NOTIFICATION_HELD: 409,
  NOTIFICATION_WITHOUT_BYTES: 409,
  CURSOR_OUTDATED: 410,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_BODY: 415,
  INTERNAL_ERROR: 500,
  STORE_UNAVAILABLE: 503,
} as const;
export type ProblemCode = keyof typeof STATUS_OF;

const RETRY_AFTER_SECONDS = '5';

/** An `application/problem+json` reply (RFC 9457). `detail` is ours: nothing of the request is in it. */
export const problem = (code: ProblemCode, detail: string, members: Readonly<Record<string, unknown>> = {}): Reply => {
  const status = STATUS_OF[code];
  const body = { type: 'about:blank', title: STATUS_CODES[status], status, code, detail, ...members };
  return { status, contentType: 'application/problem+json; charset=utf-8', body: JSON.stringify(body) };
};

export const notFound = (kind: string): Reply => problem('NOT_FOUND', `There is no such ${kind}.`);

export const storeUnavailable = (detail: string): Reply => ({
  ...problem('STORE_UNAVAILABLE', detail),
  headers: { 'Retry-After': RETRY_AFTER_SECONDS },
});

/** The reply to a thrown error. Faults of ours are logged, without the values that they were about. */
export const replyToError = (error: unknown, log: Log): Reply => {
  if (error instanceof StoreUnavailableError) {
    log.warn(problemOf(error), 'the store is unavailable to the admin listener');
    return storeUnavailable(
      'The store cannot be used at this moment. What was to be written may or may not have been.',
    );
  }
  switch (statusOf(error)) {
    case STATUS_OF.BODY_TOO_LARGE:
      return problem('BODY_TOO_LARGE', 'The body is larger than 16 KiB.');
    case STATUS_OF.UNSUPPORTED_BODY:
      return problem('UNSUPPORTED_BODY', 'A Content-Encoding is not understood here.');
    case STATUS_OF.MALFORMED_REQUEST:
      return problem(
        'MALFORMED_REQUEST',
        'The request cannot be read: an escape in its path is malformed, or its body was cut off.',
      );
    default:
      log.error(problemOf(error), 'a request to the admin listener failed');
      return problem('INTERNAL_ERROR', 'A fault of ours; the log says more.');
  }
};

/** Express and its body reader put the status of what is the client's fault on the error. */
const statusOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'status' in error ? error.status : null;
