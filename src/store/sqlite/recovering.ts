import type { DatabaseSync } from 'node:sqlite';
import { StoreUnavailableError, StoreUnusableError } from '../errors.ts';
import { connect } from './connect.ts';
import type { Thread } from './thread.ts';
import { DatabaseLostError } from './watch.ts';
import type { Calls } from './calls.ts';

/**
 * Has the database open as long as it is there. When a thread ends with its connection open, SQLite moves the log into
 * the file and removes it, unless somebody else has the file open: so a process that ends in whichever way leaves file
 * and log as they are, and only what is closed in its order is closed.
 */
export interface Guard {
  readonly hold: () => void;
  readonly drop: () => void;
}

/** The event loop waits for it. */
const GUARD_TIMEOUT_MS = 100;

export const createGuard = (file: string): Guard => {
  let held: DatabaseSync | null = null;
  const hold = (): void => {
    try {
      held ??= connect(file, 'ro', GUARD_TIMEOUT_MS);
      held.exec('select 1 from sqlite_schema');
    } catch {
      // Nothing is there to be held.
    }
  };
  hold();
  return {
    hold,
    drop: () => {
      held?.close();
      held = null;
    },
  };
};

/** A thread that starts when it is first asked for. */
export interface LateThread {
  readonly get: () => Promise<Thread>;
  /** Ends it; who asks again gets another one. */
  readonly drop: () => Promise<void>;
  /** Ends it for good. */
  readonly end: () => Promise<void>;
}

export const createLateThread = (start: () => Promise<Thread>): LateThread => {
  let starting: Promise<Thread> | null = null;
  const startOrForget = async (): Promise<Thread> => {
    try {
      return await start();
    } catch (error) {
      starting = null;
      throw error;
    }
  };
  const drop = async (): Promise<void> => {
    const dropped = starting;
    starting = null;
    await (await dropped?.catch(() => null))?.close();
  };
  let ended = false;
  return {
    get: async () => {
      if (ended) throw new StoreUnavailableError('the store is closed');
      return await (starting ??= startOrForget());
    },
    drop,
    end: async () => {
      ended = true;
      await drop();
    },
  };
};

interface Parts {
  readonly writer: Thread;
  readonly reader: LateThread;
  readonly guard: Guard;
  readonly onNotice?: (notice: string) => void;
  readonly onUnusable?: (error: StoreUnusableError) => void;
}

export interface Recovering {
  /** Those of the writer; whoever finds the database lost gets his error, and a recovery begins. */
  readonly calls: Calls;
  /** Resolves when none is under way. Throws a DatabaseLostError where the last one found nothing to go on with. */
  readonly recovered: () => Promise<void>;
}

/** What is lost is looked for at every call: while the service is not ready, that is every second. */
export const createRecovering = ({ writer, reader, guard, onNotice, onUnusable }: Parts): Recovering => {
  let underWay: Promise<void> | null = null;
  let lost: DatabaseLostError | null = null;

  const recover = async (): Promise<void> => {
    // Nobody of this process but the writer may have the files open.
    await reader.drop();
    guard.drop();
    try {
      const notice = await writer.calls.recover();
      lost = null;
      guard.hold();
      if (notice !== null) onNotice?.(notice);
    } catch (error) {
      if (error instanceof StoreUnusableError) {
        guard.hold();
        onUnusable?.(error);
      }
    } finally {
      underWay = null;
    }
  };

  const call = async (method: keyof Calls, values: readonly unknown[]): Promise<unknown> => {
    try {
      return await (writer.calls[method] as (...values: readonly unknown[]) => Promise<unknown>)(...values);
    } catch (error) {
      if (error instanceof DatabaseLostError) {
        lost = error;
        underWay ??= recover();
      }
      if (error instanceof StoreUnusableError) onUnusable?.(error);
      throw error;
    }
  };

  return {
    calls: new Proxy({} as Calls, {
      get:
        (_, method) =>
        async (...values: readonly unknown[]) =>
          await call(method as keyof Calls, values),
    }),
    recovered: async () => {
      await underWay;
      if (lost !== null) throw lost;
    },
  };
};
