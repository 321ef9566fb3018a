import type { UnverifiedReason } from '../antom/signature.ts';
import { isoTime } from './row.ts';
import type { StoreStatus } from './store-status.ts';
import type { Count, Database } from './transaction.ts';

/** Each part is found by an index, but for the unverified, of which there are a few hundred thousand at most. */
export const readStatus = async (database: Database): Promise<StoreStatus> =>
  await database.snapshot(async ({ query }) => {
    const [schema] = await query<{ version: Count }>('select max(version) as version from migrations');
    const [start] = await query<{ id: string }>('select id from starts order by number desc limit 1');
    const [last] = await query<{ at: Count }>(
      'select last_received_at as at from notifications order by position desc limit 1',
    );
    // The first term makes the planner use the partial index.
    const [failed] = await query<{ count: Count }>(
      `select count(*) as count from notifications where outcome <> 'APPLIED' and outcome = 'FAILED'`,
    );
    const unverified = await query<{ reason: UnverifiedReason; count: Count }>(
      'select reason, count(*) as count from unverified group by reason order by reason',
    );
    return {
      schema: Number(schema?.version ?? 0),
      generation: start?.id ?? null,
      lastVerifiedAt: last === undefined ? null : isoTime(last.at),
      failed: Number(failed?.count ?? 0),
      unverified: Object.fromEntries(unverified.map(({ reason, count }) => [reason, Number(count)])),
    };
  });
