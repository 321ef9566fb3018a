import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SETTING } from '../../src/store/setting.ts';
import type { Store } from '../../src/store/store.ts';
import { createSightings, recallSeen, type Sightings } from '../../src/upkeep/sightings.ts';
import { type Databases, openDatabases } from '../store/databases.ts';
import { eventually } from '../support/client.ts';

let databases: Databases;
let store: Store;
beforeAll(async () => {
  databases = await openDatabases();
  store = await (await databases.make('PostgreSQL')).store();
});
afterAll(async () => {
  await databases.closeAll();
  await databases.remove();
});

const failed: unknown[] = [];
const begin = (...paths: readonly string[]): Sightings => {
  const sightings = createSightings(paths);
  sightings.keep(store, (error) => failed.push(error));
  return sightings;
};

describe('what was seen lately', () => {
  test('nothing at first, and what verified costs no write', async () => {
    expect(await recallSeen(store)).toEqual({ verifiedAt: null, misdirected: null });
    const sightings = begin('/payNotify');
    for (let times = 0; times < 1_000; times += 1) sightings.verified();
    await sightings.stop();
    expect(await store.recall(SETTING.seen)).toBeNull();
  });

  test('a POST on an unknown path is written down at once, the next ones within a minute or at the end', async () => {
    const sightings = begin('/payNotify', '/other');
    sightings.misdirected('/payNotify/');
    sightings.verified();
    const first = await eventually(
      'written down',
      async () => await recallSeen(store),
      (seen) => seen.misdirected !== null,
    );
    const time = expect.stringMatching(/^\d{4}-.*Z$/);
    const misdirected = { count: 1, firstAt: time, lastAt: time, path: '/payNotify/' };
    expect(first).toEqual({
      verifiedAt: time,
      misdirected: { ...misdirected, configured: ['/payNotify', '/other'] },
    });
    sightings.misdirected('/second');
    sightings.misdirected('/third');
    await sightings.stop();
    const { misdirected: last, verifiedAt } = await recallSeen(store);
    expect(last).toMatchObject({ count: 3, path: '/third', firstAt: first.misdirected?.firstAt });
    expect(verifiedAt).toBe(first.verifiedAt);
  });

  test('replicas add to one another, and the store may open late', async () => {
    const before = (await recallSeen(store)).misdirected?.count ?? 0;
    const early = createSightings(['/a']);
    early.misdirected('/b');
    const other = begin('/c');
    other.misdirected('/d');
    await other.stop();
    early.keep(store, (error) => failed.push(error));
    await early.stop();
    expect((await recallSeen(store)).misdirected).toMatchObject({ count: before + 2, path: '/b', configured: ['/a'] });
  });

  test('what could not be written is kept, and told', async () => {
    const before = (await recallSeen(store)).misdirected?.count ?? 0;
    let isBroken = true;
    const told: unknown[] = [];
    const sightings = createSightings(['/a']);
    const remember: Store['remember'] = async (...values) => {
      if (isBroken) throw new Error('no room');
      await store.remember(...values);
    };
    sightings.keep({ ...store, remember }, (error) => told.push(error));
    sightings.misdirected('/b');
    await eventually(
      'told',
      async () => await Promise.resolve(told.length),
      (length) => length === 1,
    );
    isBroken = false;
    await sightings.stop();
    expect((await recallSeen(store)).misdirected?.count).toBe(before + 1);
    expect(failed).toEqual([]);
  });
});
