import { join } from 'node:path';
import { startOwnServer } from '../test/support/postgres.ts';
import { load, quantile } from './load.ts';
import type { Bench } from './bench.ts';
import { startServer } from './server.ts';
import { type Subject, subjectsOf } from './subjects.ts';
import { comparisonTargets, type Figures, measureFsync, median, type Results, type Target } from './targets.ts';

export interface ComparisonSizes {
  readonly rounds: number;
  /** Measured in a round; ones that are slow or alone on their connection get a sixth. */
  readonly notifications: number;
  /** Sent before: Node compiles what is used often, and a service runs for weeks. */
  readonly warmUp: number;
}

export interface Comparison {
  readonly results: Results;
  readonly targets: readonly Target[];
  readonly fsyncMs: number;
}

/** One subject, one round, on an empty database; throws where an answer was not the acknowledgement or something is lost. */
const measure = async ({ directory, publicKey, port }: Bench, subject: Subject, { round, warmUp, requests }: Round): Promise<Figures> => {
  const env = { ...(await subject.prepare(round)), ANTOM_PUBLIC_KEY: publicKey };
  const server = await startServer({ ...subject, env, port, log: join(directory, 'log') });
  const target = { port, connections: subject.connections };
  const first = await load({ ...target, requests: requests.slice(0, Math.min(warmUp, subject.notifications)) });
  const before = server.cpu();
  const run = await load({ ...target, requests: requests.slice(warmUp, warmUp + subject.notifications) });
  const cpuUs = (server.cpu() - before) / run.acknowledged;
  const peakRssMiB = server.peakRss();
  await server.stop();
  const acknowledged = first.acknowledged + run.acknowledged;
  const stored = await subject.stored();
  if (stored !== null && stored !== acknowledged) throw new Error(`${subject.name}: ${acknowledged} acknowledged, ${stored} stored`);
  if (Object.keys(run.others).length > 0) throw new Error(`${subject.name}: other answers: ${JSON.stringify(run.others)}`);
  const bytes = subject.bytes();
  return {
    perSecond: run.acknowledged / run.seconds,
    cpuUs,
    p50Ms: quantile(run.latencies, 0.5),
    p99Ms: quantile(run.latencies, 0.99),
    p999Ms: quantile(run.latencies, 0.999),
    peakRssMiB,
    diskBytes: bytes === null ? null : bytes / acknowledged,
  };
};

interface Round {
  readonly round: number;
  readonly warmUp: number;
  readonly requests: readonly Buffer[];
}

const medianOf = (its: readonly Figures[]): Figures => {
  const of = (read: (figures: Figures) => number | null): number => median(its.map((figures) => read(figures) ?? Number.NaN));
  return {
    perSecond: of(({ perSecond }) => perSecond),
    cpuUs: of(({ cpuUs }) => cpuUs),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    p999Ms: of(({ p999Ms }) => p999Ms),
    peakRssMiB: of(({ peakRssMiB }) => peakRssMiB),
    diskBytes: its.some(({ diskBytes }) => diskBytes === null) ? null : of(({ diskBytes }) => diskBytes),
  };
};

/** All subjects, interleaved round by round: noise of the machine hits all alike. */
export const compare = async (bench: Bench, { rounds, notifications, warmUp }: ComparisonSizes): Promise<Comparison> => {
  const requests = bench.requests(0, warmUp + notifications);
  const server = await startOwnServer();
  try {
    const subjects = subjectsOf({ notifications, slow: Math.ceil(notifications / 6) }, { directory: bench.directory, server });
    const measured = new Map<string, Figures[]>(subjects.map(({ name }) => [name, []]));
    for (let round = 1; round <= rounds; round += 1) {
      bench.progress(`round ${round} of ${rounds}`);
      for (const subject of subjects) measured.get(subject.name)?.push(await measure(bench, subject, { round, warmUp, requests }));
    }
    const results = new Map([...measured].map(([name, its]) => [name, medianOf(its)]));
    const fsyncMs = measureFsync();
    return { results, fsyncMs, targets: comparisonTargets(results, { bodyBytes: bench.bodyBytes(0, warmUp + notifications), fsyncMs }) };
  } finally {
    await server.stop();
  }
};
