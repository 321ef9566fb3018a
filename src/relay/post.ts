import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as requestTls } from 'node:https';
import { Agent, request } from '../node-http.ts';
import { codeOf } from '../thrown.ts';
import { lookUpPrivate, NOT_PRIVATE } from './private-lookup.ts';

export interface Post {
  readonly href: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What came of a post; `aborted` is our own doing. */
export type PostResult =
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfter: string | null }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'aborted' };

export interface Posting {
  readonly post: (post: Post, signal: AbortSignal) => Promise<PostResult>;
  readonly close: () => void;
}

/** So much of a response is read, so that its connection can be used again. */
const READ_BYTES = 4_096;

/** Posts over connections that are kept; follows no redirects. `timeoutMs` is from the beginning to the last byte. */
export const createPosting = ({
  timeoutMs,
  atOnce,
}: {
  readonly timeoutMs: number;
  readonly atOnce: number;
}): Posting => {
  const kept = { keepAlive: true, maxSockets: atOnce, maxFreeSockets: atOnce };
  const agents = { 'http:': new Agent({ ...kept, lookup: lookUpPrivate }), 'https:': new TlsAgent(kept) };
  return {
    post: async (post, signal) => {
      const url = new URL(post.href);
      const isTls = url.protocol === 'https:';
      const options: RequestOptions = {
        method: 'POST',
        agent: agents[isTls ? 'https:' : 'http:'],
        headers: { ...post.headers, 'content-length': Buffer.byteLength(post.body) },
      };
      const begin = (): ClientRequest => (isTls ? requestTls : request)(url, options);
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const first = await exchange(begin(), post.body, limit);
      // The other side may close a connection at the moment when it is used again.
      const last = first.kind === 'stale' ? await exchange(begin(), post.body, limit) : first;
      if (last.kind === 'answered') return last;
      if (signal.aborted) return { kind: 'aborted' };
      return { kind: 'failed', why: limit.aborted ? `no response within ${timeoutMs / 1_000} s` : last.why };
    },
    close: () => {
      agents['http:'].destroy();
      agents['https:'].destroy();
    },
  };
};

type Exchange =
  | Extract<PostResult, { readonly kind: 'answered' }>
  | { readonly kind: 'failed' | 'stale'; readonly why: string };

const exchange = async (sent: ClientRequest, body: string, limit: AbortSignal): Promise<Exchange> =>
  await new Promise((resolve) => {
    const abort = (): void => {
      sent.destroy();
    };
    const end = (result: Exchange): void => {
      limit.removeEventListener('abort', abort);
      resolve(result);
    };
    let answered: Exchange | null = null;
    sent.on('error', (error) => {
      if (answered !== null) {
        end(answered);
        return;
      }
      const code = codeOf(error) ?? error.name;
      const isStale = sent.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE') && !limit.aborted;
      end({ kind: isStale ? 'stale' : 'failed', why: whyOf(code) });
    });
    // After 101 Node closes the connection, and says nothing else.
    sent.on('close', () => {
      if (answered === null) end({ kind: 'failed', why: 'no connection: closed' });
    });
    sent.on('response', (response) => {
      // Its status counts, whatever becomes of the rest.
      const head: Exchange = { kind: 'answered', ...headOf(response) };
      answered = head;
      discard(response, () => end(head));
    });
    limit.addEventListener('abort', abort);
    if (limit.aborted) abort();
    sent.end(body);
  });

const headOf = ({
  statusCode,
  headers,
}: IncomingMessage): { readonly status: number; readonly retryAfter: string | null } => ({
  status: statusCode ?? 0,
  retryAfter: headers['retry-after'] ?? null,
});

const discard = (response: IncomingMessage, done: () => void): void => {
  let bytes = 0;
  response.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > READ_BYTES) response.destroy();
  });
  // The end of a response that broke off comes with an error.
  response.on('error', () => undefined);
  response.on('close', done);
};

const whyOf = (code: string): string =>
  code === NOT_PRIVATE ? 'http leads to a public address: use https' : `no connection: ${code}`;
