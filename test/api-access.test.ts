import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, type Environment, namedConfig, readConfig } from '../src/config.ts';
import { readKey } from '../src/antom/keys.ts';
import { keyFixture } from './support/forge-signer.ts';

const APO_KEY = keyFixture('throw-away.public.spki.base64.txt').trim();
const OWN_KEY = keyFixture('throw-away-second.private.pkcs8.pem');
const OWN_PUBLIC_HALF = keyFixture('throw-away-second.public.spki.pem');
const THIRD_KEY = keyFixture('throw-away-3072.private.pkcs8.pem');
const FINGERPRINT = readKey(OWN_PUBLIC_HALF).fingerprint;

const accepted: Environment = {
  ANTOM_CLIENT_ID: 'T_client',
  ANTOM_PUBLIC_KEY: APO_KEY,
  ANTOM_PRIVATE_KEY: OWN_KEY,
  ANTOM_REGION: 'ASIA',
};
const sandbox: Environment = { ...accepted, ANTOM_CLIENT_ID: 'SANDBOX_client' };

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'paynotify-api-access-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const fileOf = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const withClients = (clients: unknown, change: Environment = {}): Environment => ({
  ANTOM_CLIENTS_FILE: fileOf('clients.json', JSON.stringify({ clients })),
  ANTOM_REGION: 'ASIA',
  ...change,
});

const problemsOf = (read: () => unknown): readonly string[] => {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
  return [];
};
/** What is wrong with the accepted environment once this is changed. */
const problemsWith = (change: Environment): readonly string[] =>
  problemsOf(() => readConfig({ ...accepted, ...change }));

const versionWith = (change: Environment): string | undefined =>
  readConfig({ ...accepted, ...change }).api?.signingKeys.get('T_client')?.version;

describe("access to Antom's API", () => {
  test.each([
    ['ASIA', 'https://open-sea-global.alipay.com'],
    ['NA', 'https://open-na-global.alipay.com'],
    ['EU', 'https://open-de-global.alipay.com'],
    ['US', 'https://open.antglobal-us.com'],
  ])('in %s is at %s', (ANTOM_REGION, origin) => {
    const { api } = readConfig({ ...accepted, ANTOM_REGION });
    expect(api).toMatchObject({ origin, region: ANTOM_REGION });
    expect([...(api?.signingKeys ?? [])]).toEqual([
      ['T_client', expect.objectContaining({ version: '1', fingerprint: FINGERPRINT })],
    ]);
  });

  test('there is none without a private key, whatever else is set', () => {
    const { ANTOM_PRIVATE_KEY: _key, ...without } = accepted;
    expect(readConfig(without).api).toBeNull();
    expect(readConfig({ ...without, ANTOM_API_URL: 'https://apo.example' }).api).toBeNull();
    expect(readConfig(withClients([{ clientId: 'T_one', publicKeys: [APO_KEY] }])).api).toBeNull();
  });

  test.each([
    ['https://apo.example', 'https://apo.example'],
    ['https://apo.example/', 'https://apo.example'],
    ['https://apo.example:8443', 'https://apo.example:8443'],
    ['http://127.0.0.1:8090', 'http://127.0.0.1:8090'],
    ['http://localhost:8090/', 'http://localhost:8090'],
    ['http://[::1]:8090', 'http://[::1]:8090'],
  ])('ANTOM_API_URL stands instead of the host of the region: %s', (ANTOM_API_URL, origin) => {
    expect(readConfig({ ...sandbox, ANTOM_API_URL }).api).toMatchObject({ origin, region: null });
    expect(readConfig({ ...sandbox, ANTOM_API_URL, ANTOM_REGION: undefined }).api).toMatchObject({ origin });
  });

  test('by https ANTOM_API_URL is for live clients as well', () => {
    expect(problemsWith({ ANTOM_API_URL: 'https://apo.example' })).toEqual([]);
  });

  test('the version of the key is 1, or as configured', () => {
    expect(versionWith({})).toBe('1');
    expect(versionWith({ ANTOM_PRIVATE_KEY_VERSION: '3' })).toBe('3');
    expect(versionWith({ ANTOM_PRIVATE_KEY: `2:${OWN_KEY}`, ANTOM_PRIVATE_KEY_VERSION: '3' })).toBe('2');
  });

  test('of several clients, those have it that have a private key in the clients file', () => {
    const { api } = readConfig(
      withClients(
        [
          { clientId: 'T_one', publicKeys: [APO_KEY], privateKey: OWN_KEY },
          { clientId: 'T_two', publicKeys: [APO_KEY] },
          { clientId: 'T_three', publicKeys: [APO_KEY], privateKey: `7:${THIRD_KEY}` },
        ],
        { ANTOM_PRIVATE_KEY_VERSION: '2' },
      ),
    );
    expect([...(api?.signingKeys ?? [])].map(([clientId, { version }]) => [clientId, version])).toEqual([
      ['T_one', '2'],
      ['T_three', '7'],
    ]);
  });

  test('its keys are read again with the others', () => {
    const file = fileOf('merchant.pem', OWN_KEY);
    const config = readConfig({ ...accepted, ANTOM_PRIVATE_KEY: undefined, ANTOM_PRIVATE_KEY_FILE: file });
    writeFileSync(file, THIRD_KEY);
    const before = config.api?.signingKeys.get('T_client')?.fingerprint;
    const after = config.readKeysAgain().api?.signingKeys.get('T_client')?.fingerprint;
    expect([before, after]).toEqual([FINGERPRINT, readKey(keyFixture('throw-away-3072.public.spki.pem')).fingerprint]);
    writeFileSync(file, OWN_PUBLIC_HALF);
    expect(problemsOf(config.readKeysAgain)).toEqual([expect.stringContaining('this is a public key')]);
    writeFileSync(file, ' ');
    expect(problemsOf(config.readKeysAgain)).toEqual(['ANTOM_PRIVATE_KEY_FILE is empty']);
  });

  test('status names it, without the key', () => {
    const named = namedConfig(readConfig(accepted));
    expect(named).toMatchObject({ ANTOM_PRIVATE_KEY: 'set', ANTOM_REGION: 'ASIA', ANTOM_API_URL: 'not set' });
    expect(namedConfig(readConfig({ ...sandbox, ANTOM_API_URL: 'http://127.0.0.1:1' }))).toMatchObject({
      ANTOM_REGION: 'not used',
      ANTOM_API_URL: 'http://127.0.0.1:1',
    });
    expect(namedConfig(readConfig({ ...accepted, ANTOM_PRIVATE_KEY: undefined }))).toMatchObject({
      ANTOM_PRIVATE_KEY: 'not set',
    });
  });
});

describe('what cannot be used is a start-up error', () => {
  test('of the accepted environment there is none', () => expect(problemsWith({})).toEqual([]));

  const onlyOf = 'must be https://HOST or https://HOST:PORT, without a path; http only to this machine';
  const wrong: readonly (readonly [string, string | undefined, string])[] = [
    ['ANTOM_REGION', undefined, 'is required with a private key: ASIA, NA, EU, US'],
    ['ANTOM_REGION', '"ASIA"', 'stands in quotation marks'],
    ['ANTOM_REGION', 'asia', 'must be one of ASIA, NA, EU, US'],
    ['ANTOM_API_URL', 'apo.example', onlyOf],
    ['ANTOM_API_URL', 'http://apo.example', onlyOf],
    ['ANTOM_API_URL', 'http://127.0.0.1.apo.example', onlyOf],
    ['ANTOM_API_URL', 'http://127.0.0.1@apo.example', onlyOf],
    ['ANTOM_API_URL', 'http://10.0.0.1:8090', onlyOf],
    ['ANTOM_API_URL', 'ftp://127.0.0.1', onlyOf],
    ['ANTOM_API_URL', 'https://user:secret@apo.example', onlyOf],
    ['ANTOM_API_URL', 'https://apo.example/ams', onlyOf],
    ['ANTOM_API_URL', 'https://apo.example?x=1', onlyOf],
    ['ANTOM_API_URL', 'http://127.0.0.1:8090', 'http is for SANDBOX_ clients, and T_client is none'],
    ['ANTOM_PRIVATE_KEY_VERSION', 'key 1', 'must be the version of your key in the dashboard, such as 1'],
    ['ANTOM_PRIVATE_KEY', OWN_PUBLIC_HALF, 'this is a public key'],
    ['ANTOM_PRIVATE_KEY', keyFixture('throw-away-ec.private.pkcs8.pem'), 'the key is not an RSA key'],
    ['ANTOM_PRIVATE_KEY', keyFixture('throw-away.private.encrypted.pem'), 'protected by a passphrase'],
    ['ANTOM_PRIVATE_KEY', 'merchant.pem', 'put the path into ANTOM_PRIVATE_KEY_FILE'],
    ['ANTOM_PRIVATE_KEY', `"${OWN_KEY}"`, 'stands in quotation marks'],
    ['NODE_TLS_REJECT_UNAUTHORIZED', '0', "lets anybody on the way answer in Antom's place"],
  ];
  test.each(wrong.map(([name, value, message]) => ({ name, value, message, shown: value?.slice(0, 40) })))(
    '$name=$shown: $message',
    ({ name, value, message }) => {
      const problems = problemsWith({ [name]: value });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(new RegExp(`^${name}\\b`));
      expect(problems[0]).toContain(message);
    },
  );

  test('a key of fewer than 2048 bits', () => {
    const weak = keyFixture('weak-1024-bits.private.pkcs8.pem');
    expect(problemsWith({ ANTOM_PRIVATE_KEY: weak })).toEqual([
      'ANTOM_PRIVATE_KEY: the key has 1024 bits; at least 2048 are needed',
    ]);
  });

  test("the merchant's own public half in the place of APO's key, alone or beside it", () => {
    const problem =
      "ANTOM_PRIVATE_KEY: its own public half is configured as APO's public key of T_client, and verifies nothing that APO signs: copy APO's public key from the dashboard, which shows both";
    expect(problemsWith({ ANTOM_PUBLIC_KEY: OWN_PUBLIC_HALF })).toEqual([problem]);
    expect(problemsWith({ ANTOM_PUBLIC_KEY: `${APO_KEY},2:${OWN_PUBLIC_HALF}` })).toEqual([problem]);
    const clients = [
      { clientId: 'T_one', publicKeys: [APO_KEY], privateKey: THIRD_KEY },
      { clientId: 'T_two', publicKeys: [OWN_PUBLIC_HALF], privateKey: OWN_KEY },
    ];
    expect(problemsOf(() => readConfig(withClients(clients)))).toEqual([
      expect.stringMatching(
        /^ANTOM_CLIENTS_FILE, client T_two, privateKey: its own public half is configured as APO's public key of T_two/,
      ),
    ]);
  });

  test('ANTOM_PRIVATE_KEY beside the clients file, which has a place for it', () => {
    const env = withClients([{ clientId: 'T_one', publicKeys: [APO_KEY] }], { ANTOM_PRIVATE_KEY: OWN_KEY });
    expect(problemsOf(() => readConfig(env))).toEqual([
      'ANTOM_PRIVATE_KEY: with ANTOM_CLIENTS_FILE it belongs into that file, as the privateKey of its client',
    ]);
  });

  test('a client beyond the sandbox whose requests would leave without TLS, among others', () => {
    const env = withClients(
      [
        { clientId: 'SANDBOX_one', publicKeys: [APO_KEY], privateKey: OWN_KEY },
        { clientId: 'T_two', publicKeys: [APO_KEY], privateKey: THIRD_KEY },
      ],
      { ANTOM_API_URL: 'http://127.0.0.1:8090' },
    );
    expect(problemsOf(() => readConfig(env))).toEqual([
      'ANTOM_API_URL: http is for SANDBOX_ clients, and T_two is none: leave it out, and set ANTOM_REGION',
    ]);
  });

  test('and no problem quotes a key', () => {
    const problems = [
      ...problemsWith({ ANTOM_PRIVATE_KEY: OWN_KEY.slice(0, -60), ANTOM_REGION: undefined, ANTOM_API_URL: OWN_KEY }),
      ...problemsWith({ ANTOM_PRIVATE_KEY_VERSION: OWN_KEY, ANTOM_REGION: OWN_KEY }),
    ].join('\n');
    expect(problems).not.toBe('');
    for (const line of OWN_KEY.split('\n').slice(1, -2)) expect(problems).not.toContain(line.slice(0, 8));
  });
});
