import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handlers } from '../../src/handlers/index.ts';
import type { Order } from '../../src/order/order.ts';
import type { OrderRules } from '../../src/order/rules.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import type { OrderFilter, Store } from '../../src/store/store.ts';
import { type MethodReport, reportMethods } from '../../src/upkeep/methods.ts';
import { rebuildByRulesInForce, rebuildOrders } from '../../src/upkeep/rebuild.ts';
import { createSweeping } from '../../src/upkeep/sweeping.ts';
import { startUpkeep } from '../../src/upkeep/upkeep.ts';
import { AMPLE, ANY_ORDER, delivery, record, RULES } from '../store/support.ts';
import { UNREPORTED } from './support.ts';
import { eventually } from '../support/client.ts';
import { fakeTimers } from '../support/clock.ts';
import { captureResult, type Fields, jpy, paymentResult } from '../support/facts.ts';

const BY_METHOD: OrderRules = { ...RULES, captureRequired: 'methods' };

let directory = '';
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'paynotify-'));
  store = await openSqlite({ file: join(directory, 'paynotify.db'), rules: BY_METHOD });
  fakeTimers('setInterval', 'clearInterval');
});
afterEach(async () => {
  jest.useRealTimers();
  jest.restoreAllMocks();
  await store.close();
  await rm(directory, { recursive: true });
});

const HOUR = 3_600_000;
const CARD = paymentResult('S', { paymentAmount: jpy('120'), paymentMethodType: 'CARD' });

const startSweeping = () => {
  const failed: unknown[] = [];
  const ahead: string[] = [];
  const upkeep = startUpkeep({
    store,
    handlers,
    rules: BY_METHOD,
    retention: { retentionDays: null, unverifiedRetentionDays: 30 },
    report: {
      ...UNREPORTED,
      ahead: (until) => void ahead.push(until),
      failed: (_task, error) => void failed.push(error),
    },
  });
  return { upkeep, failed, ahead };
};

const listed = async (filter: Partial<OrderFilter>): Promise<readonly Order[]> =>
  (await store.listOrders({ ...ANY_ORDER, ...filter }, { limit: 9, cursor: null })).items;

const asking = async () => await listed({ nextAction: 'INQUIRE' });
const expired = async () => await listed({ attention: 'AUTHORIZATION_EXPIRED' });

test('orders that the clock changes are swept while the service runs', async () => {
  await store.record([delivery(CARD, { at: new Date() })], AMPLE);
  expect(await asking()).toEqual([]);
  const now = Date.now;
  const clock = jest.spyOn(Date, 'now');
  const { upkeep, failed } = startSweeping();
  try {
    clock.mockImplementation(() => now() + HOUR);
    const askingAfterAMinute = async () => {
      jest.advanceTimersByTime(60_000);
      return await asking();
    };
    await eventually('the sweep', askingAfterAMinute, ({ length }) => length === 1);
  } finally {
    await upkeep.stop();
  }
  expect(failed).toEqual([]);
});

test('all that is due is swept, however much; and nothing once the service stops', async () => {
  const at = new Date();
  const many = Array.from({ length: 201 }, (_, number) =>
    delivery({ ...CARD, paymentId: `P${number}`, paymentRequestId: `R${number}` }, { at }),
  );
  await store.record(many, AMPLE);
  const then = at.getTime() + 2 * HOUR;
  let isStopping = true;
  const sweep = createSweeping({ store, report: UNREPORTED, now: () => then, isStopping: () => isStopping });
  const asked = async () =>
    (await store.listOrders({ ...ANY_ORDER, nextAction: 'INQUIRE' }, { limit: 1_000, cursor: null })).items.length;
  await sweep();
  expect(await asked()).toBe(0);
  isStopping = false;
  await sweep();
  expect(await asked()).toBe(201);
});

test('orders as of a time to come are told of when the clock is set back, and at each start', async () => {
  // Its authorization ends in three days.
  await record(store, { ...CARD, paymentTime: new Date(Date.now() - 96 * HOUR).toISOString() });
  // A first start derives every order, by the clock as it is.
  await rebuildByRulesInForce(store, BY_METHOD, () => false);
  let aheadBy = 96 * HOUR;
  const told: string[] = [];
  const sweep = createSweeping({
    store,
    report: { ahead: (until) => void told.push(until) },
    now: () => Date.now() + aheadBy,
    isStopping: () => false,
  });
  await sweep();
  expect([(await expired()).length, told]).toEqual([1, []]);
  aheadBy = 0;
  await sweep();
  await sweep();
  // A clock that is put right by a minute has not gone back.
  aheadBy = -60_000;
  await sweep();
  const starts = startSweeping();
  try {
    await eventually(
      'told again',
      () => starts.ahead,
      ({ length }) => length === 1,
    );
  } finally {
    await starts.upkeep.stop();
  }
  const [latest] = await expired();
  expect(told).toEqual([latest?.updatedAt]);
  expect(starts).toMatchObject({ failed: [], ahead: [latest?.updatedAt] });
  await rebuildOrders(store);
  expect(await expired()).toEqual([]);
});

const paid = (number: number, fields: Fields): Fields =>
  paymentResult('S', {
    paymentId: `P${number}`,
    paymentRequestId: `R${number}`,
    paymentAmount: jpy('120'),
    ...fields,
  });

test('a payment method that nothing decides, or that has a capture against the list, is told once a day', async () => {
  await record(
    store,
    paid(1, { paymentMethodType: 'KLARNA' }),
    paid(2, { paymentMethodType: 'KLARNA' }),
    paid(3, {}),
    paid(4, { paymentMethodType: 'ALIPAY_CN' }),
    captureResult('S', { paymentId: 'P4', captureId: 'C4', captureAmount: jpy('120') }),
    paid(5, { paymentMethodType: 'CARD' }),
  );
  const told = async (now: Date): Promise<readonly string[]> => {
    const reports: MethodReport[] = [];
    await reportMethods(store, (report) => void reports.push(report), now);
    return reports.map(({ code, paymentId }) => `${code} ${paymentId}`).sort();
  };
  const [today, tomorrow] = [new Date(), new Date(Date.now() + 24 * HOUR)];
  expect(await told(today)).toEqual(['CAPTURE_UNDECIDED P2', 'CAPTURE_UNDECIDED P3', 'CAPTURE_UNEXPECTED P4']);
  expect(await told(today)).toEqual([]);
  await record(store, paid(6, { paymentMethodType: 'KLARNA' }), paid(7, { paymentMethodType: 'ATOME' }));
  expect(await told(today)).toEqual(['CAPTURE_UNDECIDED P7']);
  await record(store, paid(8, { paymentMethodType: 'KLARNA' }));
  expect(await told(new Date(tomorrow.getTime() - 1))).toContain('CAPTURE_UNDECIDED P8');
  // Nothing has changed for more than a day.
  expect(await told(new Date(tomorrow.getTime() + 24 * HOUR))).toEqual([]);
});
