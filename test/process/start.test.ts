import { afterAll, expect, test } from '@jest/globals';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readKey } from '../../src/antom/keys.ts';
import { VERSION } from '../../src/version.ts';
import { createSigner, eventually } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import { keyFixture } from '../support/forge-signer.ts';
import { nextKeyPair } from '../support/keys.ts';
import {
  becomesReady,
  endPrograms,
  type Environment,
  environmentOf,
  fileIn,
  makeDirectory,
  removeDirectories,
  runProgram,
  startProcess,
  startProcessReady,
} from '../support/receiver.ts';

const signer = createSigner();

// Each of these waits more than it works: they run beside one another.
afterAll(async () => {
  await endPrograms();
  removeDirectories();
});

const fingerprintOf = (name: string): string => readKey(keyFixture(`${name}.public.spki.pem`)).fingerprint;

const runToEnd = async (
  env: Environment,
): Promise<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }> => {
  const program = runProgram(env);
  return { code: await program.exited, ...program.output() };
};

test.concurrent('a configuration that cannot be used ends with 78, and names every problem but no secret', async () => {
  const { privateKey } = nextKeyPair();
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
  const { code, stdout, stderr } = await runToEnd({
    PORT: '70000',
    NOTIFY_PATHS: 'payNotify',
    ANTOM_CLIENT_ID: 'T_1',
    ANTOM_PUBLIC_KEY: pem,
    DATABASE_URL: 'mysql://user:canary-password@db',
    ADMIN_HOST: '0.0.0.0',
    ADMIN_TOKEN: 'canary-token',
    BODY_LIMIT: 'many',
    UNVERIFIED_REPLY: 'maybe',
    CAPTURE_REQUIRED: 'sometimes',
    CAPTURE_MODE: 'NONE',
    LOG_LEVEL: 'loud',
    DRAIN_DELAY: '-1',
    UNVERIFIED_MAX_PER_SECOND: '1.5',
    PUBLIC_NOTIFY_URL: 'shop.example/payNotify',
  });
  expect(code).toBe(78);
  expect(stdout).toBe('');
  const named = [
    'PORT',
    'NOTIFY_PATHS',
    'ANTOM_PUBLIC_KEY',
    'DATABASE_URL',
    'ADMIN_TOKEN',
    'BODY_LIMIT',
    'UNVERIFIED_REPLY',
    'CAPTURE_REQUIRED',
    'CAPTURE_MODE',
    'LOG_LEVEL',
    'DRAIN_DELAY',
    'UNVERIFIED_MAX_PER_SECOND',
    'PUBLIC_NOTIFY_URL',
  ];
  expect(named.filter((name) => !stderr.includes(name))).toEqual([]);
  expect(stderr).toContain('private key');
  expect(stderr).not.toMatch(/canary/);
  expect(stderr).not.toContain(pem.split('\n')[1] ?? pem);
});

test.concurrent('no configuration at all ends with 78, and says what is required', async () => {
  const { code, stderr } = await runToEnd({});
  expect(code).toBe(78);
  expect(stderr).toMatch(/ANTOM_CLIENT_ID.*ANTOM_PUBLIC_KEY/);
});

test.concurrent('a sandbox client in production ends with 78, unless it is allowed', async () => {
  const directory = makeDirectory();
  const env = { ...environmentOf(directory, { ...signer, clientId: 'SANDBOX_1' }), NODE_ENV: 'production' };
  const { code, stderr } = await runToEnd(env);
  expect(code).toBe(78);
  expect(stderr).toContain('SANDBOX_1');
  const receiver = await startProcessReady({ ...env, ALLOW_SANDBOX: 'true' });
  receiver.kill('SIGTERM');
  expect(await receiver.exited).toBe(0);
});

test.concurrent('a database of a newer schema ends with 78, and is left as it was', async () => {
  const directory = makeDirectory();
  const first = await startProcessReady(environmentOf(directory, signer));
  await first.post(signer.sign(paymentResult('S', { paymentId: 'P1' })));
  first.kill('SIGTERM');
  expect(await first.exited).toBe(0);
  const db = new DatabaseSync(fileIn(directory));
  db.exec("insert into migrations values (1000, 1000, 'newer')");
  db.close();

  const { code, stdout } = await runToEnd(environmentOf(directory, signer));
  expect(code).toBe(78);
  expect(stdout).toContain('needs a newer paynotify');

  const again = new DatabaseSync(fileIn(directory));
  expect(again.prepare('select count(*) as n from notifications').get()).toMatchObject({ n: 1 });
  again.exec('delete from migrations where version = 1000');
  again.close();
  const last = await startProcessReady(environmentOf(directory, signer));
  expect(await last.order('P1')).toMatchObject({ status: 'AUTHORIZED' });
  last.kill('SIGTERM');
  expect(await last.exited).toBe(0);
});

test.concurrent('a newer schema that says this program may still use it is used', async () => {
  const directory = makeDirectory();
  const first = await startProcessReady(environmentOf(directory, signer));
  first.kill('SIGTERM');
  await first.exited;
  const db = new DatabaseSync(fileIn(directory));
  db.exec("insert into migrations values (1000, 1, 'newer')");
  db.close();
  const receiver = await startProcessReady(environmentOf(directory, signer));
  receiver.kill('SIGTERM');
  expect(await receiver.exited).toBe(0);
});

/** What nobody can wait for to go away: the URL, what the message says, and who runs the service (root may all). */
const PERMANENT: readonly (readonly [string, (directory: string) => string, RegExp])[] = [
  [
    'a directory that cannot be made',
    () => '/proc/nope/x.db',
    /\/proc\/nope\/x\.db cannot be opened and written by (the )?user.*ENOENT.* its -wal and -shm, and its directory/,
  ],
  ['a directory that takes no file', () => '/sys/x.db', /\/sys\/x\.db cannot be opened.*(EACCES|EPERM|EROFS)/],
  ['a directory in the place of the file', (directory) => directory, /is not a file/],
  [
    'a file in the place of the directory',
    (directory) => {
      writeFileSync(join(directory, 'file'), '');
      return join(directory, 'file', 'x.db');
    },
    /ENOTDIR/,
  ],
  [
    'a file that is no database',
    (directory) => {
      writeFileSync(fileIn(directory), "somebody else's file ".repeat(100));
      return fileIn(directory);
    },
    /is not a database of SQLite/,
  ],
  [
    'the database of another program',
    (directory) => {
      const db = new DatabaseSync(fileIn(directory));
      db.exec('create table their_own (text)');
      db.close();
      return fileIn(directory);
    },
    /of another program/,
  ],
];

test.concurrent.each(PERMANENT)('%s ends with 78, said once, with variable, path and remedy', async (_, make, says) => {
  const directory = makeDirectory();
  const file = make(directory);
  const before = existsSync(file) && statSync(file).isFile() ? readFileSync(file) : null;
  const { code, stdout, stderr } = await runToEnd({
    ...environmentOf(directory, signer),
    DATABASE_URL: `sqlite:${file}`,
  });
  expect(code).toBe(78);
  const told = stdout.split('\n').filter((line) => line.includes(file));
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(says);
  expect(told[0]).toMatch(/DATABASE_URL: .*(name|Give|move)/);
  expect(stderr).toBe('');
  if (before !== null) expect(readFileSync(file).equals(before)).toBe(true);
});

test.concurrent('a locked database is waited for, and used as soon as it is free', async () => {
  const directory = makeDirectory();
  const first = await startProcessReady(environmentOf(directory, signer));
  first.kill('SIGTERM');
  expect(await first.exited).toBe(0);
  const other = new DatabaseSync(fileIn(directory));
  other.exec('pragma locking_mode = exclusive; begin exclusive; update settings set value = value');
  const receiver = await startProcess(environmentOf(directory, signer));
  const said = (): number => receiver.log().filter(({ msg }) => msg === 'the store cannot be opened yet').length;
  await eventually('the outage', said, (count) => count > 0);
  expect(await receiver.readiness()).toEqual({ status: 503, state: 'starting' });
  other.exec('rollback');
  other.close();
  await becomesReady(receiver);
  receiver.kill('SIGTERM');
  expect(await receiver.exited).toBe(0);
});

test.concurrent('a port that is taken ends with 1', async () => {
  const directory = makeDirectory();
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const address = holder.address();
  const port = String(typeof address === 'object' && address !== null ? address.port : '');
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const adminPort = String((other.address() as AddressInfo).port);
  const { code, stdout } = await runToEnd({
    ...environmentOf(directory, signer),
    PORT: port,
    ADMIN_PORT: adminPort,
  });
  holder.close();
  other.close();
  expect(code).toBe(1);
  // Both in one read.
  expect(stdout).toContain(
    `"PORT: port ${port} on 127.0.0.1 is in use (EADDRINUSE): stop the program that listens there, or set another PORT. ADMIN_PORT: port ${adminPort} on 127.0.0.1 is in use (EADDRINUSE): stop the program that listens there, or set another ADMIN_PORT"`,
  );
});

test.concurrent('an address that is not of this machine ends with 78', async () => {
  const { code, stdout } = await runToEnd({ ...environmentOf(makeDirectory(), signer), HOST: '192.0.2.1' });
  expect(code).toBe(78);
  expect(stdout).toContain(
    '"HOST: 192.0.2.1 is no address of this machine (EADDRNOTAVAIL): set one that is, or 0.0.0.0 for all of them"',
  );
});

test.concurrent('a variable that looks misspelt is a warning at start', async () => {
  const receiver = await startProcessReady({ ...environmentOf(makeDirectory(), signer), NOTIFY_PATH: '/hooks' });
  const lines = receiver.log();
  expect(lines.find(({ msg }) => msg === 'a variable looks misspelt')).toMatchObject({
    level: 40,
    problem: "NOTIFY_PATH is none of paynotify's variables and is not read: if NOTIFY_PATHS is meant, rename it",
  });
  expect(lines[0]).toMatchObject({ msg: `paynotify ${VERSION} starts` });
  receiver.kill('SIGTERM');
  expect(await receiver.exited).toBe(0);
});

test.concurrent('SIGHUP reads the keys again: what did not verify is applied, and a broken file leaves the old keys', async () => {
  const directory = makeDirectory();
  const other = createSigner(signer.clientId);
  const keyFile = join(directory, 'apo.pem');
  writeFileSync(keyFile, other.publicKey);
  const ownKeyFile = join(directory, 'merchant.pem');
  writeFileSync(ownKeyFile, keyFixture('throw-away.private.pkcs8.pem'));
  const receiver = await startProcessReady({
    ...environmentOf(directory, signer),
    ANTOM_REGION: 'EU',
    ANTOM_PRIVATE_KEY_FILE: ownKeyFile,
    ANTOM_PUBLIC_KEY: '',
    ANTOM_PUBLIC_KEY_FILE: keyFile,
  });
  await receiver.post(signer.sign(paymentResult('S', { paymentId: 'P1' })));
  expect(await receiver.order('P1')).toBeNull();

  writeFileSync(keyFile, signer.publicKey);
  const base64 = keyFixture('throw-away-second.private.pkcs8.pem').replaceAll(/-----.*-----|\n/g, '');
  writeFileSync(ownKeyFile, `2:${base64}`);
  receiver.kill('SIGHUP');
  await eventually(
    'the order',
    () => receiver.order('P1'),
    (order) => order?.status === 'AUTHORIZED',
  );
  expect(await receiver.unverified()).toEqual([]);
  const signing = await eventually(
    'the new key',
    () => receiver.log().filter(({ msg }) => msg === 'signing with key'),
    (lines) => lines.length === 2,
  );
  expect(signing).toMatchObject([
    { keyFingerprint: fingerprintOf('throw-away'), keyVersion: '1', host: 'https://open-de-global.alipay.com' },
    { keyFingerprint: fingerprintOf('throw-away-second'), keyVersion: '2' },
  ]);

  writeFileSync(keyFile, 'broken');
  receiver.kill('SIGHUP');
  await eventually('an error', receiver.log, (lines) =>
    lines.some(({ level, msg }) => level === 50 && String(msg).includes('old ones stay')),
  );
  await receiver.post(signer.sign(paymentResult('S', { paymentId: 'P2' })));
  expect(await receiver.order('P2')).toMatchObject({ status: 'AUTHORIZED' });
  receiver.kill('SIGTERM');
  expect(await receiver.exited).toBe(0);
});
