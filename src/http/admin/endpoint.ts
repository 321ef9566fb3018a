import type { Express, Request, RequestHandler } from 'express';
import type { z } from 'zod';
import { type Reply, send } from '../reply.ts';
import { problem } from './problem.ts';

export const json = (status: 200 | 201, body: object): Reply => ({
  status,
  contentType: 'application/json; charset=utf-8',
  body: JSON.stringify(body),
});
export const ok = (body: object): Reply => json(200, body);

/** A request whose query has the shape that its endpoint requires. */
export interface EndpointRequest<Query> {
  readonly query: Query;
  /** The `:id` of the path, decoded; empty where the path has none. */
  readonly id: string;
  readonly contentType: string;
  readonly body: Uint8Array;
}

export type Endpoint = (request: Request) => Promise<Reply>;

/** Reads the query by a strict schema, so that a typo is refused and never lists everything. */
export const endpoint =
  <Query>(schema: z.ZodType<Query>, respond: (request: EndpointRequest<Query>) => Promise<Reply>): Endpoint =>
  async (request) => {
    const search = new URLSearchParams(/\?(.*)$/s.exec(request.url)?.[1] ?? '');
    const names = [...search.keys()];
    if (new Set(names).size < names.length)
      return problem('MALFORMED_REQUEST', 'A query parameter is given more than once.');
    const query = schema.safeParse(Object.fromEntries(search));
    if (!query.success) return problem('MALFORMED_REQUEST', `The query is not understood: ${complaints(query.error)}.`);
    const { id = '' } = request.params;
    return await respond({
      query: query.data,
      id: String(id),
      contentType: request.headers['content-type'] ?? '',
      body: request.body instanceof Uint8Array ? request.body : new Uint8Array(),
    });
  };

/** Says what is wrong by our own names: no name or value of the request is quoted. */
export const complaints = (error: z.ZodError): string =>
  error.issues
    .map((issue) => {
      const place = issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
      return `${place}${issue.code === 'unrecognized_keys' ? 'there is a name that is not one of ours' : issue.message}`;
    })
    .join('; ');

/** One path of the admin table and what each method does there. The handler of GET also serves HEAD. */
export interface Route {
  readonly path: string;
  readonly get?: Endpoint;
  readonly put?: Endpoint;
  readonly patch?: Endpoint;
  readonly delete?: Endpoint;
  readonly post?: Endpoint;
}

/** Express hands a rejected promise to the error handler. */
export const toHandler =
  (respond: Endpoint): RequestHandler =>
  async (request, response) =>
    send(response, await respond(request));

/** In the order in which `Allow` names them; the handler of GET also serves HEAD. */
const METHODS = ['get', 'put', 'patch', 'delete', 'post'] as const;

/** Adds a path; every other method there is 405. */
export const addRoute = (app: Express, { path, ...endpoints }: Route): void => {
  const route = app.route(path);
  const methods = METHODS.filter((method) => endpoints[method] !== undefined);
  for (const method of methods) {
    const respond = endpoints[method];
    if (respond !== undefined) route[method](toHandler(respond));
  }
  const allowed = methods.map((method) => (method === 'get' ? 'GET, HEAD' : method.toUpperCase())).join(', ');
  route.all((_request, response) => {
    send(response, { ...problem('METHOD_NOT_ALLOWED', `This path takes ${allowed}.`), headers: { Allow: allowed } });
  });
};
