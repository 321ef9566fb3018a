import type { UnverifiedReason } from '../antom/signature.ts';
import { isoOrNull } from '../order/time.ts';
import { UNVERIFIED_LOCK } from './lock.ts';
import { IN_USE } from './setting.ts';
import type { PurgeBounds, UnverifiedMeasure } from './store.ts';
import type { Count, Database, Value } from './transaction.ts';

/** Small enough that nobody waits long for the unverified store. */
const PURGED_AT_ONCE = 500;

const NO_BOUNDS: PurgeBounds = { before: null, signed: true };

/** As a term, with its values, the first of which is `first`. */
const withinBounds = (
  reason: UnverifiedReason | null,
  { before, signed, unlessInUse = false }: PurgeBounds,
  first: readonly Value[],
): { readonly where: string; readonly values: readonly Value[] } => {
  const values = [...first];
  const terms = ['true'];
  if (reason !== null) terms.push(`reason = $${values.push(reason)}`);
  if (before !== null) terms.push(`last_received_at < cast($${values.push(before.getTime())} as bigint)`);
  if (unlessInUse) terms.push(`not ${IN_USE}`);
  if (!signed) terms.push(`origin <> 'CONFIGURED_KEY'`);
  return { where: terms.join(' and '), values };
};

/** What `purgeUnverified` would remove. */
export const measureUnverified = async (
  { query }: Database,
  reason: UnverifiedReason | null,
  bounds: PurgeBounds = NO_BOUNDS,
): Promise<UnverifiedMeasure> => {
  const { where, values } = withinBounds(reason, bounds, []);
  const [row] = await query<{ count: Count; bytes: Count; oldest: Count | null; newest: Count | null }>(
    `select count(*) as count, coalesce(sum(bytes), 0) as bytes,
       min(first_received_at) as oldest, max(last_received_at) as newest
     from unverified
     where ${where}`,
    values,
  );
  return {
    count: Number(row?.count ?? 0),
    bytes: Number(row?.bytes ?? 0),
    oldest: isoOrNull(row?.oldest ?? null),
    newest: isoOrNull(row?.newest ?? null),
  };
};

/** Removes the unverified of one reason, or all, oldest first, in short transactions; returns how many. */
export const purgeUnverified = async (
  database: Database,
  reason: UnverifiedReason | null,
  bounds: PurgeBounds = NO_BOUNDS,
): Promise<number> => {
  const { where, values } = withinBounds(reason, bounds, [PURGED_AT_ONCE]);
  let purged = 0;
  for (;;) {
    const removed = await database.transact(
      [UNVERIFIED_LOCK],
      async ({ query }) =>
        await query(
          `delete from unverified
         where request in (select request from unverified where ${where} order by request limit $1)
         returning 1 as removed`,
          values,
        ),
    );
    if (removed.length === 0) return purged;
    purged += removed.length;
  }
};
