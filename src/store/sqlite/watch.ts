import { fstatSync, realpathSync, renameSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { StoreUnavailableError, StoreUnusableError } from '../errors.ts';
import { type Identity, isSame, lookAt, openKept, SQLITE, sqliteCodeOf } from './file.ts';
import { gone } from './inspect.ts';
import { createTouch, fits, isNextLog, markIn, type Place, readPlace, saltsIn, stamp } from './place.ts';

/** The files are not those that were opened. What was written since may be in none that the next start opens. */
export class DatabaseLostError extends StoreUnavailableError {}

/** What became of the files of an open database. */
type Loss =
  /** Nothing is at its path. */
  | 'gone'
  /** Another file is. */
  | 'exchanged'
  /** The log was removed or exchanged; the file is ours, and SQLite still holds the log. */
  | 'log'
  /** Something was written into the file or the log by another hand: this process must write neither any more. */
  | 'overwritten';

/** Watches that what is written goes to the files that the next start will open. */
export interface Watch {
  /** Before a transaction. Throws a DatabaseLostError while the files are not those that were opened. */
  readonly assertOurs: () => void;
  /** At the end of a transaction that writes, before its COMMIT. */
  readonly touch: () => void;
  /**
   * After its COMMIT: throws a DatabaseLostError, or a StoreUnusableError where the files were written over. Moves the
   * log into the file now and then.
   */
  readonly committed: () => void;
  /** What an error of a transaction comes from: the loss of the files, or itself. */
  readonly explain: (error: unknown) => unknown;
  /** Looks again. Whether the files are ours now; where only the log was lost, it is begun again. Throws the same. */
  readonly recover: () => boolean;
  /**
   * Writes down that all was written. Nothing may be written after it. Where only the log was lost, SQLite still holds
   * it: when the connection is closed it goes into the file, unless another program has that open. It must not be moved
   * before: what an old snapshot still needs would be left out, and the file be a mixture. Throws a DatabaseLostError
   * or a StoreUnusableError.
   */
  readonly finish: () => void;
}

/**
 * Pages in the log, 16 MiB, until they are moved into the file: pages that nearly every transaction writes are moved
 * once for four times as many.
 */
const CHECKPOINT_PAGES = 4_000;
/** It takes as long as all else that is done after a COMMIT together. */
const COUNT_PAGES_EVERY = 8;

/** Begins to watch a database that was just opened to be written. */
export const createWatch = (db: DatabaseSync, file: string): Watch => {
  const files = openFiles(db, file);
  const touch = createTouch(db);
  const checkpoint = createCheckpoint(db);
  let lost: Loss | null = null;

  const assertFound = (): void => {
    lost = files.look();
    if (lost !== null) throw lossOf(lost, file);
  };
  const assertOurs = (): void => {
    if (lost !== null) throw lossOf(lost, file);
  };
  /** Where only the log was lost, SQLite still holds it. */
  const assertHeld = (): void => {
    lost = files.look();
    if (lost !== null && lost !== 'log') throw lossOf(lost, file);
  };
  /** Before the log is moved into the file it is stamped, and the file looked at. */
  const moveLog = (): void => {
    files.stampLog();
    assertFound();
    checkpoint.run();
  };

  /** What fails here is tried again: nothing that was committed depends on it. */
  const tend = (): void => {
    try {
      if (files.hasNewLog()) files.stampLog();
      if (checkpoint.isDue()) moveLog();
    } catch (error) {
      if (error instanceof DatabaseLostError || error instanceof StoreUnusableError) throw error;
    }
  };

  moveLog();
  return {
    assertOurs,
    touch,
    committed: () => {
      assertFound();
      tend();
    },
    explain: (error) => {
      lost ??= lookAfter(error, files);
      return lost === null ? error : lossOf(lost, file);
    },
    recover: () => {
      lost = files.look();
      if (lost === 'overwritten' || lost === 'gone') throw lossOf(lost, file);
      if (lost === 'log') {
        files.beginLogAgain();
        moveLog();
      }
      return lost === null;
    },
    finish: () => {
      assertHeld();
      files.stampLog({ closing: true });
      assertHeld();
      if (lost === 'log') files.putLogAside();
    },
  };
};

/** After an error nothing else may be readable either: then that error is what there is to say. */
const lookAfter = (error: unknown, files: ReturnType<typeof openFiles>): Loss | null => {
  if (error instanceof StoreUnusableError) return 'overwritten';
  try {
    return files.look();
  } catch {
    return null;
  }
};

/** Moves the log into the file. */
const createCheckpoint = (db: DatabaseSync) => {
  // It only counts.
  const count = db.prepare('pragma wal_checkpoint(noop)');
  const run = db.prepare('pragma wal_checkpoint(passive)');
  let commits = 0;
  return {
    isDue: (): boolean => {
      commits += 1;
      if (commits % COUNT_PAGES_EVERY !== 0) return false;
      const counted = count.get();
      return Number(counted?.['log']) - Number(counted?.['checkpointed']) >= CHECKPOINT_PAGES;
    },
    run: (): void => {
      run.get();
    },
  };
};

interface Log extends Identity {
  readonly descriptor: number;
  readonly salts: string;
}

const MOST_TRIES = 5;

/** The files that SQLite has open, and what tells them from others. */
const openFiles = (db: DatabaseSync, file: string) => {
  const path = realpathSync(file);
  const logPath = `${path}-wal`;
  const descriptor = openKept(path);
  const identity = fstatSync(descriptor);

  const openLog = (): Log => {
    begin(db);
    const log = openKept(logPath);
    const { dev, ino } = fstatSync(log);
    return { descriptor: log, dev, ino, salts: saltsIn(log) };
  };
  let log = openLog();
  let place = readPlace(db);
  let salts = log.salts;

  /**
   * Whether the file lies beneath the log that we hold. Another process may have stamped the log, or begun one, between
   * two of these steps: then the row, as read through the log that we hold, comes to say so.
   */
  const isOurs = (readSalts: () => string): boolean => {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const now = readSalts();
      if (now !== salts && !isNextLog(now, salts)) return false;
      const mark = markIn(descriptor);
      if (mark === null) return false;
      if (fits(mark, place, now)) {
        salts = now;
        return true;
      }
      const read = readAgain(db);
      if (read === null) return false;
      place = read;
    }
    return false;
  };

  /** SQLite removes what stands in the place of the log as if it were the log: somebody may want it. */
  const putLogAside = (): void => {
    if ((lookAt(logPath)?.size ?? 0) > 0) renameSync(logPath, `${logPath}.${Date.now()}`);
  };

  return {
    look: (): Loss | null => {
      const there = lookAt(file);
      if (there === null) return 'gone';
      if (!isSame(there, identity)) return 'exchanged';
      const logThere = lookAt(logPath);
      if (logThere === null || !isSame(logThere, log)) return isOurs(() => salts) ? 'log' : 'overwritten';
      return isOurs(() => saltsIn(log.descriptor)) ? null : 'overwritten';
    },
    hasNewLog: (): boolean => salts !== place.salts,
    stampLog: (options?: { readonly closing: boolean }): void => {
      place = stamp(db, { salts, inFile: markIn(descriptor), closing: false, ...options });
    },
    putLogAside,
    /**
     * SQLite moves the log that it holds into the file, as long as nobody else has the file open, and begins a new one.
     */
    beginLogAgain: (): void => {
      putLogAside();
      db.exec('pragma journal_mode = delete');
      stamp(db, { salts: '', inFile: null, closing: true });
      db.exec('pragma journal_mode = wal');
      log = openLog();
      ({ salts } = log);
      place = readPlace(db);
    },
  };
};

/** A log begins with what is first written to it. */
const begin = (db: DatabaseSync): void => {
  db.exec('begin immediate');
  createTouch(db)();
  db.exec('commit');
};

/** Null where what was written over can not even be read. */
const readAgain = (db: DatabaseSync): Place | null => {
  try {
    return readPlace(db);
  } catch (error) {
    const code = sqliteCodeOf(error);
    if (code === SQLITE.corrupt || code === SQLITE.notADatabase) return null;
    throw error;
  }
};

const lossOf = (loss: Loss, file: string): Error => {
  switch (loss) {
    case 'gone':
      return new DatabaseLostError(gone(file).message);
    case 'exchanged':
      return new DatabaseLostError(
        `another file stands at ${file} than the service opened: nothing is acknowledged until what is there has been opened, or the file is back`,
      );
    case 'log':
      return new DatabaseLostError(
        `${file}-wal was removed or exchanged while the service was running: nothing is acknowledged until the log has been moved into ${file}, which waits for other programs that have it open`,
      );
    case 'overwritten':
      return new StoreUnusableError(
        `${file} or ${file}-wal was written over while the service was running: it writes neither any more. Keep both files, and put a backup in their place with \`paynotify restore FILE\``,
      );
  }
};
