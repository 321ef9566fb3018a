import { byCodeUnit } from '../order/statement.ts';
import type { OrderRules } from '../order/rules.ts';
import { rulesIn } from './around.ts';
import { type Checked, type CheckedRow, type Flaw, flawed, FROM_BACKUP } from './checked.ts';
import { checkNotifications, isOutage } from './check-notifications.ts';
import { checkTotals, checkUnverified } from './check-unverified.ts';
import { saidCheck } from './checksum.ts';
import { nextCursor, readKey } from './cursor.ts';
import { projectRow, toRows } from './derive.ts';
import { evidenceOfEach } from './evidence.ts';
import { type FoldedCapture, readFoldedCaptures } from './folded-captures.ts';
import { nameOfOrder, type OrderKey } from './order-key.ts';
import { readOrderKeys } from './rebuild.ts';
import type { ShopSubject } from './shop.ts';
import type { Page, PageRequest } from './store.ts';
import type { Count, Database, OrderRow, Snapshot } from './transaction.ts';

/**
 * Compares rows with their own checks and with what they are derived from; changes nothing. Each page is of one moment,
 * so that a service may run meanwhile.
 */
export const check = async (
  database: Database,
  what: Checked,
  { page, rules }: { readonly page: PageRequest; readonly rules: OrderRules },
): Promise<Page<CheckedRow>> =>
  await database.snapshot(async (snapshot) => {
    switch (what) {
      case 'notifications':
        return await checkNotifications(snapshot, page);
      case 'raw_batches':
        return await checkRaws(snapshot);
      case 'identifiers':
        return await checkIdentifiers(snapshot, page);
      case 'orders':
        return await checkOrders(snapshot, page, await rulesIn(snapshot, rules));
      case 'shop_statements':
        return await checkShopStatements(snapshot, page);
      case 'unverified':
        return await checkUnverified(snapshot, page);
      case 'unverified_totals':
        return await checkTotals(snapshot);
      case 'settings':
        return await checkSettings(snapshot);
      case 'file':
        return await checkFile(snapshot);
    }
  });

const checkRaws = async ({ strayRaws }: Snapshot): Promise<Page<CheckedRow>> => ({
  items: (await strayRaws()).map(({ batch, holds, named }) => ({
    key: `raw_batch ${batch}`,
    flaws: [
      {
        problem: `it holds ${holds} notifications and ${named} name it: its raw_batch or that of a notification has changed`,
        remedy: `set raw_batch to what the notifications beside them have, or ${FROM_BACKUP}; meanwhile they count as without bytes`,
      },
    ],
  })),
  next: null,
});

interface IdentifierKey {
  readonly client_id: string;
  readonly position: Count;
  readonly name: string;
  readonly value: string;
}

/** Those of no notification; all others are part of the check of theirs. */
const checkIdentifiers = async ({ query, dialect }: Snapshot, page: PageRequest): Promise<Page<CheckedRow>> => {
  const [clientId, position, name, value] = readKey(page.cursor, ['', '-1', '', '']);
  const { columns, after } = dialect.identifierKey;
  const rows = await query<IdentifierKey & { found: number | boolean }>(
    `select client_id, position, name, value,
       exists (select 1 from notifications n where n.client_id = i.client_id and n.position = i.position) as found
     from identifiers i
     where (${columns}) > (${after})
     order by ${columns}
     limit $1`,
    [page.limit, clientId, position, name, value],
  );
  return {
    items: rows.map((row) => ({
      key: `client_id ${row.client_id}, position ${row.position}, name ${row.name}, value ${row.value}`,
      flaws: flawed(
        Number(row.found) !== 1,
        'it belongs to no notification',
        'delete the row; the notification that lacks it is named as well',
      ),
    })),
    next: nextCursor(rows, page, (last) =>
      JSON.stringify([last.client_id, String(last.position), last.name, last.value]),
    ),
  };
};

const REBUILD = 'run `paynotify rebuild`: orders are derived again from what is stored';

/** Orders that are there and orders that should be there. */
const checkOrders = async (snapshot: Snapshot, page: PageRequest, rules: OrderRules): Promise<Page<CheckedRow>> => {
  const { items: keys, next } = await readOrderKeys(snapshot.query, page);
  if (keys.length === 0) return { items: [], next };
  const derived = await deriveEach(snapshot, keys, rules);
  const items = await Promise.all(
    keys.map(async (key) => {
      const stored = await storedOrder(snapshot, key);
      const should = derived.get(nameOfOrder(key)) ?? null;
      if (should === UNREADABLE) return { key: keyOfOrder(key), flaws: [CANNOT_BE_DERIVED] };
      return { key: keyOfOrder(key), flaws: flawed(stored !== should, orderProblem(stored, should), REBUILD) };
    }),
  );
  return { items, next };
};

const UNREADABLE = 'unreadable';
const CANNOT_BE_DERIVED: Flaw = {
  problem: 'it cannot be derived: statements or an expectation is not readable',
  remedy: 'put right the notification or the registration of it that is named as well',
};

/** What the rows of orders should be, by their names; one that cannot be read must not hide the others. */
const deriveEach = async (
  snapshot: Snapshot,
  keys: readonly OrderKey[],
  rules: OrderRules,
): Promise<ReadonlyMap<string, string>> => {
  try {
    const now = Date.now();
    const stored = await evidenceOfEach(snapshot, keys);
    const projections = stored.map((one) => projectRow(one, { rules, now }));
    const folded = new Map(projections.map(({ stored: one, captures }) => [nameOfOrder(one), captures]));
    return new Map(
      toRows(projections, now).kept.map((row) => {
        const name = nameOfOrder(row);
        return [name, textOf(row, folded.get(name) ?? [])];
      }),
    );
  } catch (error) {
    if (isOutage(error)) throw error;
    const [key, ...others] = keys;
    if (key === undefined || others.length === 0) return new Map(keys.map((one) => [nameOfOrder(one), UNREADABLE]));
    const each: [string, string][] = [];
    for (const one of keys) each.push(...(await deriveEach(snapshot, [one], rules)));
    return new Map(each);
  }
};

const keyOfOrder = ({ clientId, orderKey }: OrderKey): string => `client_id ${clientId}, order_key ${orderKey}`;

interface OrderColumns {
  readonly status: string;
  readonly next_action: string;
  readonly attention: string;
  readonly reference_order_id: string | null;
  readonly due_at: Count | null;
  readonly content: string;
  readonly fold: string | null;
}

const ORDER_COLUMNS = 'status, next_action, attention, reference_order_id, due_at, content, fold';

const textOf = (row: OrderRow, folded: readonly FoldedCapture[]): string =>
  textOfColumns(
    { ...row, next_action: row.nextAction, reference_order_id: row.referenceOrderId, due_at: row.dueAt },
    folded,
  );

const textOfColumns = (row: OrderColumns, folded: readonly FoldedCapture[]): string =>
  JSON.stringify([
    row.status,
    row.next_action,
    row.attention,
    row.reference_order_id,
    row.due_at === null ? null : Number(row.due_at),
    row.content,
    row.fold,
    // Those of an order without a fold are shown to nobody.
    row.fold === null
      ? []
      : folded.map((one) => JSON.stringify([one.captureId, one.captureRequestId, one.content])).sort(byCodeUnit),
  ]);

const storedOrder = async ({ query }: Snapshot, key: OrderKey): Promise<string | null> => {
  const [row] = await query<OrderColumns>(
    `select ${ORDER_COLUMNS} from orders where client_id = $1 and order_key = $2`,
    [key.clientId, key.orderKey],
  );
  if (row === undefined) return null;
  return textOfColumns(row, row.fold === null ? [] : await readFoldedCaptures(query, key));
};

const orderProblem = (stored: string | null, should: string | null): string => {
  if (stored === null) return 'the row is missing';
  return should === null
    ? 'nothing that is stored makes this order'
    : `one of ${ORDER_COLUMNS} or of its folded_captures is not what is derived from what is stored`;
};

interface SaidRow {
  readonly client_id: string;
  readonly about: ShopSubject;
  readonly id: string;
  readonly replaced_at: Count;
  readonly target: string;
  readonly said: string;
  readonly said_check: Count;
}

const checkShopStatements = async ({ query }: Snapshot, page: PageRequest): Promise<Page<CheckedRow>> => {
  const [clientId, about, id, replacedAt] = readKey(page.cursor, ['', '', '', '-1']);
  const rows = await query<SaidRow>(
    `select client_id, about, id, replaced_at, target, said, said_check
     from shop_statements
     where (client_id, about, id, replaced_at) > ($2, $3, $4, cast($5 as bigint))
     order by client_id, about, id, replaced_at
     limit $1`,
    [page.limit, clientId, about, id, replacedAt],
  );
  return {
    items: rows.map((row) => ({
      key: `client_id ${row.client_id}, about ${row.about}, id ${row.id}, replaced_at ${row.replaced_at}`,
      flaws: flawed(
        saidCheck({ ...row, clientId: row.client_id }) !== Number(row.said_check),
        'client_id, about, id, target or said is not as it was written',
        `say it again (PUT, with ?replace=true), or ${FROM_BACKUP}`,
      ),
    })),
    next: nextCursor(rows, page, (last) =>
      JSON.stringify([last.client_id, last.about, last.id, String(last.replaced_at)]),
    ),
  };
};

const checkSettings = async ({ query, dialect }: Snapshot): Promise<Page<CheckedRow>> => {
  const [row] = await query<{ behind: number | boolean }>(
    `select coalesce((select max(position) from orders), 0) >= ${dialect.nextPosition} as behind`,
  );
  return {
    items: [
      {
        key: `name ${dialect.positionSetting}`,
        flaws: flawed(
          Number(row?.behind) === 1,
          'positions would be given out that orders have already',
          `stop the service, and ${FROM_BACKUP} of after the latest change, or copy everything into an empty database`,
        ),
      },
    ],
    next: null,
  };
};

/** What SQLite itself finds; PostgreSQL has tools of its own. */
const checkFile = async ({ query, dialect }: Snapshot): Promise<Page<CheckedRow>> => {
  const rows = dialect.integrityCheck === null ? [] : await query<{ problem: string }>(dialect.integrityCheck);
  return {
    items: rows
      .filter(({ problem }) => problem !== 'ok')
      .map(({ problem }) => ({
        key: problem.split('\n')[0] ?? '',
        flaws: [
          {
            problem,
            remedy: 'stop the service and put back a backup, or copy everything into an empty database',
          },
        ],
      })),
    next: null,
  };
};
