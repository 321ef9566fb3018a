import type { Entry } from '../record.ts';

/**
 * A batch on its way to the thread. Bytes pass between threads with all of the memory that they are a part of, and a
 * body is a part of what a socket read: so the bodies go in one piece of their own.
 */
export interface PackedBatch {
  /** Without their bodies. */
  readonly entries: readonly Entry[];
  readonly bodyLengths: readonly number[];
  readonly bodies: Uint8Array<ArrayBuffer>;
}

const NO_BODY = new Uint8Array(0);

const bodyOf = (entry: Entry): Uint8Array => ('notification' in entry ? entry.notification.raw : entry.unverified).body;

const withBody = (entry: Entry, body: Uint8Array): Entry =>
  'notification' in entry
    ? { notification: { ...entry.notification, raw: { ...entry.notification.raw, body } } }
    : { unverified: { ...entry.unverified, body } };

export const packBatch = (entries: readonly Entry[]): PackedBatch => {
  const bodyLengths = entries.map((entry) => bodyOf(entry).length);
  const bodies = new Uint8Array(bodyLengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const entry of entries) {
    bodies.set(bodyOf(entry), at);
    at += bodyOf(entry).length;
  }
  return { entries: entries.map((entry) => withBody(entry, NO_BODY)), bodyLengths, bodies };
};

export const unpackBatch = ({ entries, bodyLengths, bodies }: PackedBatch): readonly Entry[] => {
  let at = 0;
  return entries.map((entry, index) => {
    const begin = at;
    at += bodyLengths[index] ?? 0;
    return withBody(entry, bodies.subarray(begin, at));
  });
};
