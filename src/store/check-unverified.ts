import { type CheckedRow, flawed, FROM_BACKUP } from './checked.ts';
import { nextCursor, readPosition } from './cursor.ts';
import { hexOf, requestDigest } from './row.ts';
import type { Page, PageRequest } from './store.ts';
import type { Count, Snapshot } from './transaction.ts';
import { requestBytes, SHARES } from './unverified.ts';

interface UnverifiedRow {
  readonly request: Count;
  readonly digest: Uint8Array;
  readonly reason: string;
  readonly origin: string;
  readonly diagnosis: string | null;
  readonly explanation: string | null;
  readonly bytes: Count;
  readonly method: string;
  readonly target: string;
  readonly headers: string;
  readonly body: Uint8Array;
}

export const checkUnverified = async ({ query }: Snapshot, page: PageRequest): Promise<Page<CheckedRow>> => {
  const rows = await query<UnverifiedRow>(
    `select request, digest, reason, origin, diagnosis, explanation, bytes, method, target, headers, body
     from unverified
     where request > cast($2 as bigint)
     order by request
     limit $1`,
    [page.limit, page.cursor === null ? '-1' : readPosition(page.cursor)],
  );
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
          !Object.hasOwn(SHARES, row.origin),
          'origin is none of the known ones',
          `set trust to '' where request = ${row.request}, and start the service: it verifies the request again`,
        ),
        ...flawed(
          (row.diagnosis === null) !== (row.explanation === null),
          'of diagnosis and explanation one is missing',
          `set both to null where request = ${row.request}: a running service makes them again`,
        ),
        ...flawed(
          requestBytes(row) !== Number(row.bytes),
          'bytes is not its size',
          `set bytes to ${requestBytes(row)} where request = ${row.request}`,
        ),
      ],
    })),
    next: nextCursor(rows, page, ({ request }) => String(request)),
  };
};

export const checkTotals = async ({ query }: Snapshot): Promise<Page<CheckedRow>> => {
  const rows = await query<{ origin: string; total: Count; sum: Count }>(
    `select origin, coalesce(max(total), 0) as total, coalesce(max(size), 0) as sum
     from (
       select origin, bytes as total, 0 as size from unverified_totals
       union all
       select origin, 0, sum(bytes) from unverified group by origin
     ) as compared
     group by origin`,
  );
  return {
    items: rows.map(({ origin, total, sum }) => ({
      key: `origin ${origin}`,
      flaws: flawed(
        Number(total) !== Number(sum),
        `bytes is ${total}, and the rows of unverified add up to ${sum}`,
        `set bytes to ${sum} where origin = '${origin}'`,
      ),
    })),
    next: null,
  };
};
