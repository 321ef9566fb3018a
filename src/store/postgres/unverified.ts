import type { UnverifiedReason } from '../../antom/signature.ts';
import { requestBytes, requestDigest, STRANGERS_REASONS, STRANGERS_SHARE, type UnverifiedEntry } from '../entry.ts';
import type { RecordedUnverified, Refused, UnverifiedBounds } from '../store.ts';
import { columns, hex, isoTime, type Query } from './query.ts';

/** What became of the unverified requests of a batch. */
export interface UnverifiedRecorded {
  /** One an entry, in the order given. */
  readonly results: readonly (RecordedUnverified | Refused)[];
  readonly added: number;
  /** Bytes that all of them take now; null where none was added. */
  readonly bytes: number | null;
}

/** One request, however often it stands in the batch. */
interface Sent {
  readonly entry: UnverifiedEntry;
  readonly id: string;
  readonly times: number;
  readonly last: number;
}

/** Stores requests or counts them; over a bound a new one is refused. The caller holds UNVERIFIED_LOCK. */
export const recordUnverified = async (
  query: Query,
  entries: readonly UnverifiedEntry[],
  bounds: UnverifiedBounds,
): Promise<UnverifiedRecorded> => {
  if (entries.length === 0) return { results: [], added: 0, bytes: null };
  const ids = entries.map((entry) => hex(requestDigest(entry)));
  const sent = distinctRequests(entries, ids);
  const before = await countRepeats(query, sent);
  const unknown = sent.filter(({ id }) => !before.has(id));
  const totals = unknown.length === 0 ? new Map<UnverifiedReason, number>() : await readTotals(query);
  const admitted = admit(unknown, totals, bounds);
  await insert(query, admitted);
  for (const { id } of admitted) before.set(id, 0);
  return {
    results: numbered(ids, before),
    added: admitted.length,
    bytes: admitted.length === 0 ? null : sum(totals, null),
  };
};

const distinctRequests = (entries: readonly UnverifiedEntry[], ids: readonly string[]): readonly Sent[] => {
  const distinct = new Map<string, Sent>();
  entries.forEach((entry, index) => {
    const id = ids[index] as string;
    const known = distinct.get(id) ?? { entry, id, times: 0, last: entry.receivedAt };
    distinct.set(id, { ...known, times: known.times + 1, last: Math.max(known.last, entry.receivedAt) });
  });
  return [...distinct.values()];
};

/** Counts those that are stored already; returns how often each had been received before. */
const countRepeats = async (query: Query, sent: readonly Sent[]): Promise<Map<string, number>> => {
  const rows = await query<{ digest: Uint8Array; before: string }>(
    `update unverified
     set deliveries = deliveries + times, last_received_at = greatest(last_received_at, last)
     from unnest($1::bytea[], $2::bigint[], $3::timestamptz[]) as sent (digest, times, last)
     where unverified.digest = sent.digest
     returning unverified.digest, deliveries - times as before`,
    columns(
      sent,
      ({ id }) => Buffer.from(id, 'hex'),
      ({ times }) => times,
      ({ last }) => isoTime(last),
    ),
  );
  return new Map(rows.map(({ digest, before }) => [hex(digest), Number(before)]));
};

type Totals = Map<UnverifiedReason, number>;

const readTotals = async (query: Query): Promise<Totals> => {
  const rows = await query<{ reason: UnverifiedReason; bytes: string }>('select reason, bytes from unverified_totals');
  return new Map(rows.map(({ reason, bytes }) => [reason, Number(bytes)]));
};

const sum = (totals: Totals, reasons: readonly UnverifiedReason[] | null): number =>
  [...totals].reduce((bytes, [reason, its]) => (reasons === null || reasons.includes(reason) ? bytes + its : bytes), 0);

/** Those of the new ones that there is room for, first come first served; adds them to the totals. */
const admit = (unknown: readonly Sent[], totals: Totals, { maxBytes, maxNew }: UnverifiedBounds): readonly Sent[] => {
  const admitted: Sent[] = [];
  for (const request of unknown) {
    const { reason } = request.entry;
    const bytes = requestBytes(request.entry);
    const fits =
      admitted.length < maxNew &&
      sum(totals, null) + bytes <= maxBytes &&
      (!STRANGERS_REASONS.includes(reason) || sum(totals, STRANGERS_REASONS) + bytes <= maxBytes / STRANGERS_SHARE);
    if (!fits) continue;
    admitted.push(request);
    totals.set(reason, (totals.get(reason) ?? 0) + bytes);
  }
  return admitted;
};

const insert = async (query: Query, admitted: readonly Sent[]): Promise<void> => {
  if (admitted.length === 0) return;
  await query(
    `insert into unverified (digest, deliveries, last_received_at, reason, bytes, first_received_at, method, target, headers, body)
     select *
     from unnest(
       $1::bytea[], $2::bigint[], $3::timestamptz[], $4::text[], $5::bigint[], $6::timestamptz[], $7::text[], $8::text[], $9::text[], $10::bytea[]
     )`,
    [
      ...columns(
        admitted,
        ({ id }) => Buffer.from(id, 'hex'),
        ({ times }) => times,
        ({ last }) => isoTime(last),
      ),
      ...columns(
        admitted.map(({ entry }) => entry),
        ...ENTRY_COLUMNS,
      ),
    ],
  );
};

const ENTRY_COLUMNS: readonly ((entry: UnverifiedEntry) => unknown)[] = [
  ({ reason }) => reason,
  requestBytes,
  ({ receivedAt }) => isoTime(receivedAt),
  ({ method }) => method,
  ({ target }) => target,
  ({ headers }) => headers,
  ({ body }) => body,
];

const numbered = (
  ids: readonly string[],
  before: ReadonlyMap<string, number>,
): readonly (RecordedUnverified | Refused)[] => {
  const deliveries = new Map(before);
  return ids.map((id) => {
    const known = deliveries.get(id);
    if (known === undefined) return { kind: 'refused' };
    deliveries.set(id, known + 1);
    return { kind: 'unverified', deliveries: known + 1 } as RecordedUnverified;
  });
};

/** Requests that verify by now, taken out of the unverified store with how often and when they came. Holds UNVERIFIED_LOCK. */
export interface Taken {
  readonly id: string;
  readonly deliveries: number;
  readonly first: number;
  readonly last: number;
}

export const takeUnverified = async (query: Query, ids: readonly string[]): Promise<readonly Taken[]> => {
  const rows = await query<{ digest: Uint8Array; deliveries: string; first: Date; last: Date }>(
    `delete from unverified
     where digest = any($1::bytea[])
     returning digest, deliveries, first_received_at as first, last_received_at as last`,
    [ids.map((id) => Buffer.from(id, 'hex'))],
  );
  return rows.map(({ digest, deliveries, first, last }) => ({
    id: hex(digest),
    deliveries: Number(deliveries),
    first: first.getTime(),
    last: last.getTime(),
  }));
};

export const changeReasons = async (
  query: Query,
  changes: readonly { readonly id: string; readonly reason: UnverifiedReason }[],
): Promise<void> => {
  const distinct = [...new Map(changes.map((change) => [change.id, change])).values()];
  await query(
    `update unverified
     set reason = changes.reason
     from unnest($1::bytea[], $2::text[]) as changes (digest, reason)
     where unverified.digest = changes.digest`,
    columns(
      distinct,
      ({ id }) => Buffer.from(id, 'hex'),
      ({ reason }) => reason,
    ),
  );
};

/** Removes some of one reason, oldest first; returns how many. */
export const purgeSome = async (query: Query, reason: UnverifiedReason, limit: number): Promise<number> => {
  const rows = await query(
    `delete from unverified
     where digest in (
       select digest
       from unverified
       where reason = $1
       order by request
       limit $2
     )
     returning 1`,
    [reason, limit],
  );
  return rows.length;
};
