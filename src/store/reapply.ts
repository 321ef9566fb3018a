import type { Outcome } from '../order/reading.ts';
import type { Around } from './around.ts';
import { derive } from './derive.ts';
import { linkLock, orderLock } from './lock.ts';
import { ordersLinkedBy } from './joined.ts';
import { linksAmong, linksAt } from './links.ts';
import type { Link, OrderKey } from './order-key.ts';
import { writeReadings } from './readings.ts';
import { bytesOf, type NotificationEntry, notificationId, type ReadingColumns } from './row.ts';
import type { NotificationKey } from './store.ts';
import type { Database, Transaction } from './transaction.ts';

/** A stored notification as it was read, and as it reads now. */
export interface ReapplicationEntry extends NotificationKey, Pick<NotificationEntry, 'asked'> {
  readonly before: Pick<ReadingColumns, 'outcome' | 'statements'>;
  readonly columns: ReadingColumns;
}

interface Held {
  readonly entry: ReapplicationEntry;
  readonly position: string;
  readonly links: readonly Link[];
}

/** Applies stored notifications again; null for one that another replica holds, or that is not as it was read. */
export const reapply = async (
  database: Database,
  entries: readonly ReapplicationEntry[],
  { rules, now }: Around,
): Promise<readonly (Outcome | null)[]> => {
  const parts = await database.inParts(
    entries,
    async (part) =>
      await database.transact(part.flatMap(keysOf).map(orderLock), async (transaction) => {
        const held = (await Promise.all(part.map(async (entry) => await hold(transaction, entry)))).flat();
        const keys = held.flatMap(({ entry }) => keysOf(entry));
        // What it names now may differ from what it named when it was stored: both are touched.
        const links = [...held.flatMap((one) => one.links), ...held.flatMap(({ entry }) => linksNow(entry))];
        transaction.need([...keys.map(orderLock), ...links.map(linkLock)]);
        // By what they name as stored, before that is written again.
        const linked = await ordersLinkedBy(transaction.query, links);
        await writeReadings(
          transaction,
          held.map(({ entry, position }) => ({ ...entry, position })),
        );
        const { failed } = await derive(transaction, { keys: [...keys, ...linked], links }, { rules, now });
        return outcomesOf(part, held, failed);
      }),
  );
  return parts.flat();
};

const keysOf = ({ clientId, columns }: ReapplicationEntry): readonly OrderKey[] =>
  // What the reading before named, it still names: the payment is read the same from the same bytes.
  columns.paymentId === '' ? [] : [{ clientId, orderKey: columns.paymentId }];

const linksNow = ({ clientId, columns }: ReapplicationEntry): readonly Link[] =>
  linksAmong(columns.identifiers, clientId);

const outcomesOf = (
  entries: readonly ReapplicationEntry[],
  held: readonly Held[],
  failed: readonly NotificationKey[],
): readonly (Outcome | null)[] => {
  const applied = new Set(held.map(({ entry }) => entry));
  const failures = new Set(failed.map(({ clientId, id }) => notificationId(clientId, id)));
  return entries.map((entry) => {
    if (!applied.has(entry)) return null;
    return failures.has(notificationId(entry.clientId, entry.id)) ? 'FAILED' : entry.columns.outcome;
  });
};

/** Holds the row until COMMIT, where nobody else does and it is as it was read; with what it names as stored. */
const hold = async (
  { query, positionOf, dialect }: Transaction,
  entry: ReapplicationEntry,
): Promise<readonly Held[]> => {
  const { clientId, before } = entry;
  const position = await positionOf(clientId, bytesOf(entry.id));
  if (position === null) return [];
  const [row] = await query<{ outcome: Outcome; statements: string | null }>(
    `select outcome, statements from notifications where position = cast($1 as bigint) ${dialect.skipLocked}`,
    [position],
  );
  if (row === undefined || row.outcome !== before.outcome || row.statements !== before.statements) return [];
  return [{ entry, position, links: await linksAt(query, { clientId, position }) }];
};
