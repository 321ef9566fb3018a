import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readStoreConfig } from '../src/config.ts';
import { openSqlite } from '../src/store/sqlite/sqlite-store.ts';
import { putRulesInForce, rememberDerivedBy } from '../src/upkeep/in-force.ts';
import type { Bench } from './bench.ts';
import { deliveryOf } from './delivery.ts';
import { load } from './load.ts';
import { bodyOf } from './notifications.ts';
import { median, type Row } from './ratios.ts';
import { startServer } from './server.ts';
import { receiver, settings, storedIn } from './subjects.ts';

export interface RowsSizes {
  /** Notifications stored beforehand. */
  readonly rows: number;
  readonly rounds: number;
  /** Measured in a round; a third as many are sent first. */
  readonly notifications: number;
}

export interface RowsFigures {
  /** Acknowledgements a second, medians over the rounds. */
  readonly none: number;
  readonly full: number;
  readonly ratio: Row;
}

const CONNECTIONS = 64;

/** Throughput with so many notifications stored, and with none, in turn. */
export const compareRows = async (bench: Bench, { rows, rounds, notifications }: RowsSizes): Promise<RowsFigures> => {
  const full = join(bench.directory, 'full.db');
  const none = join(bench.directory, 'none.db');
  await fill(full, rows, bench.progress);
  const measured: { readonly none: number[]; readonly full: number[] } = { none: [], full: [] };
  const warmUp = Math.ceil(notifications / 3);
  for (let round = 1; round <= rounds; round += 1) {
    bench.progress(`round ${round} of ${rounds}`);
    // Numbers above those that are stored: as at APO, ids grow with time.
    const first = rows + (round - 1) * (warmUp + notifications);
    const requests = bench.requests(first, warmUp + notifications);
    for (const suffix of ['', '-wal', '-shm']) rmSync(none + suffix, { force: true });
    measured.none.push(await throughput(bench, { file: none, requests, warmUp, before: 0 }));
    measured.full.push(await throughput(bench, { file: full, requests, warmUp, before: first }));
  }
  const medians = { none: median(measured.none), full: median(measured.full) };
  const figure = `throughput, ${rows.toLocaleString('en')} stored ÷ none`;
  return { ...medians, ratio: { figure, value: medians.full / medians.none } };
};

interface Run {
  readonly file: string;
  readonly requests: readonly Buffer[];
  readonly warmUp: number;
  /** How many notifications the file holds. */
  readonly before: number;
}

const throughput = async (
  { directory, publicKey, port }: Bench,
  { file, requests, warmUp, before }: Run,
): Promise<number> => {
  const env = { ...settings, ANTOM_PUBLIC_KEY: publicKey, DATABASE_URL: `sqlite:${file}` };
  const server = await startServer({ ...receiver, env, port, log: join(directory, 'log') });
  await load({ port, connections: CONNECTIONS, requests: requests.slice(0, warmUp) });
  const { acknowledged, seconds } = await load({ port, connections: CONNECTIONS, requests: requests.slice(warmUp) });
  await server.stop();
  const stored = storedIn(file) - before;
  if (acknowledged !== requests.length - warmUp || stored !== requests.length)
    throw new Error(`${acknowledged} acknowledged, ${stored} stored`);
  return acknowledged / seconds;
};

const BATCH = 1_000;
const PROGRESS_EVERY = 100_000;

/** Fills a database through the store, without HTTP. */
const fill = async (file: string, rows: number, progress: Bench['progress']): Promise<void> => {
  const { rules } = readStoreConfig({ ...process.env, ...settings });
  const store = await openSqlite({ file, rules });
  // Otherwise the receiver would rebuild all orders in the background, as if the rules had changed.
  await putRulesInForce(store, rules);
  await rememberDerivedBy(store, rules);
  for (let stored = 0; stored < rows; stored += BATCH) {
    const count = Math.min(BATCH, rows - stored);
    await store.record(
      Array.from({ length: count }, (_, index) => deliveryOf(bodyOf(stored + index))),
      { maxBytes: 0 },
    );
    if ((stored + count) % PROGRESS_EVERY === 0) progress(`${(stored + count).toLocaleString('en')} stored`);
  }
  await store.close();
};
