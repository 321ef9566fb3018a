import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openLog } from '../../src/log.ts';
import { relayReport } from '../../src/relay/report.ts';
import type { CallbackTarget } from '../../src/relay/target.ts';
import type { Store } from '../../src/store/store.ts';
import { eventually } from '../support/client.ts';
import { captureResult, CLIENT, jpy, paymentResult } from '../support/facts.ts';
import { type LogLine, makeDirectory, removeDirectories } from '../support/receiver.ts';
import { type Callback, newSecret, openShop, type Shop, status } from '../support/shop.ts';
import { type Databases, openDatabases, type TestDatabase } from '../store/databases.ts';
import { AMPLE, delivery, order, record } from '../store/support.ts';
import { allTold, begin, callbacksOf, follows, SHORT_LEASE, targetOf, type TestRelay } from './relaying.ts';

const SECRETS = [newSecret(), newSecret()];

let databases: Databases;
beforeAll(async () => {
  databases = await openDatabases();
});
const begun: TestRelay[] = [];
const shops: Shop[] = [];
afterEach(async () => {
  await Promise.all(begun.splice(0).map(async (relay) => await relay.stop()));
  await databases.closeAll();
  for (const shop of shops.splice(0)) await shop.close();
});
afterAll(async () => await databases.remove());

const open = async (secrets = SECRETS, path?: string): Promise<Shop> => {
  const shop = await openShop(secrets, path);
  shops.push(shop);
  return shop;
};

const relayTo = async (
  store: Store,
  targets: readonly CallbackTarget[],
  options?: Parameters<typeof begin>[2],
): Promise<TestRelay> => {
  const relay = await begin(store, targets, options);
  begun.push(relay);
  return relay;
};

interface Scene {
  readonly database: TestDatabase;
  readonly store: Store;
  readonly shop: Shop;
  readonly relay: TestRelay;
}

/** A shop that follows a new database. */
const setUp = async (make: 'SQLite' | 'PostgreSQL', options?: Parameters<typeof begin>[2]): Promise<Scene> => {
  const database = await databases.make(make);
  const store = await database.store();
  const shop = await open();
  const relay = await relayTo(store, [targetOf(shop.url, SECRETS)], options);
  await follows(store, shop.origin);
  return { database, store, shop, relay };
};

const paid = (id: string) =>
  paymentResult('S', { paymentId: id, paymentRequestId: `R-${id}`, paymentAmount: jpy('100') });
const captured = (id: string, captureId = 'C1', value = '100') =>
  captureResult('S', { paymentId: id, captureId: `${captureId}-${id}`, captureAmount: jpy(value) });

const receivedBy = async (shop: Shop, count: number): Promise<readonly Callback[]> =>
  await eventually(`${count} callbacks`, shop.received, (list) => list.length >= count);

describe.each(['SQLite', 'PostgreSQL'] as const)('the relay on %s', (make) => {
  test('tells the shop of every change, signed with each secret, and what it was told before', async () => {
    const { store, shop } = await setUp(make);
    await record(store, paid('P1'));
    await receivedBy(shop, 1);
    await allTold(store);
    await record(store, captured('P1'));
    const [first, second] = await receivedBy(shop, 2);
    const shown = await order(store, 'P1');
    expect(second?.order).toEqual(shown);
    expect(second?.timestamp).toBe(shown.updatedAt);
    expect(first?.previous).toBeNull();
    expect(first?.order).toMatchObject({ status: 'AUTHORIZED', fulfillable: false });
    expect(second?.previous).toEqual({
      revision: first?.order.revision,
      status: 'AUTHORIZED',
      fulfillable: false,
      nextAction: first?.order.nextAction,
    });
    for (const { id, headers, path } of shop.received()) {
      expect(id).toMatch(/^evt_[0-9a-f]{32}$/);
      expect(path).toBe('/callbacks?key=hidden');
      expect(String(headers['webhook-signature']).split(' ')).toHaveLength(SECRETS.length);
      expect(headers['content-type']).toBe('application/json');
    }
    expect(first?.id).not.toBe(second?.id);
  });

  test('several changes of one order come as one, and never are two on their way', async () => {
    const { store, shop } = await setUp(make);
    const held = Promise.withResolvers<void>();
    shop.answer(async (_, response) => {
      await held.promise;
      response.writeHead(200).end();
    });
    await record(store, paid('P1'));
    await receivedBy(shop, 1);
    for (const number of [1, 2, 3]) await record(store, captured('P1', `C${number}`, '10'));
    await eventually(
      'pending',
      async () => await callbacksOf(store, 'P1'),
      ([one]) => (one?.pending?.revision ?? 0) > (shop.received()[0]?.order.revision ?? Infinity),
    );
    held.resolve();
    await allTold(store);
    const [first, second, ...others] = shop.received();
    expect(others).toEqual([]);
    expect(second?.order.captures).toHaveLength(3);
    expect(second?.previous).toMatchObject({ revision: first?.order.revision });
    expect(second?.beside).toEqual([]);
  });

  test('a shop that is away is probed, once at a time, and its first 2xx releases all that waits', async () => {
    const { store, shop, relay } = await setUp(make);
    shop.answer(status(503));
    await record(store, paid('P0'));
    await eventually(
      'paused',
      () => relay.toldOf('paused'),
      (told) => told.length === 1,
    );
    await record(store, ...Array.from({ length: 40 }, (_, index) => paid(`P${index + 1}`)));
    await eventually(
      'all are pending',
      async () => await store.listCallbackUrls(),
      ([url]) => url?.waiting === 41,
    );
    const before = shop.received().length;
    await receivedBy(shop, before + 3);
    expect(shop.received().filter(({ beside }) => beside.length > 0)).toEqual([]);
    // The next probe is made with another order.
    expect(new Set(shop.received().map((one) => one.order.paymentId)).size).toBeGreaterThan(2);
    expect((await store.listCallbackUrls())[0]?.paused).toMatchObject({ why: 'HTTP 503' });
    shop.answer(status(200));
    await allTold(store);
    expect(relay.toldOf('paused')).toEqual([{ origin: shop.origin, why: 'HTTP 503' }]);
    expect(relay.toldOf('released')).toEqual([{ origin: shop.origin }]);
    expect((await store.listCallbackUrls())[0]).toMatchObject({ paused: null, waiting: 0 });
    // What was posted again has the id that it had.
    const ids = new Map(shop.received().map(({ id, order: { paymentId } }) => [paymentId, id]));
    expect(ids.size).toBe(41);
    expect(new Set(shop.received().map(({ id }) => id)).size).toBe(41);
  });

  test('what another took over is not written down, and posted again with the same id', async () => {
    const { database, store, shop, relay } = await setUp(make, SHORT_LEASE);
    const held = Promise.withResolvers<void>();
    shop.answer(async (_, response) => {
      await held.promise;
      response.writeHead(200).end();
    });
    await record(store, paid('P1'));
    await receivedBy(shop, 1);
    await database.sql("update leases set owner = 'another'");
    held.resolve();
    await eventually(
      'no more',
      async () => await store.takeChanges({ owner: 'another', ms: 3_000 }, [], 1),
      (it) => it !== null,
    );
    expect(await callbacksOf(store, 'P1')).toMatchObject([{ delivered: null }]);
    await store.releaseLease('another');
    await receivedBy(shop, 2);
    await allTold(store);
    const [first, second] = shop.received();
    expect(second?.id).toBe(first?.id);
    expect(second?.text).toBe(first?.text);
    expect(relay.toldOf('began').length).toBeGreaterThan(1);
    expect(relay.toldOf('failed')).toEqual([]);
  });
});

describe('what a response means', () => {
  const OF_THE_URL = [300, 301, 302, 307, 308, 401, 403, 404, 410, 429, 500, 502, 503, 599];
  const OF_THE_ORDER = [400, 402, 405, 409, 413, 422, 499];

  test('each status by its class', async () => {
    const { store, shop, relay } = await setUp('SQLite');
    const cases = [
      ...[200, 201, 202, 204].map((code) => [code, []] as const),
      ...OF_THE_URL.map((code) => [code, ['paused', 'released']] as const),
      ...OF_THE_ORDER.map((code) => [code, ['refused']] as const),
    ];
    for (const [code, expected] of cases) {
      let answered = 0;
      shop.answer((callback, response) => {
        answered += 1;
        status(answered === 1 ? code : 200, { location: `${shop.origin}/elsewhere` })(callback, response);
      });
      const told = relay.told().length;
      await record(store, paid(`P${code}`));
      await eventually(
        'answered',
        () => answered,
        (count) => count > 0,
      );
      await allTold(store);
      // The log follows what is written down.
      const kinds = await eventually(
        'the log',
        () =>
          relay
            .told()
            .slice(told)
            .map(({ kind }) => kind),
        ({ length }) => length >= expected.length,
      );
      expect([code, kinds]).toEqual([code, expected]);
      expect(answered).toBe(expected.length === 0 ? 1 : 2);
    }
    // No redirect was followed.
    expect(new Set(shop.received().map(({ path }) => path))).toEqual(new Set(['/callbacks?key=hidden']));
    expect(relay.toldOf('refused')).toHaveLength(OF_THE_ORDER.length);
    expect(relay.toldOf('paused')).toHaveLength(OF_THE_URL.length);
  });

  test('an order that the shop refuses waits by itself, and the others go on', async () => {
    const { store, shop, relay } = await setUp('SQLite', { scheduleMs: [60_000] });
    shop.answer((callback, response) => {
      status(callback.order.paymentId === 'P1' ? 422 : 200)(callback, response);
    });
    await record(store, paid('P1'), paid('P2'));
    await eventually(
      'one waits',
      async () => await store.listCallbackUrls(),
      ([url]) => url?.waiting === 1,
    );
    await record(store, paid('P3'));
    await eventually('told', shop.received, (list) => list.some((one) => one.order.paymentId === 'P3'));
    expect(relay.toldOf('refused')).toEqual([
      { origin: shop.origin, clientId: CLIENT, orderKey: 'P1', why: 'HTTP 422' },
    ]);
    // What the shop has answered is stored a moment later.
    await eventually(
      'only P1 waits',
      async () => (await store.listWaitingCallbacks({ clientId: CLIENT }, { limit: 9, cursor: null })).items,
      ([first, ...others]) => others.length === 0 && first?.orderKey === 'P1' && first.pending?.why === 'HTTP 422',
    );
  });

  test('no answer in time; of one that stops in the middle the status counts', async () => {
    const { store, shop, relay } = await setUp('SQLite', { postTimeoutMs: 300 });
    shop.answer(() => undefined);
    await record(store, paid('P1'));
    const reasons = await eventually(
      'paused',
      () => relay.toldOf('paused'),
      ({ length }) => length > 0,
    );
    expect(reasons).toEqual([{ origin: shop.origin, why: 'no response within 0.3 s' }]);
    shop.answer((_, response) => {
      response.writeHead(200).write('x');
    });
    await allTold(store);
    expect(relay.toldOf('failed')).toEqual([]);
  });

  test('a connection that breaks, and a long response', async () => {
    const { store, shop, relay } = await setUp('SQLite');
    shop.answer((_, response) => {
      response.socket?.destroy();
    });
    await record(store, paid('P2'));
    const reasons = await eventually(
      'paused',
      () => relay.toldOf('paused'),
      ({ length }) => length > 0,
    );
    expect(reasons).toEqual([{ origin: shop.origin, why: 'no connection: ECONNRESET' }]);
    shop.answer(status(200));
    await allTold(store);
    // The status counts, however long the rest of the response is.
    shop.answer((_, response) => {
      response.writeHead(200).write('x'.repeat(100_000));
    });
    await record(store, paid('P3'));
    await allTold(store);
    expect(relay.toldOf('paused')).toHaveLength(1);
    expect(relay.toldOf('failed')).toEqual([]);
  });

  test('Retry-After is heeded', async () => {
    const { store, shop } = await setUp('SQLite');
    shop.answer(status(429, { 'retry-after': '120' }));
    await record(store, paid('P1'));
    const [url] = await eventually(
      'paused',
      async () => await store.listCallbackUrls(),
      ([one]) => (one?.paused ?? null) !== null,
    );
    expect(Date.parse(url?.paused?.until ?? '') - Date.parse(url?.paused?.since ?? '')).toBeGreaterThan(110_000);
  });
});

describe('relays', () => {
  test('two on one database: one posts, and when it stops the other goes on at once', async () => {
    const database = await databases.make('PostgreSQL');
    const [one, two] = [await database.store(), await database.store()];
    const shop = await open();
    const targets = [targetOf(shop.url, SECRETS)];
    const relays = [await relayTo(one, targets, SHORT_LEASE), await relayTo(two, targets, SHORT_LEASE)];
    await follows(one, shop.origin);
    for (let number = 0; number < 20; number += 1) await record(one, paid(`P${number}`));
    await allTold(one);
    const leading = relays.filter((relay) => relay.toldOf('began').length > 0);
    expect(leading).toHaveLength(1);
    expect(shop.received()).toHaveLength(20);
    await leading[0]?.stop();
    await record(one, paid('P20'));
    await allTold(one);
    expect(shop.received()).toHaveLength(21);
    expect(relays.map((relay) => relay.toldOf('failed'))).toEqual([[], []]);
  });

  test('one that ends without a word is followed by the other once its lease has run out', async () => {
    const database = await databases.make('PostgreSQL');
    const dying = await database.open();
    const store = await database.store();
    const shop = await open();
    const targets = [targetOf(shop.url, SECRETS)];
    await relayTo(dying, targets, SHORT_LEASE);
    await follows(store, shop.origin);
    const other = await relayTo(store, targets, SHORT_LEASE);
    // It has posted, and can write nothing down.
    shop.answer(async (_, response) => {
      await dying.close();
      response.writeHead(200).end();
    });
    await record(store, paid('P1'));
    await receivedBy(shop, 1);
    shop.answer(status(200));
    await allTold(store);
    const [first, second] = shop.received();
    expect(second?.id).toBe(first?.id);
    expect(other.toldOf('began')).toHaveLength(1);
  });

  test('each client has its URL, and what several share is one', async () => {
    const database = await databases.make('SQLite');
    const store = await database.store();
    const shop = await open();
    const own = await open([SECRETS[0] as string]);
    const relay = await relayTo(store, [
      targetOf(shop.url, SECRETS),
      targetOf(shop.url, SECRETS, 'T_second'),
      targetOf(own.url, [SECRETS[0] as string], 'T_third'),
    ]);
    await follows(store, own.origin);
    await store.record(
      [CLIENT, 'T_second', 'T_third'].map((clientId) => delivery(paid(`P-${clientId}`), { clientId })),
      AMPLE,
    );
    await allTold(store);
    expect(
      shop
        .received()
        .map((one) => one.order.clientId)
        .sort(),
    ).toEqual(['T_client', 'T_second']);
    expect(own.received().map((one) => one.order.clientId)).toEqual(['T_third']);

    relay.use([targetOf(own.url, [SECRETS[0] as string], 'T_third')]);
    await eventually(
      'in use',
      async () => (await store.listCallbackUrls()).map(({ inUse }) => inUse),
      (inUse) => inUse.join() === 'false,false,true',
    );
    relay.use([]);
    await eventually(
      'none',
      async () => await store.listCallbackUrls(),
      (urls) => urls.every(({ inUse }) => !inUse),
    );
  });

  test('one that stops waits only for a moment for what is on its way', async () => {
    const { store, shop, relay } = await setUp('SQLite', { leaseMs: 15_000, postTimeoutMs: 10_000 });
    shop.answer(() => undefined);
    await record(store, paid('P1'));
    await receivedBy(shop, 1);
    await relay.stop();
    expect(await store.takeLease({ owner: 'another', ms: 1_000 }, { starting: false })).toBe(true);
    expect(await callbacksOf(store, 'P1')).toMatchObject([{ delivered: null, pending: { attempts: 0 } }]);
  });
});

test('the log names the order that a shop refuses, also one that is only registered, and why callbacks are late', async () => {
  const directory = makeDirectory();
  const file = join(directory, 'log.jsonl');
  const descriptor = openSync(file, 'a');
  const { log, close } = openLog({ level: 'info', pretty: false, descriptor });
  const { refused, late } = relayReport(log);
  const one = { clientId: CLIENT, origin: 'https://shop.example' };
  refused({ ...one, orderKey: 'P1', why: 'HTTP 422' });
  refused({ ...one, orderKey: ' R1', why: 'HTTP 409' });
  const since = '2025-06-01T00:00:00.000Z';
  const url = { ...one, inUse: true, followedSince: since, deliveredAt: null, waiting: 2, waitingSince: since };
  late({ ...url, why: 'HTTP 422', paused: null });
  late({ ...url, why: null, paused: null });
  await close();
  closeSync(descriptor);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  removeDirectories();
  expect(lines.map((line) => JSON.parse(line) as LogLine)).toEqual([
    expect.objectContaining({ ...one, paymentId: 'P1', problem: 'HTTP 422' }),
    expect.objectContaining({ ...one, paymentRequestId: 'R1', problem: 'HTTP 409' }),
    expect.objectContaining({ ...one, count: 2, problem: `since ${since}: HTTP 422` }),
    expect.objectContaining({ ...one, count: 2, problem: `since ${since}` }),
  ]);
});
