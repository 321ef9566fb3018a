import { setTimeout as pause } from 'node:timers/promises';
import type { Order } from '../../src/order/order.ts';
import { type OwnServer, startOwnServer } from '../support/postgres.ts';
import type { Campaign, Extent } from './campaign.ts';
import { createRandom } from './random.ts';
import { agree, shippingBreaches } from './shop/agreement.ts';
import { type Step, tellAll } from './shop/stories.ts';
import {
  createWorld,
  endReplica,
  endShop,
  insistOn,
  readLedger,
  runCommand,
  signer,
  startReplica,
  startShop,
  type World,
} from './shop/world.ts';
import { type CampaignStore, createPostgres, createSqlite } from './stores.ts';

/** One round: a shop, and paynotify on one database, to which the faults of the round happen. */
interface Stage {
  readonly world: World;
  readonly replicas: number;
  /** Null with SQLite. */
  readonly server: OwnServer | null;
  readonly stores: CampaignStore[];
  /** What a restore puts back; null before the first backup. */
  backup: CampaignStore | null;
}

type Fault = (stage: Stage) => Promise<void>;

const FAULTS_A_ROUND: Readonly<Record<Extent, number>> = { whole: 10, part: 5 };
/** How long somebody who was killed is away at most. */
const AWAY_MS = 300;

const away = async ({ world }: Stage): Promise<void> => await pause(world.random.fraction() * AWAY_MS);

const startAll = async ({ world, replicas }: Stage): Promise<void> => {
  while (world.replicas.size < replicas) await startReplica(world);
};
const endAll = async ({ world }: Stage): Promise<void> => {
  for (const replica of world.replicas) await endReplica(world, replica, 'SIGTERM');
};

const killReplica: Fault = async (stage) => {
  const { world } = stage;
  await endReplica(world, world.random.pick([...world.replicas]), 'SIGKILL');
  await away(stage);
  await startAll(stage);
};
const killShop: Fault = async (stage) => {
  await endShop(stage.world, 'SIGKILL');
  await away(stage);
  await startShop(stage.world);
};
const killBoth: Fault = async (stage) => {
  await Promise.all([killReplica(stage), killShop(stage)]);
};
const restartReplica: Fault = async (stage) => {
  const { world } = stage;
  await endReplica(world, world.random.pick([...world.replicas]), 'SIGTERM');
  await startAll(stage);
};
/** To another database of the same make, where paynotify goes on. */
const copyAway: Fault = async (stage) => {
  const { world, server, stores } = stage;
  await endAll(stage);
  const from = world.store.url;
  world.store = server === null ? createSqlite() : await createPostgres(server);
  stores.push(world.store);
  await runCommand(world, 'copy', '--from', from, '--to', world.store.url);
  await startAll(stage);
};

const fileOf = ({ url }: Pick<CampaignStore, 'url'>): string => url.slice('sqlite:'.length);

/** A backup that is older than much of what was acknowledged is put back, and what lies beside it is brought back. */
const restore: Fault = async (stage) => {
  const { world } = stage;
  if (stage.backup === null) {
    stage.backup = createSqlite();
    stage.stores.push(stage.backup);
    await runCommand(world, 'backup', fileOf(stage.backup));
    return;
  }
  await endAll(stage);
  const { kept } = (await runCommand(world, 'restore', fileOf(stage.backup))) as { readonly kept: string };
  // Sometimes it comes back while the service runs, and the shop has seen the older state meanwhile.
  const isRunning = world.random.chance(0.5);
  if (isRunning) await startAll(stage);
  await runCommand(world, 'copy', '--merge', '--from', `sqlite:${kept}`);
  await startAll(stage);
};
const restartServer: Fault = async (stage) => {
  await stage.server?.kill(stage.world.random.pick(['SIGINT', 'SIGQUIT']));
  await away(stage);
  await stage.server?.start();
};

const ON_SQLITE: readonly Fault[] = [killReplica, killShop, killBoth, restartReplica, copyAway, restore, restore];
const ON_POSTGRES: readonly Fault[] = [killReplica, killShop, killBoth, restartReplica, copyAway, restartServer];

/** Each fault falls into a part of what is still to be done. */
const sufferAll = async (stage: Stage, steps: readonly Step[], count: number): Promise<void> => {
  const { world, server } = stage;
  const faults = server === null ? ON_SQLITE : ON_POSTGRES;
  const size = Math.ceil(steps.length / count);
  for (let begin = 0; begin < steps.length; begin += size) {
    const fault = world.random.pick(faults);
    await Promise.all([insistOn(world, steps.slice(begin, begin + size)), fault(stage)]);
  }
};

const check = ({ world }: Stage, orders: readonly Order[]): void => {
  const { between } = world;
  const breaches = [...between.breaches(), ...shippingBreaches(world, orders)];
  if (breaches.length > 0) throw new Error(`${breaches.length} wrong: ${breaches.slice(0, 5).join('; ')}`);
  tally.shipped += readLedger(world).parcels.length;
  tally.callbacks += between.callbacks();
};

/** What the rounds of this process came to. */
export const tally = { shipped: 0, callbacks: 0 };

const round = async (seed: number, extent: Extent): Promise<void> => {
  const random = createRandom(seed);
  const server = seed % 6 === 0 ? await startOwnServer() : null;
  const store = server === null ? createSqlite() : await createPostgres(server);
  const world = await createWorld(store, random);
  const stage: Stage = { world, replicas: server === null ? 1 : 2, server, stores: [store], backup: null };
  try {
    await startAll(stage);
    await startShop(world);
    const { first, rest } = tellAll(signer, random);
    await insistOn(world, first);
    await sufferAll(stage, rest, FAULTS_A_ROUND[extent]);
    check(stage, await agree(world));
    await endAll(stage);
    await endShop(world, 'SIGTERM');
  } finally {
    for (const replica of world.replicas) replica.kill('SIGKILL');
    await endShop(world, 'SIGKILL');
    await world.between.close();
    await server?.stop();
    for (const one of stage.stores) one.remove();
  }
};

/**
 * The example shop follows while everything around it breaks: in the end it knows every order as it is, it has shipped
 * each order of its own at most once, and none that was not fulfillable in the revision it acted on. Ten faults a round;
 * every sixth round on PostgreSQL.
 */
export const shop: Campaign = { name: 'shop', short: 2, long: 60, round };
