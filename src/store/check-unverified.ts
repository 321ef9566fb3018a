import { type CheckedRow, flawed, FROM_BACKUP } from './checked.ts';
import { readPosition } from './cursor.ts';
import { hexOf, requestDigest } from './row.ts';
import type { Page, PageRequest } from './store.ts';
import type { Count, Snapshot } from './transaction.ts';
import { requestBytes } from './unverified.ts';

interface UnverifiedRow {
  readonly request: Count;
  readonly digest: Uint8Array;
  readonly reason: string;
  readonly bytes: Count;
  readonly method: string;
  readonly target: string;
  readonly headers: string;
  readonly body: Uint8Array;
}

export const checkUnverified = async (
  { query }: Snapshot,
  { limit, cursor }: PageRequest,
): Promise<Page<CheckedRow>> => {
  const rows = await query<UnverifiedRow>(
    `select request, digest, reason, bytes, method, target, headers, body
     from unverified
     where request > cast($2 as bigint)
     order by request
     limit $1`,
    [limit, cursor === null ? '-1' : readPosition(cursor)],
  );
  const last = rows.at(-1);
  return {
    items: rows.map((row) => ({
      key: `request ${row.request}, digest ${hexOf(row.digest)}`,
      reason: row.reason,
      flaws: [
        ...flawed(
          requestDigest(row) !== hexOf(row.digest),
          'method, target, headers or body is not the one of its digest',
          `it can never verify as it is: delete the row, or ${FROM_BACKUP}`,
        ),
        ...flawed(
          requestBytes(row) !== Number(row.bytes),
          'bytes is not its size',
          `set bytes to ${requestBytes(row)} where request = ${row.request}`,
        ),
      ],
    })),
    next: last === undefined || rows.length < limit ? null : String(last.request),
  };
};

export const checkTotals = async ({ query }: Snapshot): Promise<Page<CheckedRow>> => {
  const rows = await query<{ reason: string; total: Count; sum: Count }>(
    `select reason, coalesce(max(total), 0) as total, coalesce(max(size), 0) as sum
     from (
       select reason, bytes as total, 0 as size from unverified_totals
       union all
       select reason, 0, sum(bytes) from unverified group by reason
     ) as compared
     group by reason`,
  );
  return {
    items: rows.map(({ reason, total, sum }) => ({
      key: `reason ${reason}`,
      flaws: flawed(
        Number(total) !== Number(sum),
        `bytes is ${total}, and the rows of unverified add up to ${sum}`,
        `set bytes to ${sum} where reason = '${reason}'`,
      ),
    })),
    next: null,
  };
};
