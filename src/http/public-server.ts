import { createServer, type RequestListener, type Server } from 'node:http';

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
export const createPublicServer = (app: RequestListener): Server => {
  const server = createServer(SERVER_OPTIONS, app);
  server.maxHeadersCount = MAX_HEADERS;
  server.keepAliveTimeoutBuffer = SECOND;
  // A sender that closes its sending side after the last byte still gets its reply (Node: lib/_http_server.js, socketOnEnd).
  Object.assign(server, { httpAllowHalfOpen: true });
  // Without a listener Node writes `100 Continue` itself, also to a request that is refused.
  server.on('checkContinue', app);
  return server;
};
