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
  const handlers =
    handlersModule === undefined ? builtIn : ((await import(handlersModule.href)) as { handlers: Handlers }).handlers;
  const start = <Engine>(role: 'writer' | 'reader') =>
    startThread<Engine>({ role, file, rules, handlersModule: (handlersModule ?? BUILT_IN).href });
  const writer = await start<Writer>('writer');
  let reading: Promise<Thread<Reader>> | null = null;
  // The reader starts when somebody asks: a receiver that only receives saves its memory.
  const reader = async () => await (reading ??= start<Reader>('reader'));

  return {
    // One writer, one after the other.
    concurrency: 1,
    record: async (batch, bounds) => {
      const packed = packBatch(batch.map((delivery) => toEntry(delivery, handlers)));
      return unpackResult(await writer.transfer([packed.bodies.buffer as ArrayBuffer]).record(packed, bounds));
    },
    ping: () => writer.call.ping(),
    findOrders: async (...values) => await (await reader()).call.findOrders(...values),
    listOrders: async (...values) => await (await reader()).call.listOrders(...values),
    followOrders: async (...values) => await (await reader()).call.followOrders(...values),
    register: (registration, { replace, now }) => writer.call.register(registration, { replace, now: now.getTime() }),
    clientIds: async () => await (await reader()).call.clientIds(),
    listNotifications: async (...values) => await (await reader()).call.listNotifications(...values),
    findNotification: async (...values) => await (await reader()).call.findNotification(...values),
    readNotifications: async (...values) => await (await reader()).call.readNotifications(...values),
    reapply: (reapplications, now) =>
      writer.call.reapply(
        reapplications.map((one) => toReapplicationEntry(one, handlers)),
        now.getTime(),
      ),
    listUnverified: async (...values) => await (await reader()).call.listUnverified(...values),
    findUnverified: async (...values) => await (await reader()).call.findUnverified(...values),
    readUnverified: async (...values) => await (await reader()).call.readUnverified(...values),
    promote: (promotions, now) =>
      writer.call.promote(
        promotions.map((one) => toPromotionEntry(one, { handlers, now })),
        now.getTime(),
      ),
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
    backup: async (target) => await (await reader()).call.backup(target),
    close: async () => {
      await (await reading)?.close();
      await writer.close();
    },
  };
};

/** Brings the schema of a database forward, or makes the database. */
export const migrateSqlite = (file: string): Migrated => {
  try {
    const { db, ...migrated } = openMigrated(file);
    db.close();
    return migrated;
  } catch (error) {
    throw error instanceof StoreUnusableError
      ? error
      : new StoreUnavailableError(`${file} cannot be opened`, { cause: error });
  }
};

/** The file that a `sqlite:` URL names: `sqlite:data/paynotify.db` is relative, `sqlite:/data/paynotify.db` absolute. */
export const fileOf = (url: string): string =>
  url.startsWith('sqlite://')
    ? fileURLToPath(pathToFileURL(url.slice('sqlite://'.length)))
    : url.slice('sqlite:'.length);
