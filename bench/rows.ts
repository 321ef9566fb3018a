import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseNotification } from '../src/antom/notification.ts';
import type { VerifiedNotification } from '../src/antom/signature.ts';
import { readStoreConfig } from '../src/config.ts';
import { handlers } from '../src/handlers/index.ts';
import { derivationName } from '../src/store/projection.ts';
import { openSqlite } from '../src/store/sqlite/sqlite-store.ts';
import type { NotificationDelivery } from '../src/store/store.ts';
import type { Bench } from './bench.ts';
import { load } from './load.ts';
import { bodyOf, CLIENT_ID, PATH } from './notifications.ts';
import { startServer } from './server.ts';
import { service, settings, storedIn } from './subjects.ts';
import { median, type Target } from './targets.ts';

export interface RowsSizes {
  /** Notifications stored beforehand. */
  readonly rows: number;
  readonly rounds: number;
  /** Measured in a round; a third as many are sent before. */
  readonly notifications: number;
}

export interface RowsFigures {
  /** Acknowledgements a second, medians over the rounds. */
  readonly none: number;
  readonly full: number;
  readonly targets: readonly Target[];
}

const CONNECTIONS = 64;

/** Throughput with so many notifications stored, and with none: in turn, round by round. */
export const compareRows = async (bench: Bench, { rows, rounds, notifications }: RowsSizes): Promise<RowsFigures> => {
  const full = join(bench.directory, 'full.db');
  const none = join(bench.directory, 'none.db');
  await fill(full, rows, bench.progress);
  const measured: { readonly none: number[]; readonly full: number[] } = { none: [], full: [] };
  const warmUp = Math.ceil(notifications / 3);
  for (let round = 1; round <= rounds; round += 1) {
    bench.progress(`round ${round} of ${rounds}`);
    // Later ones than those that are stored: as at APO, ids grow with time.
    const first = rows + (round - 1) * (warmUp + notifications);
    const requests = bench.requests(first, warmUp + notifications);
    for (const suffix of ['', '-wal', '-shm']) rmSync(none + suffix, { force: true });
    measured.none.push(await throughput(bench, { file: none, requests, warmUp, before: 0 }));
    measured.full.push(await throughput(bench, { file: full, requests, warmUp, before: first }));
  }
  const result = { none: median(measured.none), full: median(measured.full) };
  const figure = `throughput, ${rows.toLocaleString('en')} stored ÷ none`;
  return {
    ...result,
    targets: [
      {
        figure,
        measured: median(measured.full.map((it, index) => it / (measured.none[index] ?? Number.NaN))),
        bound: 0.9,
        at: 'least',
      },
    ],
  };
};

interface Run {
  readonly file: string;
  readonly requests: readonly Buffer[];
  readonly warmUp: number;
  /** How many it holds. */
  readonly before: number;
}

const throughput = async (
  { directory, publicKey, port }: Bench,
  { file, requests, warmUp, before }: Run,
): Promise<number> => {
  const env = { ...settings, ANTOM_PUBLIC_KEY: publicKey, DATABASE_URL: `sqlite:${file}` };
  const server = await startServer({ ...service, env, port, log: join(directory, 'log') });
  await load({ port, connections: CONNECTIONS, requests: requests.slice(0, warmUp) });
  const { acknowledged, seconds } = await load({ port, connections: CONNECTIONS, requests: requests.slice(warmUp) });
  await server.stop();
  const stored = storedIn(file) - before;
  if (acknowledged !== requests.length - warmUp || stored !== requests.length)
    throw new Error(`${acknowledged} acknowledged, ${stored} stored`);
  return acknowledged / seconds;
};

const AT_ONCE = 1_000;
const TOLD_EVERY = 100_000;
const RECEIVED = new Date();

/** Through the store itself, as a service would in months; not over HTTP, and with a signature that nobody asks for. */
const fill = async (file: string, rows: number, progress: Bench['progress']): Promise<void> => {
  const { rules } = readStoreConfig({ ...process.env, ...settings });
  const store = await openSqlite({ file, rules });
  // Otherwise the service takes the rules for changed, and derives all orders again in the background.
  await store.remember('derivation', derivationName(rules));
  for (let stored = 0; stored < rows; stored += AT_ONCE) {
    const count = Math.min(AT_ONCE, rows - stored);
    await store.record(
      Array.from({ length: count }, (_, index) => deliveryOf(stored + index)),
      { maxBytes: 0, maxNew: 0 },
    );
    if ((stored + count) % TOLD_EVERY === 0) progress(`${(stored + count).toLocaleString('en')} stored`);
  }
  await store.close();
};

const SIGNATURE = `algorithm=RSA256,keyVersion=1,signature=${encodeURIComponent(Buffer.alloc(256, 0xb5).toString('base64'))}`;

const deliveryOf = (n: number): NotificationDelivery => {
  const fields = {
    clientId: CLIENT_ID,
    method: 'POST',
    target: PATH,
    requestTime: '2025-02-16T21:48:06-08:00',
    signature: SIGNATURE,
    body: bodyOf(n),
  };
  return {
    kind: 'notification',
    parsed: parseNotification(fields as unknown as VerifiedNotification, handlers),
    receivedAt: RECEIVED,
  };
};
