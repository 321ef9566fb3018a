import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { createInbox, type Inbox, type InboxOptions, type NotStored } from '../src/inbox.ts';
import { openSqlite } from '../src/store/sqlite/sqlite-store.ts';
import type { Delivery, Recorded, Store } from '../src/store/store.ts';
import { CLIENT, paymentResult, receive } from './support/facts.ts';
import { fileIn, holdWriteLock, idOf, makeDirectory, query, removeDirectory } from './support/receiver.ts';

const RULES = { captureRequired: 'always', captureMode: 'AUTOMATIC', production: false } as const;

let directory: string;
let store: Store;

beforeEach(async () => {
  directory = makeDirectory();
  store = await openSqlite({ file: fileIn(directory), rules: RULES });
});

afterEach(async () => {
  await store.close();
  removeDirectory(directory);
});

/** Where a test is not about being late, nothing is: however slow the disk of this machine is just now. */
const openInbox = (options: Partial<InboxOptions> = {}): Inbox =>
  createInbox({ store, unverifiedMaxBytes: 1_000_000, unverifiedMaxPerSecond: 1_000, dueAfterMs: 60_000, ...options });

const bodyOf = (paymentId: string, padding = ''): string => JSON.stringify(paymentResult('S', { paymentId, padding }));
const notification = (paymentId: string, padding?: string): Delivery => ({
  kind: 'notification',
  parsed: receive(bodyOf(paymentId, padding)),
  receivedAt: new Date(),
});
const unverified = (name: string): Delivery => ({
  kind: 'unverified',
  request: {
    method: 'POST',
    target: '/payNotify',
    clientIds: [name],
    requestTimes: [],
    signatures: [],
    body: Buffer.from(name),
  },
  reason: 'MISSING_HEADER',
  receivedAt: new Date(),
});

const named = (count: number, prefix = 'P'): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const kinds = (results: readonly (Recorded | NotStored)[]): readonly string[] =>
  results.map((result) => (result.kind === 'not stored' ? result.because : result.kind));
const storedPayments = (): readonly string[] =>
  query(directory, 'select payment_id from notifications order by notification').map((row) =>
    String(row['payment_id']),
  );

/** Transactions that brought notifications: each keeps its raw ones in a row of their own. */
const commits = (): number => Number(query(directory, 'select count(*) as count from raw_batches')[0]?.['count']);

describe('group commit', () => {
  test('stores what arrives at once in one transaction, and answers each', async () => {
    const inbox = openInbox();
    const before = commits();
    const results = await Promise.all(named(100).map((paymentId) => inbox.submit(notification(paymentId))));
    expect(commits() - before).toBe(1);
    expect(kinds(results)).toEqual(named(100).map(() => 'notification'));
    expect(storedPayments()).toEqual(named(100));
  });

  test('stores what arrives while a transaction is under way in the next one', async () => {
    const inbox = openInbox();
    await inbox.submit(notification('first'));
    const before = commits();
    const lock = holdWriteLock(directory);
    const under = inbox.submit(notification('under way'));
    await pause(200);
    const next = named(50).map((paymentId) => inbox.submit(notification(paymentId)));
    lock.release();
    expect(kinds(await Promise.all([under, ...next]))).toEqual(Array.from({ length: 51 }, () => 'notification'));
    expect(commits() - before).toBe(2);
  });

  test('does not wait for company: one alone is one transaction', async () => {
    const inbox = openInbox();
    const before = commits();
    for (const paymentId of named(3)) await inbox.submit(notification(paymentId));
    expect(commits() - before).toBe(3);
  });

  test('resolves only once another connection can read it', async () => {
    const inbox = openInbox();
    for (const paymentId of named(20)) {
      await inbox.submit(notification(paymentId));
      expect(storedPayments()).toContain(paymentId);
    }
  });

  test('keeps one notification and its resends in a batch one', async () => {
    const inbox = openInbox();
    const results = await Promise.all(named(5).map(() => inbox.submit(notification('P1'))));
    expect(results.map((result) => (result.kind === 'notification' ? result.deliveries : null))).toEqual([
      1, 2, 3, 4, 5,
    ]);
    expect(storedPayments()).toEqual(['P1']);
  });

  test('answers a large crowd completely, with far fewer transactions than notifications', async () => {
    const inbox = openInbox();
    const before = commits();
    const results = await Promise.all(named(600).map((paymentId) => inbox.submit(notification(paymentId))));
    expect(new Set(kinds(results))).toEqual(new Set(['notification']));
    expect(commits() - before).toBeLessThan(20);
    expect(storedPayments()).toHaveLength(600);
  });
});

/** The database itself refuses: no stand-in for it does. */
const refuseWhere = (condition: string): void => {
  const db = new DatabaseSync(fileIn(directory));
  db.exec(
    `create trigger refuse before insert on notifications when ${condition} begin select raise(abort, 'refused'); end`,
  );
  db.close();
};

describe('one that the database rejects', () => {
  test('is kept with its bytes as FAILED, and its batch is stored', async () => {
    refuseWhere("new.payment_id = 'P3' and new.facts is not null");
    const inbox = openInbox();
    const results = await Promise.all(named(6).map((paymentId) => inbox.submit(notification(paymentId))));
    expect(results.map((result) => (result.kind === 'notification' ? result.outcome : result))).toEqual(
      named(6).map((paymentId) => (paymentId === 'P3' ? 'FAILED' : 'APPLIED')),
    );
    const stored = await store.findNotification({ clientId: CLIENT, id: idOf(Buffer.from(bodyOf('P3'))) });
    expect(Buffer.from(stored?.raw?.body ?? []).toString()).toBe(bodyOf('P3'));
    expect(storedPayments()).toHaveLength(6);
  });

  test('altogether is the only one of its batch that is not acknowledged', async () => {
    refuseWhere("new.payment_id = 'P3'");
    const inbox = openInbox();
    const results = await Promise.all(named(6).map((paymentId) => inbox.submit(notification(paymentId))));
    expect(kinds(results)).toEqual(
      named(6).map((paymentId) => (paymentId === 'P3' ? 'STORE_UNAVAILABLE' : 'notification')),
    );
    expect(storedPayments()).toEqual(named(6).filter((paymentId) => paymentId !== 'P3'));
    expect(kinds([await inbox.submit(notification('P6'))])).toEqual(['notification']);
  });
});

describe('a database that is locked', () => {
  test('is waited for until the answer is due; what left the queue is not stored later', async () => {
    const inbox = openInbox({ dueAfterMs: 400 });
    const lock = holdWriteLock(directory);
    const inTransaction = inbox.submit(notification('in a transaction'.replaceAll(' ', '-')));
    await pause(100);
    const queued = inbox.submit(notification('queued'));
    expect(kinds([await inTransaction, await queued])).toEqual(['STORE_SLOW', 'STORE_SLOW']);
    lock.release();
    await inbox.drain();
    expect(kinds([await inbox.submit(notification('later'))])).toEqual(['notification']);
    // Law 2: one in a transaction may still commit.
    expect(storedPayments()).toEqual(['in-a-transaction', 'later']);
    const resend = await inbox.submit(notification('queued'));
    expect(resend).toMatchObject({ kind: 'notification', deliveries: 1 });
  });
});

describe('the queue', () => {
  test('that only grows is said to stand, and who waits in it is stored', async () => {
    const inbox = openInbox();
    const lock = holdWriteLock(directory);
    const underWay = inbox.submit(notification('under way'));
    await pause(50);
    const waiting = named(300).map((paymentId) => inbox.submit(notification(paymentId)));
    expect(inbox.isStanding()).toBe(false);
    await pause(300);
    expect(inbox.isStanding()).toBe(true);
    lock.release();
    expect(new Set(kinds(await Promise.all([underWay, ...waiting])))).toEqual(new Set(['notification']));
    expect(inbox.isStanding()).toBe(false);
    expect(storedPayments()).toHaveLength(301);
  });

  test('that fits into one transaction does not stand, however long it waits', async () => {
    const inbox = openInbox();
    const lock = holdWriteLock(directory);
    const underWay = inbox.submit(notification('under way'));
    await pause(50);
    const waiting = named(200).map((paymentId) => inbox.submit(notification(paymentId)));
    await pause(300);
    expect(inbox.isStanding()).toBe(false);
    lock.release();
    expect(new Set(kinds(await Promise.all([underWay, ...waiting])))).toEqual(new Set(['notification']));
  });

  test('is bounded in entries: what is over is QUEUE_FULL and not stored', async () => {
    const inbox = openInbox({ maxEntries: 3 });
    const submitted = named(8).map((paymentId) => inbox.submit(notification(paymentId)));
    expect(inbox.isFull()).toBe(true);
    expect(kinds(await Promise.all(submitted))).toEqual([
      ...named(3).map(() => 'notification'),
      ...named(5).map(() => 'QUEUE_FULL'),
    ]);
    expect(inbox.isFull()).toBe(false);
    expect(storedPayments()).toEqual(named(3));
    expect(kinds([await inbox.submit(notification('P3'))])).toEqual(['notification']);
  });

  test('is bounded in bytes, those in a transaction included', async () => {
    const padding = 'x'.repeat(1_000);
    const size = bodyOf('P0', padding).length;
    const inbox = openInbox({ maxBytes: 3 * size });
    const lock = holdWriteLock(directory);
    const first = inbox.submit(notification('P0', padding));
    await pause(100);
    const others = named(3, 'Q').map((paymentId) => inbox.submit(notification(paymentId, padding)));
    expect(inbox.isFull()).toBe(true);
    lock.release();
    expect(kinds(await Promise.all([first, ...others]))).toEqual([
      'notification',
      'notification',
      'notification',
      'QUEUE_FULL',
    ]);
    expect(kinds([await inbox.submit(notification('Q2', padding))])).toEqual(['notification']);
  });

  test('never takes a body that is larger than all of it', async () => {
    const inbox = openInbox({ maxBytes: 1_000 });
    expect(kinds([await inbox.submit(notification('P1', randomBytes(1_000).toString('hex')))])).toEqual(['QUEUE_FULL']);
    expect(kinds([await inbox.submit(notification('P2'))])).toEqual(['notification']);
  });

  test('has room again for every byte once all is answered', async () => {
    const padding = 'x'.repeat(1_000);
    const inbox = openInbox({ maxBytes: 2 * bodyOf('P00', padding).length });
    for (let round = 10; round < 40; round += 1) {
      const results = await Promise.all(
        named(2, `P${round}`).map((paymentId) => inbox.submit(notification(paymentId.slice(0, 3), padding))),
      );
      expect(kinds(results)).toEqual(['notification', 'notification']);
    }
  });

  test('is drained when all that was submitted is answered', async () => {
    const inbox = openInbox();
    await inbox.drain();
    let answered = 0;
    for (const paymentId of named(300)) {
      void inbox.submit(notification(paymentId)).then(() => {
        answered += 1;
        return answered;
      });
    }
    await inbox.drain();
    expect(storedPayments()).toHaveLength(300);
    await pause(0);
    expect(answered).toBe(300);
  });
});

describe('the unverified', () => {
  test('over a bound are UNVERIFIED_FULL, in a batch with notifications that are stored', async () => {
    const inbox = openInbox({ unverifiedMaxPerSecond: 2 });
    const results = await Promise.all([
      inbox.submit(unverified('a')),
      inbox.submit(notification('P1')),
      inbox.submit(unverified('b')),
      inbox.submit(unverified('c')),
      inbox.submit(unverified('a')),
      inbox.submit(notification('P2')),
    ]);
    expect(kinds(results)).toEqual([
      'unverified',
      'notification',
      'unverified',
      'UNVERIFIED_FULL',
      'unverified',
      'notification',
    ]);
    expect(query(directory, 'select deliveries from unverified order by request')).toMatchObject([
      { deliveries: 2 },
      { deliveries: 1 },
    ]);
  });

  test('report the bytes that they take', async () => {
    const bytes: number[] = [];
    const inbox = openInbox({ onUnverifiedBytes: (taken) => bytes.push(taken) });
    await inbox.submit(unverified('a'));
    await inbox.submit(notification('P1'));
    await inbox.submit(unverified('b'));
    const [first = 0, second = 0] = bytes;
    expect(bytes).toHaveLength(2);
    expect(second).toBeGreaterThan(first);
    expect(query(directory, 'select sum(bytes) as n from unverified')).toMatchObject([{ n: second }]);
  });
});

test('a store whose thread is gone answers STORE_UNAVAILABLE at once', async () => {
  const inbox = openInbox();
  await store.close();
  expect(kinds([await inbox.submit(notification('P1')), await inbox.submit(unverified('a'))])).toEqual([
    'STORE_UNAVAILABLE',
    'STORE_UNAVAILABLE',
  ]);
});

// It waits for four seconds: the others run meanwhile.
test.concurrent('a database locked for longer than a writer waits is STORE_UNAVAILABLE, and reported', async () => {
  const apart = makeDirectory();
  const its = await openSqlite({ file: fileIn(apart), rules: RULES });
  const problems: unknown[] = [];
  const inbox = createInbox({
    store: its,
    unverifiedMaxBytes: 0,
    unverifiedMaxPerSecond: 0,
    dueAfterMs: 60_000,
    onError: (problem) => problems.push(problem),
  });
  const lock = holdWriteLock(apart);
  expect(kinds([await inbox.submit(notification('P1'))])).toEqual(['STORE_UNAVAILABLE']);
  lock.release();
  expect(problems).toMatchObject([{ name: 'StoreUnavailableError' }]);
  expect(query(apart, 'select 1 from notifications')).toEqual([]);
  expect(kinds([await inbox.submit(notification('P1'))])).toEqual(['notification']);
  await its.close();
  removeDirectory(apart);
});
