import type { IncomingMessage, RequestListener, Server, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '../log.ts';
import { createServer, ServerResponse } from '../node-http.ts';
import { isClosing, send } from './reply.ts';
import { createSampledLog } from './sampled-log.ts';

const SECOND = 1_000;

/** A request that has as many is refused. */
export const MAX_HEADERS = 100;

/** Each costs some 10 KiB, and up to 16 KiB more while its headers come. A sender above it is disconnected. */
export const MAX_CONNECTIONS = 4_096;

const SERVER_OPTIONS = {
  maxHeaderSize: 16_384,
  headersTimeout: 10 * SECOND,
  requestTimeout: 20 * SECOND,
  // Longer than the 60 s of common balancers: the balancer, not we, closes an idle connection.
  keepAliveTimeout: 75 * SECOND,
  connectionsCheckingInterval: 2 * SECOND,
};

/** Why a connection is closed before a request of it is looked at. */
export const CLOSED_FOR = ['TOO_MANY_CONNECTIONS', 'TOO_MANY_PIPELINED_REQUESTS'] as const;
export type ClosedFor = (typeof CLOSED_FOR)[number];

export interface ServerNeeds {
  readonly log: Log;
  readonly onClosed?: (cause: ClosedFor) => void;
}

interface Options extends ServerNeeds {
  /** What Node makes requests and responses of; its own where absent. */
  readonly messages?: Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'>;
}

/** A server with the limits that both listeners have, not listening yet. */
export const createHttpServer = (listener: RequestListener, { log, onClosed, messages = {} }: Options): Server => {
  const sampled = createSampledLog(log);
  const tell = (problem: ClosedFor, address: string | undefined): void => {
    sampled({ level: 'warn', text: 'connection closed', fields: { problem } }, () => ({ address }));
    onClosed?.(problem);
  };
  const server = createServer({ ...SERVER_OPTIONS, ...messages }, listener);
  server.maxHeadersCount = MAX_HEADERS;
  server.keepAliveTimeoutBuffer = SECOND;
  server.maxConnections = MAX_CONNECTIONS;
  server.on('drop', (dropped) => tell('TOO_MANY_CONNECTIONS', dropped?.remoteAddress));
  server.on('connection', (socket) =>
    boundPipeline(socket, () => tell('TOO_MANY_PIPELINED_REQUESTS', socket.remoteAddress)),
  );
  // Node would answer, and wait for the next request.
  server.on('checkExpectation', (request, response) => {
    if (!isClosing(request.socket)) send(response, { status: 417, body: '', closesConnection: true });
  });
  server.on('connect', (request, stream) => answerConnect(listener, { request, stream }));
  return server;
};

/** Requests in a row that come while an earlier one of their connection still has no response. */
const MAX_PIPELINED = 16;
/** For Node's parser: any number that it does not know ends the connection. */
const REFUSED = -1;

/** What Node keeps on a socket of its HTTP server (lib/_http_server.js). */
interface HttpSocket extends Socket {
  readonly parser?: { onIncoming: (request: IncomingMessage, keepsAlive: boolean) => number };
  /** The response that is being written. */
  readonly _httpMessage?: unknown;
}

/**
 * Closes a connection that pipelines more than a few requests. Node parses all that it has read, thousands of small
 * requests, before any other connection gets its turn; only the parser's own callback can end that.
 */
const boundPipeline = (socket: HttpSocket, onRefused: () => void): void => {
  const { parser } = socket;
  // A Node that keeps it elsewhere is noticed by a test (test/http/hostile.test.ts), not by the senders.
  if (parser === undefined) return;
  const { onIncoming } = parser;
  let waiting = 0;
  parser.onIncoming = (request, keepsAlive) => {
    waiting = socket._httpMessage ? waiting + 1 : 0;
    if (waiting <= MAX_PIPELINED) return onIncoming(request, keepsAlive);
    onRefused();
    socket.destroy();
    return REFUSED;
  };
};

/** CONNECT is a request like any other that is for nothing here; Node hands over the bare connection instead. */
const answerConnect = (
  listener: RequestListener,
  { request, stream }: { readonly request: IncomingMessage; readonly stream: NodeJS.WritableStream },
): void => {
  const { socket }: { readonly socket: HttpSocket } = request;
  socket.on('error', () => socket.destroy());
  // Responses to earlier requests are still to come, or its body is.
  if (socket._httpMessage || stream !== socket) {
    socket.destroy();
    return;
  }
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on('finish', () => socket.destroySoon());
  listener(request, response);
};
