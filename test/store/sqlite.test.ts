import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from '@jest/globals';
import { migrate } from '../../src/store/sqlite/connect.ts';
import { MIGRATIONS } from '../../src/store/sqlite/migrations.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { describeStore } from './store.case.ts';
import { captureResult, CLIENT, paymentResult } from '../support/facts.ts';
import { AMPLE, DELETE_ALL, delivery, notificationsOf, notified, order, RULES } from './support.ts';

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
    closeOpened: async () => {
      for (const another of opened.splice(0)) await another.close();
    },
    remove: async () => {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
});

describe('a database of the first version', () => {
  const applied = delivery(captureResult('S', { captureId: 'C1', captureRequestId: 'Q1' }));
  const unhandled = delivery({ notifyType: 'REFUND_RESULT', paymentId: 'P1' });
  const malformed = delivery('[]');
  const bodyOf = ({ parsed }: typeof applied): Uint8Array => parsed.notification.body;

  test('keeps knowing what it has stored', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'paynotify-'));
    const file = join(directory, 'paynotify.db');
    const db = new DatabaseSync(file);
    migrate(db, MIGRATIONS.slice(0, 1));
    db.prepare('insert into clients values (1, ?)').run(CLIENT);
    const insert = db.prepare(
      `insert into notifications (client, digest, notify_type, payment_id, capture_id, outcome, deliveries, first_received_at, last_received_at, raw_batch, raw_place, facts)
       values (1, ?, ?, ?, ?, ?, 1, 0, 0, 0, 0, ?)`,
    );
    const facts = JSON.stringify({
      captureId: 'C1',
      captureRequestId: 'Q1',
      result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: null },
    });
    insert.run(hash('sha256', bodyOf(applied), 'buffer'), 'CAPTURE_RESULT', 'P1', 'C1', 'APPLIED', facts);
    insert.run(hash('sha256', bodyOf(unhandled), 'buffer'), 'REFUND_RESULT', null, null, 'UNHANDLED', null);
    insert.run(hash('sha256', bodyOf(malformed), 'buffer'), null, null, null, 'MALFORMED', null);
    db.close();

    const store = await openSqlite({ file, rules: RULES });
    const { results } = await store.record([applied, unhandled, malformed, delivery(paymentResult('S'))], AMPLE);
    expect(results.map((result) => notified(result).deliveries)).toEqual([2, 2, 2, 1]);
    const stored = await notificationsOf(store);
    expect(stored).toHaveLength(4);
    for (const one of stored) expect(await store.findNotification(one)).toEqual(one);
    expect((await order(store, 'P1')).captures).toMatchObject([{ captureId: 'C1' }]);
    await store.close();
    await rm(directory, { recursive: true });
  });
});
