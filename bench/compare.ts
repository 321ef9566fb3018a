import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { load, type LoadResult, quantile } from './load.ts';
import type { Bench } from './bench.ts';
import type { OwnServer } from '../test/support/postgres.ts';
import { comparisonRows, type Figures, type Results, type Row } from './ratios.ts';
import { type RunningServer, startDatabase, startServer } from './server.ts';
import { type Subject, subjectsOf } from './subjects.ts';

export interface ComparisonOptions {
  readonly rounds: number;
  /** Sent to each subject in a round. */
  readonly notifications: number;
  /** Sent to each first, over many connections: Node compiles what is used often, and a receiver runs for weeks. */
  readonly warmUp: number;
  /** Another checkout, whose receiver is compared too. */
  readonly against: string | undefined;
  /** Numbers of connections, of 1, 16 and 64. */
  readonly connections: readonly number[];
}

export interface Comparison {
  readonly results: Results;
  readonly rows: readonly Row[];
}

const WARM_UP_CONNECTIONS = 64;
/** With one connection every notification waits for a commit of its own: this part of them takes long enough. */
const SINGLE_CONNECTION_SHARE = 1 / 3;

/** A subject that runs, and its measurements so far. */
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

/**
 * Sends the next notifications. Throws if a response is not the acknowledgement, or if the store does not hold exactly
 * what was acknowledged.
 */
const send = async (
  bench: Bench,
  running: Running,
  { count, connections }: { readonly count: number; readonly connections: number },
): Promise<{ readonly cpuUs: number; readonly result: LoadResult }> => {
  const { subject, server, port } = running;
  const requests = bench.requests(running.sent, count);
  server.resume();
  const before = server.cpu();
  const result = await load({ port, connections, requests });
  const cpuUs = (server.cpu() - before) / count;
  server.pause();
  running.sent += count;
  if (result.acknowledged !== count)
    throw new Error(`${subject.name}: other responses: ${JSON.stringify(result.others)}`);
  const stored = await subject.stored();
  if (stored !== null && stored !== running.sent)
    throw new Error(`${subject.name}: ${running.sent} acknowledged, ${stored} stored`);
  return { cpuUs, result };
};

const measureRound = async (bench: Bench, running: Running, notifications: number): Promise<void> => {
  const { connections } = running.subject;
  const count = Math.ceil(connections === 1 ? notifications * SINGLE_CONNECTION_SHARE : notifications);
  const { cpuUs, result } = await send(bench, running, { count, connections });
  running.cpuUs.push(cpuUs);
  running.perSecond.push(count / result.seconds);
  running.latencies.push(...result.latencies);
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

/**
 * One subject after the other. The rest are stopped (SIGSTOP), the database server included: otherwise they would
 * compile and collect garbage on the core, and in the cache, of the one that is measured.
 */
const takeTurns = async (
  subjects: readonly Running[],
  database: OwnServer,
  turn: (running: Running) => Promise<void>,
): Promise<void> => {
  const thaw = await database.freeze();
  // A stopped server could not be ended.
  process.once('SIGINT', thaw).once('SIGTERM', thaw);
  try {
    for (const running of subjects) if (running.subject.usesDatabase !== true) await turn(running);
  } finally {
    thaw();
    process.off('SIGINT', thaw).off('SIGTERM', thaw);
  }
  for (const running of subjects) if (running.subject.usesDatabase === true) await turn(running);
};

/** All subjects take turns round by round, so that other load on the machine affects them alike. */
export const compare = async (
  bench: Bench,
  { rounds, notifications, warmUp, against, connections }: ComparisonOptions,
): Promise<Comparison> => {
  const database = await startDatabase();
  try {
    const subjects: Running[] = [];
    for (const subject of subjectsOf({ directory: bench.directory, server: database, against })) {
      if (!connections.includes(subject.connections)) continue;
      subjects.push(await start(bench, subject, bench.port + subjects.length));
    }
    bench.progress('warming up');
    await takeTurns(subjects, database, async (running) => {
      await send(bench, running, { count: warmUp, connections: WARM_UP_CONNECTIONS });
    });
    for (let round = 1; round <= rounds; round += 1) {
      bench.progress(`round ${round} of ${rounds}`);
      await takeTurns(subjects, database, async (running) => {
        // What the subject before has left for the disk must not hold up the commits of this one.
        spawnSync('sync');
        await measureRound(bench, running, notifications);
      });
    }
    const results = new Map<string, Figures>();
    for (const running of subjects) results.set(running.subject.name, await finish(running));
    return { results, rows: comparisonRows(results, bench.bodyBytes(0, warmUp)) };
  } finally {
    await database.stop();
  }
};
