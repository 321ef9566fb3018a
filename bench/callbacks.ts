import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openSqlite } from '../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../src/store/store.ts';
import { RULES } from '../test/support/rules.ts';
import { freePort } from '../test/support/port.ts';
import { load } from './load.ts';
import { bodyOf, CLIENT_ID, makeKeyPair, requestOf } from './notifications.ts';
import { median } from './ratios.ts';
import { pinLoadGenerator, type RunningServer, startServer } from './server.ts';
import { settings } from './subjects.ts';

/*
 * How many callbacks a second go to a shop on this machine, and by how much the processor time of a received
 * notification rises while they flow, the callbacks' own subtracted: that is measured by sending all orders again while
 * nothing is received. In turn with a receiver that posts none. SQLite. `npm run bench:callbacks`
 */
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const NOTIFICATIONS = 6_000;
const CONNECTIONS = 16;
const FEWEST_A_SECOND = 300;
const LARGEST_RISE = 0.1;

pinLoadGenerator();
const directory = mkdtempSync(join(tmpdir(), 'paynotify-bench-'));
const { privateKey, publicKey } = makeKeyPair();
const fileAt = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const requests = Array.from({ length: NOTIFICATIONS }, (_, number) => requestOf(bodyOf(number), privateKey));

const shopPort = await freePort();
const shop = await startServer({
  file: fileAt('servers/shop.ts'),
  env: {},
  port: shopPort,
  log: join(directory, 'shop.log'),
  readyPath: '/',
  pinned: false,
});
const callbacksSoFar = async (): Promise<number> => Number(await (await fetch(`http://127.0.0.1:${shopPort}/`)).text());

interface Receiver {
  readonly server: RunningServer;
  readonly store: Store;
  readonly port: number;
}

let files = 0;
const startReceiver = async (env: Readonly<Record<string, string>>): Promise<Receiver> => {
  files += 1;
  const file = join(directory, `${files}.db`);
  const port = await freePort();
  const server = await startServer({
    file: fileAt('../src/main.ts'),
    env: {
      NODE_OPTIONS: settings.NODE_OPTIONS,
      HOST: '127.0.0.1',
      ADMIN_PORT: '0',
      ANTOM_CLIENT_ID: CLIENT_ID,
      ANTOM_PUBLIC_KEY: publicKey,
      DATABASE_URL: `sqlite:${file}`,
      ...env,
    },
    port,
    log: join(directory, 'log'),
    readyPath: '/readyz',
  });
  return { server, store: await openSqlite({ file, rules: RULES }), port };
};

/** Until the shop has been told everything; asked rarely, for asking takes its time as well. */
const allTold = async (store: Store): Promise<void> => {
  while ((await store.listCallbackUrls()).some(({ waitingSince }) => waitingSince !== null)) await pause(50);
};

interface Measured {
  /** Microseconds of processor time. */
  readonly cpu: number;
  readonly seconds: number;
  readonly callbacks: number;
}

const measure = async ({ server, store }: Receiver, work: () => Promise<unknown>): Promise<Measured> => {
  const [cpu, callbacks, began] = [server.cpu(), await callbacksSoFar(), performance.now()];
  await work();
  await allTold(store);
  const seconds = (performance.now() - began) / 1_000;
  return { cpu: server.cpu() - cpu, seconds, callbacks: (await callbacksSoFar()) - callbacks };
};

const receive = async ({ port }: Receiver): Promise<void> => {
  const { acknowledged } = await load({ port, connections: CONNECTIONS, requests });
  if (acknowledged !== NOTIFICATIONS) throw new Error(`only ${acknowledged} were acknowledged`);
};

const round = async () => {
  const quiet = await startReceiver({});
  const alone = await measure(quiet, async () => await receive(quiet));
  await quiet.store.close();
  await quiet.server.stop();

  const telling = await startReceiver({
    CALLBACK_URL: `http://127.0.0.1:${shopPort}/callbacks`,
    CALLBACK_SECRETS: `whsec_${randomBytes(32).toString('base64')}`,
  });
  while ((await telling.store.listCallbackUrls()).length === 0) await pause(20);
  const both = await measure(telling, async () => await receive(telling));
  const again = await measure(telling, async () => await telling.store.sendAllCallbacks(null));
  await telling.store.close();
  await telling.server.stop();

  const each = again.cpu / again.callbacks;
  const rise = (both.cpu - both.callbacks * each) / alone.cpu - 1;
  print(
    `received: ${(alone.cpu / NOTIFICATIONS).toFixed(0)} µs each without callbacks; with ${both.callbacks} callbacks of ` +
      `${each.toFixed(0)} µs each ${((both.cpu - both.callbacks * each) / NOTIFICATIONS).toFixed(0)} µs; ` +
      `${(again.callbacks / again.seconds).toFixed(0)} callbacks a second`,
  );
  return { rise, perSecond: again.callbacks / again.seconds };
};

try {
  const rounds = [];
  for (let number = 0; number < ROUNDS; number += 1) rounds.push(await round());
  const rise = median(rounds.map((one) => one.rise));
  const perSecond = median(rounds.map((one) => one.perSecond));
  print(`median: a rise of ${(rise * 100).toFixed(1)} %, ${perSecond.toFixed(0)} callbacks a second`);
  process.exitCode = rise <= LARGEST_RISE && perSecond >= FEWEST_A_SECOND ? 0 : 1;
} finally {
  await shop.stop();
  rmSync(directory, { recursive: true });
}
