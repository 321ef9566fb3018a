import type { ServerResponse } from 'node:http';
import type { Express, RequestHandler } from 'express';
import type { Reply } from '../reply.ts';
import { type Access, type Endpoint, METHODS } from './endpoint.ts';
import { problem } from './problem.ts';

/** Writes a reply; while the service drains it tells the client to close the connection. */
export type Respond = (response: ServerResponse, reply: Reply) => void;

interface Serving<Needs> {
  readonly needs: Needs;
  readonly respond: Respond;
}

/** Adds each path with the methods that it takes; every other method there is 405. */
export const addRoutes = <Needs>(
  app: Express,
  endpoints: readonly Endpoint<Needs>[],
  serving: Serving<Needs>,
): void => {
  for (const [path, ofPath] of Map.groupBy(endpoints, (endpoint) => endpoint.path)) {
    const route = app.route(path);
    for (const endpoint of ofPath) route[endpoint.method](toHandler(endpoint, serving));
    const allowed = METHODS.filter((method) => ofPath.some((endpoint) => endpoint.method === method))
      .map((method) => (method === 'get' ? 'GET, HEAD' : method.toUpperCase()))
      .join(', ');
    route.all((_request, response) => {
      serving.respond(response, {
        ...problem('METHOD_NOT_ALLOWED', `This path takes ${allowed}.`),
        headers: { Allow: allowed },
      });
    });
  }
};

/** Adds those of one access before the others, where what stands in front of the others must not keep them. */
export const addEarly = <Needs>(
  app: Express,
  endpoints: readonly Endpoint<Needs>[],
  { access, ...serving }: Serving<Needs> & { readonly access: Access },
): void => {
  for (const endpoint of endpoints)
    if (endpoint.access === access) app[endpoint.method](endpoint.path, toHandler(endpoint, serving));
};

/** Express hands a rejected promise to the error handler. */
const toHandler = <Needs>({ serve }: Endpoint<Needs>, { needs, respond }: Serving<Needs>): RequestHandler => {
  const answer = serve(needs);
  return async (request, response) => respond(response, await answer(request));
};
