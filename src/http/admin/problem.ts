import { type Log, problemOf } from '../../log.ts';
import { STATUS_CODES } from '../../node-http.ts';
import { StoreUnavailableError } from '../../store/store.ts';
import type { Reply } from '../reply.ts';
import { type MembersOf, type ProblemCode, type ProblemKind, PROBLEMS } from './problems.ts';

/** The refusal of a request: an `application/problem+json` reply (RFC 9457). */
export interface Refusal<Code extends ProblemCode = ProblemCode> extends Reply {
  readonly code: Code;
}

type Members<Code extends ProblemCode> = unknown extends MembersOf<Code> ? [] : [members: MembersOf<Code>];

/** `detail` is ours: nothing of the request is in it. */
export const problem = <Code extends ProblemCode>(
  code: Code,
  detail: string,
  ...[members]: Members<Code>
): Refusal<Code> => {
  const { status, headers }: ProblemKind = PROBLEMS[code];
  const body = { type: 'about:blank', title: STATUS_CODES[status], status, code, detail, ...(members as object) };
  const reply = { code, status, contentType: 'application/problem+json; charset=utf-8', body: JSON.stringify(body) };
  return headers === undefined ? reply : { ...reply, headers };
};

/** Each advice is a sentence. */
export const notFound = (kind: string, ...advice: readonly string[]): Refusal<'NOT_FOUND'> =>
  problem('NOT_FOUND', [`There is no such ${kind}.`, ...advice].join(' '));

interface Failed {
  /** Whether the request was to change nothing. */
  readonly isRead: boolean;
  readonly log: Log;
}

/** The reply to a thrown error. Faults of ours are logged, without the values that they were about. */
export const replyToError = (error: unknown, { isRead, log }: Failed): Reply => {
  if (error instanceof StoreUnavailableError) {
    log.warn(problemOf(error), 'the store is unavailable to the admin listener');
    return problem(
      'STORE_UNAVAILABLE',
      `The store cannot be used at this moment.${isRead ? '' : ' What was to be written may or may not have been.'}`,
    );
  }
  switch (statusOf(error)) {
    case PROBLEMS.BODY_TOO_LARGE.status:
      return problem('BODY_TOO_LARGE', 'The body is larger than 16 KiB.');
    case PROBLEMS.UNSUPPORTED_BODY.status:
      return problem('UNSUPPORTED_BODY', 'A Content-Encoding is not understood here: send the body without.');
    case PROBLEMS.MALFORMED_REQUEST.status:
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
