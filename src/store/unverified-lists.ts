import type { DiagnosisCode } from '../antom/diagnosis.ts';
import type { SignatureOrigin } from '../antom/origin.ts';
import type { UnverifiedReason } from '../antom/signature.ts';
import { isoTime } from '../order/time.ts';
import { nextCursor, readPosition } from './cursor.ts';
import { bytesOf, hexOf, toRequest } from './row.ts';
import type { Page, PageRequest, StoredUnverified, UnverifiedCount, UnverifiedSummary } from './store.ts';
import type { Count, Database, Value } from './transaction.ts';

interface Row {
  readonly request: Count;
  readonly digest: Uint8Array;
  readonly reason: UnverifiedReason;
  readonly diagnosis: DiagnosisCode | null;
  readonly explanation: string | null;
  readonly deliveries: Count;
  readonly bytes: Count;
  readonly first_received_at: Count;
  readonly last_received_at: Count;
}

interface WholeRow extends Row {
  readonly origin: SignatureOrigin;
  readonly trust: Uint8Array;
  readonly method: string;
  readonly target: string;
  readonly headers: string;
  readonly body: Uint8Array;
}

const COLUMNS =
  'request, digest, reason, diagnosis, explanation, deliveries, bytes, first_received_at, last_received_at';
const WHOLE = `${COLUMNS}, origin, trust, method, target, headers, body`;

/** Newest first. */
export const listUnverified = async (
  { query }: Database,
  reason: UnverifiedReason | null,
  page: PageRequest,
): Promise<Page<UnverifiedSummary>> => {
  const values: Value[] = [page.limit];
  const terms = ['true'];
  if (page.cursor !== null) terms.push(`request < cast($${values.push(readPosition(page.cursor))} as bigint)`);
  if (reason !== null) terms.push(`reason = $${values.push(reason)}`);
  const where = terms.join(' and ');
  const sql = `select ${COLUMNS} from unverified where ${where} order by request desc limit $1`;
  const rows = await query<Row>(sql, values);
  return { items: rows.map(toSummary), next: nextOf(rows, page) };
};

/** Oldest first, with bytes. */
export const readUnverified = async ({ query }: Database, page: PageRequest): Promise<Page<StoredUnverified>> => {
  const rows = await query<WholeRow>(
    `select ${WHOLE} from unverified where request > cast($2 as bigint) order by request limit $1`,
    [page.limit, readPosition(page.cursor ?? '0')],
  );
  return { items: rows.map(toStored), next: nextOf(rows, page) };
};

/** Those that failed under another trust. An index knows whether there are any: asked often, and nearly always none. */
export const readOutdated = async (
  { query }: Database,
  trust: string,
  page: PageRequest,
): Promise<Page<StoredUnverified>> => {
  const digest = bytesOf(trust);
  const others = await query(
    `select 1 as found
     where exists (select 1 from unverified where trust < $1) or exists (select 1 from unverified where trust > $1)`,
    [digest],
  );
  if (others.length === 0) return { items: [], next: null };
  const rows = await query<WholeRow>(
    `select ${WHOLE} from unverified where request > cast($2 as bigint) and trust <> $3 order by request limit $1`,
    [page.limit, readPosition(page.cursor ?? '0'), digest],
  );
  return { items: rows.map(toStored), next: nextOf(rows, page) };
};

/** Those that failed under this trust and have no diagnosis yet, the newest; asked often, and nearly always none. */
export const readUndiagnosed = async (
  { query }: Database,
  trust: string,
  limit: number,
): Promise<readonly StoredUnverified[]> => {
  const rows = await query<WholeRow>(
    `select ${WHOLE} from unverified where diagnosis is null and trust = $2 order by request desc limit $1`,
    [limit, bytesOf(trust)],
  );
  return rows.map(toStored);
};

/** Those whose body, target or headers hold one of these texts, the newest; reads all of them. */
export const findInUnverified = async (
  { snapshot }: Database,
  texts: readonly string[],
  limit: number,
): Promise<readonly UnverifiedSummary[]> => {
  if (texts.length === 0) return [];
  return await snapshot(async ({ query, dialect }) => {
    const values: Value[] = [limit];
    const terms = texts.flatMap((text) => {
      const bytes = Buffer.from(text);
      // Target and headers are kept as one character a byte, the headers as JSON.
      const latin1 = bytes.toString('latin1');
      return [
        dialect.holds('body', `$${values.push(bytes)}`),
        dialect.holds('target', `$${values.push(latin1)}`),
        dialect.holds('headers', `$${values.push(JSON.stringify(latin1).slice(1, -1))}`),
      ];
    });
    const sql = `select ${COLUMNS} from unverified where ${terms.join(' or ')} order by request desc limit $1`;
    return (await query<Row>(sql, values)).map(toSummary);
  });
};

/** How many there are of each reason, and when the last of them came; the most first. */
export const countUnverified = async ({ query }: Pick<Database, 'query'>): Promise<readonly UnverifiedCount[]> => {
  const rows = await query<{
    reason: UnverifiedReason;
    diagnosis: DiagnosisCode | null;
    count: Count;
    last: Count;
  }>(
    `select reason, diagnosis, count(*) as count, max(last_received_at) as last
     from unverified
     group by reason, diagnosis
     order by count(*) desc, reason, diagnosis`,
  );
  return rows.map(({ reason, diagnosis, count, last }) => ({
    reason,
    diagnosis,
    count: Number(count),
    lastReceivedAt: isoTime(last),
  }));
};

export const findUnverified = async ({ query }: Database, id: string): Promise<StoredUnverified | null> => {
  const [row] = await query<WholeRow>(`select ${WHOLE} from unverified where digest = $1`, [bytesOf(id)]);
  return row === undefined ? null : toStored(row);
};

const nextOf = (rows: readonly Row[], page: PageRequest): string | null =>
  nextCursor(rows, page, ({ request }) => String(request));

const toSummary = (row: Row): UnverifiedSummary => ({
  id: hexOf(row.digest),
  reason: row.reason,
  diagnosis: row.diagnosis === null ? null : { code: row.diagnosis, message: row.explanation ?? '' },
  deliveries: Number(row.deliveries),
  bytes: Number(row.bytes),
  firstReceivedAt: isoTime(row.first_received_at),
  lastReceivedAt: isoTime(row.last_received_at),
});

const toStored = (row: WholeRow): StoredUnverified => ({
  ...toSummary(row),
  origin: row.origin,
  trust: hexOf(row.trust),
  request: toRequest(row),
});
