import type { Express, RequestHandler } from 'express';
import { send } from '../reply.ts';
import { type Access, type Endpoint, METHODS } from './endpoint.ts';
import { problem } from './problem.ts';

interface Serving<Needs> {
  readonly needs: Needs;
  /** Responses then tell the client to close the connection. */
  readonly isDraining: () => boolean;
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
      send(response, { ...problem('METHOD_NOT_ALLOWED', `This path takes ${allowed}.`), headers: { Allow: allowed } });
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
const toHandler = <Needs>({ serve }: Endpoint<Needs>, { needs, isDraining }: Serving<Needs>): RequestHandler => {
  const respond = serve(needs);
  return async (request, response) => send(response, await respond(request), isDraining());
};
