import type { Request } from 'express';
import type { z } from 'zod';
import type { Reply } from '../reply.ts';
import type { Answer, AnswerOf, Responses, Success } from './answer.ts';
import type { ObjectSchema } from './complaints.ts';
import { readNothing, readSaid } from './body.ts';
import type { Refusal } from './problem.ts';
import type { ProblemCode } from './problems.ts';
import { readQuery } from './query.ts';

/** In the order in which `Allow` names them; the handler of GET also serves HEAD. */
export const METHODS = ['get', 'put', 'patch', 'delete', 'post'] as const;
export type Method = (typeof METHODS)[number];

/** What operations are grouped by. */
export const TAGS = {
  Orders: 'What became of each payment, and what the shop says about it.',
  Refunds: 'Refunds, and the payments that they belong to.',
  Notifications: 'What APO has sent, as stored.',
  Unverified: 'Requests whose signature does not verify. Nobody vouches for what they say.',
  Service: 'The service itself.',
} as const;
export type Tag = keyof typeof TAGS;

/** To whom an endpoint answers, and when. */
export type Access =
  | 'anybody, at any time'
  /** Whoever has a token, where there are tokens. */
  | 'readers, at any time'
  | 'readers, while the store is open';

/** Problems that every request may meet, but one that anybody may make. */
export const ALWAYS = [
  'MALFORMED_REQUEST',
  'TOKEN_REQUIRED',
  'FOREIGN_HOST',
  'FOREIGN_ORIGIN',
  'INTERNAL_ERROR',
] as const satisfies readonly ProblemCode[];
/** The same of one that needs the store, where a body is read even if none is taken; and of one that writes. */
export const OF_STORE = [
  'STORE_UNAVAILABLE',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_BODY',
] as const satisfies readonly ProblemCode[];
export const OF_WRITING = ['READ_ONLY_TOKEN'] as const satisfies readonly ProblemCode[];

/** The `:id` of a path. */
interface PathId<Code extends ProblemCode> {
  readonly means: string;
  readonly schema: z.ZodType<string>;
  /** The answer where it does not fit the schema; absent where the endpoint itself looks whether it does. */
  readonly otherwise?: Refusal<Code>;
}

/** An endpoint as it is documented: the app and the OpenAPI document are both made of these. */
export interface Operation {
  readonly method: Method;
  readonly path: string;
  /** What a generated client calls it. */
  readonly name: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description: string;
  readonly access: Access;
  /** Null where the path has none. */
  readonly id: PathId<ProblemCode> | null;
  /** Null where the query is not looked at. */
  readonly query: z.ZodType | null;
  /** Null where it takes none. */
  readonly body: z.ZodType | null;
  readonly responses: Responses;
  /** Those that it answers besides those of every endpoint. */
  readonly problems: readonly ProblemCode[];
}

export interface Endpoint<Needs> extends Operation {
  readonly serve: (needs: Needs) => (request: Request) => Promise<Reply>;
}

/** A request as its schemas have read it. */
interface Asked<Query, Said> {
  /** Empty where the path has none. */
  readonly id: string;
  readonly query: Query;
  readonly said: Said;
  /** Aborted when the client goes away, or has its answer. */
  readonly gone: AbortSignal;
}

type Always = (typeof ALWAYS)[number];

interface Definition<Needs, Query, Said, R extends Responses, Code extends ProblemCode> extends Omit<
  Operation,
  'access' | 'id' | 'query' | 'body' | 'responses' | 'problems'
> {
  /** Readers, while the store is open, where absent. */
  readonly access?: Access;
  readonly id: PathId<NoInfer<Code> | Always> | null;
  readonly query: ObjectSchema<Query> | null;
  readonly body: ObjectSchema<Said> | null;
  readonly responses: R;
  readonly problems: readonly Code[];
  readonly answer: (
    needs: Needs,
  ) => (asked: Asked<Query, Said>) => Promise<AnswerOf<R> | Refusal<NoInfer<Code> | Always>>;
}

/**
 * An endpoint is one value: what it documents, and how it answers by that. It is listed in `endpoints.ts`. An answer
 * of another shape, or a problem that is not documented, does not compile.
 */
export const endpoint = <Needs, Query, Said, const R extends Responses, const Code extends ProblemCode>({
  answer,
  access = 'readers, while the store is open',
  ...operation
}: Definition<Needs, Query, Said, R, Code>): Endpoint<Needs> => ({
  ...operation,
  access,
  serve: (needs) => {
    const respond = answer(needs);
    return async (request) => {
      const read = readAsked<Query, Said>(operation, request);
      return 'refusal' in read ? read.refusal : toReply(await respond(read.asked), operation.responses);
    };
  },
});

interface Schemas<Query, Said> {
  readonly id: PathId<ProblemCode> | null;
  readonly query: ObjectSchema<Query> | null;
  readonly body: ObjectSchema<Said> | null;
}

const readAsked = <Query, Said>(
  schemas: Schemas<Query, Said>,
  request: Request,
): { readonly asked: Asked<Query, Said> } | { readonly refusal: Refusal } => {
  const query = schemas.query === null ? NOT_READ : readQuery(request.url, schemas.query);
  if ('refusal' in query) return query;
  const id = String(request.params['id'] ?? '');
  const { schema, otherwise } = schemas.id ?? {};
  if (otherwise !== undefined && schema?.safeParse(id).success === false) return { refusal: otherwise };
  const body = schemas.body === null ? readNothing(sentWith(request)) : readSaid(sentWith(request), schemas.body);
  if ('refusal' in body) return body;
  return { asked: { id, query: query.query as Query, said: body.said as Said, gone: goneOf(request) } };
};

const goneOf = ({ res: response }: Request): AbortSignal => {
  const gone = new AbortController();
  response?.once('close', () => gone.abort());
  return gone.signal;
};

const NOT_READ = { query: undefined, said: undefined };

const sentWith = ({ headers, body }: Request) => ({
  contentType: headers['content-type'] ?? '',
  body: body instanceof Uint8Array ? body : new Uint8Array(),
});

const JSON_TYPE = 'application/json; charset=utf-8';

const toReply = (answered: Answer<Success, unknown> | Refusal, responses: Responses): Reply => {
  if ('code' in answered) return answered;
  const { status, body } = answered;
  const contentType = responses[status]?.contentType;
  return contentType === undefined
    ? { status, contentType: JSON_TYPE, body: JSON.stringify(body) }
    : { status, contentType, body: String(body) };
};
