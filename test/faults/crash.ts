import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../support/client.ts';
import { COMMAND, type Environment, type Program, runProgram } from '../support/receiver.ts';
import {
  assertResendsCount,
  assertWell,
  command,
  envOf,
  exitOf,
  freshSamples,
  rebuildAll,
  startedReady,
  stopped,
} from './aftermath.ts';
import type { Campaign } from './campaign.ts';
import { CONNECTIONS, createLedger, deliver, type Ledger } from './ledger.ts';
import { createRandom, type Random } from './random.ts';
import { type CampaignStore, createSqlite, createStore } from './stores.ts';

/** What is under way when the process is killed. */
const MOMENTS = ['load', 'start', 'migration', 'copy', 'retention', 'restore'] as const;
type Moment = (typeof MOMENTS)[number];

const NOTIFICATIONS = 60;
const MOST_KILLS = 3;
/** How long after a drawn number of acknowledgements a kill comes at most. */
const A_BATCH_MS = 10;
/** About how long a command or a start takes until its work is done; a kill falls anywhere in it. */
const COMMAND_MS = 700;

/** One database and all that happens to it. */
interface Life {
  readonly random: Random;
  readonly ledger: Ledger;
  /** Another one, once it was copied. */
  store: CampaignStore;
  readonly stores: CampaignStore[];
  env: Environment;
}

const moveTo = (life: Life, store: CampaignStore): void => {
  life.store = store;
  life.stores.push(store);
  life.env = envOf(store);
};

/** What the rounds of this process came to: that kills did fall into the midst of work. */
export const tally = { killed: 0, endedBefore: 0, acknowledged: 0, refusedOrCut: 0 };

/** Kills what runs at some moment of the next so many milliseconds, unless it has ended by itself before. */
const killWithin = async ({ random }: Life, program: Program, milliseconds: number): Promise<void> => {
  await Promise.race([program.exited, pause(random.fraction() * milliseconds)]);
  program.child.kill('SIGKILL');
  const code = await program.exited;
  if (code === 'SIGKILL') tally.killed += 1;
  else if (code === 0) tally.endedBefore += 1;
  else throw new Error(`ended with ${code}: ${JSON.stringify(program.output())}`);
};

/** A service takes some notifications and ends as it should. */
const fill = async (life: Life): Promise<void> => {
  const receiver = await startedReady(life.env);
  await deliver(receiver.address, {
    ledger: life.ledger,
    samples: freshSamples(life.random, NOTIFICATIONS),
    insists: true,
  });
  await stopped(receiver);
};

const underLoad = async (life: Life): Promise<void> => {
  const receiver = await startedReady(life.env);
  // By what was acknowledged and not by the clock: a slow machine is killed in the midst of work as well.
  let left = 1 + life.random.below(NOTIFICATIONS - CONNECTIONS);
  const enough = Promise.withResolvers<void>();
  const ledger: Ledger = {
    ...life.ledger,
    acknowledged: (sample) => {
      life.ledger.acknowledged(sample);
      left -= 1;
      if (left === 0) enough.resolve();
    },
  };
  const load = deliver(receiver.address, { ledger, samples: freshSamples(life.random, NOTIFICATIONS) });
  await Promise.race([load, enough.promise]);
  await Promise.all([load, killWithin(life, receiver, A_BATCH_MS)]);
  for (const { sent, acknowledged } of life.ledger.lines()) {
    tally.acknowledged += acknowledged;
    tally.refusedOrCut += sent - acknowledged;
  }
};

const KILL: Readonly<Record<Moment, (life: Life) => Promise<void>>> = {
  load: underLoad,
  start: async (life) => {
    if (life.random.chance(0.5)) await fill(life);
    await killWithin(life, runProgram(life.env, COMMAND), COMMAND_MS);
  },
  migration: async (life) => {
    moveTo(life, await createStore(life.store.kind));
    await killWithin(life, command(life.env, 'migrate'), COMMAND_MS);
    await exitOf(command(life.env, 'migrate'));
  },
  copy: async (life) => {
    await fill(life);
    const source = life.store;
    moveTo(life, await createStore(life.random.pick(['sqlite', 'postgres'])));
    const values = ['copy', '--from', source.url, '--to', life.store.url, '--json'];
    await killWithin(life, command(life.env, ...values), 2 * COMMAND_MS);
    await exitOf(command(life.env, ...values));
  },
  retention: async (life) => {
    await fill(life);
    await age(life.store);
    // What an order waits for is overdue now, and no sweep knows: due times were not aged.
    await rebuildAll(life.store);
    await killWithin(life, runProgram({ ...life.env, RETENTION_DAYS: '1' }, COMMAND), 2 * COMMAND_MS);
    await assertWell(life);
    const receiver = await startedReady({ ...life.env, RETENTION_DAYS: '1' });
    await eventually(
      'the old bytes removed',
      async () => await withBytes(life.store),
      (some) => some === 0,
    );
    await stopped(receiver);
  },
  restore: async (life) => await restore(life),
};

/** A backup of everything is put in the place of the database that it was made of; of SQLite only. */
const restore = async (life: Life): Promise<void> => {
  if (life.store.kind === 'postgres') return await underLoad(life);
  await fill(life);
  const backup = createSqlite();
  life.stores.push(backup);
  const file = backup.url.slice('sqlite:'.length);
  await exitOf(command(life.env, 'backup', file));
  await killWithin(life, command(life.env, 'restore', file), COMMAND_MS);
  await assertWell(life);
  await exitOf(command(life.env, 'restore', file));
};

const TWO_DAYS_MS = 2 * 24 * 60 * 60_000;

/** Everything stored was received two days earlier. */
const age = async ({ kind, query }: CampaignStore): Promise<void> => {
  await query(
    kind === 'sqlite'
      ? `update raw_batches set received_at = received_at - ${TWO_DAYS_MS}`
      : `update notifications set first_received_at = first_received_at - ${TWO_DAYS_MS}`,
  );
};

const withBytes = async ({ kind, query }: CampaignStore): Promise<number> => {
  const [row] = await query(
    kind === 'sqlite'
      ? 'select count(*) as some from raw_batches'
      : 'select count(*) as some from notifications where body is not null',
  );
  return Number(row?.['some']);
};

const round = async (seed: number): Promise<void> => {
  const random = createRandom(seed);
  const store = await createStore(seed % 2 === 0 ? 'postgres' : 'sqlite');
  const life: Life = { random, ledger: createLedger(), store, stores: [store], env: envOf(store) };
  const moments = [
    MOMENTS[Math.floor(seed / 2) % MOMENTS.length] as Moment,
    ...Array.from({ length: random.below(MOST_KILLS) }, () => random.pick<Moment>(['load', 'load', 'start'])),
  ];
  const passed: string[] = [];
  try {
    for (const moment of moments) {
      passed.push(moment);
      await KILL[moment](life);
      await assertWell(life);
    }
    passed.push('everything sent again');
    await assertResendsCount(life);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new Error(`${life.store.kind}; killed during: ${passed.join(', ')}: ${what}`, { cause: error });
  } finally {
    for (const one of life.stores) one.remove();
  }
};

/** SIGKILL at any moment of a process that writes: nothing acknowledged is lost, and no order is half derived. */
export const crash: Campaign = { name: 'crash', short: 2, long: 2_000, round };
