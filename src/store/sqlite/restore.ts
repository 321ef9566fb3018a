import { chownSync, constants, copyFileSync, linkSync, type Stats, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { codeOf } from '../../thrown.ts';
import { StoreUnusableError } from '../errors.ts';
import { seal, syncDirectoryOf } from './backup.ts';
import { connect } from './connect.ts';
import { closeToOthers, createFile, isSame, lookAt, realPathOf, SQLITE, sqliteCodeOf } from './file.ts';
import { inspect } from './inspect.ts';
import { MIGRATIONS } from './migrations.ts';
import { stamp } from './place.ts';

/** A restore was refused; nothing was changed. The message is one sentence for the person who asked. */
export class RestoreRefusedError extends Error {
  override readonly name = 'RestoreRefusedError';
}

export interface Restored {
  /** Where the database is that was replaced; null where there was none. */
  readonly kept: string | null;
  /** A log or a journal that lay there and may not be its own, or had no database. */
  readonly keptBeside: readonly string[];
  readonly bytes: number;
}

/**
 * Puts a copy of a backup in the place of a database, and keeps what was there beside it. The copy gets a mark of its
 * own, and is on disk before it takes the place. Throws a RestoreRefusedError, a StoreUnusableError or an error of the
 * file system; then the database is as it was.
 */
export const restoreSqlite = (backup: string, place: string, now: Date): Restored => {
  const file = realPathOf(place);
  assertBackup(backup, file);
  const suffix = now.toISOString().replaceAll(/[:.]/g, '-');
  const kept = `${file}.replaced-${suffix}`;
  const part = `${file}.restoring-${suffix}`;
  const old = lookAt(file);
  createFile(part);
  try {
    copyFileSync(backup, part, constants.COPYFILE_FICLONE);
    closeToOthers(part);
    giveTo(part, old ?? lookAt(dirname(resolve(file))));
    const { bytes } = asBackup(() => seal(part, backup));
    const keptBeside = takeOutOfUse(file, kept);
    if (old !== null) keep(file, kept);
    renameSync(part, file);
    syncDirectoryOf(file);
    return { kept: old === null ? null : kept, keptBeside, bytes };
  } finally {
    for (const path of [part, `${part}-journal`, `${part}-wal`, `${part}-shm`]) rmSync(path, { force: true });
  }
};

const assertBackup = (backup: string, file: string): void => {
  const [there, old] = [lookAt(backup), lookAt(file)];
  if (there === null) throw new RestoreRefusedError(`there is no file ${backup}`);
  if (old !== null && isSame(there, old)) throw new RestoreRefusedError(`${backup} is the database itself`);
  const { state } = asBackup(() => inspect(backup, MIGRATIONS));
  if (state === 'none') throw new RestoreRefusedError(`${backup} is empty: it is no backup`);
  if (state !== 'closed')
    throw new RestoreRefusedError(
      `${backup} is no backup but a copy of a database in use: make one of it with \`DATABASE_URL=sqlite:${backup} paynotify backup NEW\`, and restore that`,
    );
};

/** What cannot be used says what to do with a database: of a backup it is to take another one. */
const asBackup = <T>(work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof StoreUnusableError)) throw error;
    throw new RestoreRefusedError(`nothing was restored or changed: name another backup, for ${error.message}`);
  }
};

/** Root restores for the user whose database it is. */
const giveTo = (path: string, owner: Stats | null): void => {
  if (process.getuid?.() === 0 && owner !== null) chownSync(path, owner.uid, owner.gid);
};

/** What SQLite takes for a part of the file that it lies beside: its log, and what undoes an unfinished change. */
const BESIDE = ['-wal', '-journal'];

/**
 * Makes sure that nobody has the old database open, and moves its log into it. A log or a journal that is not its own
 * would damage it: that goes aside first. Returns where to.
 */
const takeOutOfUse = (file: string, kept: string): readonly string[] => {
  const isOurs = hasOwnLog(file);
  const aside = isOurs ? [] : BESIDE.filter((suffix) => lookAt(file + suffix) !== null);
  for (const suffix of aside) renameSync(file + suffix, kept + suffix);
  try {
    closeAlone(file, isOurs);
    rmSync(`${file}-shm`, { force: true });
    return aside.map((suffix) => kept + suffix);
  } catch (error) {
    for (const suffix of aside) putBack(kept + suffix, file + suffix);
    throw error;
  }
};

/** Not over one that whoever has the database open has begun meanwhile. */
const putBack = (aside: string, place: string): void => {
  linkSync(aside, place);
  rmSync(aside);
};

const hasOwnLog = (file: string): boolean => {
  try {
    return inspect(file, MIGRATIONS).state !== 'none';
  } catch (error) {
    if (error instanceof StoreUnusableError) return false;
    throw error;
  }
};

/** Leaving the log takes the whole file for a moment, which fails while anybody else has it open. */
const closeAlone = (file: string, isOurs: boolean): void => {
  if ((lookAt(file)?.size ?? 0) === 0) return;
  const db = connect(file, 'rw', 0);
  try {
    db.exec('pragma journal_mode = delete');
    if (isOurs) stamp(db, { salts: '', inFile: null, closing: true });
  } catch (error) {
    const code = sqliteCodeOf(error);
    // Nobody can have open what is no database.
    if (code === SQLITE.notADatabase || code === SQLITE.corrupt) return;
    throw new RestoreRefusedError(
      `${file} is in use: stop the service and every other program that has it open, and run the same again (${error instanceof Error ? error.message : String(error)})`,
    );
  } finally {
    db.close();
  }
};

/** At no moment is there no file in its place: a service that started then would make an empty one. */
const keep = (file: string, kept: string): void => {
  closeToOthers(file);
  try {
    linkSync(file, kept);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error) ?? '')) throw error;
    renameSync(file, kept);
  }
};
