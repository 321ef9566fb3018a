import type { KeyObject } from 'node:crypto';
import { codeOf, propertyOf } from '../thrown.ts';
import { signatureHeader } from './signing.ts';

/** Who calls, and where. */
export interface Caller {
  readonly clientId: string;
  /** Scheme, host and port. */
  readonly origin: string;
  readonly signingKey: { readonly key: KeyObject; readonly version: string };
  /** For the whole exchange, from connecting to the answer's last byte. */
  readonly timeoutMs: number;
  /** Bytes that are read of an answer. */
  readonly maxBytes: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** One request: the bytes that were signed are those that are sent. */
export interface Call {
  /** Path and query, as they are signed. */
  readonly target: string;
  readonly body: Buffer;
  /** Gives up, as when the service stops. */
  readonly signal?: AbortSignal | undefined;
}

export interface Sent {
  readonly target: string;
  /** 13-digit epoch milliseconds, as in the header. */
  readonly requestTime: string;
  readonly body: Buffer;
}

/** An answer with status 200, byte for byte; nothing of it has been verified. */
export interface Received {
  /** Names in lower case; of a header that came twice, the values with a comma between them. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** By our clock, epoch milliseconds. */
  readonly receivedAt: number;
}

/** Why there is no answer to read: a closed set. */
export type Silence = 'NO_ANSWER' | 'TIMEOUT' | 'STOPPED' | 'HTTP_STATUS' | 'TOO_LARGE';

export type Exchange =
  | { readonly sent: Sent; readonly received: Received }
  /** `detail`: a code of the network or of TLS, or the status; never anything that was received. */
  | { readonly sent: Sent; readonly received: null; readonly silence: Silence; readonly detail: string };

/** Sends one signed POST. Never throws: whatever happens on the way is a silence. */
export const exchange = async (caller: Caller, call: Call): Promise<Exchange> => {
  const { clientId, origin, signingKey, timeoutMs, maxBytes, now } = caller;
  const url = new URL(`${origin}${call.target}`);
  // As it leaves, which is what is signed.
  const sent = { target: url.pathname + url.search, requestTime: String(now()), body: call.body };
  const message = { method: 'POST', uri: sent.target, clientId, requestTime: sent.requestTime, body: sent.body };
  const timeout = AbortSignal.timeout(timeoutMs);
  const silent = (silence: Silence, detail: string): Exchange => ({ sent, received: null, silence, detail });
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=UTF-8',
        'client-id': clientId,
        'request-time': sent.requestTime,
        signature: signatureHeader(message, signingKey.key, signingKey.version),
        // What is verified is what came over the wire.
        'accept-encoding': 'identity',
      },
      body: sent.body,
      // Seen, and not followed: a request is signed for one host and path.
      redirect: 'manual',
      signal: call.signal === undefined ? timeout : AbortSignal.any([timeout, call.signal]),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      return silent('HTTP_STATUS', String(response.status));
    }
    const body = await readUpTo(maxBytes, response);
    if (body === null) return silent('TOO_LARGE', `over ${maxBytes} bytes`);
    return { sent, received: { headers: [...response.headers], body, receivedAt: now() } };
  } catch (error) {
    if (call.signal?.aborted === true) return silent('STOPPED', 'given up');
    return timeout.aborted ? silent('TIMEOUT', `over ${timeoutMs} ms`) : silent('NO_ANSWER', codeIn(error));
  }
};

/** Null where there are more bytes; the rest is not waited for. */
const readUpTo = async (maxBytes: number, { body }: Response): Promise<Buffer | null> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/** `fetch` wraps what happened: the code stands at the innermost cause. */
const codeIn = (error: unknown): string => {
  const cause = propertyOf(error, 'cause');
  if (cause !== undefined) return codeIn(cause);
  const name = propertyOf(error, 'name');
  return codeOf(error) ?? (typeof name === 'string' ? name : 'unknown');
};
