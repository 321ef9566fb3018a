import { linkLock, type Lock, orderLock } from './lock.ts';
import { linksAmong, linksAt } from './links.ts';
import type { Link, Touched, TouchedKey } from './order-key.ts';
import { writeReadings } from './readings.ts';
import { hexOf, type NotificationEntry, type NotificationRow, orderOf } from './row.ts';
import type { PutNotification, Transaction } from './transaction.ts';

const linksOfRow = ({ clientId, identifiers }: NotificationEntry): readonly Link[] => linksAmong(identifiers, clientId);

/** The locks under which a notification is applied: of its order, and of what may join that with others. */
export const locksOf = (row: NotificationEntry): readonly Lock[] => [
  ...orderOf(row).map(orderLock),
  ...linksOfRow(row).map(linkLock),
];

/** The orders of notifications, and what joins them with others. */
export const touchedBy = (rows: readonly NotificationEntry[]): Touched => ({
  keys: rows.flatMap(orderOf),
  links: rows.flatMap(linksOfRow),
});

export interface Put {
  /** By the ids of the rows. */
  readonly stored: ReadonlyMap<string, PutNotification>;
  readonly touched: Touched;
}

/** Stores notifications, or counts them; what is new, or was FAILED and is read again, has to be derived. */
export const putAndTouch = async (transaction: Transaction, rows: readonly NotificationRow[]): Promise<Put> => {
  if (rows.length === 0) return { stored: new Map(), touched: { keys: [], links: [] } };
  const distinct = distinctRows(rows);
  const put = await transaction.putNotifications(distinct);
  const stored = new Map(put.map((one, index) => [distinct[index]?.id ?? '', one]));
  const again = distinct.filter(({ id }) => stored.get(id)?.isNew === false && stored.get(id)?.outcome === 'FAILED');
  const left: Link[] = [];
  for (const row of again) {
    const one = stored.get(row.id) as PutNotification;
    const { clientId, asked } = row;
    left.push(...(await linksAt(transaction.query, { clientId, position: one.position })));
    await writeReadings(transaction, [
      { clientId, id: hexOf(row.digest), asked, position: one.position, columns: row },
    ]);
    stored.set(row.id, { ...one, outcome: row.outcome });
  }
  transaction.need(left.map(linkLock));
  const applied = distinct.filter(({ id }) => stored.get(id)?.isNew === true || again.some((row) => row.id === id));
  // One that is stored was received earlier than we knew: its order waits since then.
  const earlier = distinct.filter(({ id, firstReceivedAt }) => {
    const one = stored.get(id);
    return one?.isNew === false && one.firstReceivedAt === firstReceivedAt;
  });
  return {
    stored,
    touched: {
      keys: [
        ...applied.flatMap((row) => addedBy(row, stored.get(row.id) as PutNotification)),
        ...earlier.flatMap(orderOf),
      ],
      links: [...applied.flatMap(linksOfRow), ...earlier.flatMap(linksOfRow), ...left],
    },
  };
};

const addedBy = (row: NotificationRow, { position }: PutNotification): readonly TouchedKey[] =>
  orderOf(row).map(({ clientId, orderKey }) => ({
    clientId,
    orderKey,
    added: { position, identifiers: row.identifiers },
  }));

/** One row a notification: a statement cannot write the same row twice. */
const distinctRows = (rows: readonly NotificationRow[]): readonly NotificationRow[] => {
  const distinct = new Map<string, NotificationRow>();
  for (const row of rows) {
    const same = distinct.get(row.id);
    distinct.set(row.id, same === undefined ? row : merge(same, row));
  }
  return distinct.size === rows.length ? rows : [...distinct.values()];
};

const merge = (a: NotificationRow, b: NotificationRow): NotificationRow => ({
  // The same body reads the same, but the database may have rejected one of the two.
  ...(a.outcome === 'FAILED' ? b : a),
  deliveries: a.deliveries + b.deliveries,
  firstReceivedAt: Math.min(a.firstReceivedAt, b.firstReceivedAt),
  lastReceivedAt: Math.max(a.lastReceivedAt, b.lastReceivedAt),
});
