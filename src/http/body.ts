import type { IncomingMessage } from 'node:http';

/** A body, or why there is none: over the limit, or the sender went away. */
export type Body = Buffer | 'too large' | 'aborted';

/**
 * Reads the bytes off the socket, whatever the Content-Type, up to `limit` bytes. A chunked body is cut at the limit;
 * one with a Content-Length over it must be refused before.
 */
export const readBody = (request: IncomingMessage, limit: number): Promise<Body> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > limit) {
        // The rest is thrown away; the reply closes the connection.
        request.off('data', onData).resume();
        resolve('too large');
        return;
      }
      chunks.push(chunk);
    };
    request.on('data', onData);
    request.on('end', () => {
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
    });
    // Both also come after the end, and then mean nothing.
    request.on('close', () => resolve('aborted'));
    request.on('error', () => resolve('aborted'));
  });
