import { setTimeout as pause } from 'node:timers/promises';
import { type OwnServer, startOwnServer } from '../support/postgres.ts';
import { type Doings, type Left, live } from './antom/acting.ts';
import { type Apo, startApo } from './antom/apo.ts';
import { type Balancer, startBalancer } from './antom/balancer.ts';
import { readMoves, reconcile, settle } from './antom/settling.ts';
import { type Story, tellDay } from './antom/stories.ts';
import { earlyBreaches, moveBreaches, orderBreaches, wishBreaches } from './antom/verdict.ts';
import type { Campaign } from './campaign.ts';
import { createRandom } from './random.ts';
import { agree, shippingBreaches } from './shop/agreement.ts';
import {
  createWorld,
  endReplica,
  endShop,
  readLedger,
  runCommand,
  startReplica,
  startShop,
  type World,
} from './shop/world.ts';
import { type CampaignStore, createPostgres, createSqlite } from './stores.ts';

/** What the rounds of this process came to. */
export const tally = {
  payments: 0,
  moves: 0,
  lost: 0,
  killed: 0,
  verified: 0,
  fulfillable: 0,
  shipped: 0,
};

const FEW = 40;
const MANY = 1_000;
const AT_ONCE = 10;
/** Payments of a part of the day. */
const A_PART = 20;
/** The share of the parts in which somebody asks APO. */
const IMPATIENT = 0.4;
/** How long somebody who was killed is away at most. */
const AWAY_MS = 300;
/** How long after the beginning of its part of the day a fault comes at most. */
const LATER_MS = 600;

type Fault = (world: World, replicas: number) => Promise<void>;

const startAll: Fault = async (world, replicas) => {
  while (world.replicas.size < replicas) await startReplica(world);
};
const away = async ({ random }: World): Promise<void> => await pause(random.fraction() * AWAY_MS);

const killReplica: Fault = async (world, replicas) => {
  tally.killed += 1;
  await endReplica(world, world.random.pick([...world.replicas]), 'SIGKILL');
  await away(world);
  await startAll(world, replicas);
};
const killShop: Fault = async (world) => {
  await endShop(world, 'SIGKILL');
  await away(world);
  await startShop(world);
};
const killBoth: Fault = async (world, replicas) => {
  await Promise.all([killReplica(world, replicas), killShop(world, replicas)]);
};
const restartReplica: Fault = async (world, replicas) => {
  await endReplica(world, world.random.pick([...world.replicas]), 'SIGTERM');
  await startAll(world, replicas);
};
const FAULTS: readonly Fault[] = [killReplica, killReplica, killBoth, killShop, restartReplica];

/** Some at once, each as soon as one before has ended; gives what is left of them. */
const liveAll = async (doings: Doings, stories: readonly Story[]): Promise<readonly Left[]> => {
  const left: Left[] = [];
  const next = stories.values();
  const runner = async (): Promise<void> => {
    for (const story of next) {
      const rest = await live(doings, story);
      if (rest !== null) left.push(rest);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runner));
  return left;
};

/** A fault falls into each part of the day. */
const suffer = async (doings: Doings, stories: readonly Story[], replicas: number): Promise<readonly Left[]> => {
  const { world } = doings;
  const left: Left[] = [];
  let since = new Date();
  for (let begin = 0; begin < stories.length; begin += A_PART) {
    const began = new Date();
    const fault = async (): Promise<void> => {
      await pause(world.random.fraction() * LATER_MS);
      await world.random.pick(begin === 0 ? [killReplica] : FAULTS)(world, replicas);
    };
    // Somebody is impatient: what was done just now is asked about, some of it still under way.
    const asks = world.random.chance(IMPATIENT) ? reconcile(world, { since, times: 1 }) : null;
    const [rest] = await Promise.all([liveAll(doings, stories.slice(begin, begin + A_PART)), fault(), asks]);
    left.push(...rest);
    since = began;
  }
  return left;
};

const check = async (doings: Doings, stories: readonly Story[], left: readonly Left[]): Promise<void> => {
  const { world, apo, made } = doings;
  const orders = await agree(world);
  const [ledger, told, rows] = [await apo.ledger(), await apo.told(), await readMoves(world)];
  const registered = new Set(stories.filter((one) => one.registered !== 'never').map(({ request }) => request));
  const verified = (await runCommand(world, 'verify-store')) as { readonly verified: number };
  const breaches = [
    ...doings.breaches,
    ...world.between.breaches(),
    ...orderBreaches({ ledger, told, orders, registered }),
    ...moveBreaches({ ledger, rows, made }),
    ...earlyBreaches(world.between.all(), ledger),
    ...shippingBreaches(world, orders),
    ...wishBreaches({ ledger, orders, left }),
  ];
  if (breaches.length > 0) throw new Error(`${breaches.length} wrong: ${breaches.slice(0, 5).join('\n')}`);
  tally.payments += ledger.length;
  tally.moves += rows.length;
  tally.lost += told.filter(({ state }) => state === 'LOST').length;
  tally.verified += verified.verified;
  tally.fulfillable += orders.filter(({ fulfillable }) => fulfillable).length;
  tally.shipped += readLedger(world).parcels.length;
};

interface Stage {
  readonly random: ReturnType<typeof createRandom>;
  readonly store: CampaignStore;
  readonly server: OwnServer | null;
  readonly seed: number;
}

const play = async ({ random, store, server, seed }: Stage): Promise<void> => {
  const ends: { world: World | null; balancer: Balancer | null } = { world: null, balancer: null };
  ends.balancer = await startBalancer(() => {
    const replicas = [...(ends.world?.replicas ?? [])];
    return replicas.length === 0 ? null : random.pick(replicas).address;
  });
  const apo: Apo = await startApo({ seed, to: ends.balancer.address });
  const world = await createWorld(store, random, apo.environment);
  ends.world = world;
  const replicas = server === null ? 1 : 2;
  const payments = seed % 10 === 0 ? MANY : FEW;
  try {
    const since = new Date();
    await startAll(world, replicas);
    await startShop(world);
    const doings: Doings = { world, apo, made: new Map(), breaches: [] };
    const stories = tellDay(random, payments);
    const undone = await suffer(doings, stories, replicas);
    const left = await settle(doings, { left: undone, since });
    await check(doings, stories, left);
    for (const replica of world.replicas) await endReplica(world, replica, 'SIGTERM');
    await endShop(world, 'SIGTERM');
  } finally {
    for (const replica of world.replicas) replica.kill('SIGKILL');
    await endShop(world, 'SIGKILL');
    apo.program.child.kill('SIGKILL');
    await apo.program.exited;
    await ends.balancer.close();
    await world.between.close();
  }
};

const round = async (seed: number): Promise<void> => {
  const server = seed % 4 === 0 ? await startOwnServer() : null;
  const store = server === null ? createSqlite() : await createPostgres(server);
  try {
    await play({ random: createRandom(seed), store, server, seed });
  } finally {
    await server?.stop();
    store.remove();
  }
};

/**
 * The whole product against the sandbox: in the end every order says what the sandbox's ledger says, and the example shop
 * has shipped what it had to. 40 payments a round, every tenth 1,000; every fourth with two replicas on PostgreSQL.
 */
export const antom: Campaign = { name: 'antom', short: 1, long: 40, round };
