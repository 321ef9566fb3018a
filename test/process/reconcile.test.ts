import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openStore } from '../../src/store/open.ts';
import { SETTING } from '../../src/store/setting.ts';
import { pay, register } from '../reconcile/support.ts';
import { CLIENT, keepUp, MERCHANT_KEY, serve, type Served } from '../sandbox/support.ts';
import { createSigner, eventually } from '../support/client.ts';
import {
  endPrograms,
  environmentOf,
  type Environment,
  makeDirectory,
  query,
  removeDirectories,
  startProcessReady,
} from '../support/receiver.ts';
import { RULES } from '../support/rules.ts';

const PAYMENTS = 40;

let sandbox: Served;
let directory: string;
let env: Environment;
keepUp();
beforeAll(async () => {
  sandbox = await serve({ shares: { lost: 1 } });
  directory = makeDirectory();
  env = {
    ...environmentOf(directory, createSigner()),
    ANTOM_CLIENT_ID: CLIENT,
    ANTOM_PUBLIC_KEY: sandbox.publicKey,
    ANTOM_PRIVATE_KEY: MERCHANT_KEY.export({ format: 'pem', type: 'pkcs8' }),
    ANTOM_REGION: 'ASIA',
    ANTOM_API_URL: sandbox.url,
    INQUIRIES_PER_SECOND: '50',
  };
});
afterAll(async () => {
  await endPrograms();
  removeDirectories();
});

/** What a shop has registered, and its buyers have paid, while the service was down for an hour. */
const missAll = async (): Promise<void> => {
  const store = await openStore({ databaseUrl: env['DATABASE_URL'] ?? '', rules: RULES, allowUnsafeDatabase: false });
  for (let index = 0; index < PAYMENTS; index += 1) {
    await register(store, `R${index}`);
    await pay(sandbox, `R${index}`);
  }
  await store.remember(SETTING.reconciled, new Date(Date.now() - 3_600_000).toISOString());
  await store.close();
};

/** How many answers each call waits for. */
const answersAfter = async (slowMs: number): Promise<void> => {
  await sandbox.control('PATCH', '', { slowMs, shares: { slow: slowMs === 0 ? 0 : 1 } });
};

const underWay = () => query(directory, "select id, outcome from inquiries where owner <> ''");
const orders = () => query(directory, 'select status, next_action, count(*) as count from orders group by 1, 2');

test('what was missed is asked about, however the service ends in the middle', async () => {
  await missAll();
  await answersAfter(30_000);
  const first = await startProcessReady(env);
  await eventually('inquiries under way', underWay, (all) => all.length > 3);
  first.kill('SIGTERM');
  expect(await first.exited).toBe(0);
  // Given up, not forgotten: due as they were, and nobody's.
  expect(underWay()).toEqual([]);
  expect(query(directory, 'select count(*) as due from inquiries where due_at is not null')).toEqual([
    { due: PAYMENTS },
  ]);

  const second = await startProcessReady(env);
  await eventually('inquiries under way', underWay, (all) => all.length > 3);
  second.kill('SIGKILL');
  expect(await second.exited).toBe('SIGKILL');
  expect(underWay().length).toBeGreaterThan(3);

  await answersAfter(0);
  // The minute of the dead one's leases passes.
  const db = new DatabaseSync(`${directory}/paynotify.db`, { timeout: 5_000 });
  db.exec('update inquiries set until = 0');
  db.close();
  const third = await startProcessReady(env);
  const isAll = (all: ReturnType<typeof orders>): boolean => all.length === 1 && all[0]?.['status'] === 'CAPTURED';
  expect(await eventually('everything is captured', orders, isAll)).toEqual([
    { status: 'CAPTURED', next_action: 'FULFIL', count: PAYMENTS },
  ]);
  third.kill('SIGTERM');
  expect(await third.exited).toBe(0);
});
