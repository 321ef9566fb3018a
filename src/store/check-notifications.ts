import type { Identifier } from '../order/identifier.ts';
import { type Kind, type Outcome, OUTCOMES, type RawNotification } from '../order/reading.ts';
import { linksOf, type Statement } from '../order/statement.ts';
import { type CheckedRow, type Flaw, FROM_BACKUP } from './checked.ts';
import { rawCheck, readingCheck } from './checksum.ts';
import { nextCursor, readPosition } from './cursor.ts';
import { identifiersOf } from './links.ts';
import { digestOf, hexOf, type IdentifierRow, joinsBy } from './row.ts';
import type { Page, PageRequest } from './store.ts';
import type { Count, Snapshot } from './transaction.ts';

interface Row {
  readonly position: Count;
  readonly client_id: string;
  readonly digest: Uint8Array;
  readonly payment_id: string;
  readonly asked: string | null;
  readonly kind: string;
  readonly outcome: string;
  readonly problem: string | null;
  readonly statements: string | null;
  readonly reading_check: Count;
  readonly raw_check: Count;
}

/** Notifications with their identifiers and what came over the wire, in the order of arrival. */
export const checkNotifications = async (snapshot: Snapshot, page: PageRequest): Promise<Page<CheckedRow>> => {
  const rows = await snapshot.query<Row>(
    `select position, client_id, digest, payment_id, asked, kind, outcome, problem, statements, reading_check, raw_check
     from notifications
     where position > cast($2 as bigint)
     order by position
     limit $1`,
    [page.limit, page.cursor === null ? '-1' : readPosition(page.cursor)],
  );
  const raws = await readEach(
    snapshot,
    rows.map(({ position }) => String(position)),
  );
  const items = await Promise.all(
    rows.map(async (row, index) =>
      toChecked(
        row,
        raws[index] ?? NONE,
        await identifiersOf(snapshot.query, { clientId: row.client_id, position: String(row.position) }),
      ),
    ),
  );
  return { items, next: nextCursor(rows, page, ({ position }) => String(position)) };
};

interface ReadRaw {
  readonly raw: RawNotification | null;
  readonly unreadable: boolean;
}
const NONE: ReadRaw = { raw: null, unreadable: false };

/** What cannot be unpacked must not hide the others. */
const readEach = async (snapshot: Snapshot, positions: readonly string[]): Promise<readonly ReadRaw[]> => {
  try {
    return (await snapshot.raws(positions)).map((raw) => ({ raw, unreadable: false }));
  } catch (error) {
    if (isOutage(error)) throw error;
    if (positions.length > 1) {
      const each: ReadRaw[] = [];
      for (const position of positions) each.push(...(await readEach(snapshot, [position])));
      return each;
    }
    return [{ raw: null, unreadable: true }];
  }
};

/** The database's own errors carry a code: what carries none was met while reading what is stored. */
export const isOutage = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && ('errcode' in error || 'severity' in error);

const toChecked = (row: Row, { raw, unreadable }: ReadRaw, identifiers: readonly IdentifierRow[]): CheckedRow => {
  const id = hexOf(row.digest);
  const isWhole = raw !== null && digestOf(row, raw.body) === id;
  const problems = [
    ...(isReadAsWritten(row, id, identifiers) ? [] : [NOT_AS_READ]),
    ...(isOutcome(row.outcome) ? [] : ['outcome is none']),
    ...(joinsAsStated(row, identifiers) ? [] : ['joins of its rows in identifiers is not what its statements say']),
  ];
  const lost = [
    ...(unreadable ? ['what came over the wire cannot be unpacked'] : []),
    ...(raw === null || isWhole ? [] : ['the body is not the one of its digest']),
    ...(raw === null || rawCheck(raw) === Number(row.raw_check)
      ? []
      : ['method, target, request time or signature is not as it came, or raw_check is not']),
  ];
  const remedy = isWhole ? redrive(row, id) : FROM_BACKUP;
  return {
    key: `position ${row.position}, client_id ${row.client_id}, digest ${id}`,
    flaws: [...problems.map(withRemedy(remedy)), ...lost.map(withRemedy(FROM_BACKUP))],
    notification: { clientId: row.client_id, id, raw, unreadable },
  };
};

const NOT_AS_READ =
  'client_id, digest, payment_id, asked, kind, problem, statements or a row in identifiers is not as it was written';

const withRemedy =
  (remedy: string) =>
  (problem: string): Flaw => ({ problem, remedy });

/** Reading it again writes all of these but the names under which it is found. */
const redrive = ({ position, statements }: Row, id: string): string => {
  const clear = isJson(statements)
    ? ''
    : `set statements to null where position = ${position} (they are no JSON), then `;
  return `${clear}run \`paynotify redrive --id ${id}\`; if it is named again, ${FROM_BACKUP}`;
};

const isReadAsWritten = (row: Row, id: string, identifiers: readonly IdentifierRow[]): boolean =>
  Number(row.reading_check) ===
  readingCheck(
    { clientId: row.client_id, id },
    {
      asked: row.asked,
      kind: row.kind,
      problem: row.problem,
      paymentId: row.payment_id,
      identifiers,
      statements: row.statements,
    },
  );

const isOutcome = (outcome: string): boolean => OUTCOMES.some((one: Outcome) => one === outcome);

const isJson = (text: string | null): boolean => {
  try {
    return text === null || JSON.parse(text) !== undefined;
  } catch {
    return false;
  }
};

/** As it was read, and as far as it can be read: not where its statements are spoilt. */
const joinsAsStated = ({ kind, outcome, statements }: Row, identifiers: readonly IdentifierRow[]): boolean => {
  if (!isJson(statements) || !isOutcome(outcome)) return true;
  const links = (JSON.parse(statements ?? '[]') as readonly Statement[]).flatMap(linksOf);
  const reading = { kind: kind as Kind, outcome: outcome as Outcome, links };
  return identifiers.every((one) => one.joins === joinsBy(one as Identifier, reading));
};
