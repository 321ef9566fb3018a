import { bodyOf, makeKeyPair, requestOf } from './notifications.ts';

/** What all measurements share: a place, a key, notifications. */
export interface Bench {
  readonly directory: string;
  readonly port: number;
  readonly publicKey: string;
  /** Notifications by number, signed, as whole requests; each is signed once. */
  readonly requests: (from: number, count: number) => readonly Buffer[];
  /** Of the same, the mean length of a body. */
  readonly bodyBytes: (from: number, count: number) => number;
  readonly progress: (what: string) => void;
}

export const createBench = (directory: string): Bench => {
  const { privateKey, publicKey } = makeKeyPair();
  const signed = new Map<number, Buffer>();
  const request = (n: number): Buffer => {
    const known = signed.get(n) ?? requestOf(bodyOf(n), privateKey);
    signed.set(n, known);
    return known;
  };
  return {
    directory,
    port: 18_480,
    publicKey,
    requests: (from, count) => numbers(from, count).map(request),
    bodyBytes: (from, count) => numbers(from, count).reduce((sum, n) => sum + bodyOf(n).length, 0) / count,
    progress: (what) => void process.stderr.write(`${what}\n`),
  };
};

const numbers = (from: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => from + index);
