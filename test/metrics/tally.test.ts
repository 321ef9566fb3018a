import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTally } from '../../src/metrics/tally.ts';
import { acknowledge } from '../../src/pay-notify.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import type { Delivery, Store } from '../../src/store/store.ts';
import { AMPLE, delivery, RULES, unverified } from '../store/support.ts';
import { paymentPending, paymentResult } from '../support/facts.ts';
import { fileIn, makeDirectory, removeDirectories } from '../support/receiver.ts';

let store: Store;
beforeEach(async () => {
  store = await openSqlite({ file: fileIn(makeDirectory()), rules: RULES });
});
afterEach(async () => await store.close());
afterAll(removeDirectories);

const MINUTE = 60_000;
const at = (milliseconds: number): string => new Date(milliseconds).toISOString();
const paid = (paymentId: string, paymentTime: string) => delivery(paymentResult('S', { paymentId, paymentTime }));

const tallied = async (batch: readonly Delivery[], maxBytes = AMPLE.maxBytes) => {
  const tally = createTally();
  const { results } = await store.record(batch, { maxBytes });
  tally.committed({ deliveries: batch, results, ms: 3 });
  const samples = tally.samples();
  const total = (name: string): number => (samples[name] ?? []).reduce((sum, { value }) => sum + value, 0);
  const ofHistogram = (name: string, suffix: string): number | undefined =>
    samples[name]?.find((sample) => sample.suffix === suffix)?.value;
  return { tally, total, ofHistogram };
};

test('a payment that lies ahead by the clocks took no time', async () => {
  const { ofHistogram } = await tallied([paid('P1', at(Date.now() + 5 * MINUTE))]);
  expect(ofHistogram('paymentToOrder', '_count')).toBe(1);
  expect(ofHistogram('paymentToOrder', '_sum')).toBe(0);
});

test.each([
  ['a time that is none', () => delivery(paymentResult('S', { paymentTime: 'yesterday' }))],
  ['no time', () => delivery(paymentResult('S'))],
  ['a payment under way', () => delivery(paymentPending({ paymentTime: at(Date.now()) }))],
])('%s says nothing about how long it took', async (_name, make) => {
  const { ofHistogram, total } = await tallied([make()]);
  expect(ofHistogram('paymentToOrder', '_count')).toBe(0);
  expect(total('notifications')).toBe(1);
});

test('of many payments in one moment one is a sample', async () => {
  const now = Date.now();
  const { ofHistogram, total } = await tallied(['P1', 'P2', 'P3'].map((paymentId) => paid(paymentId, at(now))));
  expect(ofHistogram('paymentToOrder', '_count')).toBe(1);
  expect(total('notifications')).toBe(3);
});

test('a batch is one observation; what had no room counts as nothing', async () => {
  const { tally, total, ofHistogram } = await tallied([unverified({ target: '/a' }), unverified({ target: '/b' })], 0);
  expect(ofHistogram('batch', '_sum')).toBe(2);
  expect([ofHistogram('commit', '_count'), ofHistogram('commit', '_sum')]).toEqual([1, 0.003]);
  expect(total('unverified')).toBe(0);
  expect(tally.lastVerifiedAt()).toBeNull();
});

test('a resend within the same batch is one', async () => {
  const one = delivery(paymentResult('S'));
  const { total } = await tallied([one, one, one]);
  expect([total('notifications'), total('resends')]).toEqual([1, 2]);
});

test('an acknowledgement is observed in seconds, and what is not stored is none', async () => {
  const tally = createTally();
  const [recorded] = (await store.record([delivery(paymentResult('S'))], AMPLE)).results;
  if (recorded?.kind !== 'notification') throw new Error('it was not stored');
  const acknowledgement = acknowledge(recorded);
  tally.watch.answered({ kind: 'acknowledged', recorded, acknowledgement, reason: null }, 250);
  tally.watch.answered({ kind: 'not stored', because: 'QUEUE_FULL', reason: null }, 9_000);
  const { acknowledge: histogram = [] } = tally.samples();
  expect(histogram.filter(({ suffix }) => suffix !== '_bucket').map(({ value }) => value)).toEqual([0.25, 1]);
});

test('diagnoses are counted by name', () => {
  const tally = createTally();
  tally.diagnosed('TEXT_CHANGED');
  expect(tally.samples()['diagnosed']).toEqual(
    expect.arrayContaining([
      { labels: { diagnosis: 'TEXT_CHANGED' }, value: 1 },
      { labels: { diagnosis: 'OTHER_KEY' }, value: 0 },
    ]),
  );
});

test('callbacks are counted by the class of their status', () => {
  const tally = createTally();
  for (const status of [200, 204, 300, 301, 400, 401, 422, 500, 503, null]) tally.posted(status);
  const { callbacksDelivered = [], callbacksFailed = [] } = tally.samples();
  expect(callbacksDelivered.map(({ value }) => value)).toEqual([2]);
  expect(callbacksFailed.map(({ labels, value }) => [labels['class'], value])).toEqual([
    ['unreachable', 1],
    ['3xx', 2],
    ['4xx', 3],
    ['5xx', 2],
  ]);
});
