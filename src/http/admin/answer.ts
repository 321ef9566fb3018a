import type { z } from 'zod';
import { InvalidCursorError, type Page, type PageRequest } from '../../store/store.ts';
import { problem, type Refusal } from './problem.ts';

/** What an endpoint documents of an answer that is no problem. */
export interface Documented<T = unknown> {
  readonly means: string;
  readonly body: z.ZodType<T>;
  /** JSON where absent; else the body is a string and sent as it is. */
  readonly contentType?: string;
}

export type Success = 200 | 201;
export type Responses = { readonly [Status in Success]?: Documented };

/** A status, and a body that is still data; of several statuses one of them. */
export type Answer<Status extends Success, Body> = {
  readonly [One in Status]: { readonly status: One; readonly body: Body };
}[Status];

/** What an endpoint may answer, by what it documents. */
export type AnswerOf<R extends Responses> = {
  readonly [Status in keyof R & Success]: R[Status] extends Documented<infer Body> ? Answer<Status, Body> : never;
}[keyof R & Success];

export const ok = <Body>(body: Body): Answer<200, Body> => ({ status: 200, body });
export const created = <Body>(body: Body): Answer<201, Body> => ({ status: 201, body });

/** A page from the store; a cursor that the store does not know is the client's fault. */
export const pageAnswer = async <P extends Page<unknown>>(
  page: PageRequest,
  read: (page: PageRequest) => Promise<P>,
): Promise<Answer<200, P> | Refusal<'MALFORMED_REQUEST'>> => {
  try {
    return ok(await read(page));
  } catch (error) {
    if (!(error instanceof InvalidCursorError)) throw error;
    return problem('MALFORMED_REQUEST', 'The query is not understood: the cursor is not one that was given here.');
  }
};
