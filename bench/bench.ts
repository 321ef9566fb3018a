import { bodyOf, makeKeyPair, requestOf } from './notifications.ts';

/** What all measurements share: a directory, a port, a key, notifications. */
export interface Bench {
  readonly directory: string;
  readonly port: number;
  readonly publicKey: string;
  /** Notifications by number, signed, as whole requests; each is signed once. */
  readonly requests: (from: number, count: number) => readonly Buffer[];
  /** The mean length of their bodies. */
  readonly bodyBytes: (from: number, count: number) => number;
  readonly progress: (line: string) => void;
}

export const createBench = (directory: string): Bench => {
  const { privateKey, publicKey } = makeKeyPair();
  const signed = new Map<number, Buffer>();
  const requestNumber = (n: number): Buffer => {
    const request = signed.get(n) ?? requestOf(bodyOf(n), privateKey);
    signed.set(n, request);
    return request;
  };
  return {
    directory,
    port: 18_480,
    publicKey,
    requests: (from, count) => numbers(from, count).map(requestNumber),
    bodyBytes: (from, count) => numbers(from, count).reduce((sum, n) => sum + bodyOf(n).length, 0) / count,
    progress: (line) => void process.stderr.write(`${line}\n`),
  };
};

const numbers = (from: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => from + index);
