import type { DatabaseSync } from 'node:sqlite';
import { prepare } from './query.ts';

/**
 * What tells that a notification is stored: under its payment, or, where it was read by a program or came from a database
 * that knew no payment of it, under none. Takes client, digest and payment as ?1, ?2 and ?3.
 */
export const KNOWN = `
  select notification from notifications where client = ?1 and payment_id = ?3 and digest = ?2
  union all
  select notification from notifications where client = ?1 and digest = ?2 and payment_id is null`;

/** By client and digest alone, ?1 and ?2: looks into each section of the index, the latest first. */
export const ANYWHERE = `
  with recursive sections (section) as (
    select max(notification) >> 10 from notifications
    union all
    select section - 1 from sections where section > 0
  )
  select notification
  from sections
  cross join notifications indexed by notifications_by_section
    on notification >> 10 = section and substr(digest, 1, 4) = substr(?2, 1, 4)
  where client = ?1 and digest = ?2
  limit 1`;

/** Finds the row of a notification, null where it is not stored. */
export interface Known {
  /** `paymentId` is the one that it names, whether or not it was stored as naming it. */
  readonly find: (client: number, digest: Uint8Array, paymentId: string | null) => number | null;
  /** Where it is unknown what it was stored as naming; takes longer the more are stored (2,000,000: 8 ms). */
  readonly findAnywhere: (client: number, digest: Uint8Array) => number | null;
}

export const openKnown = (db: DatabaseSync): Known => {
  const selectKnown = prepare<{ notification: number }>(db, `${KNOWN} limit 1`);
  const selectAnywhere = prepare<{ notification: number }>(db, ANYWHERE);
  return {
    find: (client, digest, paymentId) => selectKnown.get(client, digest, paymentId)?.notification ?? null,
    findAnywhere: (client, digest) => selectAnywhere.get(client, digest)?.notification ?? null,
  };
};

/**
 * The payment that a body would name, were its kind handled: where to look for what another program has stored. Only to
 * look: what names no payment there is, is not found.
 */
export const namedIn = (body: Uint8Array): string | null => {
  try {
    const { paymentId } = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()) as {
      readonly paymentId?: unknown;
    };
    return typeof paymentId === 'string' ? paymentId : null;
  } catch {
    return null;
  }
};
