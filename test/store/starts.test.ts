import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/order/order.ts';
import { openPostgres } from '../../src/store/postgres/postgres-store.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import { OutdatedCursorError, type Store } from '../../src/store/store.ts';
import { eventually } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import { type OwnServer, sql, startOwnServer } from '../support/postgres.ts';
import { follow, order, record, rebuildAll, RULES } from './support.ts';

const run = promisify(execFile);

const paid = (number: number) => paymentResult('S', { paymentId: `P${number}`, paymentRequestId: `R${number}` });
const recordAll = async (store: Store, ...numbers: readonly number[]): Promise<void> => {
  for (const number of numbers) await record(store, paid(number));
};

/** Notifications that have no order. */
const other = async (store: Store, ...numbers: readonly number[]): Promise<void> => {
  for (const number of numbers) await record(store, { notifyType: 'OTHER', number });
};

/** A consumer as docs/consuming.md wants it: on 410 it begins again, and it keeps the latest state of each order. */
const createConsumer = () => {
  const orders = new Map<string, Order>();
  let cursor = '0';
  let begunAgain = 0;
  const ids = new Set<string>();
  let place = '0';
  let placesLost = 0;
  const notifications = async (store: Store) => {
    try {
      return await store.followNotifications({ clientId: null, kind: null, limit: 2, cursor: place });
    } catch (error) {
      if (!(error instanceof OutdatedCursorError)) throw error;
      placesLost += 1;
      return { items: [], next: '0' };
    }
  };
  const page = async (store: Store) => {
    try {
      return await store.followOrders({ clientId: null, limit: 2, cursor });
    } catch (error) {
      if (!(error instanceof OutdatedCursorError)) throw error;
      begunAgain += 1;
      return { items: [], next: '0' };
    }
  };
  return {
    orders,
    cursor: () => cursor,
    begunAgain: () => begunAgain,
    notifications: ids,
    placesLost: () => placesLost,
    readOn: async (store: Store): Promise<void> => {
      for (let before = ''; before !== cursor;) {
        before = cursor;
        const { items, next } = await page(store);
        for (const one of items) {
          const name = one.paymentId ?? '';
          const known = orders.get(name);
          if (known === undefined || known.updatedAt <= one.updatedAt) orders.set(name, one);
        }
        cursor = next;
      }
      for (let before = ''; before !== place;) {
        before = place;
        const { items, next } = await notifications(store);
        for (const { id } of items) ids.add(id);
        place = next;
      }
    },
  };
};

const expectOutdated = async (store: Store, cursor: string): Promise<void> =>
  await expect(store.followOrders({ clientId: null, limit: 10, cursor })).rejects.toThrow(
    /Start again at after=0.*greatest revision.*ship once per referenceOrderId/,
  );

const numbered = (numbers: readonly number[]): readonly string[] => numbers.map((number) => `P${number}`);

describe('a SQLite file', () => {
  let directory = '';
  let file = '';
  const opened: Store[] = [];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'paynotify-'));
    file = join(directory, 'paynotify.db');
  });
  const closeAll = async (): Promise<void> => {
    for (const store of opened.splice(0)) await store.close();
  };
  afterEach(async () => {
    await closeAll();
    await rm(directory, { recursive: true });
  });
  const open = async (): Promise<Store> => {
    const store = await openSqlite({ file, rules: RULES });
    opened.push(store);
    return store;
  };
  const putBack = async (copy: string): Promise<void> => {
    await closeAll();
    for (const end of ['', '-wal', '-shm']) await rm(`${file}${end}`, { force: true });
    await copyFile(copy, file);
  };
  const starts = (): number => {
    const db = new DatabaseSync(file, { readOnly: true });
    const { count } = db.prepare('select count(*) as count from starts').get() as { count: number };
    db.close();
    return count;
  };

  test.each([0, 1, 2, 3, 9])('put back from a backup, %i orders later: the consumer misses none', async (after) => {
    const store = await open();
    await recordAll(store, 1, 2);
    const copy = join(directory, 'copy.db');
    await store.backup(copy);
    await recordAll(store, 3, 4);
    const consumer = createConsumer();
    await consumer.readOn(store);
    const before = consumer.cursor();

    await putBack(copy);
    const restored = await open();
    const later = Array.from({ length: after }, (_, index) => 10 + index);
    await recordAll(restored, ...later);
    await expectOutdated(restored, before);
    await consumer.readOn(restored);
    expect([...consumer.orders.keys()].toSorted()).toEqual(numbered([1, 2, 3, 4, ...later]).toSorted());
    expect(consumer.begunAgain()).toBe(1);
    expect(consumer.placesLost()).toBe(1);
    expect(consumer.notifications.size).toBe(4 + after);
    for (const number of [1, 2, ...later])
      expect(consumer.orders.get(`P${number}`)).toEqual(await order(restored, `P${number}`));
  });

  test('put back while the start that the backup holds had changed nothing yet', async () => {
    await recordAll(await open(), 1);
    await closeAll();
    const store = await open();
    const copy = join(directory, 'copy.db');
    await store.backup(copy);
    await recordAll(store, 2);
    const cursor = await store.endOfFeed();
    await putBack(copy);
    const restored = await open();
    await expectOutdated(restored, cursor);
    await recordAll(restored, 3);
    await expectOutdated(restored, cursor);
  });

  test('put back, and then only notified of what has no order: cursors of notifications are outdated', async () => {
    const store = await open();
    await other(store, 1);
    const copy = join(directory, 'copy.db');
    await store.backup(copy);
    await other(store, 2, 3);
    const { notifications: cursor } = await store.feedEnds();
    await putBack(copy);
    const restored = await open();
    await other(restored, 4, 5, 6);
    expect(starts()).toBe(2);
    const page = { clientId: null, kind: null, limit: 9, cursor };
    await expect(restored.followNotifications(page)).rejects.toThrow(OutdatedCursorError);
  });

  test('put back twice: a cursor between is of neither', async () => {
    const store = await open();
    await recordAll(store, 1);
    const copy = join(directory, 'copy.db');
    await store.backup(copy);
    await putBack(copy);
    const second = await open();
    await recordAll(second, 2, 3);
    const cursor = await second.endOfFeed();
    await putBack(copy);
    const third = await open();
    await recordAll(third, 4, 5, 6);
    await expectOutdated(third, cursor);
  });

  test('put back, and changed by a command before the service starts', async () => {
    const store = await open();
    await recordAll(store, 1, 2);
    const copy = join(directory, 'copy.db');
    await store.backup(copy);
    await recordAll(store, 3);
    const cursor = await store.endOfFeed();
    await putBack(copy);
    const db = new DatabaseSync(file);
    db.exec("update orders set status = 'CAPTURED'");
    db.close();
    expect(await rebuildAll(await open())).toEqual({ orders: 2, changed: 2 });
    await closeAll();
    const restored = await open();
    await recordAll(restored, 4);
    await expectOutdated(restored, cursor);
  });

  test('put back as far as the consumer had come: the cursor stands', async () => {
    const store = await open();
    await recordAll(store, 1, 2);
    const consumer = createConsumer();
    await consumer.readOn(store);
    const copy = join(directory, 'copy.db');
    await store.backup(copy);
    await recordAll(store, 3);
    await putBack(copy);
    const restored = await open();
    await recordAll(restored, 4);
    await consumer.readOn(restored);
    expect([...consumer.orders.keys()]).toEqual(numbered([1, 2, 4]));
    expect([consumer.begunAgain(), consumer.placesLost()]).toEqual([0, 0]);
  });

  test('closed and opened again: every cursor stands, and an empty page makes it one of the latest start', async () => {
    const consumer = createConsumer();
    const cursors: string[] = [];
    for (const number of [1, 2, 3]) {
      const store = await open();
      await recordAll(store, number);
      await consumer.readOn(store);
      cursors.push(consumer.cursor());
      await closeAll();
    }
    expect([consumer.begunAgain(), consumer.placesLost()]).toEqual([0, 0]);
    expect([...consumer.orders.keys()]).toEqual(numbered([1, 2, 3]));
    expect(new Set(cursors.map((cursor) => cursor.split('.')[0])).size).toBe(3);
    const store = await open();
    for (const [index, cursor] of cursors.entries())
      expect((await follow(store, { from: cursor })).orders).toHaveLength(2 - index);
    const [first = ''] = cursors;
    const [latest = ''] = (await store.endOfFeed()).split('.');
    expect((await store.followOrders({ clientId: null, limit: 1, cursor: first })).next.split('.')[0]).toBe(latest);
    expect(await store.followOrders({ clientId: null, limit: 1, cursor: cursors[2] ?? '' })).toEqual({
      items: [],
      next: await store.endOfFeed(),
    });
  });

  test('opened again and again without a change grows by no row', async () => {
    await recordAll(await open(), 1);
    await closeAll();
    for (let count = 0; count < 5; count += 1) {
      const store = await open();
      await store.ping();
      await recordAll(store, 1);
      await closeAll();
    }
    expect(starts()).toBe(1);
  });

  test('whose first change was refused still begins with the next one', async () => {
    const store = await open();
    await recordAll(store, 1);
    await closeAll();
    const again = await open();
    const db = new DatabaseSync(file, { timeout: 5_000 });
    db.exec("create trigger reject before insert on orders begin select raise(abort, 'no'); end");
    await expect(recordAll(again, 2)).rejects.toThrow('no');
    expect(starts()).toBe(1);
    db.exec('drop trigger reject');
    db.close();
    await recordAll(again, 2);
    expect(starts()).toBe(2);
  });
});

describe('a PostgreSQL database', () => {
  let server: OwnServer;
  let url = '';
  const opened: Store[] = [];
  beforeAll(async () => {
    server = await startOwnServer();
  });
  afterAll(async () => await server.stop());
  beforeEach(async () => {
    url = await server.createDatabase();
  });
  const closeAll = async (): Promise<void> => {
    for (const store of opened.splice(0)) await store.close();
  };
  afterEach(closeAll);
  const open = async (): Promise<Store> => {
    const store = await openPostgres({ url, rules: RULES });
    opened.push(store);
    return store;
  };
  const starts = async (): Promise<number> => (await sql(url, 'select from starts')).length;
  const maintenance = (): string => new URL('/postgres', url).href;
  const nameOf = (): string => new URL(url).pathname.slice(1);

  /** The data directory as it is at this moment, put back by the function given back. */
  const snapshot = async (): Promise<() => Promise<void>> => {
    const copy = `${server.directory}-copy`;
    await server.kill('SIGINT');
    await run('cp', ['-a', server.directory, copy]);
    await server.start();
    return async () => {
      await server.kill('SIGKILL');
      await rm(server.directory, { recursive: true });
      await run('mv', [copy, server.directory]);
    };
  };

  const promote = async (): Promise<boolean> =>
    await sql<{ pg_promote: boolean }>(maintenance(), 'select pg_promote()').then(
      ([row]) => row?.pg_promote === true,
      () => false,
    );

  const worlds: readonly (readonly [string, () => Promise<() => Promise<void>>])[] = [
    [
      'made again from a copy',
      async () => {
        await closeAll();
        const name = nameOf();
        await sql(maintenance(), `create database ${name}_copy template ${name}`);
        return async () => {
          await sql(maintenance(), `drop database ${name} with (force)`);
          await sql(maintenance(), `create database ${name} template ${name}_copy`);
        };
      },
    ],
    [
      'whose snapshot was put back, so that its transaction numbers are given out again',
      async () => {
        const putBack = await snapshot();
        return async () => {
          await putBack();
          await server.start();
        };
      },
    ],
    [
      'on a promoted standby that lacks the last commits',
      async () => {
        const putBack = await snapshot();
        return async () => {
          await putBack();
          await writeFile(join(server.directory, 'standby.signal'), '');
          // It counts as started once it takes writes.
          const started = server.start();
          await eventually('promoted', promote, (isPromoted) => isPromoted);
          await started;
        };
      },
    ],
  ];

  describe.each(worlds)('%s', (_, keep) => {
    test.each([0, 6])('the consumer misses none, %i orders later', async (after) => {
      await recordAll(await open(), 1, 2);
      const goBack = await keep();
      await closeAll();
      const store = await open();
      await recordAll(store, 3, 4);
      const consumer = createConsumer();
      await consumer.readOn(store);
      const before = consumer.cursor();

      await goBack();
      await closeAll();
      const restored = await open();
      const later = Array.from({ length: after }, (_unused, index) => 10 + index);
      await recordAll(restored, ...later);
      await expectOutdated(restored, before);
      await consumer.readOn(restored);
      expect([...consumer.orders.keys()].toSorted()).toEqual(numbered([1, 2, 3, 4, ...later]).toSorted());
      expect(consumer.begunAgain()).toBe(1);
      expect(consumer.placesLost()).toBe(1);
      expect(consumer.notifications.size).toBe(4 + after);
    });
  });

  test('exchanged under a running store: its next connection notices', async () => {
    const store = await open();
    await recordAll(store, 1);
    const name = nameOf();
    await closeAll();
    await sql(maintenance(), `create database ${name}_copy template ${name}`);
    const running = await open();
    await recordAll(running, 2, 3);
    const cursor = await running.endOfFeed();
    await sql(maintenance(), `drop database ${name} with (force)`);
    await sql(maintenance(), `alter database ${name}_copy rename to ${name}`);
    // The connections that it had are broken: each is met once.
    const isThere = async (): Promise<boolean> =>
      await recordAll(running, 4).then(
        () => true,
        () => false,
      );
    for (let attempt = 0; attempt < 10 && !(await isThere()); attempt += 1);
    await recordAll(running, 5, 6);
    await expectOutdated(running, cursor);
  });

  test('has one start however many replicas open it at once, and none for those that come later', async () => {
    await Promise.all([open(), open(), open(), open()]);
    await Promise.all(opened.map(async (store) => await store.ping()));
    expect(await starts()).toBe(1);
    const consumer = createConsumer();
    await recordAll(await open(), 1, 2, 3);
    await consumer.readOn(await open());
    expect(await starts()).toBe(1);
    expect([...consumer.orders.keys()]).toEqual(numbered([1, 2, 3]));
  });

  test('whose tables were made again, as from a dump, begins with another start', async () => {
    await recordAll(await open(), 1);
    await closeAll();
    await sql(
      url,
      'create table made (like starts including all); insert into made select * from starts; drop table starts; alter table made rename to starts',
    );
    await recordAll(await open(), 2);
    expect(await starts()).toBe(2);
  });

  test('whose server was restarted, or crashed: every cursor stands', async () => {
    const consumer = createConsumer();
    await recordAll(await open(), 1, 2);
    await consumer.readOn(await open());
    for (const [index, signal] of (['SIGINT', 'SIGKILL'] as const).entries()) {
      await closeAll();
      await server.kill(signal);
      await server.start();
      await recordAll(await open(), 3 + index);
      await consumer.readOn(await open());
      expect(await starts()).toBe(2 + index);
    }
    expect([consumer.begunAgain(), consumer.placesLost()]).toEqual([0, 0]);
    expect([...consumer.orders.keys()]).toEqual(numbered([1, 2, 3, 4]));
  });

  test('is not written to by who only reads it', async () => {
    await recordAll(await open(), 1);
    await sql(url, "update starts set identity = 'another'");
    await sql(url, `alter database ${nameOf()} set default_transaction_read_only = on`);
    const { openPostgresSource } = await import('../../src/store/postgres/postgres-store.ts');
    const source = await openPostgresSource({ url, rules: RULES });
    opened.push(source);
    expect(await source.count('notifications')).toBe(1);
    expect(await starts()).toBe(1);
  });
});
