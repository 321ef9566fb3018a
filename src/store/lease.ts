import type { Lease } from './callback.ts';
import type { Database, Transaction } from './transaction.ts';

/** Who posts callbacks, of several services on one database. */
const RELAY = 'relay';

/**
 * Takes the lease where it is free or ours; false where another owner has it. One that runs for longer than any is
 * taken for was written by a clock that has been set back since.
 */
export const takeLease = async (
  database: Database,
  { owner, ms }: Lease,
  { starting }: { readonly starting: boolean },
): Promise<boolean> =>
  await database.transact([], async ({ query, dialect: { clock, hasOneService } }) => {
    const held = await query(
      `insert into leases (name, owner, until)
       values ($1, $2, ${clock} + cast($3 as bigint))
       on conflict (name) do update
       set owner = excluded.owner, until = excluded.until
       where leases.owner = excluded.owner or leases.until < ${clock} or cast($4 as bigint) = 1
         or leases.until > ${clock} + 2 * cast($3 as bigint)
       returning 1 as held`,
      [RELAY, owner, ms, starting && hasOneService ? 1 : 0],
    );
    return held.length > 0;
  });

export const releaseLease = async (database: Database, owner: string): Promise<void> =>
  await database.transact([], async ({ query }) => {
    await query('delete from leases where name = $1 and owner = $2', [RELAY, owner]);
  });

/**
 * To be asked first by everything that is written under the lease: it runs from now on, and whoever wants to take it
 * waits for this transaction. False where it is lost.
 */
export const fence = async (
  { query, dialect: { clock } }: Pick<Transaction, 'query' | 'dialect'>,
  { owner, ms }: Lease,
): Promise<boolean> => {
  const held = await query(
    `update leases
     set until = ${clock} + cast($3 as bigint)
     where name = $1 and owner = $2 and until >= ${clock}
     returning 1 as held`,
    [RELAY, owner, ms],
  );
  return held.length > 0;
};
