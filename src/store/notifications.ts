import { readAsked } from '../order/asked.ts';
import type { Identifier } from '../order/identifier.ts';
import type { Kind, Outcome, RawNotification } from '../order/reading.ts';
import type { Statement } from '../order/statement.ts';
import { isoTime } from '../order/time.ts';
import { nextCursor, readPosition } from './cursor.ts';
import { follow } from './feed.ts';
import { bytesOf, hexOf } from './row.ts';
import type {
  FeedPage,
  FollowedNotifications,
  NotificationFilter,
  NotificationKey,
  NotificationSummary,
  Page,
  PageRequest,
  StoredNotification,
} from './store.ts';
import type { Count, Database, Query, Snapshot, Value } from './transaction.ts';

interface Row {
  readonly position: Count;
  readonly client_id: string;
  readonly digest: Uint8Array;
  readonly kind: Kind;
  readonly asked: string | null;
  readonly payment_id: string;
  readonly outcome: Outcome;
  readonly problem: string | null;
  readonly deliveries: Count;
  readonly first_received_at: Count;
  readonly last_received_at: Count;
  readonly statements: string | null;
}

const COLUMNS = `position, client_id, digest, kind, asked, payment_id, outcome, problem, deliveries, first_received_at,
  last_received_at, statements`;

/** Newest first. */
export const listNotifications = async (
  database: Database,
  filter: NotificationFilter,
  page: PageRequest,
): Promise<Page<NotificationSummary>> => {
  const { sql, values } = selectOf({ filter, page, newestFirst: true });
  return await database.snapshot(async ({ query }) => {
    const rows = await query<Row>(sql, values);
    return { items: await Promise.all(rows.map(async (row) => await toSummary(query, row))), next: nextOf(rows, page) };
  });
};

/** Each once, in the order in which they were stored. */
export const followNotifications = async (
  database: Database,
  { clientId, kind, ...page }: PageRequest & FollowedNotifications,
): Promise<FeedPage<NotificationSummary>> => {
  const asked = { feed: 'notifications', columns: COLUMNS, filter: { client_id: clientId, kind } } as const;
  return await database.snapshot(async (snapshot) => {
    const { rows, next } = await follow<Row>(snapshot, asked, page);
    return { items: await Promise.all(rows.map(async (row) => await toSummary(snapshot.query, row))), next };
  });
};

/** Oldest first, with bytes: what reads all of them. */
export const readNotifications = async (
  database: Database,
  filter: NotificationFilter,
  page: PageRequest,
): Promise<Page<StoredNotification>> => {
  const { sql, values } = selectOf({ filter, page, newestFirst: false });
  return await database.snapshot(async (snapshot) => {
    const rows = await snapshot.query<Row>(sql, values);
    return { items: await toStored(snapshot, rows), next: nextOf(rows, page) };
  });
};

export const findNotification = async (
  database: Database,
  { clientId, id }: NotificationKey,
): Promise<StoredNotification | null> =>
  await database.snapshot(async (snapshot) => {
    const position = await snapshot.positionOf(clientId, bytesOf(id));
    if (position === null) return null;
    const sql = `select ${COLUMNS} from notifications where position = cast($1 as bigint)`;
    const [stored] = await toStored(snapshot, await snapshot.query<Row>(sql, [position]));
    return stored ?? null;
  });

interface Listing {
  readonly filter: NotificationFilter;
  readonly page: PageRequest;
  readonly newestFirst: boolean;
}

interface Select {
  readonly sql: string;
  readonly values: readonly Value[];
}

/** Throws an InvalidCursorError. */
const selectOf = ({ filter, page, newestFirst }: Listing): Select => {
  const values: Value[] = [page.limit];
  const terms: string[] = ['true'];
  const add = (term: string, value: string): void => {
    terms.push(`${term} $${values.push(value)}`);
  };
  if (page.cursor !== null) {
    terms.push(`position ${newestFirst ? '<' : '>'} cast($${values.push(readPosition(page.cursor))} as bigint)`);
  }
  if (filter.clientId !== null) add('client_id =', filter.clientId);
  if (filter.id !== null) {
    // The indexes begin with the client.
    const clients = filter.clientId === null ? CLIENT_IDS : `$${values.push(filter.clientId)}`;
    const id = `$${values.push(filter.id)}`;
    terms.push(`position in (
      select position from notifications where client_id in (${clients}) and payment_id = ${id}
      union
      select position from identifiers where client_id in (${clients}) and value = ${id}
    )`);
  }
  if (filter.kind !== null) add('kind =', filter.kind);
  if (filter.outcome !== null) {
    add('outcome =', filter.outcome);
    // Repeats the term of the partial index, so that the planner may use it.
    if (filter.outcome !== 'APPLIED') terms.push("outcome <> 'APPLIED'");
  }
  const sql = `
    select ${COLUMNS}
    from notifications
    where ${terms.join(' and ')}
    order by position ${newestFirst ? 'desc' : 'asc'}
    limit $1`;
  return { sql, values };
};

const nextOf = (rows: readonly Row[], page: PageRequest): string | null =>
  nextCursor(rows, page, ({ position }) => String(position));

const toSummary = async (query: Query, row: Row): Promise<NotificationSummary> => {
  const identifiers = await query<Identifier>(
    'select name, value from identifiers where client_id = $1 and position = cast($2 as bigint) order by name, value',
    [row.client_id, String(row.position)],
  );
  const payment: readonly Identifier[] = row.payment_id === '' ? [] : [{ name: 'paymentId', value: row.payment_id }];
  return {
    clientId: row.client_id,
    id: hexOf(row.digest),
    kind: row.kind,
    asked: row.asked === null ? null : readAsked(row.asked),
    outcome: row.outcome,
    problem: row.problem,
    paymentId: row.payment_id === '' ? null : row.payment_id,
    identifiers: [...payment, ...identifiers.map(({ name, value }) => ({ name, value }))],
    deliveries: Number(row.deliveries),
    firstReceivedAt: isoTime(row.first_received_at),
    lastReceivedAt: isoTime(row.last_received_at),
  };
};

const toStored = async ({ query, raws }: Snapshot, rows: readonly Row[]): Promise<readonly StoredNotification[]> => {
  const raw: readonly (RawNotification | null)[] = await raws(rows.map(({ position }) => String(position)));
  return await Promise.all(
    rows.map(async (row, index) => ({
      ...(await toSummary(query, row)),
      // Written by toReadingColumns.
      statements: JSON.parse(row.statements ?? '[]') as readonly Statement[],
      raw: raw[index] ?? null,
    })),
  );
};

/** The distinct clients of a table, each found by one look into its index: `distinct` would walk all rows. */
export const clientIdsOf = (table: string): string => `
  with recursive clients (client_id) as (
    select min(client_id) from ${table}
    union all
    select (select min(t.client_id) from ${table} t where t.client_id > clients.client_id)
    from clients
    where clients.client_id is not null
  )
  select client_id from clients where client_id is not null`;
const CLIENT_IDS = clientIdsOf('notifications');

/** The clients that anything is stored of, sorted. */
export const clientIds = async ({ query }: Pick<Database, 'query'>): Promise<readonly string[]> => {
  const tables = ['notifications', 'shop_statements'];
  const found = await Promise.all(tables.map(async (table) => await query<{ client_id: string }>(clientIdsOf(table))));
  return [...new Set(found.flat().map(({ client_id }) => client_id))].sort();
};
