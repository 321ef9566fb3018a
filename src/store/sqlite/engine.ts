import type { DatabaseSync } from 'node:sqlite';
import { backup } from 'node:sqlite';
import { statSync } from 'node:fs';
import type { UnverifiedReason } from '../../antom/signature.ts';
import type { Registration } from '../../order/registration.ts';
import type { PromotionEntry, ReapplicationEntry } from '../entry.ts';
import type { Derivation } from '../projection.ts';
import type {
  Backlog,
  NotificationFilter,
  NotificationKey,
  OrderFilter,
  PageRequest,
  UnverifiedBounds,
} from '../store.ts';
import { openClients } from './clients.ts';
import { openEvidence } from './evidence.ts';
import { openKnown } from './known.ts';
import { type PackedBatch, packResult, unpackBatch } from './message.ts';
import { openNotificationReading, openUnverifiedReading } from './notifications.ts';
import { openOrderReading, openOrderWriting } from './orders.ts';
import { openPositions } from './positions.ts';
import { inTransaction, prepare } from './query.ts';
import { openRawReading, openRawWriting } from './raw.ts';
import { openRebuilding } from './rebuild.ts';
import { openRecording } from './record.ts';
import { openRegistering } from './registrations.ts';
import { openRetention } from './retention.ts';
import { openDeriving } from './touched.ts';

/** Small enough that the write lock is free again within a fraction of a second. */
const PURGED_AT_ONCE = 500;

/** What the writing thread does for the store: each call one transaction. Synchronous; it owns the connection. */
export type Writer = ReturnType<typeof openWriter>;

export const openWriter = (db: DatabaseSync, derivation: Derivation) => {
  const clients = openClients(db);
  const evidence = openEvidence(db, clients);
  const positions = openPositions(db);
  const orders = openOrderWriting(db, { evidence, positions, derivation });
  const known = openKnown(db);
  const deriving = openDeriving(db, { clients, evidence, orders, known });
  const raws = openRawWriting(db);
  const recording = openRecording(db, { clients, deriving, raws, known });
  const register = openRegistering(db, { clients, evidence, deriving });
  const rebuild = openRebuilding(db, deriving);
  const retention = openRetention(db);
  const touchSetting = prepare(
    db,
    "insert into settings values ('probe', '') on conflict do update set value = excluded.value",
  );
  const selectBacklog = prepare<{ failed: number; unverified: number }>(
    db,
    `select
       exists (select 1 from notifications where outcome = 'FAILED' and outcome <> 'APPLIED') as failed,
       exists (select 1 from unverified) as unverified`,
  );
  const recall = prepare<{ value: string }>(db, 'select value from settings where name = ?');
  const remember = prepare(db, 'insert into settings values (?, ?) on conflict do update set value = excluded.value');
  const changeReason = prepare(db, 'update unverified set reason = ? where digest = ?');
  const purge = prepare(
    db,
    'delete from unverified where request in (select request from unverified where reason = ? order by request limit ?)',
  );

  const write = <T>(work: () => T): T => {
    try {
      return inTransaction(db, () => {
        const result = work();
        positions.keep();
        raws.keep(Date.now());
        return result;
      });
    } catch (error) {
      clients.forget();
      throw error;
    } finally {
      positions.forget();
      raws.forget();
      evidence.forget();
    }
  };

  return {
    record: (batch: PackedBatch, bounds: UnverifiedBounds) =>
      packResult(write(() => recording.record(unpackBatch(batch), bounds, Date.now()))),
    ping: () => {
      write(() => touchSetting.run());
    },
    register: (registration: Registration, options: { readonly replace: boolean; readonly now: number }) =>
      write(() => register(registration, options)),
    reapply: (notifications: readonly ReapplicationEntry[], now: number) =>
      write(() => recording.reapply(notifications, now)),
    promote: (promotions: readonly PromotionEntry[], now: number) => write(() => recording.promote(promotions, now)),
    changeReasons: (changes: readonly { readonly id: string; readonly reason: UnverifiedReason }[]) => {
      write(() => {
        for (const { id, reason } of changes) changeReason.run(reason, Buffer.from(id, 'hex'));
      });
    },
    /** Removes some; the caller asks until none is left. */
    purgeUnverified: (reason: UnverifiedReason) => write(() => purge.run(reason, PURGED_AT_ONCE)),
    removeRaw: (before: number, limit: number) => write(() => retention.removeRaw(before, limit)),
    removeUnverified: (before: number, limit: number) => write(() => retention.removeUnverified(before, limit)),
    rebuild: (page: PageRequest, now: number) => write(() => rebuild(page, now)),
    remember: (name: string, value: string) => {
      write(() => remember.run(name, value));
    },
    backlog: (): Backlog => {
      const { failed, unverified } = selectBacklog.get() ?? { failed: 0, unverified: 0 };
      return { failed: failed === 1, unverified: unverified === 1 };
    },
    recall: (name: string) => recall.get(name)?.value ?? null,
  };
};

/** What the reading thread does: each call one snapshot. */
export type Reader = ReturnType<typeof openReader>;

export const openReader = (db: DatabaseSync, derivation: Derivation) => {
  const clients = openClients(db);
  const evidence = openEvidence(db, clients);
  const orders = openOrderReading(db, { clients, evidence, derivation });
  const raws = openRawReading(db);
  const notifications = openNotificationReading(db, { clients, raws });
  const unverified = openUnverifiedReading(db);

  const read = <T>(work: () => T): T => {
    db.exec('begin');
    try {
      return work();
    } finally {
      db.exec('rollback');
      clients.forget();
      evidence.forget();
      raws.forget();
    }
  };

  return {
    findOrders: (clientId: string, id: string) => read(() => orders.findOrders(clientId, id)),
    listOrders: (filter: OrderFilter, page: PageRequest) => read(() => orders.listOrders(filter, page)),
    followOrders: (page: PageRequest) => read(() => orders.followOrders(page)),
    clientIds: () => read(() => clients.stored()),
    listNotifications: (filter: NotificationFilter, page: PageRequest) =>
      read(() => notifications.listNotifications(filter, page)),
    findNotification: (key: NotificationKey) => read(() => notifications.findNotification(key)),
    readNotifications: (filter: NotificationFilter, page: PageRequest) =>
      read(() => notifications.readNotifications(filter, page)),
    listUnverified: (reason: UnverifiedReason | null, page: PageRequest) =>
      read(() => unverified.listUnverified(reason, page)),
    findUnverified: (id: string) => read(() => unverified.findUnverified(id)),
    readUnverified: (page: PageRequest) => read(() => unverified.readUnverified(page)),
    backup: async (file: string) => {
      await backup(db, file);
      return { bytes: statSync(file).size };
    },
  };
};
