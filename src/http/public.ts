import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import express from 'express';
import { failure } from '../antom/acknowledgement.ts';
import { pathOf, type UnverifiedReason } from '../antom/signature.ts';
import type { NotStoredReason } from '../inbox.ts';
import { type Log, problemOf } from '../log.ts';
import type { PayNotify, Receipt } from '../pay-notify.ts';
import { type Reply, send } from './reply.ts';
import { readBody } from './body.ts';
import { clientAddress } from './client-address.ts';
import type { ReadinessProbe } from './readiness.ts';
import { type RelevantHeaders, relevantHeaders } from './relevant-headers.ts';

export interface PublicOptions {
  readonly notifyPaths: readonly string[];
  /** Bytes. */
  readonly bodyLimit: number;
  /** How many proxies stand in front. */
  readonly trustProxy: number;
  readonly unverifiedReply: 'acknowledge' | 'refuse';
  readonly payNotify: PayNotify;
  readonly readiness: Pick<ReadinessProbe, 'state' | 'isDraining'>;
  readonly log: Log;
}

const SECOND = 1_000;
const MAX_HEADERS = 100;
const SERVER_OPTIONS = {
  maxHeaderSize: 16_384,
  headersTimeout: 10 * SECOND,
  requestTimeout: 20 * SECOND,
  // Longer than the 60 s of common balancers: the balancer, not we, lets go of an idle connection.
  keepAliveTimeout: 75 * SECOND,
  connectionsCheckingInterval: 2 * SECOND,
};

const RETRY_AFTER = { 'Retry-After': '10' };

/** Reason → reply: the one table. The messages are ours; nothing of a request comes back. */
const NOT_STORED: Readonly<Record<NotStoredReason, Reply>> = {
  QUEUE_FULL: {
    status: 503,
    body: failure('too many notifications are waiting to be stored; send it again'),
    headers: RETRY_AFTER,
  },
  STORE_UNAVAILABLE: {
    status: 503,
    body: failure('the notification could not be stored; send it again'),
    headers: RETRY_AFTER,
  },
  STORE_SLOW: {
    status: 503,
    body: failure('the notification could not be stored in time; send it again'),
    headers: RETRY_AFTER,
  },
  UNVERIFIED_FULL: {
    status: 503,
    body: failure('the request is not verified and could not be kept; send it again'),
    headers: RETRY_AFTER,
  },
};
const UNVERIFIED: Reply = { status: 401, body: failure('the signature could not be verified') };
const BAD_FRAMING: Reply = { status: 400, body: failure('the request is ambiguous'), closesConnection: true };
const TOO_LARGE: Reply = { status: 413, body: failure('the body is too large'), closesConnection: true };
const ENCODED: Reply = {
  status: 415,
  body: failure('a signed body comes as it is, without Content-Encoding'),
  closesConnection: true,
};
const TOO_MANY_HEADERS: Reply = { status: 431, body: failure('too many headers'), closesConnection: true };
const NOT_FOUND: Reply = { status: 404, body: JSON.stringify({ error: 'not found' }) };
const FAULT: Reply = { status: 500, body: failure('the notification could not be stored; send it again') };
const WRONG_METHOD: Reply = {
  status: 405,
  body: JSON.stringify({
    error: 'method not allowed',
    message: 'APO sends its payment notifications to this URL with POST.',
  }),
  headers: { Allow: 'POST' },
};

/** What an operator can look at first. */
const HINTS: Partial<Readonly<Record<UnverifiedReason, string>>> = {
  UNKNOWN_CLIENT: 'this client-id is not configured',
  UNKNOWN_KEY_VERSION: 'APO signs with a key version that is not configured: add its key from the dashboard',
  SIGNATURE_MISMATCH:
    "the configured key must be APO's (not the merchant's own), and the path must be the one entered at APO: set PUBLIC_NOTIFY_URL where a balancer changes it",
};

/** The public listener, not listening yet. */
export const createPublicServer = (options: PublicOptions): Server => {
  const { readiness, log } = options;
  const paths = new Set(options.notifyPaths);
  const idOf = createRequestIds();
  const respond = (response: ServerResponse, reply: Reply): void => send(response, reply, readiness.isDraining());

  const notify = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const began = performance.now();
    const requestId = idOf();
    const headers = relevantHeaders(request.rawHeaders);
    const address = clientAddress({
      socket: request.socket.remoteAddress,
      forwardedFor: headers.forwardedFor,
      trusted: options.trustProxy,
    });
    const received = await receive({ request, response, headers, isLast: () => refused.add(request.socket) }, options);
    if (received === null) return;
    const { reply, receipt } = received;
    respond(response, reply);
    const ms = Math.round((performance.now() - began) * 100) / 100;
    if (receipt === null) log.info({ requestId, status: reply.status, address, ms }, 'refused');
    else logReceipt(log, receipt, { requestId, status: reply.status, address, ms });
  };

  const app = createHealthApp({ readiness, respond });
  // Notifications go straight to their handler: Express' routing costs as much as half a signature check (README, Decisions).
  // Where framing is in doubt or a body was cut, what follows on the connection is not a request: it is thrown away.
  const refused = new WeakSet<Socket>();
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    if (refused.has(request.socket)) {
      request.resume();
      return;
    }
    if (!paths.has(pathOf(request.url ?? ''))) app(request, response);
    else {
      notify(request, response).catch((error: unknown) => {
        log.error(problemOf(error), 'a fault of ours');
        respond(response, FAULT);
      });
    }
  };

  const server = createServer(SERVER_OPTIONS, listener);
  server.maxHeadersCount = MAX_HEADERS;
  server.keepAliveTimeoutBuffer = SECOND;
  // A sender that closes its sending side after the last byte still gets its answer (Node: lib/_http_server.js, socketOnEnd).
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('checkContinue', listener);
  return server;
};

interface HealthOptions {
  readonly readiness: PublicOptions['readiness'];
  readonly respond: (response: ServerResponse, reply: Reply) => void;
}

/** Everything that is not a notification. */
const createHealthApp = ({ readiness, respond }: HealthOptions): express.Express => {
  const app = express();
  app.disable('x-powered-by');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.get('/healthz', (_request, response) =>
    respond(response, { status: 200, body: JSON.stringify({ status: 'ok' }) }),
  );
  app.get('/readyz', (_request, response) => {
    const status = readiness.state();
    respond(response, { status: status === 'ready' ? 200 : 503, body: JSON.stringify({ status }) });
  });
  app.use((_request, response) => respond(response, NOT_FOUND));
  // Express knows an error handler by its four parameters; what a malformed target throws is not found either.
  // oxlint-disable-next-line max-params
  app.use((_error: unknown, _request: express.Request, response: express.Response, _next: express.NextFunction) =>
    respond(response, NOT_FOUND),
  );
  return app;
};

interface Received {
  readonly reply: Reply;
  /** Null where the request was refused before it was a notification. */
  readonly receipt: Receipt | null;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly headers: RelevantHeaders;
  /** To be called where nothing more is read from the connection. */
  readonly isLast: () => void;
}

/** Null where the sender went away: there is nobody to answer, and nothing is stored. */
const receive = async (
  { request, response, headers, isLast }: Exchange,
  { bodyLimit, payNotify, unverifiedReply }: PublicOptions,
): Promise<Received | null> => {
  const refused = refuse(request, headers, bodyLimit);
  if (refused?.closesConnection === true) isLast();
  if (refused !== null) return { reply: refused, receipt: null };
  if (headers.expectations.length > 0) response.writeContinue();
  const body = await readBody(request, { limit: bodyLimit, onTooLarge: isLast });
  if (body === 'aborted') return null;
  if (body === 'too large') return { reply: TOO_LARGE, receipt: null };
  const { clientIds, requestTimes, signatures } = headers;
  const receipt = await payNotify({
    method: 'POST',
    target: request.url ?? '',
    clientIds,
    requestTimes,
    signatures,
    body,
  });
  return { reply: replyTo(receipt, unverifiedReply), receipt };
};

/** What can be told from the head alone, before any of the body is read. */
const refuse = (request: IncomingMessage, headers: RelevantHeaders, bodyLimit: number): Reply | null => {
  if (request.method !== 'POST') return WRONG_METHOD;
  // At the limit Node has dropped the rest, and one of them may be a signed header.
  if (request.rawHeaders.length >= 2 * MAX_HEADERS) return TOO_MANY_HEADERS;
  if (headers.hosts.length > 1 || !isPlainlyFramed(headers.transferEncodings)) return BAD_FRAMING;
  if (headers.contentEncodings.some((encoding) => encoding !== '' && encoding.toLowerCase() !== 'identity'))
    return ENCODED;
  // Node's parser has checked that it is one, and a number; a chunked or an empty body has none.
  return Number(headers.contentLengths[0] ?? 0) > bodyLimit ? TOO_LARGE : null;
};

const isPlainlyFramed = (transferEncodings: readonly string[]): boolean =>
  transferEncodings.length === 0 ||
  (transferEncodings.length === 1 && transferEncodings[0]?.toLowerCase() === 'chunked');

const replyTo = (receipt: Receipt, unverifiedReply: PublicOptions['unverifiedReply']): Reply => {
  if (receipt.kind === 'not stored') return NOT_STORED[receipt.because];
  if (receipt.recorded.kind === 'unverified' && unverifiedReply === 'refuse') return UNVERIFIED;
  return { status: 200, body: receipt.acknowledgement };
};

interface Line {
  readonly requestId: string;
  readonly status: number;
  readonly address: string | undefined;
  readonly ms: number;
}

const logReceipt = (log: Log, receipt: Receipt, line: Line): void => {
  const { reason } = receipt;
  if (receipt.kind === 'not stored') {
    log.error(
      { ...line, problem: receipt.because, ...(reason === null ? {} : { reason }) },
      'not stored, not acknowledged',
    );
    return;
  }
  const { recorded } = receipt;
  if (recorded.kind === 'unverified') {
    const hint = reason === null ? undefined : HINTS[reason];
    log.warn(
      { ...line, reason, deliveries: recorded.deliveries, ...(hint === undefined ? {} : { hint }) },
      'unverified',
    );
    return;
  }
  const { outcome, notifyType, paymentId, deliveries } = recorded;
  const fields = { ...line, notifyType: loggable(notifyType), paymentId, outcome, deliveries };
  if (outcome === 'FAILED') log.error(fields, 'stored, but could not be applied');
  else if (outcome === 'MALFORMED') log.warn(fields, 'stored, but malformed');
  else log.info(fields, 'notification');
};

/** A kind that we do not know is text of the sender's: logged only where it looks like a kind. */
const loggable = (notifyType: string | null): string | null =>
  notifyType !== null && /^[A-Z_]{1,40}$/.test(notifyType) ? notifyType : null;

/** Unique among processes by the prefix, within one by the number; no system call for each request. */
const createRequestIds = (): (() => string) => {
  const prefix = randomBytes(6).toString('base64url');
  let last = 0;
  return () => {
    last += 1;
    return `${prefix}-${last.toString(36)}`;
  };
};
