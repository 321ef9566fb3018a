import { isoTime } from '../order/time.ts';
import { saidCheck } from './checksum.ts';
import { nextCursor, readKey } from './cursor.ts';
import type { ShopStatement, ShopSubject } from './shop.ts';
import type { Page, PageRequest } from './store.ts';
import type { Count, Query, Value } from './transaction.ts';

/*
 * What the shop says, of whatever it says it: one statement stands under each id, and what it replaced stays on record.
 */

/** Under which a statement stands. */
export type SaidKey = Pick<ShopStatement, 'clientId' | 'about' | 'id'>;

/** A row of `shop_statements`; `replaced_at` is 0 while it stands. */
interface Columns {
  readonly client_id: string;
  readonly about: ShopSubject;
  readonly id: string;
  readonly replaced_at: Count;
  readonly target: string;
  readonly said: string;
  readonly created_at: Count;
  readonly updated_at: Count;
}

const COLUMNS = 'client_id, about, id, replaced_at, target, said, created_at, updated_at';

const toStatement = (row: Columns): ShopStatement => ({
  clientId: row.client_id,
  about: row.about,
  id: row.id,
  target: row.target,
  said: row.said,
  createdAt: isoTime(row.created_at),
  updatedAt: isoTime(row.updated_at),
  replacedAt: Number(row.replaced_at) === 0 ? null : isoTime(row.replaced_at),
});

/** What stands; null for nothing. */
export const findSaid = async (query: Query, { clientId, about, id }: SaidKey): Promise<ShopStatement | null> => {
  const [row] = await query<Columns>(
    `select ${COLUMNS}
     from shop_statements
     where client_id = $1 and about = $2 and id = $3 and replaced_at = 0`,
    [clientId, about, id],
  );
  return row === undefined ? null : toStatement(row);
};

/** All that was ever said under a key, the oldest first: what was replaced, and what stands. */
export const readHistory = async (
  query: Query,
  { clientId, about, id }: SaidKey,
): Promise<readonly ShopStatement[]> => {
  const rows = await query<Columns>(
    `select ${COLUMNS}
     from shop_statements
     where client_id = $1 and about = $2 and id = $3
     order by case replaced_at when 0 then 1 else 0 end, replaced_at`,
    [clientId, about, id],
  );
  return rows.map(toStatement);
};

/**
 * The ids under which something was ever said with a target, the oldest first, once for each of at most `limit`
 * statements. In the order of the index by target: otherwise a planner that knows nothing about the table may read all
 * of a client's.
 */
export const idsSaidOf = async (
  query: Query,
  { clientId, about, target }: Pick<ShopStatement, 'clientId' | 'about' | 'target'>,
  limit: number,
): Promise<readonly string[]> => {
  const rows = await query<{ id: string }>(
    `select id
     from shop_statements
     where client_id = $1 and about = $2 and target = $3 and target <> ''
     order by created_at
     limit $4`,
    [clientId, about, target, limit],
  );
  return rows.map(({ id }) => id);
};

/** Says something in place of what stands, later than all that was said under this id; returns it as it is stored. */
export const say = async (
  query: Query,
  {
    standing,
    now,
    ...statement
  }: SaidKey &
    Pick<ShopStatement, 'target' | 'said'> & { readonly standing: ShopStatement | null; readonly now: number },
): Promise<ShopStatement> => {
  const at = await laterThanAll(query, statement, now);
  if (standing !== null) await replace(query, standing, at);
  const said = {
    ...statement,
    createdAt: standing?.createdAt ?? isoTime(at),
    updatedAt: isoTime(at),
    replacedAt: null,
  };
  await insert(query, said);
  return said;
};

/** Nothing stands any more; what stood is kept. */
export const takeBack = async (query: Query, { now, ...key }: SaidKey & { readonly now: number }): Promise<void> =>
  await replace(query, key, await laterThanAll(query, key, now));

const replace = async (query: Query, { clientId, about, id }: SaidKey, at: number): Promise<void> => {
  await query(
    `update shop_statements
     set replaced_at = $4
     where client_id = $1 and about = $2 and id = $3 and replaced_at = 0`,
    [clientId, about, id, at],
  );
};

/** The first time from `now` on that is later than all that was said, replaced or taken back. */
const laterThanAll = async (query: Query, { clientId, about, id }: SaidKey, now: number): Promise<number> => {
  const [row] = await query<{ last: Count | null }>(
    `select max(case when replaced_at > updated_at then replaced_at else updated_at end) as last
     from shop_statements
     where client_id = $1 and about = $2 and id = $3`,
    [clientId, about, id],
  );
  return Math.max(now, Number(row?.last ?? -1) + 1);
};

/** When something was replaced or taken back last; 0 for never. */
const lastReplacement = async (query: Query, { clientId, about, id }: SaidKey): Promise<number> => {
  const [row] = await query<{ last: Count | null }>(
    'select max(replaced_at) as last from shop_statements where client_id = $1 and about = $2 and id = $3',
    [clientId, about, id],
  );
  return Number(row?.last ?? 0);
};

/** The last time up to `at` at which nothing was replaced: nothing is replaced after what stands was said. */
const freeUpTo = async (query: Query, { clientId, about, id }: SaidKey, at: number): Promise<number> => {
  const rows = await query<{ replaced_at: Count }>(
    `select replaced_at
     from shop_statements
     where client_id = $1 and about = $2 and id = $3 and replaced_at > 0 and replaced_at <= cast($4 as bigint)
     order by replaced_at desc`,
    [clientId, about, id, at],
  );
  return rows.reduce((free, { replaced_at: taken }) => (Number(taken) === free ? free - 1 : free), at);
};

const insert = async (query: Query, statement: ShopStatement): Promise<boolean> => {
  const { clientId, about, id, target, said, createdAt, updatedAt, replacedAt } = statement;
  const inserted = await query(
    `insert into shop_statements (${COLUMNS}, said_check)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (client_id, about, id, replaced_at) do nothing
     returning 1 as inserted`,
    [
      clientId,
      about,
      id,
      replacedAt === null ? 0 : Date.parse(replacedAt),
      target,
      said,
      Date.parse(createdAt),
      Date.parse(updatedAt),
      saidCheck(statement),
    ],
  );
  return inserted.length > 0;
};

/**
 * Takes in a statement of another store; of two that stand the younger one does, and the other stays on record. Returns
 * whether it was not there.
 */
export const importSaid = async (query: Query, statement: ShopStatement): Promise<boolean> => {
  if (statement.replacedAt !== null) return await importReplaced(query, statement, Date.parse(statement.replacedAt));
  // What was replaced, or taken back, here does not stand again.
  if ((await replacementsOf(query, statement)).length > 0) return false;
  const standing = await findSaid(query, statement);
  if (standing === null) {
    const ended = await lastReplacement(query, statement);
    return Date.parse(statement.updatedAt) < ended
      ? await insertReplaced(query, statement, isoTime(ended))
      : await insert(query, statement);
  }
  const createdAt = standing.createdAt < statement.createdAt ? standing.createdAt : statement.createdAt;
  const isYounger = statement.updatedAt >= standing.updatedAt;
  const saysTheSame = statement.said === standing.said && statement.target === standing.target;
  if (saysTheSame || !isYounger) {
    const { updatedAt } = isYounger ? statement : standing;
    await keepTimes(query, { ...standing, createdAt, updatedAt });
    return !saysTheSame && (await insertReplaced(query, statement, standing.updatedAt));
  }
  await replace(query, standing, await freeUpTo(query, standing, Date.parse(statement.updatedAt)));
  return await insert(query, { ...statement, createdAt });
};

/** Returns whether it was not there, if only as one that stands or that was replaced at another time. */
const importReplaced = async (query: Query, statement: ShopStatement, at: number): Promise<boolean> => {
  const before = await replacementsOf(query, statement);
  // The one that stands here was replaced, or taken back, there.
  await removeAt(query, statement, 0);
  const standing = await findSaid(query, statement);
  if (!(await insert(query, statement))) {
    // Another one was replaced at that time.
    return before.length === 0 && (await insertReplaced(query, statement, isoTime(at)));
  }
  for (const other of before) await removeAt(query, statement, other);
  // What stands there has come before: nothing does, so this was taken back, and with it all that was said before.
  if (standing !== null && Date.parse(standing.updatedAt) < at)
    await replace(query, standing, await freeUpTo(query, standing, at));
  return before.length === 0;
};

const insertReplaced = async (query: Query, statement: ShopStatement, at: string): Promise<boolean> =>
  await insert(query, { ...statement, replacedAt: isoTime(await freeUpTo(query, statement, Date.parse(at))) });

const keepTimes = async (query: Query, { clientId, about, id, createdAt, updatedAt }: ShopStatement): Promise<void> => {
  await query(
    `update shop_statements
     set created_at = $4, updated_at = $5
     where client_id = $1 and about = $2 and id = $3 and replaced_at = 0`,
    [clientId, about, id, Date.parse(createdAt), Date.parse(updatedAt)],
  );
};

const IDENTICAL = 'client_id = $1 and about = $2 and id = $3 and updated_at = $4 and said = $5 and target = $6';
const identical = ({ clientId, about, id, updatedAt, said, target }: ShopStatement): readonly Value[] => [
  clientId,
  about,
  id,
  Date.parse(updatedAt),
  said,
  target,
];

/** When it was replaced, or taken back, here: once at most; nothing where it was not. */
const replacementsOf = async (query: Query, statement: ShopStatement): Promise<readonly number[]> => {
  const rows = await query<{ replaced_at: Count }>(
    `select replaced_at from shop_statements where ${IDENTICAL} and replaced_at <> 0`,
    identical(statement),
  );
  return rows.map(({ replaced_at }) => Number(replaced_at));
};

/** `at` is 0 for the one that stands. */
const removeAt = async (query: Query, statement: ShopStatement, at: number): Promise<void> => {
  await query(`delete from shop_statements where ${IDENTICAL} and replaced_at = $7`, [...identical(statement), at]);
};

/** Before the first statement. */
const START: readonly [string, string, string, number] = ['', '', '', -1];

/** Those that stand and those that were replaced, in the order of their keys. */
export const readShopStatements = async (
  { query }: { readonly query: Query },
  page: PageRequest,
): Promise<Page<ShopStatement>> => {
  const rows = await query<Columns>(
    `select ${COLUMNS}
     from shop_statements
     where (client_id, about, id, replaced_at) > ($2, $3, $4, $5)
     order by client_id, about, id, replaced_at
     limit $1`,
    [page.limit, ...readKey(page.cursor, START)],
  );
  const next = nextCursor(rows, page, (last) =>
    JSON.stringify([last.client_id, last.about, last.id, Number(last.replaced_at)]),
  );
  return { items: rows.map(toStatement), next };
};
