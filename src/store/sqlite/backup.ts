import { closeSync, fsyncSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup, type DatabaseSync } from 'node:sqlite';
import { StoreRejectedError, StoreUnusableError } from '../errors.ts';
import { connect } from './connect.ts';
import { createFile } from './file.ts';
import { assertIntact } from './inspect.ts';
import { stamp } from './place.ts';

/**
 * Copies a database as it is at one moment into a file, and seals the copy; it is synced before this resolves. Throws a
 * StoreRejectedError where the copy is not intact.
 */
export const backUp = async (db: DatabaseSync, target: string): Promise<{ readonly bytes: number }> => {
  createFile(target);
  await backup(db, target);
  try {
    return seal(target, target);
  } catch (error) {
    if (!(error instanceof StoreUnusableError)) throw error;
    throw new StoreRejectedError(
      `the database is damaged, so its copy was thrown away, and earlier backups are as they were: stop the service, and put the last one in its place with \`paynotify restore FILE\` (${error.message})`,
    );
  }
};

/**
 * Makes a copy a database of its own: complete without a log, and with a new mark, so that a log of the original is
 * not taken for its own. Checks it, and syncs it. Throws a StoreUnusableError where it is not intact, which says so of
 * `original`.
 */
export const seal = (file: string, original: string): { readonly bytes: number } => {
  const db = connect(file, 'rw');
  try {
    db.exec('pragma journal_mode = delete');
    db.exec('pragma synchronous = full');
    assertIntact(db, original);
    stamp(db, { salts: '', inFile: null, closing: true });
  } finally {
    db.close();
  }
  sync(file);
  return { bytes: statSync(file).size };
};

/** Of a file that nobody has open; or of a directory, so that a name in it is durable. */
export const sync = (path: string): void => {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};

export const syncDirectoryOf = (file: string): void => sync(dirname(file));
