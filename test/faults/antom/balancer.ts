import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Address } from '../../support/client.ts';

/** One address for several replicas: each connection goes to one of them, and breaks with it. */
export interface Balancer {
  readonly address: Address;
  readonly close: () => Promise<void>;
}

/** `choose` gives null while there is none. */
export const startBalancer = async (choose: () => Address | null): Promise<Balancer> => {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    const to = choose();
    if (to === null) {
      socket.destroy();
      return;
    }
    const onward = connect(to);
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
