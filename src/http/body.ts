import type { IncomingMessage } from 'node:http';

/** A body, or why there is none: over the limit, or the sender went away. */
export type BodyReading = Buffer | 'too large' | 'aborted';

/**
 * Reads the bytes off the socket, whatever the Content-Type, up to `limit` bytes. A chunked body is cut at the
 * limit; one with a Content-Length over it must be refused before (see `declaredLength`).
 */
export const readBody = (
  request: IncomingMessage,
  { limit, onTooLarge }: { readonly limit: number; readonly onTooLarge: () => void },
): Promise<BodyReading> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > limit) {
        // What still comes is thrown away; the answer closes the connection.
        request.off('data', onData).resume();
        onTooLarge();
        resolve('too large');
        return;
      }
      chunks.push(chunk);
    };
    request.on('data', onData);
    request.once('end', () => {
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
    });
    request.once('close', () => resolve('aborted'));
    request.once('error', () => resolve('aborted'));
  });

/** The Content-Length, which Node's parser has checked to be a number; null for a chunked or empty body. */
export const declaredLength = (request: IncomingMessage): number | null => {
  const declared = request.headers['content-length'];
  return declared === undefined ? null : Number(declared);
};
