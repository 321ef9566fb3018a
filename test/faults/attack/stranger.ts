import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Address } from '../../support/client.ts';
import { type RawAnswer, readAnswer } from '../../support/raw-http.ts';

/** A connection of somebody who means no good. Nothing about it rejects: that it was cut is what it may get. */
export interface Stranger {
  /** Resolves once the bytes are handed to the system, or the connection is gone. */
  readonly send: (bytes: string | Uint8Array) => Promise<void>;
  /** Those received so far; of a flood only the first. */
  readonly answers: readonly RawAnswer[];
  /** Resolves once there are as many answers, the connection is gone, or the time is up. */
  readonly answered: (count: number, withinMs: number) => Promise<void>;
  readonly isGone: () => boolean;
  readonly leave: () => void;
}

const KEPT_ANSWERS = 50;
const ASK_EVERY_MS = 20;

export const openStranger = (address: Address): Promise<Stranger> =>
  new Promise((resolve) => {
    const socket = connect({ ...address, allowHalfOpen: true });
    const answers: RawAnswer[] = [];
    let unread: Buffer = Buffer.alloc(0);
    const left = new AbortController();
    const read = (chunk: Buffer): void => {
      if (answers.length >= KEPT_ANSWERS) return;
      unread = Buffer.concat([unread, chunk]);
      for (let found = nextAnswer(unread); found !== null; found = nextAnswer(unread)) {
        unread = unread.subarray(found.length);
        answers.push(found.answer);
      }
    };
    socket.on('data', read);
    // What has no length ends with the connection.
    socket.once('end', () => {
      left.abort();
      if (unread.length > 0 && answers.length < KEPT_ANSWERS) answers.push(bodyToEnd(unread));
    });
    socket.on('error', () => undefined);
    const stranger: Stranger = {
      answers,
      isGone: () => left.signal.aborted,
      send: (bytes) =>
        new Promise((written) => {
          if (left.signal.aborted || socket.destroyed) return written();
          socket.once('close', written);
          socket.write(bytes, () => {
            socket.off('close', written);
            written();
          });
        }),
      answered: async (count, withinMs) => {
        const until = performance.now() + withinMs;
        while (answers.length < count && !left.signal.aborted && performance.now() < until) await pause(ASK_EVERY_MS);
      },
      leave: () => socket.destroy(),
    };
    socket.once('close', () => {
      left.abort();
      resolve(stranger);
    });
    socket.once('connect', () => resolve(stranger));
  });

/** Node sends what it refuses itself in chunks, of which there is only the last: the body is empty. */
const NO_CHUNKS = Buffer.from('0\r\n\r\n');

const nextAnswer = (bytes: Buffer): ReturnType<typeof readAnswer> => {
  const found = readAnswer(bytes, false);
  if (found === null || found.answer.headers.get('transfer-encoding') !== 'chunked') return found;
  const rest = bytes.subarray(found.length, found.length + NO_CHUNKS.length);
  if (rest.length < NO_CHUNKS.length) return null;
  return rest.equals(NO_CHUNKS) ? { ...found, length: found.length + NO_CHUNKS.length } : found;
};

const bodyToEnd = (bytes: Buffer): RawAnswer => {
  const text = bytes.toString('latin1');
  const headEnd = text.indexOf('\r\n\r\n');
  const head = headEnd === -1 ? '' : text.slice(0, headEnd);
  return {
    status: Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1] ?? 0),
    head,
    headers: new Map(),
    body: headEnd === -1 ? text : text.slice(headEnd + 4),
  };
};
