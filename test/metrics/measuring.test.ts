import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { createMeasuring } from '../../src/metrics/measuring.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import { type Measures, StoreUnavailableError } from '../../src/store/store.ts';
import { AMPLE, delivery, RULES } from '../store/support.ts';
import { paymentResult } from '../support/facts.ts';
import { fileIn, makeDirectory, removeDirectories } from '../support/receiver.ts';

let empty: Measures;
let paid: Measures;
beforeAll(async () => {
  const store = await openSqlite({ file: fileIn(makeDirectory()), rules: RULES });
  empty = await store.measure(AMPLE);
  await store.record([delivery(paymentResult('S'))], AMPLE);
  paid = await store.measure(AMPLE);
  await store.close();
});
afterAll(removeDirectories);

// Time passes where a test lets it; the time of the day is the real one.
beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const SECOND = 1_000;
const pass = async (milliseconds: number): Promise<void> => await jest.advanceTimersByTimeAsync(milliseconds);

interface Reading {
  readonly takesMs?: number;
  readonly gives?: Measures | Error;
}

/** What reads a store whose readings are these, the last again and again, and how often it was read. */
const measuring = (...readings: readonly Reading[]) => {
  const errors: unknown[] = [];
  let reads = 0;
  const measured = createMeasuring({
    measure: async () => {
      const { takesMs = 0, gives = empty } = readings[Math.min(reads, readings.length - 1)] ?? {};
      reads += 1;
      if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
      if (gives instanceof Error) throw gives;
      return gives;
    },
    onError: (error) => errors.push(error),
  });
  return { measured, errors, reads: () => reads };
};

test('the store is read once a minute, however many scrape', async () => {
  const { measured, reads } = measuring({ gives: empty }, { gives: paid });
  const before = Date.now();
  const [first, ...others] = await Promise.all([measured(), measured(), measured()]);
  expect(first?.measures).toBe(empty);
  expect(first?.at).toBeGreaterThanOrEqual(before);
  await pass(60 * SECOND - 1);
  expect(new Set([...others, await measured()])).toEqual(new Set([first]));
  expect(reads()).toBe(1);
  await pass(1);
  expect((await measured())?.measures).toBe(paid);
  expect(reads()).toBe(2);
});

test('a reading that took long is followed by forty-nine times as long without one', async () => {
  const { measured, reads } = measuring({ takesMs: 2 * SECOND });
  const first = measured();
  await pass(2 * SECOND);
  await first;
  await pass(98 * SECOND - 1);
  await measured();
  expect(reads()).toBe(1);
  await pass(1);
  void measured();
  expect(reads()).toBe(2);
});

const fail = (error: unknown): never => {
  throw error;
};

test('a store that is not open is asked again by the next scrape', async () => {
  let opened: Measures | null = null;
  const measured = createMeasuring({
    measure: () => (opened === null ? null : Promise.resolve(opened)),
    onError: fail,
  });
  expect(await measured()).toBeNull();
  opened = paid;
  expect((await measured())?.measures).toBe(paid);
});

test('a scrape waits two seconds for a store that does not answer, and then has what was read before', async () => {
  const { measured, reads } = measuring({ gives: empty }, { gives: paid, takesMs: 10 * SECOND });
  const before = await measured();
  await pass(60 * SECOND);
  let answer: unknown = 'none yet';
  const scrape = async (): Promise<void> => void (answer = await measured());
  void scrape();
  await pass(2 * SECOND - 1);
  expect(answer).toBe('none yet');
  await pass(1);
  expect(answer).toBe(before);
  await pass(8 * SECOND);
  expect((await measured())?.measures).toBe(paid);
  expect(reads()).toBe(2);
});

test('a failure is told, and what was read before stays', async () => {
  const { measured, errors, reads } = measuring({ gives: empty }, { gives: new StoreUnavailableError('gone') });
  const before = await measured();
  await pass(60 * SECOND);
  expect(await measured()).toBe(before);
  expect(errors).toEqual([expect.objectContaining({ message: 'gone' })]);
  expect(await measured()).toBe(before);
  expect(reads()).toBe(2);
});
