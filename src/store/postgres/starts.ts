import type { ClientBase } from 'pg';
import { SETTING } from '../setting.ts';
import { newStartId } from '../starts.ts';
import { commit } from './commit.ts';
import { bitsOf, START_LOCK } from './locks.ts';
import { transactionOf } from './positions.ts';

/**
 * What a restored database or another server never has in common with the one before: when the server was started, and
 * the numbers of the database and of our table in it. Whatever sets a server back, a snapshot or a physical backup too,
 * starts it; one that takes over was started at another moment; a dump makes new tables, and a copy of a database is
 * another database. Every role may ask for it, also at a provider who shows no system identifier and no timeline.
 */
const IDENTITY = `(
  select concat_ws('/', (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint,
    (select oid from pg_database where datname = current_database()), 'starts'::regclass::oid)
)`;

/**
 * Adds a start (starts.ts) where this connection leads to another server or database than the last one did. Nothing of
 * ours writes over a connection before this has returned, so `began` is all that was stored before.
 */
export const noteStart = async (client: ClientBase): Promise<void> => {
  if (await isNoted(client)) return;
  await client.query(`begin isolation level read committed; select pg_advisory_xact_lock(${bitsOf(START_LOCK)})`);
  try {
    // The first of several replicas adds it.
    if (!(await isNoted(client))) {
      await raiseFeed(client);
      await client.query(
        `insert into starts (number, id, began, identity)
         select coalesce((select max(number) from starts), 0) + 1, $1, ${LAST_POSITION}, ${IDENTITY}`,
        [newStartId()],
      );
    }
    await commit(client);
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
};

const isNoted = async (client: ClientBase): Promise<boolean> => {
  const { rows } = await client.query<{ noted: boolean }>(
    `select (select identity from starts order by number desc limit 1) is not distinct from ${IDENTITY} as noted`,
  );
  return rows[0]?.noted === true;
};

/** Of the orders alone it could be less than was given out: an order may have been removed. */
const LAST_POSITION =
  'coalesce(greatest((select max(position) from orders), (select max(position) from notifications)), 0)';

/**
 * Positions begin with transaction numbers, and a cluster that a dump was restored into counts its own from a lower
 * one: what they are raised by makes new positions come after all old ones.
 */
const raiseFeed = async (client: ClientBase): Promise<void> => {
  await client.query(`
    update settings
    set value = (last - pg_current_xact_id()::text::bigint + 1)::text
    from (select ${transactionOf(LAST_POSITION)} as last) as latest
    where name = '${SETTING.feedBase}' and last >= pg_current_xact_id()::text::bigint + value::bigint`);
};
