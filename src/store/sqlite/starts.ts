import type { DatabaseSync } from 'node:sqlite';
import { SETTING } from '../setting.ts';
import { newStartId } from '../starts.ts';
import { prepare } from './query.ts';

/** No position of an order below this one is still to come, and none above has been given out. */
export const NEXT_POSITION = `(
  coalesce((select cast(value as integer) from settings where name = '${SETTING.position}'), 0) + 1
)`;
/** The same of notifications: no row of them is ever removed. */
export const NEXT_NOTIFICATION = '(select coalesce(max(position), 0) + 1 from notifications)';

export interface Starting {
  /** With every transaction that writes. */
  readonly begin: () => void;
  /**
   * Before the first position of an order is kept, or after the first notification is stored: `lastNotification` is
   * then the position of the one before it.
   */
  readonly note: (lastNotification?: number) => void;
}

/**
 * Adds the start of this connection (starts.ts): with the first change, in its transaction, and not when the file is
 * opened, so that who starts again and again and changes nothing adds no rows. Until then every position is one that
 * the start before gave out.
 */
export const createStarting = (db: DatabaseSync): Starting => {
  const ownStart = newStartId();
  const add = prepare(
    db,
    `insert into starts (number, id, began, began_notifications)
     select coalesce((select max(number) from starts), 0) + 1, ?1, ${NEXT_POSITION} - 1,
       coalesce(?2, ${NEXT_NOTIFICATION} - 1)
     where not exists (select 1 from starts where id = ?1)`,
  );
  let isNoted = false;
  return {
    begin: () => {
      isNoted = false;
    },
    note: (lastNotification) => {
      if (!isNoted) add.run(ownStart, lastNotification ?? null);
      isNoted = true;
    },
  };
};
