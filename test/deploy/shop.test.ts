import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Order } from '../../src/order/order.ts';
import { createSigner, eventually } from '../support/client.ts';
import { captureResult, jpy, paymentResult, shuffled } from '../support/facts.ts';
import { ordersOf } from '../support/orders.ts';
import { freePort } from '../support/port.ts';
import {
  endPrograms,
  type Environment,
  environmentOf,
  fileIn,
  makeDirectory,
  type ReceiverProcess,
  removeDirectories,
  startProcessReady,
} from '../support/receiver.ts';
import { createSecret, ledgerOf, orderChanged, readLedger, type Shop, startShop } from '../support/example-shop.ts';

const signer = createSigner();
const TOKENS = { ADMIN_TOKEN: 'a'.repeat(32), ADMIN_READ_TOKEN: 'r'.repeat(32) };

/** A receiver with a database of its own, and a shop with a ledger of its own. */
const place = (): { readonly directory: string; readonly ledger: string; readonly secret: string } => {
  const directory = makeDirectory();
  return { directory, ledger: join(directory, 'shop.db'), secret: createSecret() };
};
/** Loopback, so that the tests read without a token: what the shop sends along is no matter. */
const startPaynotify = async (directory: string): Promise<ReceiverProcess> =>
  await startProcessReady(environmentOf(directory, signer));
const shopEnvironment = ({ ledger, secret }: ReturnType<typeof place>, admin: string): Environment => ({
  ...TOKENS,
  LEDGER: ledger,
  CALLBACK_SECRETS: secret,
  PAYNOTIFY_URL: admin,
});
const urlOf = ({ admin: { host, port } }: ReceiverProcess): string => `http://${host}:${port}`;

const stop = async ({ kill, exited }: Pick<ReceiverProcess, 'kill' | 'exited'>): Promise<void> => {
  kill('SIGTERM');
  expect(await exited).toBe(0);
};

const capture = (number: number) =>
  signer.sign(captureResult('S', { paymentId: `P${number}`, captureId: `C${number}`, captureAmount: jpy('120') }));
const payment = (number: number, status: 'S' | 'F' = 'S') =>
  signer.sign(
    paymentResult(status, { paymentId: `P${number}`, paymentRequestId: `R${number}`, paymentAmount: jpy('120') }),
  );

const fromNow = (minutes: number): Date => new Date(Date.now() + minutes * 60_000);

afterEach(endPrograms);
afterAll(removeDirectories);

describe('the example shop follows the feed', () => {
  test('from a registration to a parcel and on, past a backup that was put back', async () => {
    const here = place();
    // The shop finds it there again.
    const environment = { ...environmentOf(here.directory, signer), ADMIN_PORT: String(await freePort()) };
    let paynotify = await startProcessReady(environment);
    let shop = await startShop(shopEnvironment(here, urlOf(paynotify)));

    const checkout = await fetch(`http://127.0.0.1:${shop.address.port}/checkout`, {
      method: 'POST',
      body: JSON.stringify({ paymentRequestId: 'R1', referenceOrderId: 'order-1', amount: jpy('120') }),
    });
    expect(checkout.status).toBe(201);
    await eventually(
      'the registration',
      () => readLedger(here.ledger).orders,
      ({ length }) => length === 1,
    );
    await paynotify.post(payment(1));
    await paynotify.post(capture(1));
    const [parcel] = await eventually(
      'a parcel',
      () => readLedger(here.ledger).parcels,
      ({ length }) => length === 1,
    );
    const order = await paynotify.order('P1');
    expect(parcel).toMatchObject({ shop_order: 'order-1', order_id: 'P1', revision: order?.revision });
    expect(readLedger(here.ledger).orders).toEqual(ledgerOf(await ordersOf(paynotify)));

    await stop(paynotify);
    copyFileSync(fileIn(here.directory), `${fileIn(here.directory)}.backup`);
    paynotify = await startProcessReady(environment);
    for (const post of [payment(1, 'F'), payment(2), capture(2)]) await paynotify.post(post);
    await eventually(
      'an order that the backup lacks',
      () => readLedger(here.ledger).parcels,
      ({ length }) => length === 2,
    );
    expect(readLedger(here.ledger).questions).toMatchObject([{ order_id: 'P1', question: /^shipped, and not/ }]);

    await stop(paynotify);
    copyFileSync(`${fileIn(here.directory)}.backup`, fileIn(here.directory));
    paynotify = await startProcessReady(environment);
    for (const number of [3, 4]) for (const post of [payment(number), capture(number)]) await paynotify.post(post);
    await eventually(
      'what came after',
      () => readLedger(here.ledger).parcels,
      ({ length }) => length === 4,
    );
    // The state of the backup is older than what the shop knows.
    expect(readLedger(here.ledger).orders.find(({ order_id }) => order_id === 'P1')).toMatchObject({ fulfillable: 0 });

    await stop(shop);
    shop = await startShop(shopEnvironment(here, urlOf(paynotify)));
    await paynotify.post(payment(1, 'F'));
    for (const post of [payment(2), capture(2)]) await paynotify.post(post);
    const orders = await ordersOf(paynotify);
    await eventually(
      'the same orders',
      () => readLedger(here.ledger).orders,
      (rows) => JSON.stringify(rows) === JSON.stringify(ledgerOf(orders)),
    );
    expect(readLedger(here.ledger).parcels.map(({ shop_order }) => shop_order)).toEqual(['R2', 'R3', 'R4', 'order-1']);
    await stop(shop);
  });
});

describe('the example shop takes callbacks', () => {
  const here = place();
  let shop: Shop;
  /** What was said of one payment, in turn: authorized, captured, contradicted. */
  let states: readonly [Order, Order, Order];
  const [authorized, captured, contradicted] = [0, 1, 2] as const;
  const callBack = async (order: Order): Promise<number> =>
    (await shop.callBack({ secret: here.secret, body: orderChanged(order) })).status;

  beforeAll(async () => {
    const paynotify = await startPaynotify(here.directory);
    const said: Order[] = [];
    for (const post of [payment(1), capture(1), payment(1, 'F')]) {
      await paynotify.post(post);
      said.push((await paynotify.order('P1')) as Order);
    }
    states = said as unknown as typeof states;
    expect(states.map(({ fulfillable }) => fulfillable)).toEqual([false, true, false]);
    await stop(paynotify);
  });
  // Nobody answers its feed: callbacks alone do.
  const start = async (more: Environment = {}): Promise<void> => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    shop = await startShop({
      ...shopEnvironment({ ...here, ledger: join(makeDirectory(), 'shop.db') }, nobody),
      ...more,
    });
  };

  test('and refuses what is not signed by a secret of its own, over these bytes, now', async () => {
    const [old, young] = [createSecret(), createSecret()];
    await start({ CALLBACK_SECRETS: `${old}, ${young}` });
    const body = orderChanged(states[captured]);
    const answers = {
      old: await shop.callBack({ secret: old, body }),
      young: await shop.callBack({ secret: young, body }),
      both: await shop.callBack({ secret: `${createSecret()},${young}`, body }),
      slow: await shop.callBack({ secret: young, body, at: fromNow(-4) }),
      stranger: await shop.callBack({ secret: createSecret(), body }),
      changed: await shop.callBack({ secret: young, signed: body, body: body.replace('CAPTURED', 'captured') }),
      late: await shop.callBack({ secret: young, body, at: fromNow(-6) }),
      early: await shop.callBack({ secret: young, body, at: fromNow(6) }),
      another: await shop.callBack({ secret: young, body: '{"type":"order.forgotten","data":{}}' }),
      text: await shop.callBack({ secret: young, body: 'order' }),
    };
    expect(Object.entries(answers).map(([name, { status }]) => [name, status])).toEqual([
      ['old', 204],
      ['young', 204],
      ['both', 204],
      ['slow', 204],
      ['stranger', 401],
      ['changed', 401],
      ['late', 401],
      ['early', 401],
      ['another', 204],
      ['text', 400],
    ]);
  });

  test('and refuses an unsigned one', async () => {
    await start();
    const response = await fetch(`http://127.0.0.1:${shop.address.port}/callbacks`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(401);
  });

  test('in any order, repeated: it acts on the greatest revision, and ships once', async () => {
    const ledger = join(makeDirectory(), 'shop.db');
    await start({ LEDGER: ledger });
    for (const index of [captured, authorized, captured] as const) expect(await callBack(states[index])).toBe(204);
    expect(readLedger(ledger).orders).toEqual(ledgerOf([states[captured]]));
    const parcels = [
      { shop_order: 'R1', client_id: signer.clientId, order_id: 'P1', revision: states[captured].revision },
    ];
    expect(readLedger(ledger)).toMatchObject({ parcels, questions: [] });

    for (const index of [contradicted, captured, contradicted] as const)
      expect(await callBack(states[index])).toBe(204);
    expect(readLedger(ledger).orders).toEqual(ledgerOf([states[contradicted]]));
    expect(readLedger(ledger)).toMatchObject({
      parcels,
      questions: [{ order_id: 'P1', revision: states[contradicted].revision, question: /^shipped, and not/ }],
    });
  });

  test('and never ships what was contradicted before it heard that it is captured', async () => {
    const ledger = join(makeDirectory(), 'shop.db');
    await start({ LEDGER: ledger });
    for (const index of [contradicted, captured] as const) expect(await callBack(states[index])).toBe(204);
    expect(readLedger(ledger)).toMatchObject({
      parcels: [],
      questions: [{ question: 'attention says what to decide' }],
    });
  });

  test('and ships a shop order once, however many payments and registrations there are', async () => {
    const ledger = join(makeDirectory(), 'shop.db');
    await start({ LEDGER: ledger });
    const order = states[captured];
    const later = { ...order, referenceOrderId: 'order-1', revision: order.revision + 1 };
    const lost = { ...order, referenceOrderId: null, revision: order.revision + 2 };
    const other = { ...later, paymentId: 'P2', paymentRequestId: 'R2' };
    for (const one of [order, later, lost, other]) expect(await callBack(one)).toBe(204);
    expect(readLedger(ledger)).toMatchObject({
      parcels: [{ shop_order: 'order-1', order_id: 'P1', revision: order.revision }],
      questions: [{ order_id: 'P2', question: /^paid again/ }],
    });
  });

  test('and has stored what it answered when it is stopped', async () => {
    const ledger = join(makeDirectory(), 'shop.db');
    await start({ LEDGER: ledger });
    await callBack(states[captured]);
    await eventually('a feed that is not answered', shop.output, ({ stderr }) => stderr.includes('\n'));
    await stop(shop);
    expect(readLedger(ledger).parcels).toHaveLength(1);
    expect(shop.output().stderr).toMatch(/^the feed is not answered: connect ECONNREFUSED \S+\n/);
  });
});

test('a shop that is killed at any point misses no order, and ships none twice', async () => {
  const here = place();
  const paynotify = await startPaynotify(here.directory);
  const states = new Map<string, Order>();
  const running = { shop: await startShop(shopEnvironment(here, urlOf(paynotify))) };
  const acknowledged: Order[] = [];
  const callBack = async (order: Order): Promise<void> => {
    const { status } = await running.shop
      .callBack({ secret: here.secret, body: orderChanged(order) })
      .catch(() => ({ status: 0 }));
    if (status === 204) acknowledged.push(order);
  };
  const numbers = Array.from({ length: 24 }, (_, number) => number);
  for (const number of numbers) {
    const posts = [payment(number), capture(number), ...(number % 4 === 0 ? [payment(number, 'F')] : [])];
    for (const post of shuffled(posts)) {
      await paynotify.post(post);
      const order = (await paynotify.order(`P${number}`)) as Order;
      states.set(`${order.paymentId} ${order.revision}`, order);
    }
    // Some, in any order, some of them again; the feed brings the rest.
    const some = shuffled([...states.values()]).slice(0, 3);
    const posted = Promise.all([...some, ...some.slice(1)].map(callBack));
    if (number % 6 === 0) {
      running.shop.kill('SIGKILL');
      await running.shop.exited;
      for (const order of acknowledged.splice(0)) {
        const row = readLedger(here.ledger).orders.find(({ order_id }) => order_id === order.paymentId);
        expect(row?.revision).toBeGreaterThanOrEqual(order.revision);
      }
      running.shop = await startShop(shopEnvironment(here, urlOf(paynotify)));
    }
    await posted;
  }
  const orders = await ordersOf(paynotify);
  expect(orders).toHaveLength(numbers.length);
  await eventually(
    'the same orders',
    () => readLedger(here.ledger).orders,
    (rows) => JSON.stringify(rows) === JSON.stringify(ledgerOf(orders)),
  );
  const { parcels, questions } = readLedger(here.ledger);
  expect(
    parcels.filter(({ order_id, revision }) => states.get(`${order_id} ${revision}`)?.fulfillable !== true),
  ).toEqual([]);
  const shipped = parcels.map(({ order_id }) => order_id);
  const fulfillable = orders.filter((order) => order.fulfillable).map(({ paymentId }) => paymentId);
  expect(fulfillable.filter((id) => id === null || !shipped.includes(id))).toEqual([]);
  expect(fulfillable).toHaveLength(18);
  const regretted = shipped.filter((id) => !fulfillable.includes(id));
  expect(regretted.filter((id) => !questions.some(({ order_id }) => order_id === id))).toEqual([]);
  await stop(running.shop);
});
