import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Express } from 'express';

const SECOND = 1_000;

/** A request that has as many is refused. */
export const MAX_HEADERS = 100;

const SERVER_OPTIONS = {
  maxHeaderSize: 16_384,
  headersTimeout: 10 * SECOND,
  requestTimeout: 20 * SECOND,
  // Longer than the 60 s of common balancers: the balancer, not we, closes an idle connection.
  keepAliveTimeout: 75 * SECOND,
  connectionsCheckingInterval: 2 * SECOND,
};

/** The server of the public app, not listening yet. */
export const createPublicServer = (app: Express): Server => {
  const server = createServer({ ...SERVER_OPTIONS, ...messagesOf(app) }, app);
  server.maxHeadersCount = MAX_HEADERS;
  server.keepAliveTimeoutBuffer = SECOND;
  // A sender that closes its sending side after the last byte still gets its reply (Node: lib/_http_server.js,
  // socketOnEnd).
  Object.assign(server, { httpAllowHalfOpen: true });
  // Without a listener Node writes `100 Continue` itself, also to a request that is refused.
  server.on('checkContinue', app);
  return server;
};

/**
 * What Node makes requests and responses of. Express gives each of them a prototype of its own, which costs as much as
 * its routing; they are made with it, so that it has nothing to change.
 */
const messagesOf = (app: Express) => {
  class AppRequest extends IncomingMessage {}
  class AppResponse<Request extends IncomingMessage> extends ServerResponse<Request> {}
  Object.setPrototypeOf(AppRequest.prototype, app.request);
  Object.setPrototypeOf(AppResponse.prototype, app.response);
  Object.assign(app, { request: AppRequest.prototype, response: AppResponse.prototype });
  return { IncomingMessage: AppRequest, ServerResponse: AppResponse };
};
