import { afterAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { createReadiness, type ReadinessProbe, readinessReport } from '../../src/http/readiness.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import {
  ACKNOWLEDGEMENT,
  type Answer,
  createPool,
  createSigner,
  eventually,
  get,
  type Post,
  send,
} from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import {
  environmentOf,
  fileIn,
  holdWriteLock,
  idOf,
  type InProcess,
  makeDirectory,
  query,
  removeDirectories,
  startReady,
  startReceiver,
} from '../support/receiver.ts';
import { RULES } from '../support/rules.ts';

const signer = createSigner();

// Each of these waits more than it works: they run beside one another.
afterAll(removeDirectories);

/** A receiver of the test's own, stopped however the test ends. */
const withReceiver = async (work: (receiver: InProcess, directory: string) => Promise<void>): Promise<void> => {
  const directory = makeDirectory();
  const receiver = await startReady(directory, environmentOf(directory, signer));
  try {
    await work(receiver, directory);
  } finally {
    await receiver.stop();
  }
};

let made = 0;
const fresh = (padding = ''): Post => {
  made += 1;
  return signer.sign(paymentResult('S', { paymentId: `P${made}`, padding }));
};

const storedIds = (directory: string): ReadonlySet<string> =>
  new Set(query(directory, 'select lower(hex(digest)) as id from notifications').map(({ id }) => String(id)));

const expectNotStored = (answer: Answer): void => {
  expect(answer.status).toBe(503);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  expect(answer.headers['content-type']).toBe('application/json');
  expect(JSON.parse(answer.text)).toEqual({
    result: { resultCode: 'ERROR', resultStatus: 'F', resultMessage: expect.any(String) },
  });
};

interface Timed {
  readonly answer: Answer;
  readonly ms: number;
}

const timed = async (work: () => Promise<Answer>): Promise<Timed> => {
  const began = performance.now();
  return { answer: await work(), ms: performance.now() - began };
};

test.concurrent('a database locked by another process: 503 in time, health at once, and the resend is stored', async () => {
  await withReceiver(async ({ address, readiness, post: deliver }, directory) => {
    const before = fresh();
    await deliver(before);
    const posts = Array.from({ length: 5 }, () => fresh());

    const lock = holdWriteLock(directory);
    const answers = Promise.all(posts.map((post) => timed(() => deliver(post))));
    const health: Timed[] = [];
    const unready = eventually('not ready', readiness, ({ status }) => status === 503);
    let waiting = true;
    void answers.finally(() => (waiting = false));
    await eventually(
      'every answer',
      async () => {
        health.push(await timed(() => get(address, '/healthz')));
        return waiting;
      },
      (still) => !still,
    );
    for (const { answer, ms } of await answers) {
      expectNotStored(answer);
      // Five seconds by the contract, and some for a busy machine.
      expect(ms).toBeLessThan(9_000);
    }
    expect(new Set(health.map(({ answer }) => answer.text))).toEqual(new Set(['{"status":"ok"}']));
    expect(health.length).toBeGreaterThan(5);
    expect(Math.max(...health.map(({ ms }) => ms))).toBeLessThan(2_000);
    expect(['store slow', 'store unavailable']).toContain((await unready).state);
    lock.release();

    await eventually('ready again', readiness, ({ status, state }) => status === 200 && state === 'ready');
    for (const post of posts) expect(await deliver(post)).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
    expect(storedIds(directory)).toEqual(new Set([before, ...posts].map(({ body }) => idOf(body))));
  });
});

test.concurrent('a database that cannot be opened yet: healthy, starting, 503; ready and storing once it can', async () => {
  const directory = makeDirectory();
  const earlier = await startReady(directory, environmentOf(directory, signer));
  await earlier.stop();
  const lock = holdWriteLock(directory);
  const receiver = await startReceiver(directory, environmentOf(directory, signer));
  expect(await get(receiver.address, '/healthz')).toMatchObject({ status: 200, text: '{"status":"ok"}' });
  expect(await receiver.readiness()).toEqual({ status: 503, state: 'starting' });
  const post = fresh();
  expectNotStored(await receiver.post(post));
  lock.release();
  await eventually('ready', receiver.readiness, ({ status }) => status === 200);
  expect(storedIds(directory)).toEqual(new Set());
  expect(await receiver.post(post)).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
  expect(storedIds(directory)).toEqual(new Set([idOf(post.body)]));
  await receiver.stop();
});

/** The probe on a real store, without the listener. */
const whileProbing = async (
  situation: { isOpen: boolean; isQueueFull: boolean },
  look: (
    probe: ReadinessProbe,
    seen: { readonly directory: string; readonly problems: readonly unknown[]; readonly lines: readonly string[] },
  ) => Promise<void>,
): Promise<void> => {
  const directory = makeDirectory();
  const store = await openSqlite({ file: fileIn(directory), rules: RULES });
  const problems: unknown[] = [];
  const lines: string[] = [];
  const report = readinessReport(pino({ base: null }, { write: (line: string) => lines.push(line) }));
  const probe = createReadiness({
    store: () => (situation.isOpen ? store : null),
    isStoreFailing: () => false,
    isQueueFull: () => situation.isQueueFull,
    onProblem: (problem) => {
      problems.push(problem);
      report.onProblem(problem);
    },
    onReady: report.onReady,
  });
  try {
    await look(probe, { directory, problems, lines });
  } finally {
    probe.stop();
    await store.close();
  }
};

test.concurrent('readiness is starting until the store is open, queue full while that is so, and draining whatever else holds', async () => {
  const situation = { isOpen: false, isQueueFull: true };
  await whileProbing(situation, async (probe) => {
    expect(probe.state()).toBe('starting');
    situation.isOpen = true;
    expect(probe.state()).toBe('queue full');
    situation.isQueueFull = false;
    expect([probe.state(), probe.isDraining()]).toEqual(['ready', false]);
    probe.drain();
    expect([probe.state(), probe.isDraining()]).toEqual(['draining', true]);
    situation.isQueueFull = true;
    expect(probe.state()).toBe('draining');
  });
});

test.concurrent('readiness notices a store that is locked: slow first, then unavailable, and ready again when the lock is gone', async () => {
  await whileProbing({ isOpen: true, isQueueFull: false }, async (probe, { directory, problems, lines }) => {
    const lock = holdWriteLock(directory);
    const seen: string[] = [];
    const look = (): string => {
      const state = probe.state();
      if (seen.at(-1) !== state) seen.push(state);
      return state;
    };
    await eventually('unavailable', look, (state) => state === 'store unavailable');
    lock.release();
    await eventually('ready', look, (state) => state === 'ready');
    expect(seen.slice(0, 3)).toEqual(['ready', 'store slow', 'store unavailable']);
    expect(problems).toHaveLength(1);
    // The next outage is said as well, with the same words within the minute.
    const next = holdWriteLock(directory);
    await eventually('unavailable again', look, (state) => state === 'store unavailable');
    next.release();
    expect(lines).toHaveLength(2);
  });
});

test.concurrent('readiness tells of each try that fails; the log says the same words once a minute', async () => {
  const store = await openSqlite({ file: fileIn(makeDirectory()), rules: RULES });
  await store.close();
  const problems: unknown[] = [];
  const probe = createReadiness({
    store: () => store,
    isStoreFailing: () => false,
    isQueueFull: () => false,
    onProblem: (problem) => problems.push(problem),
    onReady: () => undefined,
  });
  try {
    await eventually(
      'two tries',
      () => problems,
      ({ length }) => length > 1,
    );
  } finally {
    probe.stop();
  }
  const lines: string[] = [];
  problems.forEach(readinessReport(pino({ base: null }, { write: (line: string) => lines.push(line) })).onProblem);
  expect(lines).toEqual([expect.stringContaining('the store cannot be written')]);
});

test('the queue is bounded in bytes: over 32 MiB a notification is refused at once, and not stored', async () => {
  // Alone and last: tens of megabytes have to be read well before the first answer is due.
  await withReceiver(async ({ address, readiness }, directory) => {
    const LARGE = 262_000;
    const padding = randomBytes(LARGE / 2)
      .toString('hex')
      .slice(0, LARGE - 1_000);
    const posts = Array.from({ length: 140 }, () => fresh(padding));
    const lock = holdWriteLock(directory);
    const pool = createPool(posts.length);
    const answers = posts.map((post) => send(address, post, pool));
    const first = await Promise.race(answers);
    expectNotStored(first);
    expect(first.text).toContain('too many');
    expect((await readiness()).status).toBe(503);
    lock.release();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    pool.destroy();
    const acknowledged = posts.filter((_, index) => statuses[index] === 200);
    const refused = posts.filter((_, index) => statuses[index] !== 200);
    expect(refused.length).toBeGreaterThanOrEqual(140 - Math.floor((32 * 1_048_576) / LARGE));
    expect(acknowledged.length).toBeGreaterThan(0);
    const stored = storedIds(directory);
    expect(acknowledged.filter(({ body }) => !stored.has(idOf(body)))).toEqual([]);
    await eventually('ready again', readiness, ({ status }) => status === 200);
    expect((await send(address, refused[0] as Post)).text).toBe(ACKNOWLEDGEMENT);
  });
});
