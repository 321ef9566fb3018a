import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { openPostgres } from '../../src/store/postgres/postgres-store.ts';
import type { HeldUp, Store } from '../../src/store/store.ts';
import { reportHeldUp } from '../../src/upkeep/held-up.ts';
import { here } from '../commands/support.ts';
import { follow, order, record, RULES } from '../store/support.ts';
import { paymentResult } from '../support/facts.ts';
import { type OwnServer, sql, startOwnServer } from '../support/postgres.ts';

/** Another database of the same server, as other programs have theirs. */
let server: OwnServer;
let url: string;
let store: Store;
const clients: Client[] = [];

beforeAll(async () => {
  server = await startOwnServer({ max_prepared_transactions: '5' });
});
afterAll(async () => await server.stop());
beforeEach(async () => {
  url = await server.createDatabase();
  store = await openPostgres({ url, rules: RULES });
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.end();
  await store.close();
});

const elsewhere = async (statement: string): Promise<Client> => {
  const client = new Client({ connectionString: server.url, application_name: 'nightly' });
  client.on('error', () => {});
  await client.connect();
  clients.push(client);
  await client.query(statement);
  return client;
};

/** A transaction that has written has a number. */
const WRITES = 'begin; select pg_current_xact_id()';

const recordSoLongAgo = async (seconds: number): Promise<void> => {
  await record(store, paymentResult('S'));
  await sql(url, `update orders set updated_at = updated_at - ${seconds * 1_000}`);
};

test('a transaction of another database holds the change feed up, and is named until it ends', async () => {
  const nightly = await elsewhere(WRITES);
  await record(store, paymentResult('S'));
  await record(store, paymentResult('S', { paymentId: 'P2', paymentRequestId: 'R2' }));
  expect(await store.status()).toMatchObject({ heldUp: null });
  await sql(url, "update orders set updated_at = updated_at - case order_key when 'P1' then 60000 else 30000 end");
  expect((await store.followOrders({ cursor: null, limit: 10, clientId: null })).items).toHaveLength(0);
  const { updatedAt } = await order(store, 'P1');
  const { heldUp } = await store.status();
  expect(heldUp?.since).toBe(updatedAt);
  expect(heldUp?.by).toMatch(/^a transaction of user postgres in database postgres \(pid \d+, nightly\)$/);
  expect((await store.measure({ maxBytes: 1 })).heldUpSince).toBe(updatedAt);
  const { out } = await here(['status'], { DATABASE_URL: url });
  expect(out).toMatch(/^change feed +held up since .*, callbacks too, by a transaction of user postgres .*$/m);
  await nightly.query('rollback');
  expect(await store.status()).toMatchObject({ heldUp: null });
  expect((await follow(store)).orders).toHaveLength(2);
});

test('so does a prepared transaction that everybody has forgotten', async () => {
  const oldest = await elsewhere(WRITES);
  await elsewhere(`${WRITES}; prepare transaction 'later'`);
  await oldest.query("prepare transaction 'forgotten'");
  await recordSoLongAgo(60);
  expect((await store.status()).heldUp?.by).toBe(
    'the prepared transaction forgotten of user postgres in database postgres',
  );
  await sql(server.url, "rollback prepared 'forgotten'");
  await sql(server.url, "rollback prepared 'later'");
  expect((await store.status()).heldUp).toBeNull();
});

test('it is reported after five minutes, and once an hour', async () => {
  const nightly = await elsewhere(WRITES);
  await recordSoLongAgo(60);
  const said: HeldUp[] = [];
  const report = async (now: number): Promise<void> =>
    await reportHeldUp(store, (heldUp) => said.push(heldUp), new Date(now));
  const { since = '' } = (await store.status()).heldUp ?? {};
  const [from, minute] = [Date.parse(since), 60_000];
  await report(from + 4 * minute);
  expect(said).toHaveLength(0);
  await report(from + 5 * minute);
  await report(from + 64 * minute);
  expect(said).toEqual([{ since, by: expect.stringContaining('nightly') }]);
  await report(from + 65 * minute);
  expect(said).toHaveLength(2);
  await nightly.query('rollback');
  await report(from + 200 * minute);
  expect(said).toHaveLength(2);
});

test('it is named to a role that owns nothing but its database', async () => {
  const own = await server.createDatabase();
  const name = new URL(own).pathname.slice(1);
  await sql(
    server.url,
    `create role "${name}" login password 'of-its-own'; alter database "${name}" owner to "${name}"`,
  );
  const owned = new URL(own);
  owned.username = name;
  owned.password = 'of-its-own';
  await elsewhere(WRITES);
  const theirs = await openPostgres({ url: owned.href, rules: RULES });
  try {
    await record(theirs, paymentResult('S'));
    await sql(own, 'update orders set updated_at = updated_at - 60000');
    expect((await theirs.status()).heldUp?.by).toContain('nightly');
  } finally {
    await theirs.close();
  }
});
