import type { DatabaseSync } from 'node:sqlite';
import { handlers } from '../../handlers/index.ts';
import type { OrderRules } from '../../order/order.ts';
import type { RawNotification } from '../store.ts';
import type { Kind, Progress, Rows, TransferTarget } from '../transfer.ts';
import { type Clients, openClients } from './clients.ts';
import { openForWriting } from './connect.ts';
import { openWriter } from './engine.ts';
import { openEvidence } from './evidence.ts';
import { type Known, namedIn, openKnown } from './known.ts';
import { openOrderWriting } from './orders.ts';
import { openPositions } from './positions.ts';
import { inTransaction, prepare } from './query.ts';
import { packRaw, type RawPlace } from './raw.ts';
import { type Deriving, nothingTouched, openDeriving, touch } from './touched.ts';
import { readingOf } from './transfer.ts';

const PURGED_AT_ONCE = 500;

/** Opens a database to copy into; makes it where there is none. */
export const openSqliteTarget = ({
  file,
  rules,
}: {
  readonly file: string;
  readonly rules: OrderRules;
}): TransferTarget => {
  const db = openForWriting(file);
  const derivation = { handlers, rules };
  const writer = openWriter(db, derivation);
  const clients = openClients(db);
  const evidence = openEvidence(db, clients);
  const positions = openPositions(db);
  const known = openKnown(db);
  const deriving = openDeriving(db, {
    clients,
    evidence,
    orders: openOrderWriting(db, { evidence, positions, derivation }),
    known,
  });
  const raws = openRawImport(db);
  const imports = openImports(db, { clients, deriving, raws, known });
  const clear = prepare(
    db,
    'delete from unverified where request in (select request from unverified order by request limit ?)',
  );
  const remember = prepare(db, 'insert into settings values (?, ?) on conflict do update set value = excluded.value');

  const importRows = <K extends Kind>(kind: K, rows: readonly Rows[K][], { name, value }: Progress): number => {
    try {
      return inTransaction(db, () => {
        let added = 0;
        for (const row of rows) added += Number(imports[kind](row));
        raws.keep();
        positions.keep();
        remember.run(name, value);
        return added;
      });
    } finally {
      // What was given out in a transaction that failed may come to stand for something else.
      clients.forget();
      evidence.forget();
      positions.forget();
      raws.forget();
    }
  };

  return {
    ...readingOf(db, file),
    importRows: async (kind, rows, progress) => await Promise.resolve(importRows(kind, rows, progress)),
    clearUnverified: async () => {
      while (inTransaction(db, () => clear.run(PURGED_AT_ONCE)) > 0) await Promise.resolve();
    },
    rebuild: async (page, now) => await Promise.resolve(writer.rebuild(page, now.getTime())),
    remember: async (name, value) => await Promise.resolve(writer.remember(name, value)),
  };
};

interface Tools {
  readonly clients: Clients;
  readonly deriving: Deriving;
  readonly raws: RawImport;
  readonly known: Known;
}

/** Each brings one row in, and returns whether it was not there. */
type Imports = { readonly [K in Kind]: (row: Rows[K]) => boolean };

const openImports = (db: DatabaseSync, tools: Tools): Imports => ({
  notifications: importNotification(db, tools),
  registrations: importRegistration(db, tools),
  'replaced registrations': importReplaced(db, tools),
  unverified: importUnverified(db),
  orders: importOrder(db, tools),
});

const importNotification = (db: DatabaseSync, { clients, raws, known }: Tools): Imports['notifications'] => {
  const insert = prepare(
    db,
    `insert into notifications (
       client, digest, notify_type, payment_id, payment_request_id, capture_id, outcome, facts, deliveries,
       first_received_at, last_received_at, raw_batch, raw_place
     )
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const update = prepare(
    db,
    `update notifications
     set notify_type = ?2, payment_id = ?3, payment_request_id = ?4, capture_id = ?5, outcome = ?6, facts = ?7,
       deliveries = max(deliveries, ?8), first_received_at = min(first_received_at, ?9), last_received_at = max(last_received_at, ?10),
       raw_batch = case when ?11 then ${REMOVED.batch} else raw_batch end
     where notification = ?1`,
  );
  return (row) => {
    const client = clients.numberOf(row.clientId);
    const digest = Buffer.from(row.digest, 'hex');
    const columns = [
      row.notifyType,
      row.paymentId,
      row.paymentRequestId,
      row.captureId,
      row.outcome,
      row.facts,
      row.deliveries,
      row.firstReceivedAt,
      row.lastReceivedAt,
    ] as const;
    const named = row.paymentId ?? (row.raw === null ? null : namedIn(row.raw.body));
    const notification = known.find(client, digest, named);
    if (notification !== null) {
      update.run(notification, ...columns, Number(row.raw === null));
      return false;
    }
    const { batch, place } = row.raw === null ? REMOVED : raws.add(row.raw, row.firstReceivedAt);
    insert.run(client, digest, ...columns, batch, place);
    return true;
  };
};

const importRegistration = (db: DatabaseSync, { clients }: Tools): Imports['registrations'] => {
  const selectKnown = prepare<{ known: number }>(
    db,
    'select 1 as known from registrations where client = ? and payment_request_id = ?',
  );
  const upsert = prepare(
    db,
    `insert into registrations as known
     values (?, ?, ?, ?, ?, ?, ?, ?)
     on conflict do update
     set currency = excluded.currency, value = excluded.value, reference_order_id = excluded.reference_order_id,
       capture_mode = excluded.capture_mode, created_at = min(known.created_at, excluded.created_at), updated_at = excluded.updated_at
     where excluded.updated_at >= known.updated_at`,
  );
  return (row) => {
    const client = clients.numberOf(row.clientId);
    const isNew = selectKnown.get(client, row.paymentRequestId) === undefined;
    const { paymentRequestId, currency, value, referenceOrderId, captureMode, createdAt, updatedAt } = row;
    upsert.run(client, paymentRequestId, currency, value, referenceOrderId, captureMode, createdAt, updatedAt);
    return isNew;
  };
};

const importReplaced = (db: DatabaseSync, { clients }: Tools): Imports['replaced registrations'] => {
  const insert = prepare(
    db,
    'insert into replaced_registrations values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing',
  );
  return ({
    clientId,
    paymentRequestId,
    currency,
    value,
    referenceOrderId,
    captureMode,
    createdAt,
    updatedAt,
    replacedAt,
  }) => {
    const client = clients.numberOf(clientId);
    return (
      insert.run(
        client,
        paymentRequestId,
        currency,
        value,
        referenceOrderId,
        captureMode,
        createdAt,
        updatedAt,
        replacedAt,
      ) > 0
    );
  };
};

const importUnverified = (db: DatabaseSync): Imports['unverified'] => {
  const update = prepare(
    db,
    `update unverified
     set reason = ?2, deliveries = max(deliveries, ?3), first_received_at = min(first_received_at, ?4), last_received_at = max(last_received_at, ?5)
     where digest = ?1`,
  );
  const insert = prepare(
    db,
    `insert into unverified (digest, reason, deliveries, first_received_at, last_received_at, bytes, method, target, headers, body)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return (row) => {
    const columns = [
      Buffer.from(row.digest, 'hex'),
      row.reason,
      row.deliveries,
      row.firstReceivedAt,
      row.lastReceivedAt,
    ] as const;
    if (update.run(...columns) > 0) return false;
    insert.run(...columns, row.bytes, row.method, row.target, row.headers, row.body);
    return true;
  };
};

const importOrder = (db: DatabaseSync, { clients, deriving }: Tools): Imports['orders'] => {
  const selectKnown = prepare<{ known: number }>(
    db,
    'select 1 as known from orders where client = ? and order_key = ?',
  );
  const setTimes = prepare(
    db,
    `update orders
     set created_at = min(created_at, ?1), updated_at = case when ?3 then ?2 else max(updated_at, ?2) end
     where client = ?4 and order_key = ?5`,
  );
  return ({ clientId, orderKey, createdAt, updatedAt }) => {
    const client = clients.numberOf(clientId);
    const isNew = selectKnown.get(client, orderKey) === undefined;
    const touched = nothingTouched();
    touch(touched, client, [orderKey]);
    const { changed } = deriving.derive(touched, Date.now());
    setTimes.run(createdAt, updatedAt, Number(changed > 0), client, orderKey);
    return isNew;
  };
};

/** No batch has this number: what is there has no bytes any more. */
const REMOVED: RawPlace = { batch: 0, place: 0 };
const DAY_MS = 24 * 60 * 60_000;

interface RawImport {
  readonly add: (raw: RawNotification, receivedAt: number) => RawPlace;
  /** Inside the transaction, before its commit. */
  readonly keep: () => void;
  readonly forget: () => void;
}

/** The raw notifications of one import, those of one day together: retention removes whole batches by their time. */
const openRawImport = (db: DatabaseSync): RawImport => {
  const selectLast = prepare<{ batch: number }>(
    db,
    "select coalesce((select seq from sqlite_sequence where name = 'raw_batches'), 0) as batch",
  );
  const insert = prepare(db, 'insert into raw_batches (raw_batch, received_at, packed) values (?, ?, ?)');
  const days = new Map<number, { readonly batch: number; readonly raws: RawNotification[]; last: number }>();
  return {
    add: (raw, receivedAt) => {
      const day = Math.floor(receivedAt / DAY_MS);
      const its = days.get(day) ?? {
        batch: (selectLast.get()?.batch ?? 0) + days.size + 1,
        raws: [],
        last: receivedAt,
      };
      days.set(day, its);
      its.last = Math.max(its.last, receivedAt);
      return { batch: its.batch, place: its.raws.push(raw) - 1 };
    },
    keep: () => {
      for (const { batch, raws, last } of days.values()) insert.run(batch, last, packRaw(raws));
    },
    forget: () => days.clear(),
  };
};
