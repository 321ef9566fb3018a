import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { createLateThread } from '../../src/store/sqlite/recovering.ts';
import { migrateSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import { startThread, type Thread } from '../../src/store/sqlite/thread.ts';
import { eventually } from '../support/client.ts';
import { RULES } from './support.ts';

const directory = mkdtempSync(join(tmpdir(), 'paynotify-'));
afterAll(() => rmSync(directory, { recursive: true }));

const file = join(directory, 'paynotify.db');

test('a reader that nobody asks ends, and starts again for who does', async () => {
  migrateSqlite(file);
  const threads: Thread[] = [];
  const reader = createLateThread(async () => {
    const thread = await startThread({ role: 'reader', file, rules: RULES });
    threads.push(thread);
    return thread;
  }, 20);
  const [first] = await Promise.all([reader.get(), reader.get()]);
  expect(await first.calls.endOfFeed()).toEqual(await (await reader.get()).calls.endOfFeed());
  expect(threads).toHaveLength(1);
  await eventually(
    'its end',
    async () => await first.calls.clientIds().catch((error: Error) => error.message),
    (ids) => String(ids).includes('has ended'),
  );
  expect(await (await reader.get()).calls.clientIds()).toEqual([]);
  expect(threads).toHaveLength(2);
  await reader.end();
  await expect(reader.get()).rejects.toThrow('the store is closed');
});

test('one that is at work does not end', async () => {
  migrateSqlite(file);
  const reader = createLateThread(async () => await startThread({ role: 'reader', file, rules: RULES }), 1);
  const thread = await reader.get();
  const ask = async (): Promise<unknown> =>
    await Promise.all(Array.from({ length: 20 }, async () => await thread.calls.clientIds()));
  for (let round = 0; round < 200; round += 1) await expect(ask()).resolves.toHaveLength(20);
  await reader.end();
});
