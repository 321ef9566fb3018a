import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler } from 'express';
import { pathOf, type SignedRequest } from '../antom/signature.ts';
import { type Log, problemOf } from '../log.ts';
import type { PayNotify, PayNotifyResult } from '../pay-notify.ts';
import { type Body, createBodyReader } from './body.ts';
import { setLastResort } from './last-resort.ts';
import { type Reason, REPLIES, replyTo } from './public-replies.ts';
import type { ReadinessProbe } from './readiness.ts';
import { isClosing, type Reply, send } from './reply.ts';
import { createRequestLog, isSignedPost, printablePath } from './request-log.ts';
import { type ClosedFor, MAX_HEADERS } from './server.ts';

/** Told of each request once it has its response. It must cost next to nothing. */
export interface PublicWatch {
  /** `ms` from the last byte of its body until the response was written. */
  readonly answered: (result: PayNotifyResult, ms: number) => void;
  /** Refused before it got that far, for a path that is none, or with its connection. */
  readonly refused: (reason: Reason | ClosedFor) => void;
  /** A POST with APO's signature header came to a path that takes no notifications; `path` is fit to be shown. */
  readonly misdirected: (path: string) => void;
}

export interface PublicOptions {
  readonly notifyPaths: readonly string[];
  /** Bytes. */
  readonly bodyLimit: number;
  /** How many proxies stand in front. */
  readonly trustProxy: number;
  readonly unverifiedReply: 'acknowledge' | 'refuse';
  /** The clients that are configured now. */
  readonly clientIds: () => readonly string[];
  readonly payNotify: PayNotify;
  readonly readiness: Pick<ReadinessProbe, 'state' | 'isDraining'>;
  readonly watch?: PublicWatch;
  readonly log: Log;
}

/**
 * What Express matches is not the raw target (of an absolute-form one it is the path), so the route compares that
 * itself.
 */
const ANY_PATH = /^/;

/** The public listener's app: the contract's table. It is built without listening. */
export const createPublicApp = (options: PublicOptions): express.Express => {
  const { bodyLimit, unverifiedReply, payNotify, readiness, watch, log } = options;
  const notifyPaths = new Set(options.notifyPaths);
  const beginLine = createRequestLog(options);
  const readBody = createBodyReader(bodyLimit);
  const respond = (response: ServerResponse, reply: Reply): void => send(response, reply, readiness.isDraining());
  const notFound = (request: IncomingMessage, response: ServerResponse): void => {
    const line = beginLine(request);
    respond(response, REPLIES.NOT_FOUND);
    line.notFound();
    watch?.refused('NOT_FOUND');
    if (isSignedPost(request)) watch?.misdirected(printablePath(request));
  };

  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', false);
  app.enable('case sensitive routing').enable('strict routing');

  // POST /payNotify, or what NOTIFY_PATHS says. Other methods are 405.
  app.all(ANY_PATH, async (request, response, next) => {
    if (isClosing(request.socket)) {
      request.resume();
      return;
    }
    if (!notifyPaths.has(pathOf(request.url))) return next();
    const line = beginLine(request);
    const refuse = (reason: Reason): void => {
      respond(response, REPLIES[reason]);
      line.refused(REPLIES[reason].status, reason);
      watch?.refused(reason);
    };

    const refusal = refuseByHead(request, bodyLimit);
    if (refusal !== null) return refuse(refusal);
    // HTTP/1.0 has no 100.
    if (request.headersDistinct['expect'] !== undefined && request.httpVersion === '1.1') response.writeContinue();

    const body = await readBody(request);
    // The sender is gone: nobody to respond to, and nothing is stored.
    if (body === 'aborted') return;
    if (typeof body === 'string') return refuse(WITHOUT_BODY[body]);

    const began = performance.now();
    const result = await payNotify(toSignedRequest(request, body));
    const reply = replyTo(result, unverifiedReply);
    respond(response, reply);
    watch?.answered(result, performance.now() - began);
    line.received(reply.status, result);
  });

  app.get('/healthz', (_request, response) => respond(response, { status: 200, body: '{"status":"ok"}' }));
  app.get('/readyz', (_request, response) => {
    const status = readiness.state();
    respond(response, { status: status === 'ready' ? 200 : 503, body: JSON.stringify({ status }) });
  });
  app.use(notFound);
  setLastResort(app, notFound);
  // oxlint-disable-next-line max-params -- Express knows an error handler by its four parameters
  const onFault: ErrorRequestHandler = (error, _request, response, _next) => {
    log.error(problemOf(error), 'a fault of ours');
    respond(response, REPLIES.INTERNAL_ERROR);
    watch?.refused('INTERNAL_ERROR');
  };
  app.use(onFault);
  return app;
};

const WITHOUT_BODY = {
  'too large': 'BODY_TOO_LARGE',
  'too many pieces': 'TOO_MANY_PIECES',
  'no room': 'TOO_MANY_BODIES',
} as const satisfies Readonly<Record<Exclude<Body, Buffer | 'aborted'>, Reason>>;

/** Why a request is refused before any of its body is read; null where it is not refused. */
const refuseByHead = (request: IncomingMessage, bodyLimit: number): Reason | null => {
  if (request.method !== 'POST') return 'WRONG_METHOD';
  // Releases of Node that do not refuse it themselves drop what is over the limit, which may be a signed header.
  if (request.rawHeaders.length >= 2 * MAX_HEADERS) return 'TOO_MANY_HEADERS';
  if (isAmbiguous(request)) return 'AMBIGUOUS_FRAMING';
  const { 'content-encoding': encodings = [], 'content-length': lengths = [] } = request.headersDistinct;
  if (encodings.some((encoding) => encoding !== '' && encoding.toLowerCase() !== 'identity')) return 'ENCODED_BODY';
  // Node's parser lets one Content-Length through, and only a number; a chunked or an empty body has none.
  return Number(lengths[0] ?? 0) > bodyLimit ? 'BODY_TOO_LARGE' : null;
};

/** Two parsers could disagree on where such a request goes, or where it ends. */
const isAmbiguous = ({ headersDistinct }: IncomingMessage): boolean => {
  const { host: hosts = [], 'transfer-encoding': codings = [] } = headersDistinct;
  return hosts.length > 1 || codings.some((coding) => coding.toLowerCase() !== 'chunked');
};

/** `headersDistinct` has every occurrence of a header in the order received; `headers` joins or drops repeated ones. */
const toSignedRequest = ({ url = '', headersDistinct }: IncomingMessage, body: Buffer): SignedRequest => ({
  method: 'POST',
  target: url,
  clientIds: headersDistinct['client-id'] ?? [],
  requestTimes: headersDistinct['request-time'] ?? [],
  signatures: headersDistinct['signature'] ?? [],
  body,
});
