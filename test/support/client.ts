import { type KeyObject, sign } from 'node:crypto';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Fields } from './facts.ts';
import { nextKeyPair } from './keys.ts';

/** The acknowledgement as the protocol page prints it. */
export const ACKNOWLEDGEMENT = '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}';
export const PATH = '/payNotify';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Name and value, in the order sent; a name may stand twice. */
export type Headers = readonly (readonly [string, string])[];

export interface Post {
  readonly method: string;
  readonly target: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Lower-case names, in the order received. */
  readonly headerNames: readonly string[];
  readonly body: Buffer;
  readonly text: string;
}

export interface SignOptions {
  /** Where it is sent to. */
  readonly target?: string;
  /** What is signed; the target's path where absent. */
  readonly uri?: string;
  readonly requestTime?: string;
  /** Null leaves the field out of the header. */
  readonly keyVersion?: string | null;
}

/** A merchant's client at APO, with a throw-away key. */
export interface Signer {
  readonly clientId: string;
  /** One line of bare Base64, as the dashboard shows it. */
  readonly publicKey: string;
  readonly sign: (body: string | Uint8Array | Fields, options?: SignOptions) => Post;
}

export const createSigner = (clientId = 'T_5YET942ZTUH303813'): Signer => {
  const { privateKey, publicKey } = nextKeyPair();
  return {
    clientId,
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    sign: (body, options) => signedPost({ clientId, privateKey, body: toBytes(body) }, options),
  };
};

/** A body is its bytes, its text, or the fields of its JSON. */
export const toBytes = (body: string | Uint8Array | Fields): Buffer =>
  typeof body === 'string' || body instanceof Uint8Array
    ? Buffer.from(body as string)
    : Buffer.from(JSON.stringify(body));

interface Unsigned {
  readonly clientId: string;
  readonly privateKey: KeyObject;
  readonly body: Buffer;
}

/** What is signed is written down here once more, from the protocol page: the tests do not ask our own code for it. */
const signedPost = ({ clientId, privateKey, body }: Unsigned, options: SignOptions = {}): Post => {
  const { target = PATH, requestTime = '2025-05-17T07:58:04Z', keyVersion = '1' } = options;
  const uri = options.uri ?? target.replace(/\?.*$/s, '');
  const bytes = Buffer.concat([Buffer.from(`POST ${uri}\n${clientId}.${requestTime}.`, 'latin1'), body]);
  const signature = encodeURIComponent(sign('sha256', bytes, privateKey).toString('base64'));
  const version = keyVersion === null ? '' : `keyVersion=${keyVersion},`;
  return {
    method: 'POST',
    target,
    headers: [
      ['client-id', clientId],
      ['request-time', requestTime],
      ['signature', `algorithm=RSA256,${version}signature=${signature}`],
      ['Content-Type', 'application/json; charset=UTF-8'],
    ],
    body,
  };
};

/**
 * The same request with other values for some headers; null takes a header away, several values send it several times.
 */
export const withHeaders = (
  post: Post,
  changes: Readonly<Record<string, string | readonly string[] | null>>,
): Post => ({
  ...post,
  headers: [
    ...post.headers.filter(([name]) => !Object.hasOwn(changes, name)),
    ...Object.entries(changes).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): readonly [string, string] => [name, one]),
    ),
  ],
});

export const headerOf = (post: Post, name: string): string =>
  post.headers.find(([header]) => header === name)?.[1] ?? '';

/** Keeps connections alive, up to so many. */
export const createPool = (maxSockets: number): Agent => new Agent({ keepAlive: true, maxSockets });

/** Sends a request and reads its answer; on a connection of its own where no pool is given. */
export const send = (address: Address, { method, target, headers, body }: Post, pool?: Agent): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const framed = [
      ['Host', `${address.host}:${address.port}`] as const,
      ...headers,
      ['Content-Length', String(body.length)] as const,
    ];
    const outgoing = request({
      host: address.host,
      port: address.port,
      method,
      path: target,
      headers: framed.flat(),
      agent: pool ?? false,
    });
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          headerNames: incoming.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()),
          body: bytes,
          text: bytes.toString(),
        });
      });
    });
    outgoing.end(body);
  });

export const get = (address: Address, target: string): Promise<Answer> =>
  send(address, { method: 'GET', target, headers: [], body: Buffer.alloc(0) });

/** Long, for a busy machine: it only ends what would hang. */
const NEVER_MS = 120_000;

/**
 * Asks again until the answer is the one waited for. What never comes fails by jest's own time limit, or by this one.
 */
export const eventually = async <T>(
  what: string,
  ask: () => T | Promise<T>,
  isIt: (value: T) => boolean,
): Promise<T> => {
  const began = performance.now();
  for (;;) {
    const value = await ask();
    if (isIt(value)) return value;
    if (performance.now() - began > NEVER_MS)
      throw new Error(`${what} did not come; last seen: ${JSON.stringify(value)}`);
    // What takes long is asked for less often: who asks takes time from who is waited for.
    await pause(Math.min(20 + (performance.now() - began) / 20, 100));
  }
};
