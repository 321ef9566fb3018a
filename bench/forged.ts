import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bench } from './bench.ts';
import { flood, type FloodResult, load, quantile } from './load.ts';
import { bodyOf, forgedRequestOf } from './notifications.ts';
import { recovery } from './overload.ts';
import type { Row } from './ratios.ts';
import { type RunningServer, startServer } from './server.ts';
import { receiver, settings, storedIn } from './subjects.ts';

export interface ForgedSizes {
  /** To warm up, and to learn its usual latency. */
  readonly notifications: number;
  /** Forged requests a second that the search for saturation begins with. */
  readonly from: number;
  /** How long each step of the search lasts, and the floods at half and at twice the rate found. */
  readonly stepSeconds: number;
  readonly floodSeconds: number;
}

export interface ForgedFigures {
  /** Forged requests answered in a second, at most. */
  readonly saturation: number;
  readonly genuine: FloodResult;
  readonly forged: FloodResult;
  readonly rows: readonly Row[];
}

const CONNECTIONS = 64;
/** Enough for what comes while the machine stops for a moment. */
const FORGED_CONNECTIONS = 256;
const GENUINE_CONNECTIONS = 256;
const FLOOD_CONNECTIONS = 1_000;
const STEP = 1.4;
/** Genuine notifications a second, beside the forged requests. */
const GENUINE_PER_SECOND = 100;
/** It is saturated where less than this part of what is offered is answered in time. */
const SATURATED_BELOW = 0.9;
const PROBE_EVERY_MS = 100;

const LIMITS = { unacknowledgedPercent: 1, p99Ms: 500, readyMs: 1_000, rssMiB: 400, recoveryS: 2 };

/**
 * Sends requests whose signature is random bytes: half as many as it can refuse, with genuine ones; then twice as many.
 */
export const forge = async (bench: Bench, sizes: ForgedSizes): Promise<ForgedFigures> => {
  const { directory, port, publicKey } = bench;
  const file = join(directory, 'forged.db');
  const env = { ...settings, ANTOM_PUBLIC_KEY: publicKey, DATABASE_URL: `sqlite:${file}` };
  const server = await startServer({ ...receiver, env, port, log: join(directory, 'log') });
  const notifications = bench.requests(0, 2 * sizes.notifications);
  await load({ port, connections: CONNECTIONS, requests: notifications.slice(0, sizes.notifications) });
  const usual = await load({ port, connections: CONNECTIONS, requests: notifications.slice(sizes.notifications) });

  const attack = createAttack(port);
  const { perSecond: saturation, cpuUs } = await findSaturation(bench, { attack, server }, sizes);
  const { floodSeconds: seconds } = sizes;
  bench.progress(`saturated by ${Math.round(saturation)} forged requests a second; half of that for ${seconds} s`);
  const from = notifications.length;
  const requests = bench.requests(from, GENUINE_PER_SECOND * seconds * 2);
  const [genuine, forged, readyMs] = await Promise.all([
    flood({ port, connections: GENUINE_CONNECTIONS, requests, perSecond: GENUINE_PER_SECOND, seconds }),
    attack({ perSecond: saturation / 2, seconds, connections: FORGED_CONNECTIONS }),
    probeReadiness(port, seconds),
  ]);

  bench.progress(`now twice of what saturates it for ${seconds} s`);
  await attack({ perSecond: 2 * saturation, seconds, connections: FLOOD_CONNECTIONS });
  const recovered = await recovery(bench, { from: from + requests.length, normalMs: quantile(usual.latencies, 0.99) });
  const rssMiB = server.peakRss();
  await server.stop();

  const acknowledged = notifications.length + genuine.acknowledged + recovered.acknowledged;
  const stored = storedIn(file);
  if (stored < acknowledged) throw new Error(`${acknowledged} acknowledged, ${stored} stored`);
  return {
    saturation,
    genuine,
    forged,
    rows: rowsOf({ genuine, cpuUs, readyMs, rssMiB, recoveryS: recovered.seconds }),
  };
};

interface Measured {
  readonly genuine: FloodResult;
  readonly cpuUs: number;
  readonly readyMs: number;
  readonly rssMiB: number;
  readonly recoveryS: number;
}

const rowsOf = ({ genuine, cpuUs, readyMs, rssMiB, recoveryS }: Measured): readonly Row[] => [
  { figure: 'CPU of a forged request (µs)', value: cpuUs },
  {
    figure: 'genuine requests not acknowledged (%)',
    value: 100 * (1 - genuine.acknowledged / (answeredIn(genuine) + genuine.unsent)),
    limit: LIMITS.unacknowledgedPercent,
  },
  { figure: 'p99 of genuine requests (ms)', value: quantile(genuine.latencies, 0.99), limit: LIMITS.p99Ms },
  { figure: 'slowest /readyz (ms)', value: readyMs, limit: LIMITS.readyMs },
  { figure: `peak RSS, ${FLOOD_CONNECTIONS} connections (MiB)`, value: rssMiB, limit: LIMITS.rssMiB },
  { figure: 'recovered after (s)', value: recoveryS, limit: LIMITS.recoveryS },
];

type Attack = (flooding: {
  readonly perSecond: number;
  readonly seconds: number;
  readonly connections: number;
}) => Promise<FloodResult>;

/** More different ones than are stored in a run; those that are not stored come again. */
const DIFFERENT = 10_000;

const createAttack = (port: number): Attack => {
  const requests = Array.from({ length: DIFFERENT }, (_, n) => forgedRequestOf(bodyOf(n)));
  return async (flooding) => await flood({ port, requests, ...flooding });
};

const answeredIn = ({ acknowledged, others }: FloodResult): number =>
  Object.values(others).reduce((sum, count) => sum + count, acknowledged);

interface Saturation {
  /** The most that was answered in a second. */
  readonly perSecond: number;
  /** Of the receiver, for one of all that were answered. */
  readonly cpuUs: number;
}

/** Raises the rate until it is not answered any more, twice in a row: a shared machine may stop for a moment. */
const findSaturation = async (
  bench: Bench,
  { attack, server }: { readonly attack: Attack; readonly server: RunningServer },
  { from, stepSeconds: seconds }: ForgedSizes,
): Promise<Saturation> => {
  const cpuBefore = server.cpu();
  const answered: number[] = [];
  let total = 0;
  for (let rate = from, missed = 0; missed < 2;) {
    const result = await attack({ perSecond: rate, seconds, connections: FORGED_CONNECTIONS });
    const perSecond = answeredIn(result) / result.seconds;
    bench.progress(`${Math.round(rate)} forged requests a second: ${Math.round(perSecond)} answered`);
    answered.push(perSecond);
    total += answeredIn(result);
    missed = perSecond < rate * SATURATED_BELOW ? missed + 1 : 0;
    if (missed === 0) rate *= STEP;
  }
  return { perSecond: Math.max(...answered), cpuUs: (server.cpu() - cpuBefore) / total };
};

/**
 * The slowest response in so many seconds, in milliseconds, each on a connection of its own; infinite where one was not
 * `ready`.
 */
const probeReadiness = async (port: number, seconds: number): Promise<number> => {
  let slowest = 0;
  for (const until = performance.now() + seconds * 1_000; performance.now() < until; await pause(PROBE_EVERY_MS)) {
    const began = performance.now();
    const isReady = await fetch(`http://127.0.0.1:${port}/readyz`, { headers: { connection: 'close' } }).then(
      ({ ok }) => ok,
      () => false,
    );
    slowest = Math.max(slowest, isReady ? performance.now() - began : Number.POSITIVE_INFINITY);
  }
  return slowest;
};
