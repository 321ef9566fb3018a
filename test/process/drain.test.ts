import { afterAll, expect, test } from '@jest/globals';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ACKNOWLEDGEMENT, createSigner, eventually, get, PATH, type Post, send } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import { headOf, openRaw, type RawConnection } from '../support/raw-http.ts';
import {
  COMMAND,
  endPrograms,
  type Environment,
  environmentOf,
  holdWriteLock,
  idOf,
  makeDirectory,
  query,
  type ReceiverProcess,
  removeDirectories,
  startProcessReady,
} from '../support/receiver.ts';

const signer = createSigner();

// Each of these waits more than it works: they run beside one another.
afterAll(async () => {
  await endPrograms();
  removeDirectories();
});

interface Running extends ReceiverProcess {
  readonly directory: string;
}

const begin = async (env: Environment = {}, command = COMMAND): Promise<Running> => {
  const directory = makeDirectory();
  return { ...(await startProcessReady({ ...environmentOf(directory, signer), ...env }, command)), directory };
};

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** `npm start` in a checkout without a `.env`. */
const npmStart = (): typeof COMMAND => {
  const checkout = makeDirectory();
  for (const name of ['package.json', 'check-node.js', 'node_modules', 'src'])
    symlinkSync(join(ROOT, name), join(checkout, name));
  return ['npm', '--silent', '--prefix', checkout, 'start'];
};

let made = 0;
const fresh = (): Post => {
  made += 1;
  return signer.sign(paymentResult('S', { paymentId: `P${made}` }));
};

/** A request of which all but the last byte has been sent, and the way to send that. */
const inFlight = async (
  running: ReceiverProcess,
  post: Post,
): Promise<{ readonly connection: RawConnection; readonly finish: () => Promise<void> }> => {
  const connection = await openRaw(running.address);
  const lines = [
    'Host: x',
    ...post.headers.map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${post.body.length}`,
  ];
  await connection.write(headOf(`${post.method} ${post.target} HTTP/1.1`, lines));
  await connection.write(post.body.subarray(0, -1));
  // An answer to a later request shows that the first bytes of this one have arrived.
  await get(running.address, '/healthz');
  return { connection, finish: () => connection.write(post.body.subarray(-1)) };
};

const isStored = ({ directory }: Running, { body }: Post): boolean =>
  query(directory, `select 1 from notifications where hex(digest) = '${idOf(body).toUpperCase()}'`).length === 1;
const draining = async (running: ReceiverProcess): Promise<void> => {
  await eventually('draining', running.log, (lines) => lines.some(({ msg }) => msg === 'draining'));
};
const refusesConnections = async (running: ReceiverProcess): Promise<void> => {
  await eventually(
    'no more connections',
    async () => {
      try {
        await get(running.address, '/healthz');
        return 'answered';
      } catch {
        return 'refused';
      }
    },
    (outcome) => outcome === 'refused',
  );
};

interface Ending {
  readonly command: () => typeof COMMAND;
  readonly signal: NodeJS.Signals;
  readonly end: (running: Running, signal: NodeJS.Signals) => unknown;
}

const node = (): typeof COMMAND => COMMAND;
const toAll: Ending['end'] = ({ kill }, signal) => kill(signal);
const toNpmAlone: Ending['end'] = ({ child }, signal) => child.kill(signal);

test.concurrent.each<readonly [string, Ending]>([
  ['SIGTERM', { command: node, signal: 'SIGTERM', end: toAll }],
  ['SIGINT', { command: node, signal: 'SIGINT', end: toAll }],
  ['npm start, SIGTERM to npm', { command: npmStart, signal: 'SIGTERM', end: toNpmAlone }],
  ['npm start, Ctrl-C', { command: npmStart, signal: 'SIGINT', end: toAll }],
])(
  '%s: requests in flight are finished, stored and acknowledged with Connection: close; exit 0',
  async (_, { command, signal, end }) => {
    const running = await begin({}, command());
    const posts = [fresh(), fresh(), fresh()];
    const flights = await Promise.all(posts.map((post) => inFlight(running, post)));
    end(running, signal);
    await refusesConnections(running);
    for (const { connection, finish } of flights) {
      await finish();
      const answer = await connection.answer();
      expect(answer).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
      expect(answer.headers.get('connection')).toBe('close');
      expect(await connection.ended).toHaveLength(0);
    }
    expect(await running.exited).toBe(0);
    expect(posts.map((post) => isStored(running, post))).toEqual([true, true, true]);
    expect(running.log().at(-1)).toMatchObject({ msg: 'stopped', signal });
    expect(running.output().stderr).toBe('');
  },
);

test.concurrent('idle connections do not hold it up, and a receiver without work stops at once', async () => {
  const running = await begin();
  const idle = await openRaw(running.address);
  await idle.write(headOf('GET /healthz HTTP/1.1', ['Host: x']));
  expect((await idle.answer()).status).toBe(200);
  await openRaw(running.address);
  running.kill('SIGTERM');
  expect(await running.exited).toBe(0);
  expect(await idle.ended).toHaveLength(0);
});

test.concurrent('who waits for a feed has an answer with Connection: close, and does not hold it up', async () => {
  const running = await begin();
  const waiting = await openRaw(running.admin);
  await waiting.write(headOf('GET /api/orders?after=0&wait=60 HTTP/1.1', ['Host: 127.0.0.1']));
  await get(running.admin, '/api/orders?after=0');
  running.kill('SIGTERM');
  const answer = await waiting.answer();
  expect(answer).toMatchObject({ status: 200, body: '{"items":[],"next":"0"}' });
  expect(answer.headers.get('connection')).toBe('close');
  expect(await waiting.ended).toHaveLength(0);
  expect(await running.exited).toBe(0);
});

test.concurrent('during DRAIN_DELAY /readyz is 503 draining while notifications are still taken', async () => {
  // Longer than all of this takes on a busy machine.
  const running = await begin({ DRAIN_DELAY: '15' });
  const [kept, late] = [fresh(), fresh()];
  const { connection, finish } = await inFlight(running, kept);
  running.kill('SIGTERM');
  await draining(running);
  expect(await running.readiness()).toEqual({ status: 503, state: 'draining' });
  expect((await get(running.address, '/healthz')).headers.connection).toBe('close');
  const answer = await send(running.address, late);
  expect(answer).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
  expect(answer.headers.connection).toBe('close');
  expect(running.child.exitCode).toBeNull();
  await finish();
  expect(await connection.answer()).toMatchObject({ status: 200, body: ACKNOWLEDGEMENT });
  expect(await running.exited).toBe(0);
  expect([kept, late].map((post) => isStored(running, post))).toEqual([true, true]);
});

test.concurrent('a second signal, more than a second later, exits at once', async () => {
  const running = await begin();
  const { connection } = await inFlight(running, fresh());
  running.kill('SIGTERM');
  await draining(running);
  await pause(1_200);
  expect(running.child.exitCode).toBeNull();
  running.kill('SIGTERM');
  expect(await running.exited).toBe(1);
  await connection.ended;
});

test.concurrent('a sender that never finishes its request does not hold up the end for ever', async () => {
  const running = await begin();
  const [inHeaders, inBody] = [await openRaw(running.address), await openRaw(running.address)];
  await inHeaders.write(`POST ${PATH} HTTP/1.1\r\nHost: x\r\ncontent-le`);
  await inBody.write(`POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`);
  await get(running.address, '/healthz');
  running.kill('SIGTERM');
  // A request has 20 s while the receiver runs; a drain may take that long too, and then some for a busy machine.
  const stillRunning = new Promise((resolve) => {
    setTimeout(resolve, 40_000, 'still running').unref();
  });
  expect(await Promise.race([running.exited, stillRunning])).toBe(0);
}, 60_000);

const REGISTRATION = '{"amount":{"currency":"JPY","value":"1"}}';

test.concurrent('a store that does not close within five seconds is abandoned: exit 1', async () => {
  const running = await begin();
  const lock = holdWriteLock(running.directory);
  const asking = await openRaw(running.admin);
  const lines = ['Host: localhost', 'Content-Type: application/json', `Content-Length: ${REGISTRATION.length}`];
  await asking.write(headOf('PUT /api/orders/R1 HTTP/1.1', lines) + REGISTRATION);
  expect((await get(running.admin, '/healthz')).status).toBe(200);
  asking.destroy();
  running.kill('SIGTERM');
  expect(await running.exited).toBe(1);
  lock.release();
  // A registration waits for the write lock, whoever asked for it is gone or not.
  expect(running.log()).toContainEqual(
    expect.objectContaining({ msg: 'the store is unavailable to the admin listener' }),
  );
  expect(running.log().at(-1)).toMatchObject({ level: 40, msg: expect.stringContaining('abandoned') });
});
