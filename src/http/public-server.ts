import type { IncomingMessage as Message, Server } from 'node:http';
import type { Express } from 'express';
import { IncomingMessage, ServerResponse } from '../node-http.ts';
import { createHttpServer, type ServerNeeds } from './server.ts';

/** The server of the public app, not listening yet. */
export const createPublicServer = (app: Express, needs: ServerNeeds): Server => {
  const server = createHttpServer(app, { ...needs, messages: messagesOf(app) });
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
  class AppResponse<Request extends Message> extends ServerResponse<Request> {}
  Object.setPrototypeOf(AppRequest.prototype, app.request);
  Object.setPrototypeOf(AppResponse.prototype, app.response);
  Object.assign(app, { request: AppRequest.prototype, response: AppResponse.prototype });
  return { IncomingMessage: AppRequest, ServerResponse: AppResponse };
};
