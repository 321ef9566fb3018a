import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { foreignHeader } from '../../loopback.ts';
import type { Reply } from '../reply.ts';
import { problem } from './problem.ts';

export interface Tokens {
  readonly token: string | null;
  /** May only GET and HEAD. */
  readonly readToken: string | null;
}

/** Null where the request may go on, else the problem. */
export type Guard = (request: IncomingMessage) => Reply | null;

export const createGuard = ({ token, readToken }: Tokens): Guard =>
  token === null && readToken === null ? loopbackOnly : bearerOnly({ token, readToken });

/** It changes nothing. */
export const isRead = (method: string | undefined): boolean => method === 'GET' || method === 'HEAD';

const bearerOnly = ({ token, readToken }: Tokens): Guard => {
  const isToken = matcher(token);
  const isReadToken = matcher(readToken);
  return ({ headers, method }) => {
    // A header is one character a byte, a token is UTF-8: compared are the bytes.
    const presented = digest(Buffer.from(/^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '', 'latin1'));
    if (isToken(presented)) return null;
    if (!isReadToken(presented)) return problem('TOKEN_REQUIRED', 'A token is needed: Authorization: Bearer.');
    return isRead(method)
      ? null
      : problem('READ_ONLY_TOKEN', 'This token may only read: ADMIN_TOKEN may do everything.');
  };
};

const digest = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** Digests have one length whatever the length of the tokens, so the time of the comparison tells nothing. */
const matcher = (token: string | null): ((presented: Buffer) => boolean) => {
  if (token === null || token === '') return () => false;
  const expected = digest(Buffer.from(token));
  return (presented) => timingSafeEqual(presented, expected);
};

const loopbackOnly: Guard = ({ headersDistinct }) => {
  switch (foreignHeader(headersDistinct)) {
    case 'Host':
      return problem('FOREIGN_HOST', 'Without an ADMIN_TOKEN only requests to a loopback name are answered.');
    case 'Origin':
      return problem('FOREIGN_ORIGIN', 'Without an ADMIN_TOKEN no page of another origin is answered.');
    case null:
      return null;
  }
};
