import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import type { SignatureOrigin } from '../src/antom/origin.ts';
import { createInbox, type Inbox, type InboxOptions } from '../src/inbox/inbox.ts';
import { QUEUE_BYTES } from '../src/inbox/queue.ts';
import { openSqlite } from '../src/store/sqlite/sqlite-store.ts';
import type { NotificationDelivery, Store, UnverifiedDelivery, UnverifiedRoom } from '../src/store/store.ts';
import { eventually } from './support/client.ts';
import { type Clock, stopClock } from './support/clock.ts';
import { CLIENT, paymentResult, receive } from './support/facts.ts';
import { admitted, type Result, submit, submitTogether } from './support/inbox.ts';
import { fileIn, holdWriteLock, idOf, makeDirectory, query, removeDirectory } from './support/receiver.ts';
import { RULES } from './support/rules.ts';

let directory: string;
let store: Store;
/** Nothing is late or overloaded but by a test: a machine that halts for a moment is not. */
let clock: Clock;

beforeEach(async () => {
  clock = stopClock();
  directory = makeDirectory();
  store = await openSqlite({ file: fileIn(directory), rules: RULES });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await store.close();
  removeDirectory(directory);
});

const openInbox = (options: Partial<InboxOptions> = {}): Inbox =>
  createInbox({ store, unverifiedMaxBytes: 1_000_000, unverifiedMaxPerSecond: 1_000, ...options });

const bodyOf = (paymentId: string, padding = ''): string => JSON.stringify(paymentResult('S', { paymentId, padding }));
const notification = (paymentId: string, padding?: string): NotificationDelivery => ({
  kind: 'notification',
  read: receive(bodyOf(paymentId, padding)),
  receivedAt: new Date(),
});
const unverified = (name: string, origin: SignatureOrigin = 'UNKNOWN'): UnverifiedDelivery => ({
  kind: 'unverified',
  request: {
    method: 'POST',
    target: '/payNotify',
    clientIds: [name],
    requestTimes: [],
    signatures: [],
    body: Buffer.from(name),
  },
  failure: { reason: 'MISSING_HEADER', origin, trust: '00'.repeat(32) },
  receivedAt: new Date(),
});

const named = (count: number, prefix = 'P'): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const kinds = (results: readonly Result[]): readonly string[] =>
  results.map((result) => (result.kind === 'not stored' ? result.because : result.kind));
const storedPayments = (): readonly string[] =>
  query(directory, 'select payment_id from notifications order by position').map((row) => String(row['payment_id']));

/** Transactions that brought notifications: each keeps its raw ones in a row of their own. */
const commits = (): number => Number(query(directory, 'select count(*) as count from raw_batches')[0]?.['count']);

/** What has come so far has left the queue, and its transaction has not ended. */
const allUnderWay = async (inbox: Inbox): Promise<void> => {
  await eventually('a transaction', inbox.load, ({ requests, bytes }) => requests === 0 && bytes > 0);
};

/** So many that are verified, and wait to be stored. */
const recordAll = async (inbox: Inbox, count: number): Promise<readonly Promise<Result>[]> => {
  const places = await Promise.all(named(count).map(async () => await admitted(inbox)));
  return places.map((place, index) => place.record(notification(`P${index}`)));
};

describe('group commit', () => {
  test('stores what arrives at once in one transaction, and answers each', async () => {
    const inbox = openInbox();
    const before = commits();
    const deliveries = named(100).map((paymentId) => notification(paymentId));
    const results = await submitTogether(inbox, deliveries);
    expect(commits() - before).toBe(1);
    expect(kinds(results)).toEqual(named(100).map(() => 'notification'));
    expect(storedPayments()).toEqual(named(100));
  });

  test('stores what arrives while a transaction is under way in the next one', async () => {
    const inbox = openInbox();
    await submit(inbox, notification('first'));
    const before = commits();
    const lock = holdWriteLock(directory);
    const under = submit(inbox, notification('under way'));
    await allUnderWay(inbox);
    const next = await recordAll(inbox, 50);
    lock.release();
    expect(kinds(await Promise.all([under, ...next]))).toEqual(Array.from({ length: 51 }, () => 'notification'));
    expect(commits() - before).toBe(2);
  });

  test('does not wait for company: one alone is one transaction', async () => {
    const inbox = openInbox();
    const before = commits();
    for (const paymentId of named(3)) await submit(inbox, notification(paymentId));
    expect(commits() - before).toBe(3);
  });

  test('admits one that comes alone after one empty turn of the event loop', async () => {
    const inbox = openInbox();
    let isAdmitted = false;
    void inbox.admit(0).then(() => (isAdmitted = true));
    await turn();
    await turn();
    expect(isAdmitted).toBe(true);
  });

  test.each([
    { what: '256 entries', count: 600, padding: '', transactions: 3 },
    { what: '4 MiB', count: 6, padding: 'x'.repeat(1_048_576), transactions: 2 },
  ])('takes at most $what into a batch', async ({ count, padding, transactions }) => {
    const inbox = openInbox();
    const before = commits();
    const deliveries = named(count).map((paymentId) => notification(paymentId, padding));
    expect(new Set(kinds(await submitTogether(inbox, deliveries)))).toEqual(new Set(['notification']));
    expect(commits() - before).toBe(transactions);
  });

  test('resolves only once another connection can read it', async () => {
    const inbox = openInbox();
    for (const paymentId of named(20)) {
      await submit(inbox, notification(paymentId));
      expect(storedPayments()).toContain(paymentId);
    }
  });

  test('keeps one notification and its resends in a batch one', async () => {
    const inbox = openInbox();
    const results = await Promise.all(named(5).map(() => submit(inbox, notification('P1'))));
    expect(results.map((result) => (result.kind === 'notification' ? result.deliveries : null))).toEqual([
      1, 2, 3, 4, 5,
    ]);
    expect(storedPayments()).toEqual(['P1']);
  });

  test('answers a large crowd completely, with far fewer transactions than notifications', async () => {
    const inbox = openInbox();
    const before = commits();
    const results = await Promise.all(named(600).map((paymentId) => submit(inbox, notification(paymentId))));
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
    refuseWhere("new.payment_id = 'P3' and new.statements is not null");
    const inbox = openInbox();
    const results = await Promise.all(named(6).map((paymentId) => submit(inbox, notification(paymentId))));
    expect(results.map((result) => (result.kind === 'notification' ? result.reading.outcome : result))).toEqual(
      named(6).map((paymentId) => (paymentId === 'P3' ? 'FAILED' : 'APPLIED')),
    );
    const stored = await store.findNotification({ clientId: CLIENT, id: idOf(Buffer.from(bodyOf('P3'))) });
    expect(Buffer.from(stored?.raw?.body ?? []).toString()).toBe(bodyOf('P3'));
    expect(storedPayments()).toHaveLength(6);
  });

  test('altogether is the only one of its batch that is not acknowledged', async () => {
    refuseWhere("new.payment_id = 'P3'");
    const inbox = openInbox();
    const results = await Promise.all(named(6).map((paymentId) => submit(inbox, notification(paymentId))));
    expect(kinds(results)).toEqual(
      named(6).map((paymentId) => (paymentId === 'P3' ? 'STORE_UNAVAILABLE' : 'notification')),
    );
    expect(storedPayments()).toEqual(named(6).filter((paymentId) => paymentId !== 'P3'));
    expect(kinds([await submit(inbox, notification('P6'))])).toEqual(['notification']);
  });
});

describe('a database that is locked', () => {
  test('is waited for until the answer is due; what left the queue is not stored later', async () => {
    const inbox = openInbox({ dueAfterMs: 400 });
    const lock = holdWriteLock(directory);
    const inTransaction = submit(inbox, notification('in a transaction'.replaceAll(' ', '-')));
    await allUnderWay(inbox);
    const queued = submit(inbox, notification('queued'));
    clock.pass(399);
    // Longer than from one look for what is due to the next.
    await pause(150);
    expect(inbox.load().requests).toBe(1);
    clock.pass(1);
    expect(kinds([await inTransaction, await queued])).toEqual(['STORE_SLOW', 'STORE_SLOW']);
    lock.release();
    await inbox.drain();
    expect(kinds([await submit(inbox, notification('later'))])).toEqual(['notification']);
    // Law 2: one in a transaction may still commit.
    expect(storedPayments()).toEqual(['in-a-transaction', 'later']);
    const resend = await submit(inbox, notification('queued'));
    expect(resend).toMatchObject({ kind: 'notification', deliveries: 1 });
  });

  test('is waited for from the last byte of the body on, whenever the request is verified', async () => {
    const inbox = openInbox({ dueAfterMs: 1_000 });
    const place = await admitted(inbox);
    clock.pass(1_000);
    const lock = holdWriteLock(directory);
    const overdue = place.record(notification('overdue'));
    const inTime = submit(inbox, notification('in-time'));
    expect(kinds([await overdue])).toEqual(['STORE_SLOW']);
    lock.release();
    expect(kinds([await inTime])).toEqual(['notification']);
  });
});

describe('the queue', () => {
  test('is overloaded when the oldest has waited over 100 ms behind a full batch: who comes now is refused, who waits is stored', async () => {
    const inbox = openInbox();
    const lock = holdWriteLock(directory);
    const underWay = submit(inbox, notification('under way'));
    await allUnderWay(inbox);
    const waiting = await recordAll(inbox, 300);
    clock.pass(100);
    const early = submit(inbox, notification('early'));
    clock.pass(1);
    expect(kinds([await submit(inbox, notification('late'))])).toEqual(['QUEUE_FULL']);
    lock.release();
    expect(new Set(kinds(await Promise.all([underWay, ...waiting, early])))).toEqual(new Set(['notification']));
    expect(storedPayments()).toHaveLength(302);
    expect(kinds([await submit(inbox, notification('late'))])).toEqual(['notification']);
  });

  test('that fits into one transaction is not overloaded, however long it waits', async () => {
    const inbox = openInbox();
    const lock = holdWriteLock(directory);
    const underWay = submit(inbox, notification('under way'));
    await allUnderWay(inbox);
    const waiting = named(200).map((paymentId) => submit(inbox, notification(paymentId)));
    clock.pass(300);
    waiting.push(submit(inbox, notification('late')));
    lock.release();
    expect(new Set(kinds(await Promise.all([underWay, ...waiting])))).toEqual(new Set(['notification']));
  });

  test('is one: what waits to be verified stands behind what waits to be stored', async () => {
    const inbox = openInbox();
    const others = named(300, 'Q').map((paymentId) => notification(paymentId));
    const lock = holdWriteLock(directory);
    const underWay = submit(inbox, notification('under way'));
    await allUnderWay(inbox);
    const waiting = await recordAll(inbox, 200);
    clock.pass(300);
    // All in one turn, so that those before have not been verified yet. With 257 of both, more than a batch waits.
    const more = others.map((delivery) => submit(inbox, delivery));
    lock.release();
    expect(new Set(kinds(await Promise.all([underWay, ...waiting, ...more.slice(0, 57)])))).toEqual(
      new Set(['notification']),
    );
    expect(kinds(await Promise.all(more))).toContain('QUEUE_FULL');
  });

  test('is bounded in entries: what is over is QUEUE_FULL and not stored', async () => {
    const inbox = openInbox({ maxEntries: 3 });
    const submitted = named(8).map((paymentId) => submit(inbox, notification(paymentId)));
    expect(inbox.isFull()).toBe(true);
    expect(kinds(await Promise.all(submitted))).toEqual([
      ...named(3).map(() => 'notification'),
      ...named(5).map(() => 'QUEUE_FULL'),
    ]);
    expect(inbox.isFull()).toBe(false);
    expect(storedPayments()).toEqual(named(3));
    expect(kinds([await submit(inbox, notification('P3'))])).toEqual(['notification']);
  });

  test('is bounded in bytes, those in a transaction included', async () => {
    const padding = 'x'.repeat(1_000);
    const size = bodyOf('P0', padding).length;
    const inbox = openInbox({ maxBytes: 3 * size });
    const lock = holdWriteLock(directory);
    const first = submit(inbox, notification('P0', padding));
    await allUnderWay(inbox);
    expect(inbox.load().bytes).toBe(size);
    const others = named(3, 'Q').map((paymentId) => submit(inbox, notification(paymentId, padding)));
    // They are admitted at once, and enter the queue a moment later.
    await eventually('a full queue', inbox.isFull, (isFull) => isFull);
    lock.release();
    expect(kinds(await Promise.all([first, ...others]))).toEqual([
      'notification',
      'notification',
      'notification',
      'QUEUE_FULL',
    ]);
    expect(kinds([await submit(inbox, notification('Q2', padding))])).toEqual(['notification']);
  });

  test('never takes a body that is larger than all of it', async () => {
    const inbox = openInbox({ maxBytes: 1_000 });
    expect(kinds([await submit(inbox, notification('P1', randomBytes(1_000).toString('hex')))])).toEqual([
      'QUEUE_FULL',
    ]);
    expect(kinds([await submit(inbox, notification('P2'))])).toEqual(['notification']);
  });

  test('takes the largest body that BODY_LIMIT allows, where nothing else waits', async () => {
    const inbox = openInbox();
    expect(await inbox.admit(QUEUE_BYTES + 1)).toEqual({ kind: 'not stored', because: 'QUEUE_FULL' });
    const place = await admitted(inbox, QUEUE_BYTES);
    expect(kinds([await place.record(notification('P1'))])).toEqual(['notification']);
  });

  test('has room again for every byte once all is answered', async () => {
    const padding = 'x'.repeat(1_000);
    const inbox = openInbox({ maxBytes: 2 * bodyOf('P00', padding).length });
    for (let round = 10; round < 40; round += 1) {
      const results = await Promise.all(
        named(2, `P${round}`).map((paymentId) => submit(inbox, notification(paymentId.slice(0, 3), padding))),
      );
      expect(kinds(results)).toEqual(['notification', 'notification']);
    }
  });

  test('holds nothing for a request that was admitted and is never recorded', async () => {
    const inbox = openInbox({ maxEntries: 1, maxBytes: 1_000 });
    expect(await inbox.admit(1_000)).toMatchObject({ kind: 'place' });
    expect(inbox.isFull()).toBe(false);
    expect(kinds([await submit(inbox, notification('P1'))])).toEqual(['notification']);
    await inbox.drain();
  });

  test('is drained when all that was submitted is answered', async () => {
    const inbox = openInbox();
    await inbox.drain();
    let answered = 0;
    for (const paymentId of named(300)) {
      void submit(inbox, notification(paymentId)).then(() => {
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

const SHARE_BYTES = 10_000;
/** Takes about so many bytes of its share. */
const sized = (bytes: number, origin: SignatureOrigin): UnverifiedDelivery =>
  unverified(randomBytes(bytes / 4).toString('hex'), origin);

describe('the unverified', () => {
  test('over the number a second are UNVERIFIED_TOO_MANY, repeats included, in a batch with notifications that are stored', async () => {
    const inbox = openInbox({ unverifiedMaxPerSecond: 3 });
    const results = await submitTogether(inbox, [
      unverified('a'),
      notification('P1'),
      unverified('b'),
      unverified('a'),
      unverified('c'),
      unverified('a'),
      notification('P2'),
    ]);
    expect(kinds(results)).toEqual([
      'unverified',
      'notification',
      'unverified',
      'unverified',
      'UNVERIFIED_TOO_MANY',
      'UNVERIFIED_TOO_MANY',
      'notification',
    ]);
    expect(query(directory, 'select deliveries from unverified order by request')).toMatchObject([
      { deliveries: 2 },
      { deliveries: 1 },
    ]);
    clock.pass(999);
    expect(kinds([await submit(inbox, unverified('a'))])).toEqual(['UNVERIFIED_TOO_MANY']);
    clock.pass(1);
    expect(kinds([await submit(inbox, unverified('a'))])).toEqual(['unverified']);
  });

  test('over the number reach no queue: their delivery is never made', async () => {
    const inbox = openInbox({ unverifiedMaxPerSecond: 1 });
    const makes: string[] = [];
    const make = (name: string) => (): UnverifiedDelivery => {
      makes.push(name);
      return unverified(name);
    };
    const places = await Promise.all(named(3).map(async () => await admitted(inbox)));
    expect(inbox.refusesUnverified(0)).toBeNull();
    const recording = places.map((place, index) => place.recordUnverified(make(`P${index}`)));
    // In the same second as the first.
    expect(inbox.refusesUnverified(0)).toMatchObject({ because: 'UNVERIFIED_TOO_MANY' });
    expect(kinds(await Promise.all(recording))).toEqual(['unverified', 'UNVERIFIED_TOO_MANY', 'UNVERIFIED_TOO_MANY']);
    expect(makes).toEqual(['P0']);
  });

  test('over 32 KiB are UNVERIFIED_FULL, and use up nothing', async () => {
    const inbox = openInbox({ unverifiedMaxPerSecond: 1 });
    expect(inbox.refusesUnverified(32_768)).toBeNull();
    expect(inbox.refusesUnverified(32_769)).toMatchObject({ because: 'UNVERIFIED_FULL' });
    expect(kinds([await submit(inbox, unverified('x'.repeat(32_769)))])).toEqual(['UNVERIFIED_FULL']);
    expect(kinds([await submit(inbox, unverified('x'.repeat(32_768)))])).toEqual(['unverified']);
  });

  test('without room are UNVERIFIED_FULL; repeats are counted', async () => {
    const inbox = openInbox({ unverifiedMaxBytes: 4 * SHARE_BYTES });
    const first = sized(6_000, 'UNKNOWN');
    const results = [first, sized(6_000, 'UNKNOWN'), first, sized(6_000, 'CONFIGURED_KEY')].map(
      async (delivery) => await submit(inbox, delivery),
    );
    expect(kinds(await Promise.all(results))).toEqual(['unverified', 'UNVERIFIED_FULL', 'unverified', 'unverified']);
  });

  test('are told to be nearly full once for each share and for all, and again when there was room meanwhile', async () => {
    const told: UnverifiedRoom[] = [];
    const inbox = openInbox({
      unverifiedMaxBytes: 4 * SHARE_BYTES,
      onUnverifiedNearlyFull: (room) => told.push(room),
    });
    const shares = (): readonly string[] => told.splice(0).map(({ share }) => share);
    const fill = async (origin: SignatureOrigin, times: number): Promise<readonly string[]> => {
      for (let time = 0; time < times; time += 1) await submit(inbox, sized(1_700, origin));
      return shares();
    };
    expect(await fill('UNKNOWN', 3)).toEqual([]);
    await submit(inbox, sized(1_700, 'UNKNOWN'));
    expect(told).toMatchObject([{ share: 'UNKNOWN', maxBytes: SHARE_BYTES }]);
    expect(shares()).toEqual(['UNKNOWN']);
    expect(await fill('UNKNOWN', 20)).toEqual([]);
    expect(await fill('CONFIGURED_KEY', 20)).toEqual(['CONFIGURED_KEY']);
    expect(await fill('OTHER_KEY', 20)).toEqual(['ALL', 'OTHER_KEY']);

    await store.purgeUnverified(null);
    expect(await fill('UNKNOWN', 1)).toEqual([]);
    expect(await fill('UNKNOWN', 20)).toEqual(['UNKNOWN']);
  });

  test('that were nearly full before the service started are told of, also where there is no room for one more', async () => {
    const filling = openInbox({ unverifiedMaxBytes: 4 * SHARE_BYTES });
    for (let time = 0; time < 20; time += 1) await submit(filling, sized(900, 'UNKNOWN'));
    const told: string[] = [];
    const inbox = openInbox({
      unverifiedMaxBytes: 4 * SHARE_BYTES,
      onUnverifiedNearlyFull: ({ share }) => told.push(share),
    });
    expect(kinds([await submit(inbox, sized(9_000, 'UNKNOWN'))])).toEqual(['UNVERIFIED_FULL']);
    expect(told).toEqual(['UNKNOWN']);
  });
});

test('a store whose thread is gone answers STORE_UNAVAILABLE at once', async () => {
  const inbox = openInbox();
  await store.close();
  expect(kinds([await submit(inbox, notification('P1')), await submit(inbox, unverified('a'))])).toEqual([
    'STORE_UNAVAILABLE',
    'STORE_UNAVAILABLE',
  ]);
});

// It waits for four seconds: the others run meanwhile.
test.concurrent('a database locked for longer than a writer waits is STORE_UNAVAILABLE, and reported, until one is stored', async () => {
  const apart = makeDirectory();
  const locked = await openSqlite({ file: fileIn(apart), rules: RULES });
  const problems: unknown[] = [];
  const inbox = createInbox({
    store: locked,
    unverifiedMaxBytes: 0,
    unverifiedMaxPerSecond: 0,
    dueAfterMs: 60_000,
    onError: (problem) => problems.push(problem),
  });
  const lock = holdWriteLock(apart);
  expect(inbox.isFailing()).toBe(false);
  expect(kinds([await submit(inbox, notification('P1'))])).toEqual(['STORE_UNAVAILABLE']);
  expect(inbox.isFailing()).toBe(true);
  lock.release();
  expect(problems).toMatchObject([{ name: 'StoreUnavailableError' }]);
  expect(query(apart, 'select 1 from notifications')).toEqual([]);
  expect(kinds([await submit(inbox, notification('P1'))])).toEqual(['notification']);
  expect(inbox.isFailing()).toBe(false);
  await locked.close();
  removeDirectory(apart);
});
