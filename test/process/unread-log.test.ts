import { afterAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createPool, createSigner, eventually, PATH, type Post, send } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import { openRaw } from '../support/raw-http.ts';
import {
  COMMAND,
  endPrograms,
  environmentOf,
  makeDirectory,
  type ReceiverProcess,
  removeDirectories,
  runProgram,
  startProcessReady,
} from '../support/receiver.ts';

const signer = createSigner();

// Each of these waits more than it works: they run beside one another.
afterAll(async () => {
  await endPrograms();
  removeDirectories();
});

/** More lines than a pipe holds, and more than may wait beside that. */
const MANY = 1_500;
const TOO_MANY = 6_000;
const notification = (): Post => signer.sign(paymentResult('S', { paymentId: 'P1' }));

/** A receiver whose standard output nobody reads any more, and that had more to say than a pipe holds. */
const beginUnread = async (requests: number): Promise<ReceiverProcess> => {
  const receiver = await startProcessReady(environmentOf(makeDirectory(), signer));
  receiver.child.stdout?.pause();
  const post = notification();
  const pool = createPool(32);
  const statuses = await Promise.all(Array.from({ length: requests }, () => send(receiver.address, post, pool)));
  pool.destroy();
  expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set([200]));
  return receiver;
};

/** Not `exited` alone: that waits for the end of the output, too. */
const exitOf = async ({ child, exited }: ReceiverProcess): Promise<unknown> => {
  await once(child, 'exit');
  child.stdout?.resume();
  return await exited;
};

test.concurrent('SIGTERM ends a receiver whose log nobody reads', async () => {
  const receiver = await beginUnread(MANY);
  receiver.kill('SIGTERM');
  expect(await exitOf(receiver)).toBe(0);
}, 60_000);

test.concurrent('a second SIGTERM ends one at once that still has a request in flight', async () => {
  const receiver = await beginUnread(MANY);
  const { body } = notification();
  const flight = await openRaw(receiver.address);
  await flight.write(`POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n{`);
  expect((await receiver.readiness()).status).toBe(200);
  receiver.kill('SIGTERM');
  await eventually(
    'draining',
    () => receiver.readiness().catch(() => ({ status: 0 })),
    ({ status }) => status !== 200,
  );
  expect(receiver.child.exitCode).toBeNull();
  // Within a second of the first it is the same one.
  const ended = async (): Promise<number | null> => {
    if (receiver.child.exitCode === null) receiver.kill('SIGTERM');
    return receiver.child.exitCode;
  };
  expect(await eventually('an end', ended, (code) => code !== null)).toBe(1);
  flight.destroy();
}, 60_000);

type Lines = ReturnType<ReceiverProcess['log']>;
const writtenIn = (lines: Lines): number => lines.filter(({ paymentId }) => paymentId === 'P1').length;
/** Said once or several times: what the pipe takes at last may make room in between. */
const droppedIn = (lines: Lines): number =>
  lines.filter(({ msg }) => String(msg).includes('dropped')).reduce((sum, { count }) => sum + Number(count), 0);

test('lines that nobody reads are dropped beyond a bound, and counted when somebody reads again', async () => {
  const receiver = await beginUnread(TOO_MANY);
  receiver.child.stdout?.resume();
  const lines = await eventually('every line', receiver.log, (all) => writtenIn(all) + droppedIn(all) === TOO_MANY);
  expect(droppedIn(lines)).toBeGreaterThan(0);
  receiver.kill('SIGTERM');
  expect(await receiver.exited).toBe(0);
  expect(receiver.log().at(-1)).toMatchObject({ msg: 'stopped' });
});

test.concurrent('a log whose reader is gone does not end the service, also as a command', async () => {
  const serve = [process.execPath, fileURLToPath(new URL('../../src/cli.ts', import.meta.url)), 'serve'] as const;
  const receiver = await startProcessReady(environmentOf(makeDirectory(), signer), serve);
  receiver.child.stdout?.destroy();
  for (let count = 0; count < 5; count += 1) expect((await send(receiver.address, notification())).status).toBe(200);
  // Lines are written after 100 ms; an answer that comes after several of them shows that the service outlived them.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect((await send(receiver.address, notification())).status).toBe(200);
  receiver.kill('SIGTERM');
  expect(await receiver.exited).toBe(0);
});

test.concurrent('a log that cannot be written keeps nobody from ending', async () => {
  // Standard output that can only be read.
  const command = ['sh', '-c', 'exec "$@" 1</dev/null', 'sh', ...COMMAND] as const;
  const { exited } = runProgram({ ...environmentOf(makeDirectory(), signer), HOST: '192.0.2.1' }, command);
  expect(await exited).toBe(78);
});

test.concurrent('SIGUSR1 opens no debugger and ends nothing', async () => {
  const receiver = await startProcessReady(environmentOf(makeDirectory(), signer));
  receiver.kill('SIGUSR1');
  expect((await send(receiver.address, notification())).status).toBe(200);
  receiver.kill('SIGTERM');
  expect(await receiver.exited).toBe(0);
  expect(receiver.output().stderr).toBe('');
});
