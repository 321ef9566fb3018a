import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Express } from 'express';

/** What a request gets that Express shows to none of its layers. */
export type LastResort = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Where Express finds no path in a target (`http://[`, `foo://x`, the host of a CONNECT) it asks no layer, and its own
 * answer is HTML. This one takes its place.
 */
export const setLastResort = (app: Express, lastResort: LastResort): void => {
  const { handle } = app as unknown as { readonly handle: Handle };
  const handleToTheEnd: Handle = (request, response) =>
    handle.call(app, request, response, () => {
      // A response that broke off halfway cannot be mended.
      if (response.headersSent) request.socket.destroy();
      else lastResort(request, response);
    });
  Object.assign(app, { handle: handleToTheEnd });
};

type Handle = (request: IncomingMessage, response: ServerResponse, done?: () => void) => void;
