import { expect, jest, test } from '@jest/globals';
import { SETTING } from '../../src/store/setting.ts';
import type { Store } from '../../src/store/store.ts';
import { createSightings, recallSeen } from '../../src/upkeep/sightings.ts';
import { eventually } from '../support/client.ts';
import { ownStore } from './support.ts';

const own = ownStore('setTimeout', 'clearTimeout');
const MINUTE = 60_000;

const count = async (): Promise<number> => (await recallSeen(own())).misdirected?.count ?? 0;
const written = async (misdirected: number): Promise<void> => {
  await eventually(`${misdirected} to be written down`, count, (now) => now === misdirected);
};
/** A timer that has not come is still there. */
const isWaiting = (): boolean => jest.getTimerCount() === 1;

const begin = (changed: Partial<Store> = {}) => {
  const failed: unknown[] = [];
  const sightings = createSightings(['/a']);
  const keep = (): void => sightings.keep({ ...own(), ...changed }, (error) => void failed.push(error));
  return { sightings, failed, keep };
};

test('what was seen before the store opened is written down once it is; then once a minute', async () => {
  const { sightings, keep } = begin();
  sightings.misdirected('/b');
  expect(isWaiting()).toBe(false);
  keep();
  jest.advanceTimersByTime(0);
  await written(1);
  sightings.misdirected('/b');
  jest.advanceTimersByTime(MINUTE / 2);
  expect(isWaiting()).toBe(true);
  jest.advanceTimersByTime(MINUTE / 2);
  await written(2);
});

test('what verified is written down within a minute, however often something does; a later time stays', async () => {
  const { sightings, keep } = begin();
  keep();
  sightings.verified();
  jest.advanceTimersByTime(MINUTE / 2);
  sightings.verified();
  jest.advanceTimersByTime(MINUTE / 2);
  const verifiedAt = async (): Promise<string | null> => (await recallSeen(own())).verifiedAt;
  await eventually('a time', verifiedAt, (time) => time !== null);
  const late = '2999-01-01T00:00:00.000Z';
  await own().remember(SETTING.seen, JSON.stringify({ verifiedAt: late, misdirected: null }));
  sightings.misdirected('/b');
  sightings.verified();
  jest.advanceTimersByTime(MINUTE);
  await written(1);
  expect(await verifiedAt()).toBe(late);
});

test('a POST on an unknown path is written down at once together with what verified, and no second time for that', async () => {
  const { sightings, keep } = begin();
  keep();
  sightings.verified();
  jest.advanceTimersByTime(MINUTE / 2);
  sightings.misdirected('/b');
  expect(isWaiting()).toBe(true);
  jest.advanceTimersByTime(0);
  await written(1);
  expect(jest.getTimerCount()).toBe(0);
});

const broken = async (): Promise<never> => {
  throw new Error('no room');
};

test.each<readonly [string, Partial<Store>, number]>([
  ['the store is full', { remember: broken }, 1],
  ['another replica writes', { exclusively: async () => null }, 0],
])('what could not be written as %s is written a minute later', async (_why, changed, failures) => {
  let isBad = true;
  const { sightings, failed, keep } = begin({
    remember: async (...values) => await (isBad && changed.remember ? changed.remember : own().remember)(...values),
    exclusively: async (task, work) =>
      await (isBad && changed.exclusively ? changed.exclusively : own().exclusively)(task, work),
  });
  keep();
  sightings.misdirected('/b');
  jest.advanceTimersByTime(0);
  await eventually('another try', isWaiting, (isIt) => isIt);
  expect([await count(), failed.length]).toEqual([0, failures]);
  isBad = false;
  jest.advanceTimersByTime(MINUTE / 2);
  expect(isWaiting()).toBe(true);
  jest.advanceTimersByTime(MINUTE / 2);
  await written(1);
});

test('a store that cannot be written at the end says so itself, and nothing is written after it', async () => {
  const { sightings, failed, keep } = begin({ remember: broken });
  keep();
  sightings.misdirected('/b');
  await sightings.stop();
  expect([failed, jest.getTimerCount()]).toEqual([[], 0]);
});
