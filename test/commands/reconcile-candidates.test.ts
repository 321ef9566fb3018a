import { expect, test } from '@jest/globals';
import { candidatesDue, candidatesSince } from '../../src/commands/reconcile-candidates.ts';
import { AMPLE, delivery, later, registration, T0 } from '../store/support.ts';
import { captureResult, CLIENT, jpy, paymentResult, refundResult } from '../support/facts.ts';
import { ownPlace } from './support.ts';

const place = ownPlace();
const HOUR = 3_600_000;

test('what changed since a time is asked about in the order in which it changed', async () => {
  const store = await place().opened();
  for (const [index, paymentRequestId] of ['R2', 'R1', 'R3'].entries())
    await store.register(registration({ paymentRequestId }), { replace: false, now: later(index) });
  const since = async (time: Date) => (await candidatesSince(store, [CLIENT], time)).map(({ key }) => key.id);
  expect(await since(T0)).toEqual(['R2', 'R1', 'R3'].map((id) => expect.stringContaining(id)));
  expect(await since(later(1))).toHaveLength(2);
});

const refund = (refundId: string, at: Date) => ({
  ...delivery(refundResult('S', { refundId, refundAmount: jpy('1') })),
  receivedAt: at,
});

test('of the refunds that join no payment, those are asked about that came since', async () => {
  const store = await place().opened();
  await store.record([refund('OLD', T0), refund('NEW', later(7_200))], AMPLE);
  const found = await candidatesSince(store, [CLIENT], later(3_600));
  expect(found.map(({ key }) => key)).toEqual([{ clientId: CLIENT, about: 'refundId', id: 'NEW' }]);
});

test('what is planned, and has changed since, is asked about once', async () => {
  const store = await place().opened();
  await store.record([delivery(paymentResult('U', { paymentAmount: jpy('100') }))], AMPLE);
  const now = Date.now() + 2 * HOUR;
  const [found] = await store.unplannedOrders([CLIENT], { before: now, limit: 9 });
  const key = { clientId: CLIENT, about: 'order', id: 'P1' } as const;
  const planned = { key, position: found?.position ?? '', why: 'processing', dueAt: now - HOUR };
  await store.planInquiries([planned, { ...planned, key: { ...key, id: 'P9' } }]);
  await store.record([delivery(captureResult('U', { captureId: 'C1', captureAmount: jpy('100') }))], AMPLE);
  expect(await store.dueInquiries([CLIENT], { now, limit: 9 })).toHaveLength(2);
  expect((await candidatesDue(store, [CLIENT], now)).map((one) => one.key.id)).toEqual(['P1', 'P9']);
});
