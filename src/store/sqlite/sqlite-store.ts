import { fileURLToPath, pathToFileURL } from 'node:url';
import { handlers as builtIn, type Handlers } from '../../handlers/index.ts';
import type { OrderRules } from '../../order/order.ts';
import { toEntry, toPromotionEntry, toReapplicationEntry } from '../entry.ts';
import { type Migrated, type Store, StoreUnavailableError, StoreUnusableError } from '../store.ts';
import { openMigrated } from './connect.ts';
import type { Reader, Writer } from './engine.ts';
import { packBatch, unpackResult } from './message.ts';
import { startThread, type Thread } from './thread.ts';

export interface SqliteOptions {
  readonly file: string;
  readonly rules: OrderRules;
  /** A module that exports `handlers`, instead of the built-in table. */
  readonly handlersModule?: URL;
}

const BUILT_IN = new URL('../../handlers/index.ts', import.meta.url);

/** The SQLite store. Its writer and its reader are threads: no lock and no slow disk ever holds up the event loop. */
export const openSqlite = async ({ file, rules, handlersModule }: SqliteOptions): Promise<Store> => {
  const handlers = handlersModule === undefined ? builtIn : ((await import(handlersModule.href)) as { handlers: Handlers }).handlers;
  const start = <Engine>(role: 'writer' | 'reader') =>
    startThread<Engine>({ role, file, rules, handlersModule: (handlersModule ?? BUILT_IN).href });
  const writer = await start<Writer>('writer');
  const reader = await start<Reader>('reader');
  const stopCheckpoints = startCheckpoints(reader);

  return {
    // One writer, one after the other.
    concurrency: 1,
    record: async (batch, bounds) => {
      const packed = packBatch(batch.map((delivery) => toEntry(delivery, handlers)));
      return unpackResult(await writer.transfer([packed.bodies.buffer as ArrayBuffer]).record(packed, bounds));
    },
    ping: () => writer.call.ping(),
    findOrders: (...values) => reader.call.findOrders(...values),
    listOrders: (...values) => reader.call.listOrders(...values),
    followOrders: (...values) => reader.call.followOrders(...values),
    register: (registration, { replace, now }) => writer.call.register(registration, { replace, now: now.getTime() }),
    clientIds: () => reader.call.clientIds(),
    listNotifications: (...values) => reader.call.listNotifications(...values),
    findNotification: (...values) => reader.call.findNotification(...values),
    readNotifications: (...values) => reader.call.readNotifications(...values),
    reapply: (reapplications, now) =>
      writer.call.reapply(reapplications.map((one) => toReapplicationEntry(one, handlers)), now.getTime()),
    listUnverified: (...values) => reader.call.listUnverified(...values),
    findUnverified: (...values) => reader.call.findUnverified(...values),
    readUnverified: (...values) => reader.call.readUnverified(...values),
    promote: (promotions, now) =>
      writer.call.promote(promotions.map((one) => toPromotionEntry(one, { handlers, now })), now.getTime()),
    changeReasons: (changes) => writer.call.changeReasons(changes),
    purgeUnverified: async (reason) => {
      let purged = 0;
      for (let some = -1; some !== 0; purged += some) some = await writer.call.purgeUnverified(reason);
      return purged;
    },
    removeRaw: (before, limit) => writer.call.removeRaw(before.getTime(), limit),
    removeUnverified: (before, limit) => writer.call.removeUnverified(before.getTime(), limit),
    rebuild: (page, now) => writer.call.rebuild(page, now.getTime()),
    backlog: () => writer.call.backlog(),
    recall: (name) => writer.call.recall(name),
    remember: (name, value) => writer.call.remember(name, value),
    // One file has one service: what could compete with it is a command, and that takes its turn at the write lock.
    exclusively: async (_task, work) => await work(),
    backup: (target) => reader.call.backup(target),
    close: async () => {
      await stopCheckpoints();
      await reader.close();
      await writer.close();
    },
  };
};

const CHECKPOINT_EVERY_MS = 250;

/**
 * Moves the log into the database file by and by, on the reader's thread: with millions of rows each notification's
 * digest falls on a page of its own, and syncing thousands of them takes the time of as many notifications. Whatever
 * fails here is the writer's to do, once its log is large enough.
 */
const startCheckpoints = (reader: Thread<Reader>): (() => Promise<void>) => {
  let underWay: Promise<void> | null = null;
  const timer = setInterval(() => {
    underWay ??= reader.call
      .checkpoint()
      .catch(() => {})
      .finally(() => {
        underWay = null;
      });
  }, CHECKPOINT_EVERY_MS).unref();
  return async () => {
    clearInterval(timer);
    await underWay;
  };
};

/** Brings the schema of a database forward, or makes the database. */
export const migrateSqlite = (file: string): Migrated => {
  try {
    const { db, ...migrated } = openMigrated(file);
    db.close();
    return migrated;
  } catch (error) {
    throw error instanceof StoreUnusableError ? error : new StoreUnavailableError(`${file} cannot be opened`, { cause: error });
  }
};

/** The file that a `sqlite:` URL names: `sqlite:data/paynotify.db` is relative, `sqlite:/data/paynotify.db` absolute. */
export const fileOf = (url: string): string =>
  url.startsWith('sqlite://') ? fileURLToPath(pathToFileURL(url.slice('sqlite://'.length))) : url.slice('sqlite:'.length);
