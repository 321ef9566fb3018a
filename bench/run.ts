import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startOwnServer } from '../test/support/postgres.ts';
import { load, quantile } from './load.ts';
import { bodyOf, makeKeyPair, requestOf } from './notifications.ts';
import { plot } from './plot.ts';
import { pinLoadGenerator, startServer } from './server.ts';
import { type Subject, subjectsOf } from './subjects.ts';
import { type Figures, isMet, measureFsync, median, type Target, targetsOf } from './targets.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    notifications: { type: 'string', default: '6000' },
    /** Proves that it runs, and judges nothing. */
    short: { type: 'boolean', default: false },
  },
});
const rounds = options.short ? 1 : Number(options.rounds);
const notifications = options.short ? 600 : Number(options.notifications);
const slow = Math.ceil(notifications / 6);
const warmUp = Math.ceil(notifications / 4);

const PORT = 18_480;

interface Round extends Figures {
  readonly others: Readonly<Record<string, number>>;
}

const { privateKey, publicKey } = makeKeyPair();
const directory = mkdtempSync(join(tmpdir(), 'paynotify-bench-'));

/** One subject, one round, on an empty database; throws where an answer was not the acknowledgement or something is lost. */
const measure = async (subject: Subject, { round, requests }: { readonly round: number; readonly requests: readonly Buffer[] }): Promise<Round> => {
  const env = { ...(await subject.prepare(round)), ANTOM_PUBLIC_KEY: publicKey };
  const server = await startServer({ ...subject, env, port: PORT, log: join(directory, 'log') });
  const target = { port: PORT, connections: subject.connections };
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
    others: run.others,
  };
};

const medianOf = (its: readonly Round[]): Figures => {
  const of = (read: (round: Round) => number | null): number => median(its.map((round) => read(round) ?? Number.NaN));
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

const row = (cells: readonly (string | number)[]): string =>
  cells
    .map((cell) => (typeof cell === 'number' ? cell.toFixed(2) : cell))
    .map((text, index) => (index === 0 ? text.padEnd(44) : text.padStart(11)))
    .join('');

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const showFigures = (results: ReadonlyMap<string, Figures>): void => {
  say(row(['', '/s', 'CPU µs', 'p50 ms', 'p99 ms', 'p99.9 ms', 'RSS MiB', 'disk B']));
  for (const [name, { perSecond, cpuUs, p50Ms, p99Ms, p999Ms, peakRssMiB, diskBytes }] of results) {
    say(row([name, Math.round(perSecond).toString(), cpuUs, p50Ms, p99Ms, p999Ms, peakRssMiB, diskBytes === null ? '' : Math.round(diskBytes).toString()]));
  }
};

const showTargets = (targets: readonly Target[]): void => {
  say(`\n${row(['', 'target', 'measured', ''])}`);
  for (const target of targets) {
    say(row([target.figure, `${target.at === 'most' ? '≤' : '≥'} ${target.bound.toFixed(2)}`, target.measured, isMet(target) ? 'met' : 'MISSED']));
  }
};

const main = async (): Promise<number> => {
  pinLoadGenerator();
  const bodies = Array.from({ length: warmUp + notifications }, (_, n) => bodyOf(n));
  const requests = bodies.map((body) => requestOf(body, privateKey));
  const server = await startOwnServer();
  try {
    const subjects = subjectsOf({ notifications, slow }, { directory, server });
    const measured = new Map<string, Round[]>(subjects.map(({ name }) => [name, []]));
    for (let round = 1; round <= rounds; round += 1) {
      process.stderr.write(`round ${round} of ${rounds}\n`);
      // Interleaved: noise of the machine hits all alike.
      for (const subject of subjects) measured.get(subject.name)?.push(await measure(subject, { round, requests }));
    }
    const results = new Map([...measured].map(([name, its]) => [name, medianOf(its)]));
    const fsyncMs = measureFsync();
    const targets = targetsOf(results, { bodyBytes: bodies.reduce((sum, { length }) => sum + length, 0) / bodies.length, fsyncMs });
    showFigures(results);
    showTargets(targets);
    say(`\nfsync of 4 KiB here: ${fsyncMs.toFixed(2)} ms; ${rounds} round(s) of ${notifications} notifications`);
    if (options.short) return 0;
    writeFileSync(new URL('results.json', import.meta.url), JSON.stringify({ results: Object.fromEntries(results), targets, fsyncMs }, null, 2));
    writeFileSync(new URL('results.svg', import.meta.url), plot(results));
    return targets.every(isMet) ? 0 : 1;
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
};

process.exitCode = await main();
