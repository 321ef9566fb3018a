import { setTimeout as pause } from 'node:timers/promises';
import { startProxy, type Proxy } from '../store/proxy.ts';
import { type OwnServer, sql, startOwnServer } from '../support/postgres.ts';
import { becomesReady, type ReceiverProcess } from '../support/receiver.ts';
import { assertResendsCount, assertWell, envOf, freshSamples, startedReady, stopped } from './aftermath.ts';
import type { Campaign } from './campaign.ts';
import { createLedger, deliver, type Ledger, type Sample } from './ledger.ts';
import { createRandom, type Random } from './random.ts';
import { type CampaignStore, createPostgres, sharedServer } from './stores.ts';

/** One round: replicas that reach their database by a name, which leads to a server. */
interface Stage {
  readonly random: Random;
  readonly name: Proxy;
  readonly replicas: readonly ReceiverProcess[];
  readonly load: Load;
  server: OwnServer;
  store: CampaignStore;
}

type Fault = (stage: Stage) => Promise<void>;

const REPLICAS = 2;
const BATCH = 20;

const between = (random: Random, from: number, to: number): number => from + random.fraction() * (to - from);
const lasting = async (random: Random, from: number, to: number): Promise<void> =>
  await pause(between(random, from, to));

/** A load on all replicas: what is new, and what was sent before, all of it until it is acknowledged. */
interface Load {
  readonly ledger: Ledger;
  /** Resolves once every replica has acknowledged something that was sent after this call. */
  readonly goesOn: () => Promise<void>;
  readonly end: () => Promise<void>;
}

const startLoad = (replicas: readonly ReceiverProcess[], seed: number): Load => {
  const ledger = createLedger();
  const ending = new AbortController();
  const sent: Sample[] = [];
  const finished = replicas.map(() => 0);
  const lane = async ({ address }: ReceiverProcess, index: number): Promise<void> => {
    const random = createRandom(seed + index + 1);
    while (!ending.signal.aborted) {
      const fresh = freshSamples(random, BATCH);
      const samples = [...fresh, ...random.shuffled(sent).slice(0, BATCH / 2)];
      await deliver(address, { ledger, samples, insists: true });
      sent.push(...fresh);
      finished[index] = (finished[index] ?? 0) + 1;
      await pause(100);
    }
  };
  const lanes = Promise.all(replicas.map(lane));
  // What is wrong is thrown to whoever waits for the load.
  lanes.catch(() => {});
  return {
    ledger,
    goesOn: async () => {
      const before = [...finished];
      // One delivery may have begun earlier; the next has not.
      const isOn = (): boolean => finished.every((count, index) => count >= (before[index] ?? 0) + 2);
      while (!isOn()) await Promise.race([lanes, pause(20)]);
    },
    end: async () => {
      ending.abort();
      await lanes;
    },
  };
};

const restarted =
  (signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Fault =>
  async ({ server, random }) => {
    await server.kill(signal);
    await lasting(random, 0, 2_000);
    await server.start();
  };

/** The connections of the replicas. */
const backendsOf = async ({ server }: Stage): Promise<readonly number[]> =>
  (
    await sql<{ pid: number }>(
      server.url,
      "select pid from pg_stat_activity where application_name = 'paynotify' and backend_type = 'client backend'",
    )
  ).map(({ pid }) => pid);

const FAULTS = {
  'restarted fast': restarted('SIGINT'),
  'restarted at once': restarted('SIGQUIT'),
  'killed and started again': restarted('SIGKILL'),
  'one of its processes killed': async (stage) => {
    const pids = await backendsOf(stage);
    process.kill(stage.random.pick(pids), 'SIGKILL');
    await lasting(stage.random, 200, 1_000);
  },
  'connections ended, again and again': async (stage) => {
    for (let times = 0; times < 10; times += 1) {
      const pids = stage.random.shuffled(await backendsOf(stage)).slice(0, 3);
      await sql(stage.server.url, `select pg_terminate_backend(pid) from unnest('{${pids.join()}}'::integer[]) as pid`);
      await lasting(stage.random, 0, 200);
    }
  },
  'hung, and goes on': async ({ server, random }) => {
    const thaw = await server.freeze();
    await lasting(random, 500, 7_000).finally(thaw);
  },
  unreachable: async ({ name, random, server }) => {
    name.stall();
    // Nobody listens there.
    name.moveTo('postgres://127.0.0.1:1');
    await lasting(random, 0, 4_000);
    name.moveTo(server.url);
  },
  'connections on which nothing passes': async ({ name, random }) => {
    for (let times = 0; times < 3; times += 1) {
      name.stall();
      await lasting(random, 0, 1_500);
    }
  },
  'out of connections': async (stage) => {
    const { pathname } = new URL(stage.store.url);
    const database = pathname.slice(1);
    await sql(stage.server.url, `alter database ${database} connection limit 0`);
    await sql(stage.server.url, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}'`);
    await lasting(stage.random, 200, 3_000);
    await sql(stage.server.url, `alter database ${database} connection limit -1`);
  },
  'cut between COMMIT and its answer': async ({ name, random }) => {
    for (let times = 0; times < 10; times += 1) {
      name.loseNextCommit();
      await lasting(random, 0, 200);
    }
  },
} as const satisfies Readonly<Record<string, Fault>>;

/**
 * The primary goes, its synchronous standby takes over, the old one comes back as a standby where it can, and the name
 * moves last.
 */
const failOver = async (stage: Stage, how: 'stopped' | 'killed' | 'hung' | 'cancelled'): Promise<void> => {
  const { server: old, random, name, load } = stage;
  const standby = await old.startStandby();
  try {
    await sql(old.url, "alter system set synchronous_standby_names = '*'");
    await sql(old.url, 'select pg_reload_conf()');
    await load.goesOn();
    if (how === 'cancelled') await cancelCommits(old, standby, random);
    const thaw = how === 'hung' ? await old.freeze() : undefined;
    try {
      if (how === 'stopped' || how === 'killed') await old.kill(how === 'stopped' ? 'SIGINT' : 'SIGKILL');
      await standby.promote();
      if (how === 'stopped') await old.startBehind(standby);
      await lasting(random, 0, 3_000);
      name.moveTo(standby.url);
      await Promise.all(
        stage.replicas.map(async ({ address }) => {
          await deliver(address, { ledger: load.ledger, samples: freshSamples(random, 1), insists: true });
        }),
      );
    } finally {
      thaw?.();
    }
  } catch (error) {
    await standby.stop();
    throw error;
  }
  await old.stop();
  stage.server = standby;
  stage.store = await storeAt(standby.url, stage.store.url);
};

/** The standby is away, and COMMITs that wait for it are told to wait no more: they are in the old primary alone. */
const cancelCommits = async (old: OwnServer, standby: OwnServer, random: Random): Promise<void> => {
  await standby.kill('SIGINT');
  for (let times = 0; times < 20; times += 1) {
    await sql(old.url, "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'");
    await lasting(random, 0, 300);
  }
  await old.kill('SIGKILL');
  await standby.startBehind(old);
};

const FAIL_OVERS = {
  'failed over after a stop': async (stage) => await failOver(stage, 'stopped'),
  'failed over after a crash': async (stage) => await failOver(stage, 'killed'),
  'failed over while the old one hangs': async (stage) => await failOver(stage, 'hung'),
  'failed over after COMMITs that waited for the standby were cancelled': async (stage) =>
    await failOver(stage, 'cancelled'),
} as const satisfies Readonly<Record<string, Fault>>;

/** The same database and role at another server. */
const storeAt = async (serverUrl: string, url: string): Promise<CampaignStore> => {
  const there = new URL(url);
  there.port = new URL(serverUrl).port;
  return await createPostgres({ createDatabase: () => Promise.resolve(there.href) });
};

let roles = 0;
/** A database that belongs to a role which is nobody special. */
const createOwned = async (server: OwnServer): Promise<CampaignStore> => {
  roles += 1;
  const role = `shop_${process.pid}_${roles}`;
  const url = new URL(await server.createDatabase());
  await sql(
    server.url,
    `create role ${role} login password 'shop'; alter database ${url.pathname.slice(1)} owner to ${role}`,
  );
  url.username = role;
  url.password = 'shop';
  return await createPostgres({ createDatabase: () => Promise.resolve(url.href) });
};

const underLoad = async (stage: Stage, fault: Fault): Promise<void> => {
  const { replicas, load } = stage;
  await load.goesOn();
  await fault(stage);
  await load.goesOn();
  for (const replica of replicas) await becomesReady(replica);
  await load.end();
  for (const replica of replicas) await stopped(replica);
  const kept = { store: stage.store, ledger: load.ledger };
  await assertWell(kept);
  await assertResendsCount(kept);
};

const ALL: readonly (readonly [string, Fault])[] = [...Object.entries(FAULTS), ...Object.entries(FAIL_OVERS)];

const round = async (seed: number): Promise<void> => {
  const [what, fault] = ALL[seed % ALL.length] as (typeof ALL)[number];
  const isFailOver = what in FAIL_OVERS;
  const server = isFailOver ? await startOwnServer() : await sharedServer();
  const store = await createOwned(server);
  const name = await startProxy(store.url);
  let stage: Stage | null = null;
  try {
    const env = { ...envOf(store), DATABASE_URL: name.through(store.url) };
    const replicas = await Promise.all(Array.from({ length: REPLICAS }, async () => await startedReady(env)));
    stage = { random: createRandom(seed), name, replicas, load: startLoad(replicas, seed), server, store };
    await underLoad(stage, fault);
  } catch (error) {
    await stage?.load.end().catch(() => {});
    throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    for (const { child } of stage?.replicas ?? []) child.kill('SIGKILL');
    await name.close();
    if (isFailOver) await (stage?.server ?? server).stop();
  }
};

/**
 * PostgreSQL goes away in every way, under load with resends, on two replicas: nothing acknowledged is lost, every
 * delivery is counted, the orders are what is stored, and it all goes on by itself. The seed picks the way.
 */
export const database: Campaign = { name: 'database', short: 1, long: 100 * ALL.length, round };
