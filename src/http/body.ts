import type { IncomingMessage } from 'node:http';

/** A body, or why there is none; `aborted`: the sender went away. */
export type Body = Buffer | 'too large' | 'too many pieces' | 'no room' | 'aborted';

/** Reads the bytes off the socket, whatever the Content-Type. Never rejects. */
export type BodyReader = (request: IncomingMessage) => Promise<Body>;

const MIB = 1_048_576;
/** All bodies of which a part is here and a part is not, together. */
const MAX_HELD_BYTES = 32 * MIB;
/**
 * One piece costs as much work as some hundred bytes: a body may come in so many, and in one more for each 64 bytes.
 */
const FREE_PIECES = 1_024;
const BYTES_A_PIECE = 64;
const SMALLEST_BUFFER = 1_024;

/**
 * Reads bodies of up to `limit` bytes. A chunked body is cut at the limit; one with a Content-Length over it must be
 * refused before. One that comes in a single piece is handed on as it is.
 */
export const createBodyReader = (limit: number): BodyReader => {
  const room = createRoom(Math.max(MAX_HELD_BYTES, 2 * limit));
  return (request) =>
    new Promise((resolve) => {
      const declared = Number(request.headersDistinct['content-length']?.[0]);
      let whole: Buffer | null = null;
      let pieces: Pieces | null = null;
      const refuse = (why: Body): void => {
        // The rest is thrown away; the reply closes the connection.
        request.off('data', onData).resume();
        resolve(why);
      };
      const onData = (piece: Buffer): void => {
        if (piece.length === declared) {
          whole = piece;
          return;
        }
        pieces ??= createPieces({ room, limit: Math.min(limit, declared || limit), giveUp: () => refuse('no room') });
        const why = pieces.add(piece);
        if (why !== null) refuse(why);
      };
      const finish = (body: Body): void => {
        pieces?.release();
        resolve(body);
      };
      request.on('data', onData);
      request.on('end', () => finish(whole ?? pieces?.take() ?? Buffer.alloc(0)));
      // Both also come after the end, and then mean nothing.
      request.on('close', () => finish('aborted'));
      request.on('error', () => finish('aborted'));
    });
};

interface Holder {
  bytes: number;
  readonly giveUp: () => void;
}

/** The bytes that unfinished bodies hold. */
interface Room {
  readonly hold: (holder: Holder, bytes: number) => void;
  readonly release: (holder: Holder) => void;
}

/**
 * Who began first gives up first: a sender takes milliseconds for its body, and only one that means to hold room takes
 * seconds. So nobody who comes later is kept out.
 */
const createRoom = (maxBytes: number): Room => {
  const holders = new Set<Holder>();
  let held = 0;
  const release = (holder: Holder): void => {
    held -= holder.bytes;
    holder.bytes = 0;
    holders.delete(holder);
  };
  return {
    release,
    hold: (holder, bytes) => {
      held += bytes - holder.bytes;
      holder.bytes = bytes;
      holders.add(holder);
      for (const oldest of holders) {
        if (held <= maxBytes) return;
        release(oldest);
        oldest.giveUp();
      }
    },
  };
};

/** A body that comes in pieces: they are copied into one buffer, for a piece of one byte is an object of hundreds. */
interface Pieces {
  readonly add: (piece: Buffer) => 'too large' | 'too many pieces' | null;
  /** All of them, which are held no longer. */
  readonly take: () => Buffer;
  readonly release: () => void;
}

interface PiecesOptions {
  readonly room: Room;
  /** Bytes. */
  readonly limit: number;
  /** Called where the room is needed for others. */
  readonly giveUp: () => void;
}

const NONE = Buffer.alloc(0);

const createPieces = ({ room, limit, giveUp }: PiecesOptions): Pieces => {
  let buffer: Buffer = NONE;
  /** The memory of the buffer, where it is not that of the first piece. */
  let own: ArrayBuffer | null = null;
  let length = 0;
  let count = 0;
  const keep = (next: Buffer, memory: ArrayBuffer | null): void => {
    // Freed at once: the collector comes late, and many large bodies would wait for it.
    own?.transfer(0);
    own = memory;
    buffer = next;
  };
  const release = (): void => {
    keep(NONE, null);
    room.release(holder);
  };
  const holder: Holder = {
    bytes: 0,
    giveUp: () => {
      release();
      giveUp();
    },
  };
  const grow = (): void => {
    const memory = new ArrayBuffer(Math.min(limit, Math.max(length, 2 * buffer.length, SMALLEST_BUFFER)));
    const larger = Buffer.from(memory);
    buffer.copy(larger);
    keep(larger, memory);
  };
  const refuse = <Why>(why: Why): Why => {
    release();
    return why;
  };
  return {
    release,
    take: () => {
      const isFull = buffer.length === length;
      const body = isFull ? buffer : Buffer.from(buffer.subarray(0, length));
      if (isFull) own = null;
      release();
      return body;
    },
    add: (piece) => {
      const start = length;
      length += piece.length;
      count += 1;
      if (length > limit) return refuse('too large');
      if (count > FREE_PIECES + length / BYTES_A_PIECE) return refuse('too many pieces');
      // A chunked body mostly comes in one piece, too, and is not copied.
      if (count === 1) keep(piece, null);
      else {
        if (length > buffer.length) grow();
        piece.copy(buffer, start);
      }
      room.hold(holder, buffer.length);
      return null;
    },
  };
};
