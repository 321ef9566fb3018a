import { connect, createServer, type Socket } from 'node:net';

/** Stands between a store and its server, counts what passes, and can lose an answer. */
export interface Proxy {
  /** The URL of a database, by way of here. */
  readonly through: (url: string) => string;
  /** How often the server has said that it is ready for the next query: round trips. */
  readonly roundTrips: () => number;
  /** Breaks the connection that carries the next answer to a COMMIT, before that answer arrives. */
  readonly loseNextCommit: () => void;
  readonly close: () => Promise<void>;
}

const READY_FOR_QUERY = 'Z';
const COMMAND_COMPLETE = 'C';

export const startProxy = async (serverUrl: string): Promise<Proxy> => {
  const { hostname, port } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let roundTrips = 0;
  let losing = false;

  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (chunk) => upstream.write(chunk));
    const read = readMessages((type, text) => {
      if (type === READY_FOR_QUERY) roundTrips += 1;
      if (!losing || type !== COMMAND_COMPLETE || !text.startsWith('COMMIT')) return;
      losing = false;
      end();
    });
    upstream.on('data', (chunk: Buffer) => {
      read(chunk);
      if (!client.destroyed) client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();

  return {
    through: (url) => {
      const here = new URL(url);
      here.hostname = '127.0.0.1';
      here.port = String(typeof address === 'object' ? address?.port : address);
      return here.href;
    },
    roundTrips: () => roundTrips,
    loseNextCommit: () => {
      losing = true;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const HEADER = 5;

/** Messages of a server: a letter, a length that counts itself and the rest, the rest. */
const readMessages = (onMessage: (type: string, text: string) => void): ((chunk: Buffer) => void) => {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER && rest.length > rest.readInt32BE(1)) {
      const length = rest.readInt32BE(1) + 1;
      onMessage(String.fromCharCode(rest[0] ?? 0), rest.toString('latin1', HEADER, length));
      rest = rest.subarray(length);
    }
  };
};
