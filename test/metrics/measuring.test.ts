import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import { createMeasuring } from '../../src/metrics/measuring.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import { type Measures, type Store, StoreUnavailableError } from '../../src/store/store.ts';
import { AMPLE, delivery, RULES } from '../store/support.ts';
import { paymentResult } from '../support/facts.ts';
import { fileIn, makeDirectory, removeDirectories } from '../support/receiver.ts';

let store: Store;
beforeEach(async () => {
  store = await openSqlite({ file: fileIn(makeDirectory()), rules: RULES });
});
afterEach(async () => await store.close());
afterAll(removeDirectories);

const fail = (error: unknown): never => {
  throw error;
};
const authorized = (read: { readonly measures: Measures } | null): number | undefined =>
  read?.measures.orders.get('AUTHORIZED');

test('the store is read once a minute, however many scrape', async () => {
  let reads = 0;
  const measured = createMeasuring({
    measure: async () => {
      reads += 1;
      return await store.measure(AMPLE);
    },
    onError: fail,
  });
  await Promise.all([measured(), measured(), measured()]);
  await store.record([delivery(paymentResult('S'))], AMPLE);
  expect(authorized(await measured())).toBeUndefined();
  expect(reads).toBe(1);
});

test('it is read again once that time is over', async () => {
  const measured = createMeasuring({ measure: () => store.measure(AMPLE), onError: fail, everyMs: 0, rests: 0 });
  expect(authorized(await measured())).toBeUndefined();
  await store.record([delivery(paymentResult('S'))], AMPLE);
  expect(authorized(await measured())).toBe(1);
});

test('a reading that takes long is not soon followed by another', async () => {
  const measured = createMeasuring({ measure: () => store.measure(AMPLE), onError: fail, everyMs: 0, rests: 1e6 });
  const first = await measured();
  expect(first).not.toBeNull();
  expect(await measured()).toBe(first);
});

test('a store that is not open is asked again by the next scrape', async () => {
  let opened: Store | null = null;
  const measured = createMeasuring({ measure: () => opened?.measure(AMPLE) ?? null, onError: fail });
  expect(await measured()).toBeNull();
  opened = store;
  expect((await measured())?.measures.bytes).toBeGreaterThan(0);
});

test('a scrape does not wait for a store that does not answer', async () => {
  const answers = Promise.withResolvers<Measures>();
  const measured = createMeasuring({ measure: () => answers.promise, onError: fail });
  expect(await measured()).toBeNull();
  answers.resolve(await store.measure(AMPLE));
  expect(await measured()).not.toBeNull();
});

test('a failure is told, and what was read before stays', async () => {
  const errors: unknown[] = [];
  let isGone = false;
  const measured = createMeasuring({
    measure: async () => {
      if (isGone) throw new StoreUnavailableError('gone');
      return await store.measure(AMPLE);
    },
    onError: (error) => errors.push(error),
    everyMs: 0,
    rests: 0,
  });
  const before = await measured();
  isGone = true;
  expect(await measured()).toBe(before);
  expect(errors).toEqual([expect.objectContaining({ message: 'gone' })]);
  expect(await measured()).toBe(before);
});
