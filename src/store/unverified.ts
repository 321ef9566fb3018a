import type { UnverifiedReason } from '../antom/signature.ts';
import type { OrderRules } from '../order/rules.ts';
import { derive } from './derive.ts';
import { UNVERIFIED_LOCK } from './lock.ts';
import { locksOf, putAndTouch } from './put.ts';
import { bytesOf, requestDigest, type UnverifiedEntry, type UnverifiedRow, withDigest, type WithBytes } from './row.ts';
import type { RecordedUnverified, NoRoom, UnverifiedBounds } from './store.ts';
import type { Count, Database, Query, Transaction, UnverifiedRepeat } from './transaction.ts';

/** What became of the unverified requests of a batch. */
export interface UnverifiedRecorded {
  /** One an entry, in the order given. */
  readonly results: readonly (RecordedUnverified | NoRoom)[];
  readonly added: number;
  /** Bytes that all of them take now; null where none was added. */
  readonly bytes: number | null;
}

/** One request, however often it stands in the batch. */
interface Distinct extends UnverifiedRepeat {
  readonly entry: UnverifiedEntry;
}

/** Stores requests or counts them; over a bound there is no room for a new one. The caller holds UNVERIFIED_LOCK. */
export const recordUnverified = async (
  transaction: Transaction,
  entries: readonly UnverifiedEntry[],
  bounds: UnverifiedBounds,
): Promise<UnverifiedRecorded> => {
  if (entries.length === 0) return { results: [], added: 0, bytes: null };
  const ids = entries.map(requestDigest);
  const requests = distinctRequests(entries, ids);
  /** How often each was received before. */
  const before = new Map(await transaction.countUnverified(requests));
  const unknown = requests.filter(({ id }) => !before.has(id));
  const totals = unknown.length === 0 ? new Map<UnverifiedReason, number>() : await readTotals(transaction.query);
  const admitted = admit(unknown, totals, bounds);
  if (admitted.length > 0) await transaction.insertUnverified(admitted.map(toRow));
  for (const { id } of admitted) before.set(id, 0);
  return {
    results: numbered(ids, before),
    added: admitted.length,
    bytes: admitted.length === 0 ? null : sum(totals, null),
  };
};

const toRow = ({ entry: { receivedAt, ...entry }, id, times, last }: Distinct): UnverifiedRow => ({
  ...entry,
  id,
  deliveries: times,
  bytes: requestBytes(entry),
  firstReceivedAt: receivedAt,
  lastReceivedAt: last,
});

const distinctRequests = (entries: readonly UnverifiedEntry[], ids: readonly string[]): readonly Distinct[] => {
  const distinct = new Map<string, Distinct>();
  entries.forEach((entry, index) => {
    const id = ids[index] as string;
    const same = distinct.get(id) ?? { entry, id, times: 0, last: entry.receivedAt };
    distinct.set(id, { ...same, times: same.times + 1, last: Math.max(same.last, entry.receivedAt) });
  });
  return [...distinct.values()];
};

type Totals = Map<UnverifiedReason, number>;

const readTotals = async (query: Query): Promise<Totals> => {
  const rows = await query<{ reason: UnverifiedReason; bytes: Count }>('select reason, bytes from unverified_totals');
  return new Map(rows.map(({ reason, bytes }) => [reason, Number(bytes)]));
};

const sum = (totals: Totals, reasons: readonly UnverifiedReason[] | null): number =>
  [...totals].reduce((all, [reason, bytes]) => (reasons === null || reasons.includes(reason) ? all + bytes : all), 0);

/** The reasons that anybody can cause without knowing a client id: together they get a quarter of the room. */
const ANYBODYS_REASONS: readonly UnverifiedReason[] = [
  'DUPLICATE_HEADER',
  'MISSING_HEADER',
  'MALFORMED_SIGNATURE',
  'UNSUPPORTED_ALGORITHM',
];
const ANYBODYS_SHARE = 1 / 4;

/** What one row costs beyond its texts; an estimate, so that empty requests are not free. */
const ROW_BYTES = 256;
export const requestBytes = ({ target, headers, body }: Pick<UnverifiedEntry, 'target' | 'headers' | 'body'>): number =>
  ROW_BYTES + target.length + headers.length + body.length;

/** Those of the new ones that there is room for, first come first served; adds them to the totals. */
const admit = (
  unknown: readonly Distinct[],
  totals: Totals,
  { maxBytes, maxNew }: UnverifiedBounds,
): readonly Distinct[] => {
  const admitted: Distinct[] = [];
  for (const request of unknown) {
    const { reason } = request.entry;
    const bytes = requestBytes(request.entry);
    const fits =
      admitted.length < maxNew &&
      sum(totals, null) + bytes <= maxBytes &&
      (!ANYBODYS_REASONS.includes(reason) || sum(totals, ANYBODYS_REASONS) + bytes <= maxBytes * ANYBODYS_SHARE);
    if (!fits) continue;
    admitted.push(request);
    totals.set(reason, (totals.get(reason) ?? 0) + bytes);
  }
  return admitted;
};

/** One result an entry; several of one request in the same batch are counted one after the other. */
const numbered = (
  ids: readonly string[],
  before: ReadonlyMap<string, number>,
): readonly (RecordedUnverified | NoRoom)[] => {
  const deliveries = new Map(before);
  return ids.map((id) => {
    const count = deliveries.get(id);
    if (count === undefined) return { kind: 'no room' };
    deliveries.set(id, count + 1);
    return { kind: 'unverified', deliveries: count + 1 } as RecordedUnverified;
  });
};

/** A request that verifies by now. */
export interface PromotionEntry {
  /** SHA-256 over the request, lower-case hex. */
  readonly id: string;
  readonly notification: WithBytes;
}

/**
 * Moves requests to the notifications, with how often and when they were received; returns how many this call moved.
 */
export const promote = async (
  database: Database,
  promotions: readonly PromotionEntry[],
  { rules, now }: { readonly rules: OrderRules; readonly now: number },
): Promise<number> => {
  const parts = await database.inParts(
    promotions,
    async (part) =>
      await database.transact(
        [UNVERIFIED_LOCK, ...part.flatMap(({ notification }) => locksOf(notification))],
        async (transaction) => {
          const taken = await Promise.all(part.map(async (promotion) => await take(transaction.query, promotion)));
          const rows = taken.flat().map(withDigest);
          const { touched } = await putAndTouch(transaction, rows);
          await derive(transaction, touched, { rules, now });
          return rows.length;
        },
      ),
  );
  return parts.reduce((all, moved) => all + moved, 0);
};

/** Nothing where another replica was first. */
const take = async (query: Query, { id, notification }: PromotionEntry): Promise<readonly WithBytes[]> => {
  const [taken] = await query<{ deliveries: Count; first: Count; last: Count }>(
    `delete from unverified
     where digest = $1
     returning deliveries, first_received_at as first, last_received_at as last`,
    [bytesOf(id)],
  );
  if (taken === undefined) return [];
  const deliveries = Number(taken.deliveries);
  return [{ ...notification, deliveries, firstReceivedAt: Number(taken.first), lastReceivedAt: Number(taken.last) }];
};

export const changeReasons = async (
  database: Database,
  changes: readonly { readonly id: string; readonly reason: UnverifiedReason }[],
): Promise<void> =>
  await database.transact([UNVERIFIED_LOCK], async ({ query }) => {
    await Promise.all(
      changes.map(({ id, reason }) =>
        query('update unverified set reason = $2 where digest = $1', [bytesOf(id), reason]),
      ),
    );
  });

/** Small enough that nobody waits long for the unverified store. */
const PURGED_AT_ONCE = 500;

/** Removes the unverified of one reason, or all, oldest first, in short transactions; returns how many. */
export const purgeUnverified = async (database: Database, reason: UnverifiedReason | null): Promise<number> => {
  const where = reason === null ? 'true' : 'reason = $2';
  const values = reason === null ? [PURGED_AT_ONCE] : [PURGED_AT_ONCE, reason];
  let purged = 0;
  for (;;) {
    const removed = await database.transact(
      [UNVERIFIED_LOCK],
      async ({ query }) =>
        await query(
          `delete from unverified
         where request in (select request from unverified where ${where} order by request limit $1)
         returning 1 as removed`,
          values,
        ),
    );
    if (removed.length === 0) return purged;
    purged += removed.length;
  }
};

/** Removes at most `limit` that were last received before (epoch milliseconds); returns how many. */
export const removeUnverified = async (database: Database, before: number, limit: number): Promise<number> =>
  await database.transact([UNVERIFIED_LOCK], async ({ query }) => {
    const removed = await query(
      `delete from unverified
       where request in (
         select request from unverified where last_received_at < $1 order by last_received_at limit $2
       )
       returning 1 as removed`,
      [before, limit],
    );
    return removed.length;
  });
