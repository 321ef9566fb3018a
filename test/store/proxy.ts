import { connect, createServer, type Socket } from 'node:net';

/** Stands between a store and its server: counts what passes, loses an answer, or plays a name that moves. */
export interface Proxy {
  /** The URL of a database, by way of here. */
  readonly through: (url: string) => string;
  /** How often the server has said that it is ready for the next query: round trips. */
  readonly roundTrips: () => number;
  /** The same on the connection that was made last: what is asked on later ones does not count. */
  readonly roundTripsOfLast: () => () => number;
  /** Breaks the connection that carries the next answer to a COMMIT, before that answer arrives. */
  readonly loseNextCommit: () => void;
  /** New connections lead to this server; those there are stay, as when a name resolves to another address. */
  readonly moveTo: (serverUrl: string) => void;
  /** The connections there are stay open, and nothing passes any more; new ones are as before. */
  readonly stall: () => void;
  /** New connections lose the settings that are sent at connect, as behind a pooler in transaction mode. */
  readonly dropSettings: () => void;
  readonly close: () => Promise<void>;
}

const READY_FOR_QUERY = 'Z';
const COMMAND_COMPLETE = 'C';

export const startProxy = async (serverUrl: string): Promise<Proxy> => {
  let target = new URL(serverUrl);
  let era = 0;
  let isDropping = false;
  const sockets = new Set<Socket>();
  const roundTrips: number[] = [];
  let losing = false;

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const born = era;
    const number = roundTrips.push(0) - 1;
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end).on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    let isFirst = true;
    client.on('data', (chunk: Buffer) => {
      if (born !== era) return;
      upstream.write(isFirst && isDropping ? withoutSettings(chunk) : chunk);
      isFirst = false;
    });
    const read = readMessages((type, text) => {
      if (type === READY_FOR_QUERY) roundTrips[number] = (roundTrips[number] ?? 0) + 1;
      if (!losing || type !== COMMAND_COMPLETE || !text.startsWith('COMMIT')) return;
      losing = false;
      end();
    });
    upstream.on('data', (chunk: Buffer) => {
      if (born !== era) return;
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
    roundTrips: () => roundTrips.reduce((sum, count) => sum + count, 0),
    roundTripsOfLast: () => {
      const last = roundTrips.length - 1;
      return () => roundTrips[last] ?? 0;
    },
    loseNextCommit: () => {
      losing = true;
    },
    moveTo: (url) => {
      target = new URL(url);
    },
    stall: () => {
      era += 1;
    },
    dropSettings: () => {
      isDropping = true;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

/** What a session cannot be without. */
const NEEDED: ReadonlySet<string | undefined> = new Set(['user', 'database', 'client_encoding']);
const VERSION_END = 8;

/** A start-up message: its length, the version, then names and values that end with a zero byte, then one more. */
const withoutSettings = (message: Buffer): Buffer => {
  const words = message.toString('utf8', VERSION_END, message.readInt32BE(0)).split('\0');
  let kept = '';
  for (let index = 0; index + 1 < words.length; index += 2)
    if (NEEDED.has(words[index])) kept += `${words[index]}\0${words[index + 1]}\0`;
  const shorter = Buffer.concat([message.subarray(0, VERSION_END), Buffer.from(`${kept}\0`)]);
  shorter.writeInt32BE(shorter.length, 0);
  return shorter;
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
