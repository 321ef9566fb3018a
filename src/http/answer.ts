import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  /** ASCII. */
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the connection after this answer: the rest of the request is not going to be read. */
  readonly closes?: true;
}

export const json = (value: unknown): string => JSON.stringify(value);

/**
 * Writes an answer, JSON always. `draining` tells the peer to open no more requests on this connection.
 * Head and body leave as one text, and so as one write: all our answers are ASCII.
 */
export const send = (response: ServerResponse, { status, body, headers, closes }: Answer, draining: boolean): void => {
  if (response.headersSent || response.destroyed) return;
  if (closes === true) lingerOnClose(response.socket);
  const fields = ['Content-Type', 'application/json', 'Content-Length', String(body.length)];
  for (const name in headers) fields.push(name, headers[name] ?? '');
  if (closes === true || draining) fields.push('Connection', 'close');
  response.writeHead(status, fields);
  response.end(body, 'latin1');
};

const LINGER_MS = 2_000;

/**
 * Closing a socket with bytes unread makes the kernel send a reset, and that can destroy the answer on its way.
 * So the sending side is closed, and what still comes in is thrown away for a moment.
 */
const lingerOnClose = (socket: Socket | null): void => {
  if (socket === null) return;
  socket.destroySoon = () => {
    socket.end();
    const giveUp = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(giveUp));
    socket.once('end', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.resume();
  };
};
