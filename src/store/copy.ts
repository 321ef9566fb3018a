import { textOfAsked } from '../order/asked.ts';
import type { Around } from './around.ts';
import { derive } from './derive.ts';
import { ordersLinkedBy } from './joined.ts';
import { linksAmong } from './links.ts';
import { linkLock, UNVERIFIED_LOCK } from './lock.ts';
import type { Touched } from './order-key.ts';
import { sumInParts } from './parts.ts';
import { locksOf, touchedBy } from './put.ts';
import { writeReadings } from './readings.ts';
import {
  bytesOf,
  digestOf,
  hexOf,
  type IdentifierRow,
  type NotificationRow,
  notificationId,
  placesOf,
  requestDigest,
  toReadingColumns,
  toUnverifiedEntry,
  type UnverifiedRow,
} from './row.ts';
import { findSaid, importSaid } from './say.ts';
import { touchLocked } from './said.ts';
import { IN_USE } from './setting.ts';
import type { Copied, ShopStatement, StoredNotification, StoredUnverified } from './store.ts';
import type { Count, Database, Query, Transaction } from './transaction.ts';

/** Takes in notifications of another store and derives their orders; returns how many were not there. */
export const importNotifications = async (
  database: Database,
  notifications: readonly StoredNotification[],
  { rules, now, merge }: Around & { readonly merge: boolean },
): Promise<number> => {
  return await sumInParts(
    database,
    notifications.map(toRow),
    async (rows) =>
      await database.transact(rows.flatMap(locksOf), async (transaction) => {
        const positions = await Promise.all(
          rows.map(async ({ clientId, digest }) => await transaction.positionOf(clientId, digest)),
        );
        const missing = rows.filter((_, index) => positions[index] === null);
        await transaction.putNotifications(missing);
        // One after the other: each may find that it needs more locks, and then nothing else must be under way.
        const touched = [touchedBy(rows)];
        const standing = await standingAt(transaction.query, rows, positions);
        const isOwn = merge || (await isInUse(transaction.query));
        for (const [index, row] of rows.entries()) {
          const stands = standing.get(positions[index] ?? '');
          if (stands !== undefined) touched.push(await update(transaction, row, { ...stands, isOwn }));
        }
        const keys = touched.flatMap((one) => one.keys);
        const links = touched.flatMap((one) => one.links);
        await derive(transaction, { keys, links }, { rules, now });
        return missing.length;
      }),
  );
};

const isInUse = async (query: Query): Promise<boolean> => (await query(`select 1 as found where ${IN_USE}`)).length > 0;

const NOTHING: Touched = { keys: [], links: [] };

const toRow = (stored: StoredNotification): NotificationRow => ({
  clientId: stored.clientId,
  asked: stored.asked === null ? null : textOfAsked(stored.asked),
  digest: bytesOf(stored.id),
  id: notificationId(stored.clientId, stored.id),
  ...toReadingColumns(stored),
  raw: stored.raw,
  deliveries: stored.deliveries,
  firstReceivedAt: Date.parse(stored.firstReceivedAt),
  lastReceivedAt: Date.parse(stored.lastReceivedAt),
});

interface Standing {
  readonly position: Count;
  readonly kind: string;
  readonly outcome: string;
  readonly problem: string | null;
  readonly statements: string | null;
  readonly deliveries: Count;
  readonly first_received_at: Count;
  readonly last_received_at: Count;
}

/** What is stored of rows, by its position; null is the position of one that is not stored. */
const standingAt = async (
  query: Query,
  clients: readonly Pick<NotificationRow, 'clientId'>[],
  all: readonly (string | null)[],
): Promise<ReadonlyMap<string, Stands>> => {
  const positions = all.filter((position) => position !== null);
  if (positions.length === 0) return new Map();
  const clientIds = [...new Set(clients.map(({ clientId }) => clientId))];
  const ofClients = clientIds.map((_, index) => `$${positions.length + index + 1}`).join(', ');
  const places = placesOf(positions);
  const [rows, identifiers] = await Promise.all([
    query<Standing>(
      `select position, kind, outcome, problem, statements, deliveries, first_received_at, last_received_at
       from notifications
       where position in (${places})`,
      positions,
    ),
    query<IdentifierRow & Pick<Standing, 'position'>>(
      `select position, name, value, joins
       from identifiers
       where client_id in (${ofClients}) and position in (${places})`,
      [...positions, ...clientIds],
    ),
  ]);
  const stated = Map.groupBy(identifiers, ({ position }) => String(position));
  return new Map(
    rows.map((row) => {
      const position = String(row.position);
      return [position, { position, row, identifiers: stated.get(position) ?? [] }];
    }),
  );
};

interface Stands {
  readonly position: string;
  readonly row: Standing;
  readonly identifiers: readonly IdentifierRow[];
}

interface Updated extends Stands {
  /** It may have been read here by itself, and by a newer program: only APPLIED takes the place of what is not. */
  readonly isOwn: boolean;
}

/**
 * What is stored keeps its extremes; it is read as in the other store, and loses the bytes that were removed there.
 * What is still to be applied keeps its own, or takes those of the other store. Returns what it joined as it was read
 * until now, where that changes.
 */
const update = async (transaction: Transaction, row: NotificationRow, stands: Updated): Promise<Touched> => {
  const { query } = transaction;
  const { position, row: standing, identifiers, isOwn } = stands;
  if (addsReceipts(row, standing)) {
    await query(
      `update notifications
       set deliveries = case when deliveries < $2 then $2 else deliveries end,
         first_received_at = case when first_received_at > $3 then $3 else first_received_at end,
         last_received_at = case when last_received_at < $4 then $4 else last_received_at end
       where position = cast($1 as bigint)`,
      [position, row.deliveries, row.firstReceivedAt, row.lastReceivedAt],
    );
  }
  const stays = isOwn && (standing.outcome === 'APPLIED' || row.outcome !== 'APPLIED');
  await updateRaw(transaction, row, { position, isNeeded: isOwn && (stays ? standing : row).outcome !== 'APPLIED' });
  if (stays || (readsAlike(row, standing) && sameIdentifiers(row.identifiers, identifiers))) return NOTHING;
  const { clientId } = row;
  const links = linksAmong(identifiers, clientId);
  transaction.need(links.map(linkLock));
  const keys = await ordersLinkedBy(query, links);
  await writeReadings(transaction, [{ clientId, id: hexOf(row.digest), asked: row.asked, position, columns: row }]);
  return { keys, links };
};

const updateRaw = async (
  { query, dialect, raws, putRaw }: Transaction,
  { raw, firstReceivedAt }: NotificationRow,
  { position, isNeeded }: { readonly position: string; readonly isNeeded: boolean },
): Promise<void> => {
  if (raw === null && !isNeeded)
    await query(
      `update notifications set ${dialect.withoutRaw} where position = cast($1 as bigint) and ${dialect.hasRaw}`,
      [position],
    );
  if (raw !== null && isNeeded && (await raws([position]))[0] === null) await putRaw(position, raw, firstReceivedAt);
};

const sameIdentifiers = (a: readonly IdentifierRow[], b: readonly IdentifierRow[]): boolean => {
  const names = new Set(b.map(({ name, value, joins }) => `${name} ${value} ${joins}`));
  return a.length === b.length && a.every(({ name, value, joins }) => names.has(`${name} ${value} ${joins}`));
};

/** It was received more often there, or earlier, or later. */
const addsReceipts = (row: NotificationRow, standing: Standing): boolean =>
  row.deliveries > Number(standing.deliveries) ||
  row.firstReceivedAt < Number(standing.first_received_at) ||
  row.lastReceivedAt > Number(standing.last_received_at);

const readsAlike = (row: NotificationRow, { kind, outcome, problem, statements }: Standing): boolean =>
  row.kind === kind && row.outcome === outcome && row.problem === problem && row.statements === statements;

/** Takes in unverified requests of another store; returns how many were not there. */
export const importUnverified = async (
  database: Database,
  requests: readonly StoredUnverified[],
  merge: boolean,
): Promise<number> =>
  await database.transact([UNVERIFIED_LOCK], async (transaction) => {
    const isOwn = merge || (await isInUse(transaction.query));
    const isThere = await Promise.all(
      requests.map(
        async (request) =>
          (await updateRequest(transaction.query, request)) || (isOwn && (await hasMoved(transaction, request))),
      ),
    );
    const missing = requests.filter((_, index) => isThere[index] === false);
    if (missing.length > 0) await transaction.insertUnverified(missing.map(toUnverifiedRow));
    return missing.length;
  });

/** Whether a notification holds the same request, to the byte: it verified here, and its deliveries are counted. */
const hasMoved = async (
  { positionOf, raws }: Transaction,
  { id, request: { clientIds, body } }: StoredUnverified,
): Promise<boolean> => {
  const [clientId = ''] = clientIds;
  const position = await positionOf(clientId, bytesOf(digestOf({ asked: null }, body)));
  const [raw = null] = position === null ? [] : await raws([position]);
  if (raw === null) return false;
  const { requestTime, signature } = raw;
  const headers = { clientIds: [clientId], requestTimes: [requestTime], signatures: [signature] };
  return requestDigest({ ...raw, headers: JSON.stringify(headers) }) === id;
};

const toUnverifiedRow = ({ id, request, reason, origin, trust, ...stored }: StoredUnverified): UnverifiedRow => {
  const { receivedAt: _received, ...entry } = toUnverifiedEntry({
    kind: 'unverified',
    request,
    failure: { reason, origin, trust },
    receivedAt: new Date(stored.firstReceivedAt),
  });
  return {
    ...entry,
    id,
    deliveries: stored.deliveries,
    bytes: stored.bytes,
    firstReceivedAt: Date.parse(stored.firstReceivedAt),
    lastReceivedAt: Date.parse(stored.lastReceivedAt),
  };
};

/** It keeps its extremes; returns whether it is stored. */
const updateRequest = async (query: Query, { id, ...stored }: StoredUnverified): Promise<boolean> => {
  const updated = await query(
    `update unverified
     set reason = $2, trust = $4,
       origin = case when trust = $4 and diagnosis is not null then origin else $3 end,
       diagnosis = case when trust = $4 then diagnosis end, explanation = case when trust = $4 then explanation end,
       deliveries = case when deliveries < $5 then $5 else deliveries end,
       first_received_at = case when first_received_at > $6 then $6 else first_received_at end,
       last_received_at = case when last_received_at < $7 then $7 else last_received_at end
     where digest = $1
     returning 1 as updated`,
    [
      bytesOf(id),
      stored.reason,
      stored.origin,
      bytesOf(stored.trust),
      stored.deliveries,
      Date.parse(stored.firstReceivedAt),
      Date.parse(stored.lastReceivedAt),
    ],
  );
  return updated.length > 0;
};

/** Takes in what the shop said to another store; returns how many statements were not there. */
export const importShopStatements = async (
  database: Database,
  statements: readonly ShopStatement[],
  { rules, now }: Around,
): Promise<number> => {
  return await sumInParts(
    database,
    statements,
    async (part) =>
      await database.transact([], async (transaction) => {
        const { query } = transaction;
        // What stood may be of other orders than what takes its place.
        const before = await Promise.all(part.map(async (statement) => await findSaid(query, statement)));
        const said = [...part, ...before.filter((one) => one !== null)];
        const touched = await touchLocked(transaction, said);
        let added = 0;
        // What stands comes before what it replaced, as it is read.
        for (const statement of part) added += Number(await importSaid(query, statement));
        await derive(transaction, touched, { rules, now });
        return added;
      }),
  );
};

export const count = async ({ query }: Database, what: Copied): Promise<number> => {
  const [row] = await query<{ count: Count }>(`select count(*) as count from ${what}`);
  return Number(row?.count ?? 0);
};
