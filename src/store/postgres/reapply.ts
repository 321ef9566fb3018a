import type { ReapplicationEntry } from '../entry.ts';
import type { NotificationKey, Outcome } from '../store.ts';
import { type Joined, locksOf, touchedBy } from './arrivals.ts';
import { paymentsLinkedBy } from './evidence.ts';
import { inParts } from './locks.ts';
import { columns, hex, type Query } from './query.ts';
import type { Refresh } from './refresh.ts';
import type { Database } from './transaction.ts';

/** Applies stored notifications again, as they read now; one outcome an entry, null where another replica holds it. */
export type Reapplying = (entries: readonly ReapplicationEntry[], now: Date) => Promise<readonly (Outcome | null)[]>;

export const openReapplying = ({ transact }: Database, refresh: Refresh): Reapplying => {
  const reapplyPart: Reapplying = async (entries, now) =>
    await transact(entries.flatMap(locksOf), async (transaction) => {
      const { query, need } = transaction;
      const held = await holdRows(query, entries);
      const toApply = entries.filter((entry) => held.has(nameOf(entry)));
      // What it names now may differ from what it named when it was stored: both are touched.
      const joined = [...held.values(), ...toApply];
      need(joined.flatMap(locksOf));
      const { keys, links } = touchedBy(joined);
      // By what they name as stored, before that is written anew.
      const linked = await paymentsLinkedBy(query, links);
      await rewrite(query, toApply);
      const { failed } = await refresh(transaction, { keys: [...keys, ...linked], links }, now);
      const failures = new Set(failed.map(nameOf));
      return entries.map((entry) => {
        if (!held.has(nameOf(entry))) return null;
        return failures.has(nameOf(entry)) ? 'FAILED' : entry.outcome;
      });
    });

  return async (entries, now) => (await inParts(entries, async (part) => await reapplyPart(part, now))).flat();
};

const nameOf = ({ clientId, id }: NotificationKey): string => `${id} ${clientId}`;

interface Row {
  readonly client_id: string;
  readonly digest: Uint8Array;
  readonly payment_id: string | null;
  readonly payment_request_id: string | null;
  readonly capture_id: string | null;
}

/** Locks the rows that nobody else holds, and reads what they name as stored. */
const holdRows = async (query: Query, entries: readonly ReapplicationEntry[]): Promise<ReadonlyMap<string, Joined>> => {
  const rows = await query<Row>(
    `select n.client_id, n.digest, n.payment_id, n.payment_request_id, n.capture_id
     from notifications n
     join unnest($1::text[], $2::bytea[]) as given (client_id, digest) using (client_id, digest)
     for update of n skip locked`,
    columns(
      entries,
      ({ clientId }) => clientId,
      ({ id }) => Buffer.from(id, 'hex'),
    ),
  );
  return new Map(
    rows.map((row) => [
      nameOf({ clientId: row.client_id, id: hex(row.digest) }),
      {
        clientId: row.client_id,
        paymentId: row.payment_id,
        paymentRequestId: row.payment_request_id,
        captureId: row.capture_id,
      },
    ]),
  );
};

const rewrite = async (query: Query, entries: readonly ReapplicationEntry[]): Promise<void> => {
  await query(
    `update notifications
     set notify_type = anew.notify_type, payment_id = anew.payment_id, payment_request_id = anew.payment_request_id,
       capture_id = anew.capture_id, outcome = anew.outcome, facts = anew.facts::json
     from unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) as anew (
       client_id, digest, notify_type, payment_id, payment_request_id, capture_id, outcome, facts
     )
     where notifications.client_id = anew.client_id and notifications.digest = anew.digest`,
    columns(
      entries,
      ({ clientId }) => clientId,
      ({ id }) => Buffer.from(id, 'hex'),
      ({ notifyType }) => notifyType,
      ({ paymentId }) => paymentId,
      ({ paymentRequestId }) => paymentRequestId,
      ({ captureId }) => captureId,
      ({ outcome }) => outcome,
      ({ facts }) => facts,
    ),
  );
};
