import type { Around } from './around.ts';
import { nextCursor, readKey } from './cursor.ts';
import { derive } from './derive.ts';
import type { Page, PageRequest } from './lists.ts';
import { orderLock } from './lock.ts';
import type { Move } from './move.ts';
import { contentOf, insertMove, MOVE_COLUMNS, type MoveRow, orderOfMove, toMove } from './move-row.ts';
import { distinctKeys } from './order-key.ts';
import { sumInParts } from './parts.ts';
import type { Database, Query } from './transaction.ts';

const START: readonly [string, string, string] = ['', '', ''];

/** In the order of their keys. */
export const readMoves = async (query: Query, page: PageRequest): Promise<Page<Move>> => {
  const rows = await query<MoveRow>(
    `select ${MOVE_COLUMNS}
     from moves
     where (client_id, kind, request_id) > ($2, $3, $4)
     order by client_id, kind, request_id
     limit $1`,
    [page.limit, ...readKey(page.cursor, START)],
  );
  const next = nextCursor(rows, page, (last) => JSON.stringify([last.client_id, last.kind, last.request_id]));
  return { items: rows.map(toMove), next };
};

/** Takes in moves of another store; returns how many were not there. One that is under way is due there at once. */
export const importMoves = async (database: Database, moves: readonly Move[], around: Around): Promise<number> => {
  return await sumInParts(
    database,
    moves,
    async (part) =>
      await database.transact(part.map(orderOfMove).map(orderLock), async (transaction) => {
        const { query } = transaction;
        let added = 0;
        for (const move of part)
          if (await insertMove(query, move, Date.parse(move.updatedAt))) added += 1;
          else await update(query, move);
        await derive(transaction, { keys: distinctKeys(part.map(orderOfMove)), links: [] }, around);
        return added;
      }),
  );
};

/**
 * What is final stays; of two that are under way the later word counts. One with the same key that asked for something
 * else says nothing of this one.
 */
const update = async (query: Query, move: Move): Promise<void> => {
  await query(
    `update moves
     set status = $4, result_code = $5, reason = $6, apo_id = $7, attempts = $8, updated_at = $9
     where client_id = $1 and kind = $2 and request_id = $3 and status = 'PROCESSING'
       and payment_id = $10 and content = $11
       and (cast($4 as text) <> 'PROCESSING' or updated_at < cast($9 as bigint))`,
    [
      move.clientId,
      move.kind,
      move.requestId,
      move.status,
      move.resultCode,
      move.reason,
      move.id,
      move.attempts,
      Date.parse(move.updatedAt),
      move.paymentId,
      contentOf(move),
    ],
  );
};
