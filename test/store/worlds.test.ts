import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/order/order.ts';
import { openPostgres } from '../../src/store/postgres/postgres-store.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { startServer } from '../support/postgres.ts';
import { AMPLE, delivery, rebuildAll, RULES } from './support.ts';
import { ordersOfWorld } from './worlds/orders.ts';
import { type Act, randomWorld, SEED, WORLDS } from './worlds/world.ts';

/*
 * Random worlds of several payments with shared identities, shop orders, refunds and what cannot be read: what a store
 * says after any order of arrival in any batches is what a plain look at all facts says (worlds/orders.ts).
 */

const play = async (store: Store, act: Act, clientId: string): Promise<void> => {
  const now = new Date(act.at);
  switch (act.kind) {
    case 'notifications':
      await store.record(
        act.bodies.map((body) => delivery(body, { at: now, clientId })),
        AMPLE,
      );
      return;
    case 'registration':
      await store.register(act.registration, { replace: true, now });
      return;
    case 'refund':
      await store.registerRefund(act.registration, { replace: true, now });
  }
};

/** As it is compared: which identifiers contradict each other is told in words of the store's own. */
const comparable = ({ revision: _revision, updatedAt: _updated, attention, ...order }: Order) => ({
  ...order,
  attention: attention.map(({ code }) => code),
});

const byName = (a: Pick<Order, 'paymentId' | 'paymentRequestId'>, b: typeof a): number =>
  `${a.paymentId} ${a.paymentRequestId}` < `${b.paymentId} ${b.paymentRequestId}` ? -1 : 1;

const said = async (store: Store, clientId: string) => {
  const { items } = await store.followOrders({ clientId, limit: 100, cursor: null });
  return items.map(comparable).sort(byName);
};

interface Ground {
  readonly store: Store;
  readonly remove: () => Promise<void>;
}

const onSqlite = async (): Promise<Ground> => {
  const directory = await mkdtemp(join(tmpdir(), 'paynotify-'));
  return {
    store: await openSqlite({ file: join(directory, 'paynotify.db'), rules: RULES }),
    remove: async () => await rm(directory, { recursive: true }),
  };
};

const onPostgres = async (): Promise<Ground> => {
  const server = await startServer();
  return {
    store: await openPostgres({ url: await server.createDatabase(), rules: RULES }),
    remove: async () => await server.stop(),
  };
};

describe.each([
  ['SQLite', onSqlite],
  ['PostgreSQL', onPostgres],
])('random worlds on %s', (_, lay) => {
  let ground: Ground;
  beforeAll(async () => {
    ground = await lay();
  });
  afterAll(async () => {
    await ground.store.close();
    await ground.remove();
  });

  const seeds = Array.from({ length: WORLDS }, (_world, index) => SEED + index);
  test.each(seeds)('world %i reads as all of its facts do', async (seed) => {
    const clientId = `T_world_${seed}`;
    const acts = randomWorld(seed, clientId);
    for (const act of acts) await play(ground.store, act, clientId);
    // What was registered long ago was applied as of then.
    while ((await ground.store.sweep(new Date(), 100)) > 0);
    const expected = ordersOfWorld(acts, { clientId, rules: RULES }).map(comparable).sort(byName);
    expect(await said(ground.store, clientId)).toEqual(expected);
  });

  test('a rebuild changes nothing, and every row is as it is derived', async () => {
    expect(await rebuildAll(ground.store, 100)).toMatchObject({ changed: 0 });
    for (let cursor: string | null = null; ;) {
      const { items, next } = await ground.store.check('orders', { limit: 100, cursor });
      expect(items.flatMap(({ flaws }) => flaws)).toEqual([]);
      if (next === null) return;
      cursor = next;
    }
  });
});

/** Of each registration only the first: which of several stands would depend on who comes last. */
const withoutReplacements = (acts: readonly Act[]): readonly Act[] => {
  const seen = new Set<string>();
  return acts.filter((act) => {
    if (act.kind === 'notifications') return true;
    const { registration } = act;
    const name =
      'refundRequestId' in registration ? `refund ${registration.refundRequestId}` : registration.paymentRequestId;
    return !seen.has(name) && seen.add(name);
  });
};

describe('random worlds on PostgreSQL, everything at once from two replicas', () => {
  let stop: () => Promise<void>;
  let replicas: readonly [Store, Store];
  beforeAll(async () => {
    const server = await startServer();
    const url = await server.createDatabase();
    // All acts of a world wait for ten connections, however busy the machine is.
    const open = async (): Promise<Store> => await openPostgres({ url, rules: RULES, statementTimeoutMs: 30_000 });
    replicas = [await open(), await open()];
    stop = async () => await server.stop();
  });
  afterAll(async () => {
    for (const store of replicas) await store.close();
    await stop();
  });

  const seeds = Array.from({ length: WORLDS }, (_world, index) => SEED + index);
  test.each(seeds)('world %i reads as all of its facts do', async (seed) => {
    const clientId = `T_world_${seed}`;
    const acts = withoutReplacements(randomWorld(seed, clientId));
    await Promise.all(acts.map((act, index) => play(index % 2 === 0 ? replicas[0] : replicas[1], act, clientId)));
    while ((await replicas[0].sweep(new Date(), 100)) > 0);
    const expected = ordersOfWorld(acts, { clientId, rules: RULES }).map(comparable).sort(byName);
    expect(await said(replicas[1], clientId)).toEqual(expected);
  });
});
