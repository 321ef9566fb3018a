// What the shop knows and what it has shipped. A state of an order and what follows from it are one transaction, on the
// disk before `take` returns: the process may be killed at any point.
import { DatabaseSync } from 'node:sqlite';

const SCHEMA = `
  pragma journal_mode = wal;
  pragma synchronous = full;
  create table if not exists orders (
    client_id text not null,
    order_id text not null, -- the paymentId; of a registration that nobody has paid yet, request: and its paymentRequestId
    revision integer not null, -- the greatest that was seen
    status text not null, -- REPLACED: a registration whose payment has an order of its own now
    fulfillable integer not null,
    primary key (client_id, order_id)
  ) strict;
  create table if not exists parcels (
    shop_order text primary key, -- what makes it ship once, whatever happens
    client_id text not null,
    order_id text not null,
    revision integer not null, -- fulfillable in this one
    unique (client_id, order_id)
  ) strict;
  create table if not exists questions ( -- for a person
    client_id text not null,
    order_id text not null,
    revision integer not null,
    question text not null,
    primary key (client_id, order_id, revision)
  ) strict;
  create table if not exists place (only integer primary key check (only = 1), cursor text not null) strict;
`;

export const openLedger = (file) => {
  const db = new DatabaseSync(file, { timeout: 5_000 });
  db.exec(SCHEMA);
  const keep = db.prepare(`
    insert into orders (client_id, order_id, revision, status, fulfillable) values (?, ?, ?, ?, ?)
    on conflict do update
    set revision = excluded.revision, status = excluded.status, fulfillable = excluded.fulfillable
    where excluded.revision > orders.revision`);
  // An order that was shipped before its referenceOrderId was registered: from now on the parcel stands under that.
  const rename = db.prepare(`
    update or ignore parcels set shop_order = ?
    where client_id = ? and order_id = ? and shop_order in (order_id, ?)`);
  const ship = db.prepare('insert into parcels values (?, ?, ?, ?) on conflict do nothing');
  const parcelOf = db.prepare('select 1 from parcels where client_id = ? and order_id = ?');
  const ask = db.prepare('insert into questions values (?, ?, ?, ?) on conflict do nothing');
  const place = db.prepare('select cursor from place');
  const move = db.prepare('insert into place values (1, ?) on conflict do update set cursor = excluded.cursor');

  const take = (order) => {
    const { clientId, revision, fulfillable } = order;
    const key = [clientId, order.paymentId ?? `request:${order.paymentRequestId}`];
    // Callbacks, the feed and a restored backup bring older states: only the greatest revision counts.
    if (keep.run(...key, revision, order.status, Number(fulfillable)).changes === 0) return;
    if (order.paymentId !== null)
      for (const request of new Set([order.replaces, order.paymentRequestId]))
        if (request !== null) keep.run(clientId, `request:${request}`, revision, 'REPLACED', 0);

    const shopOrder = order.referenceOrderId ?? order.paymentRequestId ?? order.paymentId;
    if (order.referenceOrderId !== null) rename.run(shopOrder, ...key, order.paymentRequestId);
    // A real shop packs what has a row here; a carrier gets `shopOrder` as the key that makes its call idempotent.
    if (fulfillable) ship.run(shopOrder, ...key, revision);
    const shipped = parcelOf.get(...key) !== undefined;
    if (shipped && !fulfillable) ask.run(...key, revision, 'shipped, and not fulfillable any more: stop the parcel?');
    else if (fulfillable && !shipped)
      ask.run(...key, revision, 'paid again, after another payment was shipped: refund?');
    else if (order.nextAction === 'REVIEW') ask.run(...key, revision, 'attention says what to decide');
  };

  const transaction = (work) => {
    db.exec('begin immediate');
    try {
      work();
      db.exec('commit');
    } catch (error) {
      if (db.isTransaction) db.exec('rollback');
      throw error;
    }
  };

  return {
    /** Stores one state of an order, and ships or asks by it. */
    take: (order) => transaction(() => take(order)),
    /** The same for a page of the feed, and with it where to go on. */
    takePage: (orders, next) =>
      transaction(() => {
        orders.forEach(take);
        move.run(next);
      }),
    /** Where the feed goes on; `0` is its beginning. */
    cursor: () => place.get()?.cursor ?? '0',
    close: () => db.close(),
  };
};
