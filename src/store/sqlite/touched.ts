import type { DatabaseSync } from 'node:sqlite';
import type { Links } from '../projection.ts';
import type { NotificationKey } from '../store.ts';
import { paymentIdOf, registrationKey } from '../order-key.ts';
import type { Clients } from './clients.ts';
import type { Evidence } from './evidence.ts';
import type { Known } from './known.ts';
import type { OrderWriting } from './orders.ts';
import { prepare } from './query.ts';

/** What a transaction touches: each order is derived once, after all of its notifications are in. */
export interface Touched {
  readonly keys: Map<number, Set<string>>;
  /** Identifiers that may join payments: looked up when everything is in. */
  readonly links: { readonly client: number; readonly links: Links }[];
}

export const nothingTouched = (): Touched => ({ keys: new Map(), links: [] });

export const touch = ({ keys }: Touched, client: number, orderKeys: readonly string[]): void => {
  const its = keys.get(client) ?? new Set<string>();
  for (const key of orderKeys) its.add(key);
  keys.set(client, its);
};

/** The payment of a notification, and those that its identifiers join it with. */
export const touchLinked = (
  touched: Touched,
  client: number,
  links: Links & { readonly paymentId: string | null },
): void => {
  if (links.paymentId !== null) touch(touched, client, [links.paymentId]);
  if (links.paymentRequestId !== null || links.captureId !== null) touched.links.push({ client, links });
};

export interface Derived {
  readonly changed: number;
  /** The notifications whose handler failed, marked as FAILED by now. */
  readonly failed: readonly NotificationKey[];
}

/** Derives orders inside the caller's transaction. */
export interface Deriving {
  /** What a stored notification names, and the registration that may be named by nobody else. */
  readonly touchStored: (touched: Touched, client: number, notification: number) => void;
  /**
   * Derives every touched order; marks the notifications whose handler failed. What failed names nothing any
   * more: it and the orders that it joined are derived once more without it.
   */
  readonly derive: (touched: Touched, now: number) => Derived;
}

interface Tools {
  readonly clients: Clients;
  readonly evidence: Evidence;
  readonly orders: OrderWriting;
  readonly known: Known;
}

export const openDeriving = (db: DatabaseSync, { clients, evidence, orders, known }: Tools): Deriving => {
  const fail = prepare(db, "update notifications set outcome = 'FAILED' where notification = ?");
  const selectLinks = prepare<{ paymentId: string | null; paymentRequestId: string | null; captureId: string | null }>(
    db,
    `select payment_id as paymentId, payment_request_id as paymentRequestId, capture_id as captureId
     from notifications
     where notification = ?`,
  );

  const widen = (touched: Touched): void => {
    evidence.forget();
    for (const { client, links } of touched.links) {
      if (links.paymentRequestId !== null)
        touch(touched, client, evidence.paymentsNaming(client, links.paymentRequestId));
      if (links.captureId !== null) touch(touched, client, evidence.paymentsCapturedAs(client, links.captureId));
    }
  };

  const touchStored = (touched: Touched, client: number, notification: number): void => {
    const links = selectLinks.get(notification);
    if (links === undefined) return;
    touchLinked(touched, client, links);
    if (links.paymentRequestId !== null) touch(touched, client, [registrationKey(links.paymentRequestId)]);
  };

  const derive = (touched: Touched, now: number): Derived => {
    widen(touched);
    const places = [...touched.keys].flatMap(([client, keys]) => [...keys].map((orderKey) => ({ client, orderKey })));
    const failed: NotificationKey[] = [];
    const again = nothingTouched();
    let changed = 0;
    for (const refreshed of orders.refresh(places, now)) {
      const { client, orderKey } = refreshed;
      changed += Number(refreshed.changed);
      for (const id of refreshed.failed) {
        const notification = known.find(client, Buffer.from(id, 'hex'), paymentIdOf(orderKey)) as number;
        fail.run(notification);
        failed.push({ clientId: clients.idOf(client), id });
        touchStored(again, client, notification);
      }
    }
    if (failed.length === 0) return { changed, failed };
    const rest = derive(again, now);
    return { changed: changed + rest.changed, failed: [...failed, ...rest.failed] };
  };

  return { touchStored, derive };
};
