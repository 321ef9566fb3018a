import type { SignatureOrigin } from '../antom/origin.ts';
import type { Around } from './around.ts';
import { derive } from './derive.ts';
import { UNVERIFIED_LOCK } from './lock.ts';
import { sumInParts } from './parts.ts';
import { locksOf, putAndTouch } from './put.ts';
import { bytesOf, requestDigest, type UnverifiedEntry, type UnverifiedRow, withDigest, type WithBytes } from './row.ts';
import type {
  FailedAgain,
  MadeDiagnosis,
  NoRoom,
  RecordedUnverified,
  UnverifiedBounds,
  UnverifiedRoom,
} from './store.ts';
import type { Count, Database, Query, Transaction, UnverifiedRepeat } from './transaction.ts';

/** What became of the unverified requests of a batch. */
interface UnverifiedRecorded {
  /** One an entry, in the order given. */
  readonly results: readonly (RecordedUnverified | NoRoom)[];
  /** `BatchResult.unverifiedRoom` */
  readonly room: readonly UnverifiedRoom[];
}

/** One request, however often it stands in the batch. */
interface Distinct extends UnverifiedRepeat {
  readonly entry: UnverifiedEntry;
}

/**
 * Stores requests or counts them; where its share is full there is no room for a new one. The caller holds
 * UNVERIFIED_LOCK.
 */
export const recordUnverified = async (
  transaction: Transaction,
  entries: readonly UnverifiedEntry[],
  bounds: UnverifiedBounds,
): Promise<UnverifiedRecorded> => {
  if (entries.length === 0) return { results: [], room: [] };
  const ids = entries.map(requestDigest);
  const requests = distinctRequests(entries, ids);
  /** How often each was received before. */
  const before = new Map(await transaction.countUnverified(requests));
  const unknown = requests.filter(({ id }) => !before.has(id));
  if (unknown.length === 0) return { results: numbered(ids, before), room: [] };
  const totals = await readTotals(transaction.query);
  const admitted = admit(unknown, totals, bounds);
  if (admitted.length > 0) await transaction.insertUnverified(admitted.map(toRow));
  for (const { id } of admitted) before.set(id, 0);
  return { results: numbered(ids, before), room: roomOf(totals, bounds) };
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

/** Bytes that each share takes. */
type Totals = Record<SignatureOrigin, number>;

const readTotals = async (query: Query): Promise<Totals> => {
  const rows = await query<{ origin: SignatureOrigin; bytes: Count }>('select origin, bytes from unverified_totals');
  const totals: Totals = { UNKNOWN: 0, OTHER_KEY: 0, CONFIGURED_KEY: 0 };
  for (const { origin, bytes } of rows) totals[origin] = Number(bytes);
  return totals;
};

/**
 * The parts of the room. Who needs no knowledge, and who needs only a client id, cannot fill the part of those that
 * take a genuine signature: what APO sent, and a wrong path or a proxy changed, is there to be verified again.
 */
export const SHARES: Readonly<Totals> = { UNKNOWN: 1 / 4, OTHER_KEY: 1 / 2, CONFIGURED_KEY: 1 / 4 };

const allOf = ({ UNKNOWN, OTHER_KEY, CONFIGURED_KEY }: Totals): number => UNKNOWN + OTHER_KEY + CONFIGURED_KEY;

const roomOf = (totals: Totals, { maxBytes }: UnverifiedBounds): readonly UnverifiedRoom[] => [
  { share: 'ALL', bytes: allOf(totals), maxBytes },
  ...(Object.keys(SHARES) as SignatureOrigin[]).map((share) => ({
    share,
    bytes: totals[share],
    maxBytes: maxBytes * SHARES[share],
  })),
];

/** How full it is now. */
export const readRoom = async (query: Query, bounds: UnverifiedBounds): Promise<readonly UnverifiedRoom[]> =>
  roomOf(await readTotals(query), bounds);

/** What one row costs beyond its texts; an estimate, so that empty requests are not free. */
const ROW_BYTES = 256;
export const requestBytes = ({ target, headers, body }: Pick<UnverifiedEntry, 'target' | 'headers' | 'body'>): number =>
  ROW_BYTES + target.length + headers.length + body.length;

/** Those of the new ones that there is room for, first come first served; adds them to the totals. */
const admit = (unknown: readonly Distinct[], totals: Totals, { maxBytes }: UnverifiedBounds): readonly Distinct[] =>
  unknown.filter(({ entry }) => {
    const after = { ...totals, [entry.origin]: totals[entry.origin] + requestBytes(entry) };
    const fits =
      takenIn(entry.origin, after, maxBytes) <= maxBytes * SHARES[entry.origin] &&
      allOf(after) <= maxBytes &&
      leavesRescue(entry.origin, after, maxBytes);
    if (fits) Object.assign(totals, after);
    return fits;
  });

/**
 * A diagnosis finds that the key of another client made a signature, and moves the request to CONFIGURED_KEY without
 * looking for room. What is over that share counts for UNKNOWN, where it came from, so that it takes no other's room.
 */
const takenIn = (origin: SignatureOrigin, totals: Totals, maxBytes: number): number =>
  totals[origin] + (origin === 'UNKNOWN' ? Math.max(0, totals.CONFIGURED_KEY - maxBytes * SHARES.CONFIGURED_KEY) : 0);

/**
 * When keys change, requests move to other shares, which may then hold more than their part. What strangers send stays
 * out of the part of those with a genuine signature all the same.
 */
const leavesRescue = (origin: SignatureOrigin, after: Totals, maxBytes: number): boolean =>
  origin === 'CONFIGURED_KEY' || after.UNKNOWN + after.OTHER_KEY <= maxBytes * (1 - SHARES.CONFIGURED_KEY);

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
  { rules, now }: Around,
): Promise<number> => {
  return await sumInParts(
    database,
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

/** Notes what came of verifying requests again; one that is gone by now stays gone. */
export const amendUnverified = async (database: Database, failures: readonly FailedAgain[]): Promise<void> =>
  await database.transact([UNVERIFIED_LOCK], async ({ query }) => {
    await Promise.all(
      failures.map(({ id, reason, origin, trust }) =>
        query(
          `update unverified
           set reason = $2, origin = $3, trust = $4, diagnosis = null, explanation = null
           where digest = $1`,
          [bytesOf(id), reason, origin, bytesOf(trust)],
        ),
      ),
    );
  });

/** Whether this call kept it: not where somebody else did, or it was verified with other keys or paths since. */
export const keepDiagnosis = async (
  database: Database,
  { id, trust, origin, diagnosis: { code, message } }: MadeDiagnosis,
): Promise<boolean> =>
  await database.transact([UNVERIFIED_LOCK], async ({ query }) => {
    const kept = await query(
      `update unverified
       set diagnosis = $3, explanation = $4, origin = $5
       where digest = $1 and trust = $2 and diagnosis is null
       returning 1 as kept`,
      [bytesOf(id), bytesOf(trust), code, message, origin],
    );
    return kept.length > 0;
  });

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
