import { chmodSync, fstatSync, mkdirSync, openSync, readSync, realpathSync, type Stats, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { codeOf, propertyOf } from '../../thrown.ts';
import { StoreUnavailableError, StoreUnusableError } from '../errors.ts';

/**
 * The file that a `sqlite:` URL names: `sqlite:data/paynotify.db` is relative, `sqlite:/data/paynotify.db` absolute.
 */
export const fileOf = (url: string): string =>
  url.startsWith('sqlite://')
    ? fileURLToPath(pathToFileURL(url.slice('sqlite://'.length)))
    : url.slice('sqlite:'.length);

/** An order holds who paid what: database, log and backups are for their owner alone. */
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/** Where a file is, whatever its path: what stands at a path may have been exchanged. */
export interface Identity {
  readonly dev: number;
  readonly ino: number;
}

export const isSame = (a: Identity, b: Identity): boolean => a.dev === b.dev && a.ino === b.ino;

/** Null where nothing is there. */
export const lookAt = (path: string): Stats | null => statSync(path, { throwIfNoEntry: false }) ?? null;

/**
 * Descriptors of a database file are never closed before their thread ends: closing one releases every lock that this
 * process holds on the file, those of SQLite too (sqlite.org/howtocorrupt.html, 2.2).
 */
export const openKept = (path: string): number => openSync(path, 'r');

/** Bytes from a place of a file; shorter where the file ends. */
export const readAt = (descriptor: number, position: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, length, position));
};

/** Makes a folder and those above it. Node's recursive mkdir never returns for a folder that /proc does not allow. */
export const makeDirectory = (path: string): void => {
  if (lookAt(path) !== null) return;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
};

/** SQLite puts its log beside the file that a symbolic link leads to. */
export const realPathOf = (file: string): string => (lookAt(file) === null ? file : realpathSync(file));

/** Makes an empty file for its owner alone, and its folder; what SQLite puts beside it gets the same mode. */
export const createFile = (file: string): void => {
  makeDirectory(dirname(file));
  try {
    // Nobody else can have a new file open, so nobody loses a lock with this descriptor; it is kept all the same.
    fstatSync(openSync(file, 'wx', OWNER_ONLY));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
};

/** Takes away what others may do with the files of a database, as far as this user may. */
export const closeToOthers = (file: string): void => {
  const real = realPathOf(file);
  for (const path of [real, `${real}-wal`, `${real}-shm`]) {
    const found = lookAt(path);
    if (found === null || (found.mode & OTHERS) === 0) continue;
    try {
      chmodSync(path, OWNER_ONLY);
    } catch (error) {
      // Somebody else's file that we may write: its mode is the owner's to choose.
      if (codeOf(error) !== 'EPERM') throw error;
    }
  }
};

const PRIMARY_CODE = 0xff;

/** The primary result code of SQLite; null where it is no error of SQLite. */
export const sqliteCodeOf = (error: unknown): number | null => {
  const code = propertyOf(error, 'errcode');
  return typeof code === 'number' ? code & PRIMARY_CODE : null;
};

/** SQLITE_READONLY_ROLLBACK: who may only read finds a journal that undoes a change (sqlite.org/rescode.html). */
const READ_ONLY_ROLLBACK = 776;
export const isHalfDone = (error: unknown): boolean => propertyOf(error, 'errcode') === READ_ONLY_ROLLBACK;

export const SQLITE = { readOnly: 8, corrupt: 11, cannotOpen: 14, notADatabase: 26 } as const;

/** They do not go away by waiting. */
const PERMANENT_CODES: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
]);

/** The user of this process, as a person would look for it. */
const userOf = (): string => {
  const uid = process.getuid?.();
  const id = uid === undefined ? '' : ` (uid ${uid})`;
  try {
    return `user ${userInfo().username}${id}`;
  } catch {
    return `the user of this process${id}`;
  }
};

/**
 * What an error at the opening of a database comes to: a StoreUnusableError, or a StoreUnavailableError to wait for.
 */
export const toOpenError = (error: unknown, file: string): Error => {
  if (error instanceof StoreUnusableError || error instanceof StoreUnavailableError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const sqlite = sqliteCodeOf(error);
  if (sqlite === SQLITE.notADatabase)
    return new StoreUnusableError(`${file} is not a database of SQLite: name another file, or move this one away`);
  if (sqlite === SQLITE.corrupt) return damaged(file, reason);
  const code = codeOf(error);
  if (sqlite === SQLITE.readOnly || sqlite === SQLITE.cannotOpen || PERMANENT_CODES.has(code ?? ''))
    return new StoreUnusableError(
      `${file} cannot be opened and written by ${userOf()}: ${reason}. Give the file, its -wal and -shm, and its directory to that user, or name a place that it may write`,
    );
  // Without a cause: a command prints that too, and it would say the same twice.
  return new StoreUnavailableError(`${file} cannot be opened: ${reason}`);
};

export const damaged = (file: string, what: string): StoreUnusableError =>
  new StoreUnusableError(
    `${file} is damaged (${what}): keep it, and put the last backup in its place with \`paynotify restore FILE\``,
  );
