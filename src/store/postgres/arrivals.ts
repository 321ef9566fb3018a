import { bodyDigest, type NotificationEntry } from '../entry.ts';
import type { Outcome } from '../store.ts';
import { type ClientLinks, type OrderKey, orderLock, type Touched } from './evidence.ts';
import type { Lock } from './locks.ts';
import { NEXT_POSITIONS } from './positions.ts';
import { hex, isoTime, prepared, type Query, recordset } from './query.ts';
import { locksOfLinks } from './refresh.ts';

/** One notification to store, however often it arrived. Times are epoch milliseconds. */
export interface Arrival {
  readonly entry: NotificationEntry;
  readonly digest: Buffer;
  /** What it is known by. */
  readonly name: string;
  readonly deliveries: number;
  readonly first: number;
  readonly last: number;
}

export interface StoredArrival {
  readonly outcome: Outcome;
  readonly deliveries: number;
  readonly notifyType: string | null;
  readonly paymentId: string | null;
}

export const toArrival = (entry: NotificationEntry): Arrival => {
  const digest = bodyDigest(entry.body);
  return {
    entry,
    digest,
    name: `${hex(digest)} ${entry.clientId}`,
    deliveries: 1,
    first: entry.receivedAt,
    last: entry.receivedAt,
  };
};

/** One arrival a notification: a statement cannot write the same row twice. */
export const distinctArrivals = (arrivals: readonly Arrival[]): readonly Arrival[] => {
  const distinct = new Map<string, Arrival>();
  for (const arrival of arrivals) {
    const known = distinct.get(arrival.name);
    distinct.set(arrival.name, known === undefined ? arrival : merge(known, arrival));
  }
  return [...distinct.values()];
};

const merge = (a: Arrival, b: Arrival): Arrival => ({
  // The same body reads the same, but one of the two may have been declared inapplicable.
  ...(a.entry.outcome === 'FAILED' ? b : a),
  deliveries: a.deliveries + b.deliveries,
  first: Math.min(a.first, b.first),
  last: Math.max(a.last, b.last),
});

/** By what an entry is joined with its payment and with other payments. */
export interface Joined extends ClientLinks {
  readonly paymentId: string | null;
}

const ownKeys = ({ clientId, paymentId }: Joined): readonly OrderKey[] =>
  paymentId === null ? [] : [{ clientId, orderKey: paymentId }];

/** The locks under which a notification is applied: of its payment, and of what may join that with others. */
export const locksOf = (joined: Joined): readonly Lock[] => [
  ...ownKeys(joined).map(orderLock),
  ...locksOfLinks(joined),
];

/** What notifications touch: the orders of their payments, and by their links those of registrations and other payments. */
export const touchedBy = (joined: readonly Joined[]): Touched => ({ keys: joined.flatMap(ownKeys), links: joined });

export interface Stored {
  /** By the arrivals' names. */
  readonly stored: ReadonlyMap<string, StoredArrival>;
  /** Those that are new, or were FAILED until now: they have to be applied. */
  readonly toApply: readonly NotificationEntry[];
}

interface Row {
  readonly client_id: string;
  readonly digest: string;
  readonly outcome: Outcome;
  readonly deliveries: string;
  readonly notify_type: string | null;
  readonly payment_id: string | null;
  readonly known_as: Outcome | null;
}

/** Stores notifications, or counts them where they are stored already: one statement, in the order of their keys. */
export const storeArrivals = async (query: Query, arrivals: readonly Arrival[]): Promise<Stored> => {
  if (arrivals.length === 0) return { stored: new Map(), toApply: [] };
  const rows = await query<Row>(STORE, [
    Buffer.concat(arrivals.map(({ digest }) => digest)),
    Buffer.concat(arrivals.map(({ entry }) => entry.body)),
    recordset(toRows(arrivals)),
  ]);
  const stored = new Map(rows.map((row) => [`${row.digest} ${row.client_id}`, row]));
  return {
    stored: new Map([...stored].map(([name, row]) => [name, toStoredArrival(row)])),
    toApply: arrivals.filter((arrival) => isToApply(stored.get(arrival.name))).map(({ entry }) => entry),
  };
};

const isToApply = (row: Row | undefined): boolean =>
  row === undefined || row.known_as === null || row.known_as === 'FAILED';

const toStoredArrival = (row: Row): StoredArrival => ({
  outcome: row.outcome,
  deliveries: Number(row.deliveries),
  notifyType: row.notify_type,
  paymentId: row.payment_id,
});

/** Digests and bodies go as bytes, each kind in one piece: a row says where its own are. */
const toRows = (arrivals: readonly Arrival[]): readonly object[] => {
  let bodyAt = 1;
  return arrivals.map(({ entry, deliveries, first, last }, index) => {
    const {
      clientId,
      notifyType,
      paymentId,
      paymentRequestId,
      captureId,
      outcome,
      facts,
      method,
      target,
      requestTime,
      signature,
      body,
    } = entry;
    const row = {
      ordinal: index + 1,
      deliveries,
      first: isoTime(first),
      last: isoTime(last),
      client_id: clientId,
      notify_type: notifyType,
      payment_id: paymentId,
      payment_request_id: paymentRequestId,
      capture_id: captureId,
      outcome,
      facts,
      method,
      target,
      request_time: requestTime,
      signature,
      body_at: bodyAt,
      body_length: body.length,
    };
    bodyAt += body.length;
    return row;
  });
};

/**
 * Only a FAILED one is read anew. `known` is what stood there before this statement; it is exact where it matters: the
 * lock of the payment is held.
 */
const STORE = prepared(`
  with arrivals as (
    select ordinal, substr($1::bytea, (ordinal - 1) * 32 + 1, 32) as digest, deliveries, first, last, client_id, notify_type,
      payment_id, payment_request_id, capture_id, outcome, facts, method, target, request_time, signature,
      substr($2::bytea, body_at, body_length) as body
    from json_to_recordset($3::json) as arrivals (
      ordinal integer, deliveries bigint, first timestamptz, last timestamptz, client_id text, notify_type text, payment_id text,
      payment_request_id text, capture_id text, outcome text, facts text, method text, target text, request_time text,
      signature text, body_at integer, body_length integer
    )
  ), stored as (
    insert into notifications as stored (
      client_id, digest, notify_type, payment_id, payment_request_id, capture_id, outcome, deliveries,
      first_received_at, last_received_at, facts, method, target, request_time, signature, body, position
    )
    select client_id, digest, notify_type, payment_id, payment_request_id, capture_id, outcome, deliveries,
      first, last, facts::json, method, target, request_time, signature, body, ${NEXT_POSITIONS} + ordinal
    from arrivals
    order by client_id collate "C", digest
    on conflict (client_id, digest) do update
    set deliveries = stored.deliveries + excluded.deliveries,
      first_received_at = least(stored.first_received_at, excluded.first_received_at),
      last_received_at = greatest(stored.last_received_at, excluded.last_received_at),
      notify_type = case stored.outcome when 'FAILED' then excluded.notify_type else stored.notify_type end,
      payment_id = case stored.outcome when 'FAILED' then excluded.payment_id else stored.payment_id end,
      payment_request_id = case stored.outcome when 'FAILED' then excluded.payment_request_id else stored.payment_request_id end,
      capture_id = case stored.outcome when 'FAILED' then excluded.capture_id else stored.capture_id end,
      facts = case stored.outcome when 'FAILED' then excluded.facts else stored.facts end,
      outcome = case stored.outcome when 'FAILED' then excluded.outcome else stored.outcome end
    returning client_id, digest, outcome, deliveries, notify_type, payment_id
  )
  select stored.client_id, encode(stored.digest, 'hex') as digest, stored.outcome, stored.deliveries, stored.notify_type,
    stored.payment_id, known.known_as
  from stored
  left join lateral (
    select outcome as known_as
    from notifications
    where client_id = stored.client_id and digest = stored.digest
    offset 0
  ) as known on true`);
