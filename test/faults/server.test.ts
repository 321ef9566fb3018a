import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { ACKNOWLEDGEMENT, createSigner, eventually } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import { type OwnServer, sql, startOwnServer } from '../support/postgres.ts';
import {
  endPrograms,
  type Environment,
  environmentOf,
  makeDirectory,
  type ReceiverProcess,
  removeDirectory,
  runProgram,
  startProcessReady,
} from '../support/receiver.ts';
import { answered, ROUNDS, type Stage, underLoad } from './load.ts';

/** For two replicas with all their connections, and a few for us. */
const MAX_CONNECTIONS = 20;
const FROZEN_MS = 8_000;
const TIMEOUT_MS = 60_000 * ROUNDS;
const rounds = Array.from({ length: ROUNDS }, (_, index) => index + 1);

const signer = createSigner();
const directory = makeDirectory();
let server: OwnServer;
let env: Environment;
let stage: Stage;

beforeAll(async () => {
  server = await startOwnServer({ max_connections: String(MAX_CONNECTIONS) });
  const url = await server.createDatabase();
  env = { ...environmentOf(directory, signer), DATABASE_URL: url };
  stage = { signer, url, replicas: await Promise.all([startProcessReady(env), startProcessReady(env)]) };
});
afterAll(async () => {
  await endPrograms();
  await server.stop();
  removeDirectory(directory);
});

describe('under load, everything acknowledged is stored and every replica lives on, when', () => {
  test.each([
    { how: 'restarted fast', signal: 'SIGINT' },
    { how: 'restarted at once', signal: 'SIGQUIT' },
    { how: 'killed and started again', signal: 'SIGKILL' },
  ] as const)(
    'PostgreSQL is $how',
    async ({ signal }) => {
      for (const _round of rounds) {
        await underLoad(stage, async (load) => {
          await server.kill(signal);
          await answered(load, 503);
          await server.start();
        });
      }
    },
    TIMEOUT_MS,
  );

  test.each([
    { how: 'told to end', signal: 'SIGTERM' },
    // The server then ends all connections, and recovers from its log.
    { how: 'killed', signal: 'SIGKILL' },
  ] as const)(
    'a backend at COMMIT is $how',
    async ({ signal }) => {
      for (const round of rounds) {
        await underLoad(stage, async () => {
          await sql(stage.url, DOZE_AT_COMMIT);
          const post = signer.sign(paymentResult('S', { paymentId: 'DOZE', round, signal }));
          const [replica] = stage.replicas as readonly [ReceiverProcess];
          const sent = replica.post(post);
          const [dozing] = await eventually(
            'a COMMIT that takes its time',
            async () => await sql<{ pid: number }>(stage.url, DOZING),
            ({ length }) => length > 0,
          );
          if (dozing !== undefined) process.kill(dozing.pid, signal);
          expect(await sent).toMatchObject({ status: 503 });
          await eventually(
            'the server',
            async () => await sql(stage.url, WAKE).then(() => 'there', String),
            (is) => is === 'there',
          );
          // It was not stored: this is its first delivery.
          await eventually(
            'the resend',
            async () => await replica.post(post),
            ({ status, text }) => status === 200 && text === ACKNOWLEDGEMENT,
          );
        });
      }
      expect(
        await sql(stage.url, "select deliveries from notifications where payment_id = 'DOZE' and deliveries <> '1'"),
      ).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    'PostgreSQL stops for eight seconds: what comes meanwhile is refused while it lasts',
    async () => {
      for (const _round of rounds) {
        let frozen = 0;
        let thawed = 0;
        const attempts = await underLoad(stage, async () => {
          frozen = performance.now();
          const thaw = await server.freeze();
          await pause(FROZEN_MS).finally(thaw);
          thawed = performance.now();
        });
        const caught = attempts.filter(({ began, ended }) => began < frozen + 2_000 && ended > frozen);
        expect(caught.length).toBeGreaterThan(0);
        // Promised within 5 s; it is the end of the eight that shows it on a busy machine too.
        expect(caught.filter(({ ended }) => ended >= thawed)).toEqual([]);
        expect(caught.filter(({ status }) => status === 503).length).toBeGreaterThan(0);
      }
    },
    TIMEOUT_MS,
  );

  test(
    'all connection slots are taken by others',
    async () => {
      for (const _round of rounds) {
        await underLoad(stage, async (load) => {
          const others = await takeAllSlots();
          await answered(load, 503, 40);
          await Promise.all(others.map(async (client) => await client.end()));
        });
      }
    },
    TIMEOUT_MS,
  );
});

test(
  'after all of it every order is what its notifications say, and the replicas stop as they should',
  async () => {
    const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
    const rebuild = runProgram(env, [process.execPath, cli, 'rebuild', '--json']);
    expect(await rebuild.exited).toBe(0);
    expect(JSON.parse(rebuild.output().stdout)).toMatchObject({ changed: 0 });
    for (const replica of stage.replicas) {
      replica.kill('SIGTERM');
      expect(await replica.exited).toBe(0);
      expect(replica.output().stderr).toBe('');
    }
  },
  TIMEOUT_MS,
);

const DOZE_AT_COMMIT = `
  create or replace function doze() returns trigger language plpgsql as $$ begin perform pg_sleep(60); return null; end $$;
  create constraint trigger doze after insert on notifications deferrable initially deferred
    for each row when (new.payment_id = 'DOZE') execute function doze();`;
const DOZING = "select pid from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()";
const WAKE = 'drop trigger if exists doze on notifications';

/** Connects until there is no slot left, and takes those of the replicas from them. */
const takeAllSlots = async (): Promise<readonly Client[]> => {
  const clients: Client[] = [];
  while (clients.length < MAX_CONNECTIONS) {
    const client = new Client({ connectionString: stage.url, application_name: 'others' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      clients.push(client);
    } catch {
      await clients[0]?.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'paynotify'",
      );
    }
  }
  return clients;
};
