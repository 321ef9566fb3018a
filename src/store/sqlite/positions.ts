import type { DatabaseSync } from 'node:sqlite';
import { prepare } from './query.ts';

/**
 * The places of the change feed, in the order of commits: there is one writer. A place is never given out
 * twice, also where the row that had it is gone, so the last one is kept apart from the rows.
 */
export interface Positions {
  readonly next: () => number;
  /** Inside the transaction, before its commit. */
  readonly keep: () => void;
  /** After a transaction, whichever way it ended: another process may write next. */
  readonly forget: () => void;
}

export const openPositions = (db: DatabaseSync): Positions => {
  const select = prepare<{ value: string }>(db, "select value from settings where name = 'position'");
  const upsert = prepare(
    db,
    "insert into settings values ('position', ?) on conflict do update set value = excluded.value",
  );
  let last: number | null = null;
  return {
    next: () => {
      last = (last ?? Number(select.get()?.value ?? 0)) + 1;
      return last;
    },
    keep: () => {
      if (last !== null) upsert.run(String(last));
    },
    forget: () => {
      last = null;
    },
  };
};
