import type { DatabaseSync } from 'node:sqlite';
import { readKey } from '../cursor.ts';
import type { PageRequest, RebuildStep } from '../store.ts';
import { prepare } from './query.ts';
import { type Deriving, nothingTouched, touch } from './touched.ts';

/** Derives the next orders anew, inside the caller's transaction; the cursor is the last order's client and key, as JSON. */
export type Rebuilding = (page: PageRequest, now: number) => RebuildStep;

/** Before the first order. */
const START: readonly [client: number, orderKey: string] = [0, ''];

interface KeyRow {
  readonly client: number;
  readonly order_key: string;
}

export const openRebuilding = (db: DatabaseSync, deriving: Deriving): Rebuilding => {
  // Orders that should be there and orders that are there, so that neither kind of error survives.
  const selectKeys = prepare<KeyRow>(
    db,
    `select client, order_key
     from (
       select * from (
         select distinct client, payment_id as order_key
         from notifications
         where payment_id is not null and (client, payment_id) > (?1, ?2)
         order by client, payment_id
         limit ?3
       )
       union
       select * from (
         select client, order_key
         from orders
         where (client, order_key) > (?1, ?2)
         order by client, order_key
         limit ?3
       )
       union
       select * from (
         select client, ' ' || payment_request_id
         from registrations
         where (client, ' ' || payment_request_id) > (?1, ?2)
         order by client, payment_request_id
         limit ?3
       )
     )
     order by client, order_key
     limit ?3`,
  );

  return ({ limit, cursor }, now) => {
    const [client, orderKey] = cursor === null ? START : readKey(cursor, START);
    const keys = selectKeys.all(client, orderKey, limit);
    const touched = nothingTouched();
    for (const key of keys) touch(touched, key.client, [key.order_key]);
    const { changed } = deriving.derive(touched, now);
    const last = keys.at(-1);
    return {
      orders: keys.length,
      changed,
      next: last === undefined || keys.length < limit ? null : JSON.stringify([last.client, last.order_key]),
    };
  };
};
