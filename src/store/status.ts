import type { UnverifiedReason } from '../antom/signature.ts';
import { heldUp } from './feed.ts';
import { countBy, lastVerifiedAt } from './measure.ts';
import { movesUnderWay } from './move-row.ts';
import type { StoreStatus } from './store-status.ts';
import type { Count, Database } from './transaction.ts';

/** Each part is found by an index, but for the unverified, of which there are a few hundred thousand at most. */
export const readStatus = async (database: Database): Promise<StoreStatus> =>
  await database.snapshot(async ({ query, dialect }) => {
    const [schema] = await query<{ version: Count }>('select max(version) as version from migrations');
    const [start] = await query<{ id: string }>('select id from starts order by number desc limit 1');
    // The first term makes the planner use the partial index.
    const notApplied = await countBy<'FAILED' | 'MALFORMED'>(
      query,
      'outcome',
      `notifications where outcome <> 'APPLIED' and outcome in ('FAILED', 'MALFORMED')`,
    );
    const unverified = await countBy<UnverifiedReason>(query, 'reason', 'unverified');
    return {
      schema: Number(schema?.version ?? 0),
      generation: start?.id ?? null,
      lastVerifiedAt: await lastVerifiedAt(query),
      heldUp: await heldUp({ query, dialect }),
      failed: notApplied.get('FAILED') ?? 0,
      malformed: notApplied.get('MALFORMED') ?? 0,
      moves: await movesUnderWay(query),
      unverified: Object.fromEntries([...unverified].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  });
