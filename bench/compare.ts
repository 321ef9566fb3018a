import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { load, type LoadResult, quantile } from './load.ts';
import type { Bench } from './bench.ts';
import type { OwnServer } from '../test/support/postgres.ts';
import { type RunningServer, startDatabase, startServer } from './server.ts';
import { type Subject, subjectsOf } from './subjects.ts';
import { comparisonTargets, type Figures, measureFsync, type Results, type Target } from './targets.ts';

export interface ComparisonSizes {
  readonly rounds: number;
  /** Sent in a round; to those that are slow a part of it. */
  readonly notifications: number;
  /** Sent to each before, over many connections: Node compiles what is used often, and a service runs for weeks. */
  readonly warmUp: number;
}

export interface Comparison {
  readonly results: Results;
  readonly targets: readonly Target[];
  readonly fsyncMs: number;
}

const WARM_UP_CONNECTIONS = 64;
/** Alone on its connection one waits for the disk, and for PostgreSQL, each time: this part of the others' turn is long enough. */
const ALONE = 1 / 3;

/** A subject that runs, with what was measured of it so far. */
interface Running {
  readonly subject: Subject;
  readonly port: number;
  readonly server: RunningServer;
  readonly cpuUs: number[];
  readonly perSecond: number[];
  readonly latencies: number[];
  sent: number;
}

const start = async (bench: Bench, subject: Subject, port: number): Promise<Running> => {
  const env = { ...(await subject.prepare()), ANTOM_PUBLIC_KEY: bench.publicKey };
  const server = await startServer({ ...subject, env, port, log: join(bench.directory, 'log') });
  server.pause();
  return { subject, port, server, cpuUs: [], perSecond: [], latencies: [], sent: 0 };
};

/** Sends the next ones; throws where an answer was not the acknowledgement, or the store does not hold exactly what was acknowledged. */
const send = async (
  bench: Bench,
  one: Running,
  { count, connections }: { readonly count: number; readonly connections: number },
): Promise<{ readonly cpuUs: number; readonly result: LoadResult }> => {
  const { subject, server, port } = one;
  const requests = bench.requests(one.sent, count);
  server.resume();
  const before = server.cpu();
  const result = await load({ port, connections, requests });
  const cpuUs = (server.cpu() - before) / count;
  server.pause();
  one.sent += count;
  if (result.acknowledged !== count)
    throw new Error(`${subject.name}: other answers: ${JSON.stringify(result.others)}`);
  const stored = await subject.stored();
  if (stored !== null && stored !== one.sent)
    throw new Error(`${subject.name}: ${one.sent} acknowledged, ${stored} stored`);
  return { cpuUs, result };
};

const round = async (bench: Bench, one: Running, count: number): Promise<void> => {
  const { cpuUs, result } = await send(bench, one, { count, connections: one.subject.connections });
  one.cpuUs.push(cpuUs);
  one.perSecond.push(count / result.seconds);
  one.latencies.push(...result.latencies);
};

const finish = async ({ subject, server, cpuUs, perSecond, latencies, sent }: Running): Promise<Figures> => {
  const peakRssMiB = server.peakRss();
  server.resume();
  await server.stop();
  const sorted = Float64Array.from(latencies).sort();
  const bytes = subject.bytes();
  return {
    perSecond,
    cpuUs,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    p999Ms: quantile(sorted, 0.999),
    peakRssMiB,
    diskBytes: bytes === null ? null : bytes / sent,
  };
};

const shareOf = ({ subject }: Running, count: number): number => Math.ceil(count * (subject.share ?? 1));

/**
 * One after the other. Who does not have its turn stands still, the database server included: what one has left to
 * compile, to collect or to tidy up would be done on the core, and in the cache, of another.
 */
const takeTurns = async (
  running: readonly Running[],
  database: OwnServer,
  turn: (one: Running) => Promise<void>,
): Promise<void> => {
  const thaw = await database.freeze();
  // It could not be ended either.
  process.once('SIGINT', thaw).once('SIGTERM', thaw);
  try {
    for (const one of running) if (one.subject.usesDatabase !== true) await turn(one);
  } finally {
    thaw();
    process.off('SIGINT', thaw).off('SIGTERM', thaw);
  }
  for (const one of running) if (one.subject.usesDatabase === true) await turn(one);
};

/** All subjects take turns round by round: what else the machine does hits all alike, and each round gives ratios of its own. */
export const compare = async (
  bench: Bench,
  { rounds, notifications, warmUp }: ComparisonSizes,
): Promise<Comparison> => {
  const database = await startDatabase();
  try {
    const running: Running[] = [];
    for (const [index, subject] of subjectsOf({ directory: bench.directory, server: database }).entries()) {
      running.push(await start(bench, subject, bench.port + index));
    }
    bench.progress('warming up');
    await takeTurns(running, database, async (one) => {
      await send(bench, one, { count: shareOf(one, warmUp), connections: WARM_UP_CONNECTIONS });
    });
    for (let number = 1; number <= rounds; number += 1) {
      bench.progress(`round ${number} of ${rounds}`);
      await takeTurns(running, database, async (one) => {
        // What the one before has left for the disk must not hold up this one's commits.
        spawnSync('sync');
        await round(bench, one, shareOf(one, one.subject.connections === 1 ? notifications * ALONE : notifications));
      });
    }
    const results = new Map<string, Figures>();
    for (const one of running) results.set(one.subject.name, await finish(one));
    const fsyncMs = measureFsync();
    return {
      results,
      fsyncMs,
      targets: comparisonTargets(results, { bodyBytes: bench.bodyBytes(0, warmUp), fsyncMs }),
    };
  } finally {
    await database.stop();
  }
};
