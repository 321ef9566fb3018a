import { afterAll, expect, test } from '@jest/globals';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSigner } from '../support/client.ts';
import { keyFixture } from '../support/forge-signer.ts';
import {
  COMMAND,
  endPrograms,
  type Environment,
  environmentOf,
  makeDirectory,
  removeDirectories,
  startProcessReady,
} from '../support/receiver.ts';

const signer = createSigner();
afterAll(async () => {
  await endPrograms();
  removeDirectories();
});

/** Starts the service in a working directory, and gives back what it warns of. */
const warningsOf = async (env: Environment, directory: string): Promise<readonly string[]> => {
  const receiver = await startProcessReady(env, ['/bin/sh', '-c', `cd '${directory}' && exec ${COMMAND.join(' ')}`]);
  const warned = receiver.log().filter(({ msg }) => msg === 'a secret is open to every user of this machine');
  expect(warned.filter(({ level }) => level !== 40)).toEqual([]);
  receiver.kill('SIGTERM');
  expect(await receiver.exited).toBe(0);
  return warned.map(({ problem }) => String(problem));
};

const problem = (name: string, file: string): string =>
  `${file} (${name}) has mode 0644: every user of this machine may read it; chmod 600 ${file}`;

const fileWith = (directory: string, name: string, content: string): string => {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
};

test('each file with a secret that every user can read is a warning with its name, mode and remedy; a private one is none', async () => {
  const directory = makeDirectory();
  const base = environmentOf(directory, signer);
  const files = {
    DATABASE_URL_FILE: fileWith(directory, 'database-url', base['DATABASE_URL'] ?? ''),
    ADMIN_TOKEN_FILE: fileWith(directory, 'admin-token', 'a'.repeat(32)),
    ADMIN_READ_TOKEN_FILE: fileWith(directory, 'read-token', 'b'.repeat(32)),
    ANTOM_CLIENTS_FILE: fileWith(
      directory,
      'clients.json',
      JSON.stringify({ clients: [{ clientId: signer.clientId, publicKeys: [signer.publicKey] }] }),
    ),
  };
  const dotEnv = fileWith(directory, '.env', '');
  const { DATABASE_URL: _url, ANTOM_CLIENT_ID: _id, ANTOM_PUBLIC_KEY: _key, ...rest } = base;
  const env = { ...rest, ...files };

  for (const file of [...Object.values(files), dotEnv]) chmodSync(file, 0o644);
  const open = await warningsOf(env, directory);
  expect([...open].sort()).toEqual(
    [
      ...Object.entries(files).map(([name, file]) => problem(name, file)),
      problem('in the working directory', '.env'),
    ].sort(),
  );

  for (const [index, file] of [...Object.values(files), dotEnv].entries())
    chmodSync(file, [0o600, 0o640, 0o440][index % 3] ?? 0);
  expect(await warningsOf(env, directory)).toEqual([]);
});

test("APO's public key may be read by everybody, and written by nobody else; your private key may not be read", async () => {
  const directory = makeDirectory();
  const file = fileWith(directory, 'apo.pem', signer.publicKey);
  const own = fileWith(directory, 'merchant.pem', keyFixture('throw-away.private.pkcs8.pem'));
  const env = {
    ...environmentOf(directory, signer),
    ANTOM_PUBLIC_KEY: '',
    ANTOM_PUBLIC_KEY_FILE: file,
    ANTOM_PRIVATE_KEY_FILE: own,
    ANTOM_REGION: 'EU',
  };
  chmodSync(file, 0o644);
  chmodSync(own, 0o644);
  expect(await warningsOf(env, directory)).toEqual([problem('ANTOM_PRIVATE_KEY_FILE', own)]);
  chmodSync(own, 0o600);
  chmodSync(file, 0o666);
  expect(await warningsOf(env, directory)).toEqual([
    `${file} (ANTOM_PUBLIC_KEY_FILE) has mode 0666: every user of this machine may write it; chmod 600 ${file}`,
  ]);
});

test('of a mounted secret, which is a link to a link, the file at the end counts', async () => {
  const directory = makeDirectory();
  // As the kubelet lays out a volume: NAME → ..data/NAME, ..data → ..TIMESTAMP.
  const mounted = join(directory, '..2025_11_25');
  mkdirSync(mounted);
  const token = fileWith(mounted, 'admin-token', 'a'.repeat(32));
  symlinkSync('..2025_11_25', join(directory, '..data'));
  symlinkSync('..data/admin-token', join(directory, 'admin-token'));
  const env = { ...environmentOf(directory, signer), ADMIN_TOKEN_FILE: join(directory, 'admin-token') };
  chmodSync(token, 0o440);
  expect(await warningsOf(env, directory)).toEqual([]);
  chmodSync(token, 0o444);
  expect(await warningsOf(env, directory)).toEqual([
    expect.stringContaining('admin-token (ADMIN_TOKEN_FILE) has mode 0444'),
  ]);
});
