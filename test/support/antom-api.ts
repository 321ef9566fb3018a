import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Fields } from './facts.ts';
import { createForgeSigner, isSignedBy, keyFixture } from './forge-signer.ts';

export const CLIENT_ID = 'SANDBOX_5YET942ZTUH303813';
/** The merchant signs with one pair, APO with another; node-forge is the other side's hand. */
export const MERCHANT_KEY = keyFixture('throw-away-second.private.pkcs8.pem');
export const APO_PUBLIC_KEY = keyFixture('throw-away.public.spki.pem');
const MERCHANT_PUBLIC_KEY = keyFixture('throw-away-second.public.spki.pem');
export const apo = createForgeSigner(keyFixture('throw-away.private.pkcs8.pem'));

export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** By the merchant, over exactly what arrived. */
  readonly isSigned: boolean;
}

export interface AnswerOptions {
  /** What is signed where it is another path than the one that was called. */
  readonly uri?: string;
  readonly clientId?: string;
  readonly responseTime?: string;
  /** The bytes that are signed; those that are sent where absent. */
  readonly signedBody?: string;
  readonly signer?: typeof apo;
}

const RESPONSE_TIME = '2025-05-17T07:58:04Z';

/** The headers with which APO answers a request with these bytes. */
export const answerHeaders = (
  uri: string,
  body: string | Uint8Array,
  options: AnswerOptions = {},
): Record<string, string> => {
  const { clientId = CLIENT_ID, responseTime = RESPONSE_TIME, signer = apo } = options;
  const message = { uri: options.uri ?? uri, clientId, requestTime: responseTime, body: options.signedBody ?? body };
  return {
    'content-type': 'application/json; charset=UTF-8',
    'client-id': clientId,
    'response-time': responseTime,
    signature: signer.sign(message),
  };
};

export type Reply = (request: SeenRequest, response: ServerResponse) => void;

/** Answers as APO does: signed, with status 200. */
export const answering = (body: string | Uint8Array | Fields, options?: AnswerOptions): Reply => {
  const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  return ({ target }, response) => void response.writeHead(200, answerHeaders(target, text, options)).end(text);
};

/** The same with other headers; null takes one away. */
export const answeringWith = (
  body: string,
  changes: Readonly<Record<string, string | readonly string[] | null>>,
): Reply => {
  return ({ target }, response) => {
    const headers = { ...answerHeaders(target, body), ...changes };
    for (const [name, value] of Object.entries(headers)) if (value !== null) response.setHeader(name, value);
    response.writeHead(200).end(body);
  };
};

/** A server that stands where Antom's API does. */
export interface AntomApi {
  readonly origin: string;
  readonly seen: readonly SeenRequest[];
  /** How it answers from now on. */
  readonly reply: (reply: Reply) => void;
  readonly close: () => Promise<void>;
}

export const startAntomApi = async (tls?: {
  readonly certificate: string;
  readonly key: string;
}): Promise<AntomApi> => {
  const seen: SeenRequest[] = [];
  let replying: Reply = answering({ result: { resultStatus: 'U', resultCode: 'UNKNOWN_EXCEPTION' } });
  const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const read = readRequest(request, Buffer.concat(chunks));
    seen.push(read);
    replying(read, response);
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
    void listener(request, response).catch(() => response.destroy());
  const server: Server =
    tls === undefined ? createServer(onRequest) : createTlsServer({ cert: tls.certificate, key: tls.key }, onRequest);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    seen,
    reply: (reply) => {
      replying = reply;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

const readRequest = ({ method = '', url: target = '', headers }: IncomingMessage, body: Buffer): SeenRequest => {
  const [clientId, requestTime, signature] = ['client-id', 'request-time', 'signature'].map((name) =>
    String(headers[name]),
  ) as [string, string, string];
  const isSigned = isSignedBy(MERCHANT_PUBLIC_KEY, { method, uri: target, clientId, requestTime, body }, signature);
  return { method, target, headers, body, isSigned };
};
