import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { flood, type FloodResult, load, quantile } from './load.ts';
import type { Row } from './ratios.ts';
import { startServer } from './server.ts';
import { receiver, settings, storedIn } from './subjects.ts';

export interface OverloadSizes {
  /** To measure its capacity. */
  readonly notifications: number;
  /** How long the flood lasts. */
  readonly seconds: number;
}

export interface OverloadFigures {
  /** Acknowledgements a second. */
  readonly capacity: number;
  readonly flooded: FloodResult;
  readonly rows: readonly Row[];
}

const CONNECTIONS = 64;
const FLOOD_CONNECTIONS = 1_000;
const TIMES = 10;
/** Notifications that probe whether it has recovered. */
const PROBE = 64;
const GIVES_UP_AFTER_S = 20;

/** Offers the receiver ten times its capacity. */
export const overload = async (bench: Bench, { notifications, seconds }: OverloadSizes): Promise<OverloadFigures> => {
  const { directory, port, publicKey } = bench;
  const file = join(directory, 'overload.db');
  const env = { ...settings, ANTOM_PUBLIC_KEY: publicKey, DATABASE_URL: `sqlite:${file}` };
  const server = await startServer({ ...receiver, env, port, log: join(directory, 'log') });
  const requests = bench.requests(0, 2 * notifications);
  await load({ port, connections: CONNECTIONS, requests: requests.slice(0, notifications) });
  const alone = await load({ port, connections: CONNECTIONS, requests: requests.slice(notifications) });
  const capacity = alone.acknowledged / alone.seconds;
  const normalMs = quantile(alone.latencies, 0.99);

  bench.progress(`capacity: ${Math.round(capacity)} a second; now ${TIMES} times that for ${seconds} s`);
  // More than it can acknowledge in that time.
  const more = bench.requests(2 * notifications, Math.ceil(2 * capacity * seconds) + 3 * FLOOD_CONNECTIONS);
  const flooded = await flood({
    port,
    connections: FLOOD_CONNECTIONS,
    requests: more,
    perSecond: TIMES * capacity,
    seconds,
  });
  const recovered = await recovery(bench, { from: 2 * notifications + more.length, normalMs });
  const peakRssMiB = server.peakRss();
  await server.stop();

  const acknowledged = requests.length + flooded.acknowledged + recovered.acknowledged;
  const stored = storedIn(file);
  // A notification may be stored and yet get a 503, never the other way round.
  if (stored < acknowledged) throw new Error(`${acknowledged} acknowledged, ${stored} stored`);
  const others = Object.keys(flooded.others).filter((status) => status !== '503');
  if (others.length > 0) throw new Error(`other responses: ${JSON.stringify(flooded.others)}`);
  return {
    capacity,
    flooded,
    rows: [
      { figure: 'p99 of acknowledgements under overload (ms)', value: quantile(flooded.latencies, 0.99) },
      { figure: `peak RSS, ${FLOOD_CONNECTIONS} connections (MiB)`, value: peakRssMiB },
      { figure: 'recovered after (s)', value: recovered.seconds },
    ],
  };
};

/** Sends small loads until one is served as before: all acknowledged, with a p99 no worse than at full load. */
export const recovery = async (
  bench: Bench,
  { from, normalMs }: { readonly from: number; readonly normalMs: number },
): Promise<{ readonly seconds: number; readonly acknowledged: number }> => {
  const began = performance.now();
  let acknowledged = 0;
  for (let probe = 0; ; probe += 1) {
    const requests = bench.requests(from + probe * PROBE, PROBE);
    const result = await load({ port: bench.port, connections: PROBE / 4, requests });
    acknowledged += result.acknowledged;
    const seconds = (performance.now() - began) / 1_000;
    const isRecovered = result.acknowledged === PROBE && quantile(result.latencies, 0.99) <= normalMs;
    if (isRecovered || seconds > GIVES_UP_AFTER_S) return { seconds, acknowledged };
    await pause(100);
  }
};
