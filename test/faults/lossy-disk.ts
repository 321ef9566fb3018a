import { basename } from 'node:path';
import type { Operation } from './journal.ts';
import type { Random } from './random.ts';

/**
 * What a power cut does to what was not synced: it is gone, or all there; every write is there or not; every sector
 * of every write is there or not, in any order.
 */
export const LOSSES = ['all', 'none', 'half', 'torn'] as const;
export type Loss = (typeof LOSSES)[number];

/** A disk that knows what of its contents would survive. */
export interface LossyDisk {
  readonly apply: (operation: Operation) => void;
  /** The files after a power cut now, by name. */
  readonly cut: (loss: Loss, random: Random) => ReadonlyMap<string, Buffer>;
}

/** Linux writes a sector whole or not at all. */
const SECTOR = 512;

type Change = { readonly offset: number; readonly data: Buffer } | { readonly size: number };

interface File {
  /** What was synced. */
  image: Image;
  /** What was done since. */
  pending: Change[];
}

type NameChange = (names: Map<string, File>) => void;

/** Bytes that grow; holes are zeros. */
interface Image {
  bytes: Buffer;
  size: number;
}

const applyTo = (image: Image, change: Change): void => {
  if ('size' in change) {
    reserve(image, change.size);
    if (change.size < image.size) image.bytes.fill(0, change.size, image.size);
    image.size = change.size;
    return;
  }
  const end = change.offset + change.data.length;
  reserve(image, end);
  change.data.copy(image.bytes, change.offset);
  image.size = Math.max(image.size, end);
};

const reserve = (image: Image, size: number): void => {
  if (size <= image.bytes.length) return;
  const bytes = Buffer.alloc(Math.max(size, 2 * image.bytes.length));
  image.bytes.copy(bytes);
  image.bytes = bytes;
};

const copyOf = ({ bytes, size }: Image): Image => ({ bytes: Buffer.from(bytes.subarray(0, size)), size });

/** The parts of a write that each are there or not. */
const sectorsOf = (change: Change): readonly Change[] => {
  if ('size' in change) return [change];
  const sectors: Change[] = [];
  for (let at = 0; at < change.data.length;) {
    const length = Math.min(SECTOR - ((change.offset + at) % SECTOR), change.data.length - at);
    sectors.push({ offset: change.offset + at, data: change.data.subarray(at, at + length) });
    at += length;
  }
  return sectors;
};

const surviving = (pending: readonly Change[], loss: Loss, random: Random): readonly Change[] => {
  switch (loss) {
    case 'all':
      return [];
    case 'none':
      return pending;
    case 'half':
      return pending.filter(() => random.chance(0.5));
    case 'torn':
      return pending.flatMap(sectorsOf).filter(() => random.chance(0.5));
  }
};

/** File systems with a journal keep changes of names in order: so many of the first ones survive. */
const survivingNames = (pending: readonly NameChange[], loss: Loss, random: Random): readonly NameChange[] => {
  if (loss === 'none') return pending;
  return pending.slice(0, loss === 'all' ? 0 : random.below(pending.length + 1));
};

/** `ignoresSyncs`: a disk that lies, to show that a loss is found. */
export const createLossyDisk = ({ ignoresSyncs = false } = {}): LossyDisk => {
  const current = new Map<string, File>();
  const synced = new Map<string, File>();
  let pendingNames: NameChange[] = [];

  const fileAt = (path: string): File => {
    const file = current.get(path);
    if (file === undefined) throw new Error(`${path} is used and was never made`);
    return file;
  };
  const rename = (change: NameChange): void => {
    change(current);
    pendingNames.push(change);
  };
  const syncNames = (): void => {
    for (const change of pendingNames) change(synced);
    pendingNames = [];
  };
  const sync = (file: File): void => {
    for (const change of file.pending) applyTo(file.image, change);
    file.pending = [];
  };

  return {
    apply: (operation) => {
      switch (operation.kind) {
        case 'made': {
          const file: File = { image: { bytes: Buffer.alloc(0), size: 0 }, pending: [] };
          return rename((names) => void names.set(operation.path, file));
        }
        case 'written':
          return void fileAt(operation.path).pending.push(operation);
        case 'cut':
          return void fileAt(operation.path).pending.push(operation);
        case 'synced':
          return ignoresSyncs ? undefined : sync(fileAt(operation.path));
        case 'directory synced':
          return syncNames();
        case 'unlinked':
          return rename((names) => void names.delete(operation.path));
        case 'renamed': {
          const file = fileAt(operation.path);
          return rename((names) => void (names.delete(operation.path), names.set(operation.to, file)));
        }
        case 'loaded':
        case 'acknowledged':
      }
    },
    cut: (loss, random) => {
      const names = new Map(synced);
      for (const change of survivingNames(pendingNames, loss, random)) change(names);
      return new Map(
        [...names].map(([path, { image, pending }]) => {
          const left = copyOf(image);
          for (const change of surviving(pending, loss, random)) applyTo(left, change);
          return [basename(path), left.bytes.subarray(0, left.size)];
        }),
      );
    },
  };
};
