/**
 * Something a process did to the files of a directory, in the order in which it did it; what `shim/journal.c` wrote.
 */
export type Operation =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'made' | 'synced' | 'directory synced' | 'unlinked'; readonly path: string }
  | { readonly kind: 'written'; readonly path: string; readonly offset: number; readonly data: Buffer }
  | { readonly kind: 'cut'; readonly path: string; readonly size: number }
  | { readonly kind: 'renamed'; readonly path: string; readonly to: string }
  /** About to be written to a connection whose other end has this port. */
  | { readonly kind: 'acknowledged'; readonly port: number };

const HEADER = 24;

const operationOf = (kind: string, path: string, { offset, data }: { offset: number; data: Buffer }): Operation => {
  switch (kind) {
    case 'L':
      return { kind: 'loaded' };
    case 'O':
      return { kind: 'made', path };
    case 'W':
      return { kind: 'written', path, offset, data };
    case 'T':
      return { kind: 'cut', path, size: offset };
    case 'S':
      return { kind: 'synced', path };
    case 'D':
      return { kind: 'directory synced', path };
    case 'U':
      return { kind: 'unlinked', path };
    case 'R':
      return { kind: 'renamed', path, to: data.toString() };
    case 'A':
      return { kind: 'acknowledged', port: offset };
    default:
      throw new Error(`the journal holds a record of the unknown kind ${kind}`);
  }
};

/** A record that a killed process did not finish is the last, and is none. */
export const readJournal = (bytes: Buffer): readonly Operation[] => {
  const operations: Operation[] = [];
  for (let at = 0; at + HEADER <= bytes.length;) {
    const pathEnd = at + HEADER + bytes.readUInt32LE(at + 4);
    const offset = Number(bytes.readBigUInt64LE(at + 8));
    const end = pathEnd + Number(bytes.readBigUInt64LE(at + 16));
    if (end > bytes.length) break;
    const path = bytes.toString('utf8', at + HEADER, pathEnd);
    const data = bytes.subarray(pathEnd, end);
    operations.push(operationOf(String.fromCharCode(bytes[at] ?? 0), path, { offset, data }));
    at = end;
  }
  return operations;
};
