import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, test } from '@jest/globals';
import { readKey } from '../src/antom/keys.ts';
import { readConfig } from '../src/config.ts';
import { openLog } from '../src/log.ts';
import { openPatiently } from '../src/opening.ts';
import { SETTING } from '../src/store/setting.ts';
import { createSigner, eventually } from './support/client.ts';
import {
  becomesReady,
  type Environment,
  environmentOf,
  fileIn,
  makeDirectory,
  query,
  removeDirectories,
  startReceiver,
} from './support/receiver.ts';

const signer = createSigner();
afterAll(removeDirectories);

const sql = (directory: string, text: string): void => {
  const db = new DatabaseSync(fileIn(directory));
  db.exec(text);
  db.close();
};

interface Opening {
  readonly env?: Environment;
  readonly isStopping?: () => boolean;
}

/** Opens the store as the service does, and closes it; returns the messages of the log. */
const openOnce = async (
  directory: string,
  { env = environmentOf(directory, signer), isStopping = () => false }: Opening = {},
): Promise<{ readonly isOpened: boolean; readonly said: readonly string[] }> => {
  const file = join(directory, `log-${process.hrtime.bigint()}`);
  const descriptor = openSync(file, 'a');
  const { log, close } = openLog({ level: 'info', pretty: false, descriptor });
  try {
    const means = { config: readConfig(env), log, onUnusable: () => undefined };
    const store = await openPatiently(means, isStopping);
    await store?.close();
    await close();
    const lines = readFileSync(file, 'utf8').trim().split('\n').filter(Boolean);
    return { isOpened: store !== null, said: lines.map((line) => (JSON.parse(line) as { readonly msg: string }).msg) };
  } finally {
    closeSync(descriptor);
  }
};

describe('a store that is opened', () => {
  test('is tried again while the database is away, which is said once', async () => {
    let tries = 0;
    const env = { ...environmentOf('', signer), DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
    const opened = await openOnce(makeDirectory(), { env, isStopping: () => (tries += 1) > 2 });
    expect(opened).toEqual({ isOpened: false, said: ['the store cannot be opened yet'] });
  });

  test('is not opened by a service that stops already', async () => {
    const directory = makeDirectory();
    expect(await openOnce(directory, { isStopping: () => true })).toEqual({ isOpened: false, said: [] });
    expect(existsSync(fileIn(directory))).toBe(false);
  });

  test('derives all orders again only where the rules are others than before', async () => {
    const directory = makeDirectory();
    const usual = environmentOf(directory, signer);
    const rules = [];
    for (const env of [usual, usual, { ...usual, REQUIRE_REGISTRATION: 'true' }])
      rules.push((await openOnce(directory, { env })).said.find((text) => text.startsWith('rules')));
    expect(rules).toEqual([
      expect.stringMatching(/^rules 1: /),
      expect.stringMatching(/^rules 1: /),
      expect.stringMatching(/^rules 2, new: all orders are derived again: /),
    ]);
  });

  test('is closed again where the service cannot take charge of it', async () => {
    const directory = makeDirectory();
    await openOnce(directory);
    sql(
      directory,
      `create trigger refused before update on settings when new.name = '${SETTING.service}'
       begin select raise(abort, 'refused'); end`,
    );
    await expect(openOnce(directory)).rejects.toThrow('refused');
    // Whoever has the file open last removes its log.
    expect(existsSync(`${fileIn(directory)}-wal`)).toBe(false);
  });
});

test('keys that are read again while the database is away are written down as soon as it is there', async () => {
  const directory = makeDirectory();
  await openOnce(directory);
  const keyFile = join(directory, 'apo.pem');
  writeFileSync(keyFile, createSigner(signer.clientId).publicKey);
  const other = new DatabaseSync(fileIn(directory));
  other.exec('pragma locking_mode = exclusive; begin exclusive; update settings set value = value');
  const receiver = await startReceiver(directory, {
    ...environmentOf(directory, signer),
    ANTOM_PUBLIC_KEY: '',
    ANTOM_PUBLIC_KEY_FILE: keyFile,
  });
  try {
    writeFileSync(keyFile, signer.publicKey);
    receiver.reloadKeys();
    expect(await receiver.readiness()).toMatchObject({ state: 'starting' });
    other.close();
    await becomesReady(receiver);
    const fingerprints = (): unknown => {
      const [row] = query(directory, `select value from settings where name = '${SETTING.service}'`);
      return /"fingerprint":"(.*?)"/.exec(String(row?.['value']))?.[1];
    };
    const { fingerprint } = readKey(signer.publicKey);
    expect(await eventually('the new key', fingerprints, (found) => found === fingerprint)).toBe(fingerprint);
  } finally {
    await receiver.stop();
  }
});
