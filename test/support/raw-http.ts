import { connect } from 'node:net';
import type { Address } from './client.ts';

/** An answer as it stood on the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Status line and headers, without the empty line. */
  readonly head: string;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A connection on which bytes are sent as they are, and answers are read as they come. */
export interface RawConnection {
  /** Resolves once the bytes are handed to the system, or the connection is gone. */
  readonly write: (bytes: string | Uint8Array) => Promise<void>;
  /** Closes our sending side; answers can still be read. */
  readonly halfClose: () => void;
  readonly destroy: () => void;
  /** The next answer; an error where the connection ends before it is whole. `headOnly`: it answers a HEAD. */
  readonly answer: (headOnly?: boolean) => Promise<RawAnswer>;
  /** Resolves when the receiver has closed its side, with what is left unread. */
  readonly ended: Promise<Buffer>;
  /** Whether the receiver has closed its side. */
  readonly isOver: () => boolean;
}

export const openRaw = ({ host, port }: Address): Promise<RawConnection> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    let unread: Buffer = Buffer.alloc(0);
    let over = false;
    let wake: (() => void) | null = null;
    const ended = new Promise<Buffer>((resolveEnd) => {
      const end = (): void => {
        over = true;
        wake?.();
        resolveEnd(unread);
      };
      socket.once('end', end);
      socket.once('close', end);
    });
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      wake?.();
    });
    socket.once('error', reject);
    // A receiver that has said enough may reset the connection: that shows as its end.
    socket.on('error', () => undefined);

    const more = (): Promise<void> =>
      new Promise((resolveMore) => {
        wake = resolveMore;
      });
    const answer = async (headOnly = false): Promise<RawAnswer> => {
      for (;;) {
        const read = readAnswer(unread, headOnly);
        if (read !== null) {
          unread = unread.subarray(read.length);
          return read.answer;
        }
        if (over)
          throw new Error(`the connection ended before an answer: ${JSON.stringify(unread.toString('latin1'))}`);
        await more();
      }
    };
    socket.once('connect', () =>
      resolve({
        write: (bytes) =>
          new Promise((written) => {
            socket.once('close', written);
            socket.write(bytes, () => {
              socket.off('close', written);
              written();
            });
          }),
        halfClose: () => socket.end(),
        destroy: () => socket.destroy(),
        answer,
        ended,
        isOver: () => over,
      }),
    );
  });

const HEAD_END = '\r\n\r\n';

/** The first answer in the bytes, and how many of them it takes; null where it is not whole. */
export const readAnswer = (
  bytes: Buffer,
  headOnly: boolean,
): { readonly answer: RawAnswer; readonly length: number } | null => {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd === -1) return null;
  const head = bytes.toString('latin1', 0, headEnd);
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const status = Number(statusLine.split(' ')[1]);
  const hasBody = !headOnly && status >= 200;
  const bodyStart = headEnd + HEAD_END.length;
  const length = bodyStart + (hasBody ? Number(headers.get('content-length') ?? 0) : 0);
  if (bytes.length < length) return null;
  return { answer: { status, head, headers, body: bytes.toString('utf8', bodyStart, length) }, length };
};

/** Sends bytes on a connection of their own, and reads one answer. */
export const exchange = async (address: Address, bytes: string | Uint8Array): Promise<RawAnswer> => {
  const connection = await openRaw(address);
  try {
    await connection.write(bytes);
    return await connection.answer();
  } finally {
    connection.destroy();
  }
};

/** The head of a request as text; lines in the order given. */
export const headOf = (requestLine: string, lines: readonly string[]): string =>
  [requestLine, ...lines, '', ''].join('\r\n');
