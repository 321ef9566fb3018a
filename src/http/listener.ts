import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Connections that wait to be accepted; the system's own limit (4,096 on Linux) holds all the same. Over it, a sender waits for seconds. */
const BACKLOG = 4_096;

/** Starts listening; resolves with the address it got (port 0 lets the system choose). */
export const listen = (server: Server, { host, port }: Address): Promise<Address> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', reject);
      const { address, port: given } = server.address() as AddressInfo;
      resolve({ host: address, port: given });
    });
  });

/** Longer than the answer to a whole request may take, shorter than the 10 s after which an orchestrator kills. */
const FINISH_WITHIN_MS = 8_000;

/**
 * Stops accepting; resolves when the requests in flight are answered. Idle connections are closed at once, and
 * those whose sender does not come to an end after a while: Node no longer times them out by then.
 */
export const stopListening = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), FINISH_WITHIN_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
  });
