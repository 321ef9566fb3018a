import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Starts listening; resolves with the address it got (port 0 lets the system choose). */
export const listen = (server: Server, { host, port }: Address): Promise<Address> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const { address, port: given } = server.address() as AddressInfo;
      resolve({ host: address, port: given });
    });
  });

/** Stops accepting; resolves when the requests in flight are answered. Idle connections are closed. */
export const stopListening = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
  });
