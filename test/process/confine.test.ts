import { afterAll, expect, jest, test } from '@jest/globals';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ACKNOWLEDGEMENT, createSigner, eventually } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import { startServer } from '../support/postgres.ts';
import {
  becomesReady,
  endPrograms,
  type Environment,
  environmentOf,
  makeDirectory,
  type Program,
  type ReceiverProcess,
  removeDirectories,
  runProgram,
  startProcess,
  startProcessReady,
} from '../support/receiver.ts';

/** `npm start`, and what the image runs: the command line, which confines the service. */
const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const SERVE: readonly [string, ...string[]] = [process.execPath, CLI, 'serve'];

// Each starts Node twice, and some of them several times.
jest.setTimeout(60_000);

const signer = createSigner();
afterAll(async () => {
  await endPrograms();
  removeDirectories();
});

const stops = async (receiver: ReceiverProcess): Promise<void> => {
  receiver.kill('SIGTERM');
  expect([await receiver.exited, receiver.output().stderr]).toEqual([0, '']);
};

/** What a module that is loaded into every thread may do there; it says so in `reports`. */
const probeIn = (directory: string): { readonly options: string; readonly reports: () => readonly Report[] } => {
  const outside = join(directory, 'outside');
  const data = join(directory, 'data');
  const file = join(directory, 'probe.mjs');
  writeFileSync(
    file,
    `import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import inspector from 'node:inspector';
import { isMainThread } from 'node:worker_threads';
const codeOf = (act) => { try { act(); return 'done'; } catch (error) { return error.code; } };
if (process.permission !== undefined) {
  const report = {
    isMainThread,
    pid: process.pid,
    write: codeOf(() => writeFileSync(${JSON.stringify(outside)}, 'x')),
    writeOverProgram: codeOf(() => writeFileSync(${JSON.stringify(CLI)}, 'x', { flag: 'a' })),
    spawn: codeOf(() => spawnSync('true')),
    addon: codeOf(() => process.dlopen({ exports: {} }, '/nowhere.node')),
    inspect: codeOf(() => inspector.open(0)),
    read: codeOf(() => readFileSync(${JSON.stringify(file)})),
  };
  appendFileSync(${JSON.stringify(join(data, 'reports'))}, JSON.stringify(report) + '\\n');
}
`,
  );
  return {
    options: `--import=${pathToFileURL(file).href}`,
    reports: () => {
      expect(existsSync(outside)).toBe(false);
      return readFileSync(join(data, 'reports'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Report);
    },
  };
};
type Report = Readonly<Record<string, unknown>>;

test('the service and its threads start no program, load no addon, open no inspector, and write no file but beside the database', async () => {
  const directory = makeDirectory();
  mkdirSync(join(directory, 'data'));
  const before = statSync(CLI).size;
  const { options, reports } = probeIn(directory);
  const env = { ...environmentOf(join(directory, 'data'), signer), NODE_OPTIONS: options };
  const receiver = await startProcessReady(env, SERVE);
  expect(await receiver.post(signer.sign(paymentResult('S')))).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
  await stops(receiver);
  expect(statSync(CLI).size).toBe(before);
  const found = reports();
  expect(new Set(found.map(({ isMainThread }) => isMainThread))).toEqual(new Set([true, false]));
  for (const report of found) {
    expect(report).toEqual({
      isMainThread: expect.any(Boolean),
      // The process that was started: signals and health checks find it.
      pid: receiver.child.pid,
      write: 'ERR_ACCESS_DENIED',
      writeOverProgram: 'ERR_ACCESS_DENIED',
      spawn: 'ERR_ACCESS_DENIED',
      addon: 'ERR_DLOPEN_DISABLED',
      inspect: 'ERR_ACCESS_DENIED',
      read: 'done',
    });
  }
});

/** One life: acknowledges, reads its keys again, checkpoints at its end, and opens what it left. */
const lives = async (env: Environment, keyFile: string): Promise<void> => {
  for (const paymentId of ['P1', 'P2']) {
    writeFileSync(keyFile, createSigner(signer.clientId).publicKey);
    const receiver = await startProcessReady(env, SERVE);
    await receiver.post(signer.sign(paymentResult('S', { paymentId })));
    expect(await receiver.order(paymentId)).toBeNull();
    writeFileSync(keyFile, signer.publicKey);
    receiver.kill('SIGHUP');
    await eventually(
      'the order',
      () => receiver.order(paymentId),
      (order) => order?.status === 'AUTHORIZED',
    );
    await stops(receiver);
  }
};

/** Keys in a file that is nowhere near the database. */
const withKeyFile = (env: Environment): { readonly env: Environment; readonly keyFile: string } => {
  const keyFile = join(makeDirectory(), 'apo.pem');
  return { keyFile, env: { ...env, ANTOM_PUBLIC_KEY: '', ANTOM_PUBLIC_KEY_FILE: keyFile } };
};

test('confined, it lives with SQLite in a directory that it has to make, and with key files anywhere', async () => {
  const directory = join(makeDirectory(), 'new', 'data');
  const { env, keyFile } = withKeyFile(environmentOf(directory, signer));
  await lives(env, keyFile);
  expect(existsSync(join(directory, 'paynotify.db'))).toBe(true);
});

test('confined, it lives with PostgreSQL, whose URL is in a file', async () => {
  const server = await startServer();
  const directory = makeDirectory();
  const urlFile = join(directory, 'database-url');
  writeFileSync(urlFile, await server.createDatabase());
  chmodSync(urlFile, 0o600);
  const { env, keyFile } = withKeyFile({
    ...environmentOf(directory, signer),
    DATABASE_URL: '',
    DATABASE_URL_FILE: urlFile,
  });
  await lives(env, keyFile);
  expect(existsSync(join(directory, 'paynotify.db'))).toBe(false);
  await endPrograms();
  await server.stop();
});

const ended = async (program: Program): Promise<string> => {
  expect([await program.exited, program.output().stderr]).toEqual([0, '']);
  return program.output().stdout;
};

test("the help and a demonstration fill Node's compile cache with all that the confined service loads", async () => {
  const directory = makeDirectory();
  const NODE_COMPILE_CACHE = join(directory, 'cache');
  await ended(runProgram({ NODE_COMPILE_CACHE }, [process.execPath, CLI, '--help']));
  await ended(runProgram({ NODE_COMPILE_CACHE }, [process.execPath, CLI, 'demo', '--exit']));
  const told = { ...environmentOf(directory, signer), NODE_COMPILE_CACHE, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' };
  const receiver = await startProcess(told, SERVE);
  await becomesReady(receiver);
  receiver.kill('SIGTERM');
  expect(await receiver.exited).toBe(0);
  const { stdout, stderr } = receiver.output();
  const read = (stdout + stderr).split('\n').filter((line) => line.includes('reading cache from'));
  // Two processes write to one pipe: what the one tells may stand within a line of the other.
  const whole = read.filter((line) => !line.includes('...[compile cache]'));
  expect(whole.length).toBeGreaterThan(100);
  expect(whole.filter((line) => !line.includes('success'))).toEqual([]);
});
