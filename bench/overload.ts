import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { flood, type FloodResult, load, quantile } from './load.ts';
import { startServer } from './server.ts';
import { service, settings, storedIn } from './subjects.ts';
import type { Target } from './targets.ts';

export interface OverloadSizes {
  /** To find out what it can carry. */
  readonly notifications: number;
  /** How long the flood lasts. */
  readonly seconds: number;
}

export interface OverloadFigures {
  /** Acknowledgements a second that it carries. */
  readonly capacity: number;
  readonly flooded: FloodResult;
  /** Seconds after the flood until it is as before. */
  readonly recoveredAfter: number;
  readonly peakRssMiB: number;
  readonly targets: readonly Target[];
}

const CONNECTIONS = 64;
const FLOOD_CONNECTIONS = 1_000;
const TIMES = 10;
/** What it may take without load, the bodies that may wait, and 128 KiB a connection. */
const RSS_MIB = 150 + 32 + FLOOD_CONNECTIONS / 8;
/** A few at a time, to see how it is. */
const PROBE = 64;
const RECOVERS_WITHIN_S = 5;
const GIVES_UP_AFTER_S = 20;

/** Ten times the load that it can carry, and what comes of it. */
export const overload = async (bench: Bench, { notifications, seconds }: OverloadSizes): Promise<OverloadFigures> => {
  const { directory, port, publicKey } = bench;
  const file = join(directory, 'overload.db');
  const env = { ...settings, ANTOM_PUBLIC_KEY: publicKey, DATABASE_URL: `sqlite:${file}` };
  const server = await startServer({ ...service, env, port, log: join(directory, 'log') });
  const requests = bench.requests(0, 2 * notifications);
  await load({ port, connections: CONNECTIONS, requests: requests.slice(0, notifications) });
  const alone = await load({ port, connections: CONNECTIONS, requests: requests.slice(notifications) });
  const capacity = alone.acknowledged / alone.seconds;
  const normalMs = quantile(alone.latencies, 0.99);

  bench.progress(`it carries ${Math.round(capacity)} a second; now ${TIMES} times that for ${seconds} s`);
  // More than it can acknowledge in that time.
  const more = bench.requests(2 * notifications, Math.ceil(2 * capacity * seconds) + 3 * FLOOD_CONNECTIONS);
  const flooded = await flood({
    port,
    connections: FLOOD_CONNECTIONS,
    requests: more,
    perSecond: TIMES * capacity,
    seconds,
  });
  const recoveredAfter = await recovery(bench, { from: 2 * notifications + more.length, normalMs });
  const peakRssMiB = server.peakRss();
  await server.stop();

  const acknowledged = requests.length + flooded.acknowledged + recoveredAfter.acknowledged;
  const stored = storedIn(file);
  // What was committed while its sender was told to come again may be stored as well: never the other way round.
  if (stored < acknowledged) throw new Error(`${acknowledged} acknowledged, ${stored} stored`);
  const others = Object.keys(flooded.others).filter((status) => status !== '503');
  if (others.length > 0) throw new Error(`other answers: ${JSON.stringify(flooded.others)}`);
  return {
    capacity,
    flooded,
    recoveredAfter: recoveredAfter.seconds,
    peakRssMiB,
    targets: [
      {
        figure: 'p99 of what it acknowledges meanwhile (ms)',
        measured: quantile(flooded.latencies, 0.99),
        bound: 1_000,
        at: 'most',
      },
      { figure: `peak RSS, ${FLOOD_CONNECTIONS} connections (MiB)`, measured: peakRssMiB, bound: RSS_MIB, at: 'most' },
      { figure: 'as before after (s)', measured: recoveredAfter.seconds, bound: RECOVERS_WITHIN_S, at: 'most' },
    ],
  };
};

/** Small loads until one is answered as before: all acknowledged, and its p99 no worse than at full load. */
const recovery = async (
  bench: Bench,
  { from, normalMs }: { readonly from: number; readonly normalMs: number },
): Promise<{ readonly seconds: number; readonly acknowledged: number }> => {
  const began = performance.now();
  let acknowledged = 0;
  for (let probe = 0; ; probe += 1) {
    const requests = bench.requests(from + probe * PROBE, PROBE);
    const answered = await load({ port: bench.port, connections: PROBE / 4, requests });
    acknowledged += answered.acknowledged;
    const seconds = (performance.now() - began) / 1_000;
    const isAsBefore = answered.acknowledged === PROBE && quantile(answered.latencies, 0.99) <= normalMs;
    if (isAsBefore || seconds > GIVES_UP_AFTER_S) return { seconds, acknowledged };
    await pause(100);
  }
};
