import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What a request is answered with, on either listener. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  /** `application/json` where absent. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection ends after this reply: the rest of the request is not read. */
  readonly closesConnection?: true;
}

/**
 * Writes a reply, unless there is nobody to write it to. `draining` tells the peer to send no more requests on this
 * connection. Node sends head and body in one write because the body is a string.
 */
export const send = (response: ServerResponse, reply: Reply, draining = false): void => {
  if (response.headersSent || response.destroyed) return;
  const { status, body, contentType = 'application/json', headers, closesConnection = false } = reply;
  // The response has its socket only when those before it are written.
  if (closesConnection) closeAfter(response.req.socket);
  const fields = ['Content-Type', contentType, 'Content-Length', String(Buffer.byteLength(body))];
  for (const name in headers) fields.push(name, headers[name] ?? '');
  if (closesConnection || draining) fields.push('Connection', 'close');
  response.writeHead(status, fields);
  response.end(body);
};

/** Connections on which what follows is not taken for a request: the framing is in doubt, or a body was cut. */
const closing = new WeakSet<Socket>();

/** Whether a reply on this connection was its last one. */
export const isClosing = (socket: Socket): boolean => closing.has(socket);

const LINGER_MS = 2_000;

/**
 * Closing a socket with unread bytes makes the kernel send a reset, which can destroy the reply on its way. So the
 * sending side is closed first, and what still arrives is thrown away for a moment, unparsed.
 */
const closeAfter = (socket: Socket): void => {
  closing.add(socket);
  socket.destroySoon = () => {
    socket.end();
    const giveUp = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(giveUp));
    socket.once('end', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    // A listener for data takes the bytes from Node's parser (lib/_http_server.js, generateSocketListenerWrapper).
    socket.removeAllListeners('data').on('data', () => undefined);
    socket.resume();
  };
};
