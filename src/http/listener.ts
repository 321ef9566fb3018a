import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Connections that wait to be accepted. The system's own limit (4,096 on Linux) applies too; above it a sender waits
 * for seconds.
 */
const BACKLOG = 4_096;

/** Starts listening; resolves with the bound address (port 0 lets the system choose). */
export const listen = (server: Server, { host, port }: Address): Promise<Address> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', reject);
      const { address, port: given } = server.address() as AddressInfo;
      resolve({ host: address, port: given });
    });
  });

/** Longer than a response may take, shorter than the 10 s after which an orchestrator kills. */
const FINISH_WITHIN_MS = 8_000;

/**
 * Stops accepting; resolves when the requests in flight have their responses. Idle connections are closed at once.
 * Those whose sender never ends its request are closed after a while, for a closed server no longer times them out.
 */
export const stopListening = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), FINISH_WITHIN_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
  });
