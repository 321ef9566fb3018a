import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLateThread } from '../../src/store/sqlite/recovering.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import { startThread } from '../../src/store/sqlite/thread.ts';
import type { Store } from '../../src/store/store.ts';
import { paymentResult } from '../support/facts.ts';
import { describeStore } from './store.case.ts';
import { AMPLE, DELETE_ALL, delivery, later, record, RULES } from './support.ts';

describeStore('SQLite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'paynotify-'));
  const file = join(directory, 'paynotify.db');
  const store = await openSqlite({ file, rules: RULES });
  const opened: Store[] = [];

  const sql = (statement: string): void => {
    const db = new DatabaseSync(file, { timeout: 5_000 });
    db.exec(statement);
    db.close();
  };

  return {
    empty: async () => {
      for (const statement of [...DELETE_ALL, 'delete from raw_batches']) sql(statement);
      return await Promise.resolve(store);
    },
    open: async ({ rules, ...opening }) => {
      const another = await openSqlite({ file, rules: { ...RULES, ...rules }, ...opening });
      opened.push(another);
      return another;
    },
    sql: async (statement) => await Promise.resolve(sql(statement)),
    rejectOrders: `
      create trigger reject_orders before insert on orders begin select raise(abort, 'no order is taken'); end`,
    acceptOrders: 'drop trigger reject_orders',
    closeOpened: async () => {
      for (const another of opened.splice(0)) await another.close();
    },
    remove: async () => {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
});

const numbered = (number: number) => paymentResult('S', { paymentId: `P${number}` });

describe('a batch of raw notifications', () => {
  const directory = mkdtempSync(join(tmpdir(), 'paynotify-'));
  const file = join(directory, 'paynotify.db');
  let store: Store;
  beforeAll(async () => {
    store = await openSqlite({ file, rules: RULES });
    const deliveries = [3, 2].map((second) => delivery(numbered(second), { at: later(second) }));
    await store.record(deliveries, AMPLE);
    await record(store, numbered(2), numbered(3));
  });
  afterAll(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  test('is not made of resends', () => {
    const db = new DatabaseSync(file, { readOnly: true });
    expect(db.prepare('select count(*) as batches from raw_batches').get()).toEqual({ batches: 1 });
    db.close();
  });

  test('is as old as what was received last', async () => {
    expect(await store.removeRaw(later(3), 9)).toBe(0);
  });

  test('that does not hold what a notification names in it is found to be damaged', async () => {
    const db = new DatabaseSync(file);
    db.exec('update notifications set raw_place = 2 where raw_place = 1');
    db.close();
    const { items } = await store.check('notifications', { limit: 9, cursor: null });
    expect(items.map(({ notification }) => notification?.unreadable)).toEqual([false, true]);
  });
});

test('a reader that could not start is started again by whoever asks next, and none once it has ended', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'paynotify-'));
  const file = join(directory, 'paynotify.db');
  const reader = createLateThread(async () => await startThread({ role: 'reader', file, rules: RULES }));
  await expect(reader.get()).rejects.toThrow();
  await (await openSqlite({ file, rules: RULES })).close();
  expect(await reader.get()).toBe(await reader.get());
  await reader.end();
  await expect(reader.get()).rejects.toThrow('the store is closed');
  await rm(directory, { recursive: true });
});

describe('a database of an unreleased paynotify', () => {
  test.each([
    ['from before there were numbers', 'create table schema_versions (version integer)'],
    ['of another shape', "update migrations set shape = 'another'"],
  ])('%s is refused', async (_, statement) => {
    const directory = await mkdtemp(join(tmpdir(), 'paynotify-'));
    const file = join(directory, 'paynotify.db');
    await (await openSqlite({ file, rules: RULES })).close();
    const db = new DatabaseSync(file);
    db.exec(statement);
    db.close();
    await expect(openSqlite({ file, rules: RULES })).rejects.toThrow('unreleased paynotify');
    await rm(directory, { recursive: true });
  });
});
