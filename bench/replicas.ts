import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from '../test/support/postgres.ts';
import type { Bench } from './bench.ts';
import { load } from './load.ts';
import { type RunningServer, startDatabase, startServer } from './server.ts';
import { receiver, settingsWithPostgres } from './subjects.ts';

export interface ReplicasSizes {
  readonly replicas: number;
  /** For all of them together; half as many are sent first. */
  readonly notifications: number;
}

/** Of one PostgreSQL primary under several replicas. */
export interface ReplicasFigures {
  readonly perSecond: number;
  /** CPU microseconds a notification: of all replicas, and of all processes of the database server. */
  readonly receiverUs: number;
  readonly databaseUs: number;
  /** Bytes a notification: written to the write-ahead log, and on disk in the end. */
  readonly walBytes: number;
  readonly diskBytes: number;
  readonly bodyBytes: number;
  readonly notificationsPerCommit: number;
}

const CONNECTIONS = 64;

/** Several replicas on one PostgreSQL, all on this machine: the cost of a notification, and where it arises. */
export const measureReplicas = async (
  bench: Bench,
  { replicas, notifications }: ReplicasSizes,
): Promise<ReplicasFigures> => {
  const server = await startDatabase();
  try {
    const url = await server.createDatabase();
    const env = { ...settingsWithPostgres, ANTOM_PUBLIC_KEY: bench.publicKey, DATABASE_URL: url };
    const running: { readonly port: number; readonly server: RunningServer }[] = [];
    for (let index = 0; index < replicas; index += 1) {
      const port = bench.port + index;
      running.push({ port, server: await startServer({ ...receiver, env, port, log: join(bench.directory, 'log') }) });
    }
    const warmUp = Math.ceil(notifications / 2);
    const requests = bench.requests(0, warmUp + notifications);
    /** Spreads requests over the replicas; returns how many were acknowledged. */
    const send = async (all: readonly Buffer[]): Promise<number> => {
      const results = await Promise.all(
        running.map(
          async ({ port }, index) =>
            await load({ port, connections: CONNECTIONS, requests: all.filter((_, n) => n % replicas === index) }),
        ),
      );
      return results.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    };
    await send(requests.slice(0, warmUp));
    const before = await readCounters(url);
    const cpuUs = (): number => running.reduce((sum, replica) => sum + replica.server.cpu(), 0);
    const cpuBefore = cpuUs();
    const began = performance.now();
    const acknowledged = await send(requests.slice(warmUp));
    const seconds = (performance.now() - began) / 1_000;
    const receiverUs = cpuUs() - cpuBefore;
    const after = await readCounters(url);
    for (const replica of running) await replica.server.stop();
    const [stored] = await sql<{ count: string; bytes: string }>(
      url,
      'select count(*), pg_database_size(current_database()) as bytes from notifications',
    );
    if (acknowledged !== notifications || Number(stored?.count) !== requests.length)
      throw new Error(`${acknowledged} acknowledged, ${stored?.count} stored`);
    return {
      perSecond: acknowledged / seconds,
      receiverUs: receiverUs / acknowledged,
      databaseUs: (after.cpuUs - before.cpuUs) / acknowledged,
      walBytes: (after.walBytes - before.walBytes) / acknowledged,
      diskBytes: (Number(stored?.bytes) - before.emptyBytes) / requests.length,
      bodyBytes: bench.bodyBytes(0, requests.length),
      notificationsPerCommit: acknowledged / (after.commits - before.commits),
    };
  } finally {
    await server.stop();
  }
};

interface Counters {
  readonly cpuUs: number;
  readonly walBytes: number;
  readonly commits: number;
  /** The size of an empty database. */
  readonly emptyBytes: number;
}

const readCounters = async (url: string): Promise<Counters> => {
  // Backends report their counts once a second, or when they have nothing to do.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const [row] = await sql<{ pids: number[]; wal: string; commits: string; empty: string }>(
    url,
    `select array(select pid from pg_stat_activity where pid <> pg_backend_pid()) as pids,
       pg_current_wal_lsn() - '0/0' as wal,
       (select xact_commit from pg_stat_database where datname = current_database()) as commits,
       pg_database_size('template0') as empty`,
  );
  if (row === undefined) throw new Error('no counters');
  const cpuNs = row.pids
    .map((pid) => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]))
    .reduce((sum, ns) => sum + ns, 0);
  return {
    cpuUs: cpuNs / 1_000,
    walBytes: Number(row.wal),
    commits: Number(row.commits),
    emptyBytes: Number(row.empty),
  };
};
