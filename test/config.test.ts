import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ConfigError,
  type Environment,
  EXIT_CONFIG,
  readConfig,
  readStoreConfig,
  SECRETS,
  VARIABLES,
} from '../src/config.ts';
import { QUEUE_BYTES } from '../src/inbox/queue.ts';
import { isLoopback } from '../src/loopback.ts';
import { keyFixture } from './support/forge-signer.ts';

const KEY = keyFixture('throw-away.public.spki.base64.txt').trim();
const FINGERPRINT = keyFixture('throw-away.fingerprints.txt').split(/\s/)[1];
const SECOND_KEY = keyFixture('throw-away-second.public.spki.pem');
const PRIVATE_KEY = keyFixture('throw-away.private.pkcs8.pem');
/** The merchant's own: another pair than APO's. */
const OWN_KEY = keyFixture('throw-away-second.private.pkcs8.pem');
const TOKEN = 'throw-away-token-of-32-characters';

const accepted: Environment = { ANTOM_CLIENT_ID: 'T_client', ANTOM_PUBLIC_KEY: KEY };

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'paynotify-config-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
/** A file that holds the text; its path. */
const fileOf = (text: string): string => {
  files += 1;
  const path = join(directory, `file-${files}`);
  writeFileSync(path, text);
  return path;
};
const clientsFileOf = (clients: unknown): string => fileOf(JSON.stringify({ clients }));

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

const isNumber = (name: string): boolean =>
  problemsWith({ [name]: '99999999' }).some((problem) => /must be (at most|a number of seconds)/.test(problem));

describe('the configuration', () => {
  test('has the defaults of the contract', () => {
    const { keys, readKeysAgain, readCallbacksAgain, ...rest } = readConfig(accepted);
    expect(rest).toEqual({
      host: '0.0.0.0',
      trustProxy: 0,
      inquiriesPerSecond: 1,
      autoCapture: false,
      retentionDays: null,
      unverifiedRetentionDays: 30,
      allowUnsafeDatabase: false,
      port: 8080,
      notifyPaths: ['/payNotify'],
      publicUris: [],
      databaseUrl: 'sqlite:data/paynotify.db',
      adminHost: '127.0.0.1',
      adminPort: 9090,
      adminToken: null,
      adminReadToken: null,
      bodyLimit: 262_144,
      api: null,
      unverifiedReply: 'acknowledge',
      unverifiedMaxBytes: 67_108_864,
      unverifiedMaxPerSecond: 50,
      rules: {
        captureRequired: 'methods',
        noCaptureMethods: [],
        captureMode: 'AUTOMATIC',
        requireRegistration: false,
        production: false,
      },
      logLevel: 'info',
      drainDelayMs: 0,
      callbacks: [],
    });
    expect(
      [...keys].map(([clientId, its]) => [clientId, its.map(({ version, fingerprint }) => [version, fingerprint])]),
    ).toEqual([['T_client', [[null, FINGERPRINT]]]]);
    expect(readKeysAgain()).toEqual({ keys, api: null });
    expect(readCallbacksAgain(keys)).toEqual([]);
  });

  test('takes every variable as given', () => {
    const config = readConfig({
      ...accepted,
      PORT: '0',
      HOST: '::',
      NOTIFY_PATHS: '/payNotify, /a%2Fb ,/',
      PUBLIC_NOTIFY_URL: 'https://shop.example/hooks/payNotify?tenant=1',
      DATABASE_URL: 'postgres://db.example/paynotify',
      ADMIN_PORT: '65535',
      ADMIN_HOST: '0.0.0.0',
      ADMIN_TOKEN: TOKEN,
      ADMIN_READ_TOKEN: `${TOKEN}-read`,
      BODY_LIMIT: '1024',
      UNVERIFIED_REPLY: 'refuse',
      UNVERIFIED_MAX_BYTES: '0',
      UNVERIFIED_MAX_PER_SECOND: '0',
      CAPTURE_REQUIRED: 'always',
      NO_CAPTURE_METHODS: 'toss pay, KLARNA,klarna',
      REQUIRE_REGISTRATION: 'true',
      CAPTURE_MODE: 'MANUAL',
      LOG_LEVEL: 'debug',
      DRAIN_DELAY: '2.5',
      ALLOW_SANDBOX: 'false',
      NODE_ENV: 'production',
    });
    expect(config).toMatchObject({
      port: 0,
      host: '::',
      notifyPaths: ['/payNotify', '/a%2Fb', '/'],
      publicUris: ['/hooks/payNotify', '/hooks/payNotify?tenant=1'],
      databaseUrl: 'postgres://db.example/paynotify',
      adminPort: 65_535,
      adminHost: '0.0.0.0',
      adminToken: TOKEN,
      adminReadToken: `${TOKEN}-read`,
      bodyLimit: 1_024,
      unverifiedReply: 'refuse',
      unverifiedMaxBytes: 0,
      unverifiedMaxPerSecond: 0,
      rules: {
        captureRequired: 'always',
        noCaptureMethods: ['KLARNA', 'TOSSPAY'],
        captureMode: 'MANUAL',
        requireRegistration: true,
        production: true,
      },
      logLevel: 'debug',
      drainDelayMs: 2_500,
    });
  });

  test('takes an empty value for none', () => {
    const empty = Object.fromEntries(VARIABLES.map((name) => [name, '']));
    expect(readConfig({ ...empty, ...accepted })).toMatchObject({ port: 8080, adminToken: null, publicUris: [] });
  });

  test('does not look at other variables', () => {
    expect(
      readConfig({ ...accepted, port: '1', ANTOM_CLIENT_ID_FILE: '/nowhere', PORT_FILE: '/nowhere', HOSTNAME: 'x' }),
    ).toMatchObject({ port: 8080 });
  });

  test.each([
    ['https://shop.example', ['/']],
    ['https://shop.example/', ['/']],
    ['https://shop.example:8443/payNotify', ['/payNotify']],
    ['http://shop.example/pay%4eotify', ['/pay%4eotify']],
    ['https://shop.example/a/../b', ['/a/../b']],
    ['https://shop.example?x=1', ['/', '/?x=1']],
    ['https://shop.example/payNotify?x=1&y=%2f', ['/payNotify', '/payNotify?x=1&y=%2f']],
  ])('keeps the public url as it was entered at APO: %s', (url, publicUris) => {
    expect(readConfig({ ...accepted, PUBLIC_NOTIFY_URL: url }).publicUris).toEqual(publicUris);
  });

  test('reads only the store for commands that only need the store', () => {
    expect(readStoreConfig({ NODE_ENV: 'production', CAPTURE_REQUIRED: 'always' })).toEqual({
      allowUnsafeDatabase: false,
      databaseUrl: 'sqlite:data/paynotify.db',
      rules: {
        captureRequired: 'always',
        noCaptureMethods: [],
        captureMode: 'AUTOMATIC',
        requireRegistration: false,
        production: true,
      },
    });
    expect(problemsOf(() => readStoreConfig({ DATABASE_URL: 'mysql://x', CAPTURE_MODE: 'x' }))).toHaveLength(2);
  });
});

describe('what cannot be used is a start-up error', () => {
  test('with the exit code of sysexits.h', () => expect(EXIT_CONFIG).toBe(78));

  test('of the accepted environment there is none', () => expect(problemsWith({})).toEqual([]));

  const wrong: readonly (readonly [string, string, string])[] = [
    ['PORT', '65536', 'must be at most 65535'],
    ['PORT', '-1', 'must be a whole number'],
    ['PORT', '80.5', 'must be a whole number'],
    ['PORT', '0x50', 'must be a whole number'],
    ['PORT', ' 80', 'must be a whole number'],
    ['ADMIN_PORT', 'http', 'must be a whole number'],
    ['NOTIFY_PATHS', 'payNotify', 'must begin with /'],
    ['NOTIFY_PATHS', '/payNotify,', 'must begin with /'],
    ['NOTIFY_PATHS', '/payNotify?x=1', 'must not hold ? or #'],
    ['NOTIFY_PATHS', '/pay notify', 'must begin with / and be visible ASCII'],
    ['NOTIFY_PATHS', '/healthz', 'must not be /healthz or /readyz'],
    ['NOTIFY_PATHS', '/payNotify,/readyz', 'must not be /healthz or /readyz'],
    ['NOTIFY_PATHS', '/zahlung/ä', 'must begin with / and be visible ASCII'],
    ['PUBLIC_NOTIFY_URL', '/payNotify', 'must be the http or https URL that is entered at APO'],
    ['PUBLIC_NOTIFY_URL', 'ftp://shop.example/payNotify', 'must be the http or https URL that is entered at APO'],
    ['PUBLIC_NOTIFY_URL', 'https://shop.example/payNotify#x', 'must be the http or https URL that is entered at APO'],
    ['PUBLIC_NOTIFY_URL', 'https://shop.example/pay notify', 'must be the http or https URL that is entered at APO'],
    ['DATABASE_URL', 'mysql://db', 'must be sqlite:FILE or postgres://…'],
    ['DATABASE_URL', 'tcp://10.96.12.7:5432', 'must be sqlite:FILE or postgres://…'],
    ['DATABASE_URL', 'sqlite:', 'must be sqlite:FILE or postgres://…'],
    ['BODY_LIMIT', '1023', 'must be at least 1024'],
    ['BODY_LIMIT', String(QUEUE_BYTES + 1), 'must be at most 33554432'],
    ['BODY_LIMIT', '256k', 'must be a whole number'],
    ['UNVERIFIED_REPLY', 'ignore', 'must be one of acknowledge, refuse'],
    ['UNVERIFIED_MAX_BYTES', '64MiB', 'must be a whole number'],
    ['UNVERIFIED_MAX_PER_SECOND', '1e3', 'must be a whole number'],
    ['CAPTURE_REQUIRED', 'never', 'must be one of methods, always'],
    ['CAPTURE_REQUIRED', 'cards', 'cards is gone: use methods, which tells wallets from cards by their method'],
    ['NO_CAPTURE_METHODS', 'KLARNA,,OXXO', 'must be payment methods, comma-separated'],
    ['REQUIRE_REGISTRATION', 'yes', 'must be one of true, false'],
    ['CAPTURE_MODE', 'NONE', 'must be one of AUTOMATIC, MANUAL'],
    ['LOG_LEVEL', 'verbose', 'must be one of fatal, error, warn, info, debug, trace, silent'],
    ['DRAIN_DELAY', '5s', 'must be a number of seconds'],
    ['DRAIN_DELAY', '-1', 'must be a number of seconds'],
    ['DRAIN_DELAY', '10000', 'must be a number of seconds from 0 to 9999.999'],
    ['ALLOW_SANDBOX', 'yes', 'must be one of true, false'],
    ['ANTOM_PRIVATE_KEY_VERSION', OWN_KEY, "it is not the key's text"],
    ['ANTOM_REGION', 'APAC', 'must be one of ASIA, NA, EU, US'],
    ['ANTOM_API_URL', 'http://apo.example', 'must be https://HOST or https://HOST:PORT'],
    ['ANTOM_PUBLIC_KEY', PRIVATE_KEY, 'this is a private key'],
    ['ANTOM_PUBLIC_KEY', keyFixture('throw-away.private.pkcs1.pem'), 'this is a private key'],
    ['ANTOM_PUBLIC_KEY', keyFixture('throw-away-ec.public.spki.pem'), 'the key is not an RSA public key'],
    ['ANTOM_PUBLIC_KEY', keyFixture('weak-1024-bits.public.spki.pem'), 'the key has 1024 bits'],
    ['ANTOM_PUBLIC_KEY', keyFixture('weak-exponent-3.public.spki.pem'), "the key's exponent is 3"],
    ['ANTOM_PUBLIC_KEY', `1:${KEY},2:${PRIVATE_KEY}`, 'key 2: this is a private key'],
    ['ANTOM_PUBLIC_KEY', `${KEY},`, 'key 2: the key is empty'],
    ['ANTOM_PUBLIC_KEY', '', 'is required beside ANTOM_CLIENT_ID'],
  ];
  test.each(wrong.map(([name, value, message]) => ({ name, value, message, shown: value.length < 60 ? value : '…' })))(
    '$name=$shown: $message',
    ({ name, value, message }) => {
      const problems = problemsWith({ [name]: value });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(new RegExp(`^${name}\\b`));
      expect(problems[0]).toContain(message);
    },
  );

  test('of a list is said once, however many of its parts have it', () => {
    expect(problemsWith({ NO_CAPTURE_METHODS: ',' })).toEqual([
      'NO_CAPTURE_METHODS: must be payment methods, comma-separated',
    ]);
  });

  test('a client id with a space', () => {
    expect(problemsWith({ ANTOM_CLIENT_ID: 'T client' })).toEqual([
      expect.stringContaining('a client id must be visible ASCII without spaces'),
    ]);
  });

  test('a key without a client, a client without a key, neither', () => {
    expect(problemsOf(() => readConfig({ ANTOM_PUBLIC_KEY: KEY }))).toEqual([
      expect.stringMatching(/^ANTOM_CLIENT_ID is required/),
    ]);
    expect(problemsOf(() => readConfig({ ANTOM_CLIENT_ID: 'T_client' }))).toEqual([
      expect.stringMatching(/^ANTOM_PUBLIC_KEY is required/),
    ]);
    expect(problemsOf(() => readConfig({}))).toEqual([expect.stringContaining('ANTOM_CLIENTS_FILE) are required')]);
  });

  test('every problem at once', () => {
    const values = {
      ...Object.fromEntries(wrong.map(([name, value]) => [name, value])),
      ADMIN_HOST: '0.0.0.0',
      ADMIN_READ_TOKEN: 'short',
    };
    const problems = problemsOf(() =>
      readConfig({
        ...values,
        ANTOM_CLIENT_ID: 'SANDBOX_x y',
        ANTOM_PUBLIC_KEY: `${PRIVATE_KEY},x`,
        NODE_ENV: 'production',
      }),
    );
    const named = problems.map((problem) => /^[A-Z_]+/.exec(problem)?.[0]);
    expect(new Set(named)).toEqual(
      new Set([...wrong.map(([name]) => name), 'ANTOM_CLIENT_ID', 'ADMIN_TOKEN', 'ADMIN_READ_TOKEN']),
    );
    // A space in the client id, and a client of the sandbox; a private key, and no key.
    expect(named.filter((name) => name === 'ANTOM_CLIENT_ID')).toHaveLength(2);
    expect(named.filter((name) => name === 'ANTOM_PUBLIC_KEY')).toHaveLength(2);
  });

  test('and no problem quotes a secret', () => {
    const secret = 'postgrex://user:hunter2hunter2@db';
    const problems = problemsWith({
      DATABASE_URL: secret,
      ADMIN_HOST: '0.0.0.0',
      ADMIN_TOKEN: 'hunter2',
      ADMIN_READ_TOKEN: 'hunter2',
      ANTOM_PUBLIC_KEY: PRIVATE_KEY,
    });
    expect(problems).toHaveLength(5);
    const text = new ConfigError(problems).message;
    expect(text).not.toContain('hunter2');
    for (const line of PRIVATE_KEY.split('\n').slice(1, -2)) expect(text).not.toContain(line.slice(0, 8));
  });
});

const callback = (url: string): Environment => ({
  CALLBACK_URL: url,
  CALLBACK_SECRETS: `whsec_${Buffer.alloc(24).toString('base64')}`,
});

describe('where Node verifies no certificate', () => {
  const UNVERIFIED = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
  const problem = expect.stringMatching(
    /^NODE_TLS_REJECT_UNAUTHORIZED: 0 lets anybody on the way answer in Antom's place, your shop's or the database's: unset it/,
  );
  const server = 'postgres://u:hunter2@db.example/d';
  const privateKey: Environment = { ANTOM_PRIVATE_KEY: OWN_KEY, ANTOM_REGION: 'ASIA' };

  test.each(['sslmode=verify-full', 'sslmode=verify-ca', 'sslmode=require', 'sslmode=prefer', 'sslrootcert=/ca.pem'])(
    'a database with %s is refused, to the service and to commands',
    (parameter) => {
      const database = { DATABASE_URL: `${server}?${parameter}` };
      expect(problemsWith(database)).toEqual([]);
      expect(problemsWith({ ...database, ...UNVERIFIED })).toEqual([problem]);
      expect(problemsOf(() => readStoreConfig(database))).toEqual([]);
      expect(problemsOf(() => readStoreConfig({ ...database, ...UNVERIFIED }))).toEqual([problem]);
    },
  );

  test.each(['verify-full', 'verify-ca', 'require', 'prefer'])(
    'a database whose URL leaves TLS to PGSSLMODE=%s is refused, to the service and to commands',
    (PGSSLMODE) => {
      const database = { DATABASE_URL: `${server}?application_name=shop`, PGSSLMODE };
      expect(problemsWith(database)).toEqual([]);
      expect(problemsWith({ ...database, ...UNVERIFIED })).toEqual([problem]);
      expect(problemsOf(() => readStoreConfig({ ...database, ...UNVERIFIED }))).toEqual([problem]);
    },
  );

  test('an https callback and a private key are refused, and all together are one problem', () => {
    const shop = callback('https://shop.example/callbacks');
    expect(problemsWith({ ...shop, ...UNVERIFIED })).toEqual([problem]);
    expect(problemsWith({ ...privateKey, ...UNVERIFIED })).toEqual([problem]);
    const database = { DATABASE_URL: `${server}?sslmode=verify-full` };
    expect(problemsWith({ ...database, ...shop, ...privateKey, ...UNVERIFIED })).toEqual([problem]);
    expect(problemsWith({ ...shop, ...privateKey, NODE_TLS_REJECT_UNAUTHORIZED: '1' })).toEqual([]);
  });

  test('what relies on no certificate starts', () => {
    const shop = callback('http://127.0.0.1:3000/callbacks');
    for (const end of ['', '?sslmode=disable', '?sslmode=no-verify', '?sslmode=no-verify&sslrootcert=/ca.pem'])
      expect(problemsWith({ ...shop, DATABASE_URL: `${server}${end}`, ...UNVERIFIED })).toEqual([]);
    const disabled = `${server}?sslmode=disable`;
    for (const [DATABASE_URL, PGSSLMODE] of [
      [server, 'disable'],
      [server, 'no-verify'],
      [server, 'VERIFY-FULL'],
      [disabled, 'verify-full'],
      ['sqlite:a.db', 'verify-full'],
    ])
      expect(problemsWith({ DATABASE_URL, PGSSLMODE, ...UNVERIFIED })).toEqual([]);
    expect(problemsOf(() => readStoreConfig(UNVERIFIED))).toEqual([]);
  });
});

describe('keys of one client', () => {
  test('several, with and without a version', () => {
    const { keys } = readConfig({ ...accepted, ANTOM_PUBLIC_KEY: `${KEY},2:${SECOND_KEY.replaceAll('\n', '\\n')}` });
    expect(keys.get('T_client')?.map(({ version }) => version)).toEqual([null, '2']);
  });

  test('of the sandbox are refused in production, unless that is allowed', () => {
    const sandbox = { ...accepted, ANTOM_CLIENT_ID: 'SANDBOX_5YET942ZTUH303813' };
    expect(readConfig(sandbox).keys.size).toBe(1);
    expect(readConfig({ ...sandbox, NODE_ENV: 'development' }).keys.size).toBe(1);
    expect(readConfig({ ...sandbox, NODE_ENV: 'production', ALLOW_SANDBOX: 'true' }).keys.size).toBe(1);
    expect(readConfig({ ...accepted, NODE_ENV: 'production' }).keys.size).toBe(1);
    for (const ALLOW_SANDBOX of [undefined, 'false']) {
      expect(problemsOf(() => readConfig({ ...sandbox, NODE_ENV: 'production', ALLOW_SANDBOX }))).toEqual([
        expect.stringContaining('SANDBOX_5YET942ZTUH303813 is a sandbox client, and NODE_ENV is production'),
      ]);
    }
  });
});

const withClients = (clients: unknown, change: Environment = {}) =>
  readConfig({ ANTOM_CLIENTS_FILE: clientsFileOf(clients), ...change });

describe('ANTOM_CLIENTS_FILE', () => {
  test('holds several clients with several keys', () => {
    const { keys } = withClients([
      { clientId: 'T_one', publicKeys: [KEY, `2:${SECOND_KEY}`] },
      { clientId: 'T_two', publicKeys: [SECOND_KEY] },
    ]);
    expect([...keys].map(([clientId, its]) => [clientId, its.map(({ version }) => version)])).toEqual([
      ['T_one', [null, '2']],
      ['T_two', [null]],
    ]);
  });

  test.each([
    [
      'a broken key among good ones',
      [{ clientId: 'T_one', publicKeys: [KEY, PRIVATE_KEY] }],
      'ANTOM_CLIENTS_FILE, client T_one, key 2: this is a private key',
    ],
    [
      'a client that stands twice',
      [
        { clientId: 'T_one', publicKeys: [KEY] },
        { clientId: 'T_one', publicKeys: [KEY] },
      ],
      'client T_one stands twice',
    ],
    ['a client without keys', [{ clientId: 'T_one', publicKeys: [] }], 'ANTOM_CLIENTS_FILE: clients.0.publicKeys'],
    ['a client without an id', [{ clientId: '', publicKeys: [KEY] }], 'ANTOM_CLIENTS_FILE: clients.0.clientId'],
    ['a misspelt field', [{ clientId: 'T_one', publicKey: KEY, publicKeys: [KEY] }], 'ANTOM_CLIENTS_FILE: clients.0: '],
    ['a key that is no text', [{ clientId: 'T_one', publicKeys: [1] }], 'ANTOM_CLIENTS_FILE: clients.0.publicKeys.0'],
    ['no client', [], 'ANTOM_CLIENTS_FILE: clients'],
    ['no list', { T_one: KEY }, 'ANTOM_CLIENTS_FILE: clients'],
  ])('refuses %s', (_, clients, message) => {
    expect(withClients([{ clientId: 'T_one', publicKeys: [KEY] }]).keys.size).toBe(1);
    expect(problemsOf(() => withClients(clients))).toEqual([expect.stringContaining(message)]);
  });

  test('refuses a client id that goes on after that of another with a dot, where a key is that of both', () => {
    const clients = (longer: string, publicKeys: readonly string[]) => [
      { clientId: longer, publicKeys },
      { clientId: 'T_A', publicKeys: [SECOND_KEY, KEY] },
    ];
    const other = keyFixture('throw-away-3072.public.spki.pem');
    expect(withClients(clients('T_A.B', [other])).keys.size).toBe(2);
    expect(withClients(clients('T_AB', [KEY])).keys.size).toBe(2);
    expect(problemsOf(() => withClients(clients('T_A.B', [other, `2:${KEY}`])))).toEqual([
      'ANTOM_CLIENTS_FILE, client T_A.B: begins with T_A and a dot, and the two have a key in common: what is signed for the one would verify for the other. Ask APO for another key for one of them',
    ]);
  });

  test('refuses a sandbox client in production', () => {
    const clients = [
      { clientId: 'T_one', publicKeys: [KEY] },
      { clientId: 'SANDBOX_x', publicKeys: [KEY] },
    ];
    expect(problemsOf(() => withClients(clients, { NODE_ENV: 'production' }))).toEqual([
      expect.stringContaining('SANDBOX_x is a sandbox client'),
    ]);
  });

  test('refuses a file that is away or no JSON', () => {
    expect(problemsOf(() => readConfig({ ANTOM_CLIENTS_FILE: join(directory, 'away') }))).toEqual([
      'ANTOM_CLIENTS_FILE cannot be read: ENOENT',
    ]);
    expect(problemsOf(() => readConfig({ ANTOM_CLIENTS_FILE: fileOf('{"clients":[') }))).toEqual([
      'ANTOM_CLIENTS_FILE cannot be read: it is not JSON',
    ]);
  });

  test('stands instead of the single client, not beside it', () => {
    const file = { ANTOM_CLIENTS_FILE: clientsFileOf([{ clientId: 'T_one', publicKeys: [KEY] }]) };
    for (const change of [
      accepted,
      { ANTOM_CLIENT_ID: 'T_client' },
      { ANTOM_PUBLIC_KEY: KEY },
      { ANTOM_PUBLIC_KEY_FILE: fileOf(KEY) },
    ]) {
      expect(problemsOf(() => readConfig({ ...file, ...change }))).toEqual([
        expect.stringContaining('set the one or the others'),
      ]);
    }
  });
});

describe('NAME_FILE', () => {
  const secrets: Readonly<Record<(typeof SECRETS)[number], string>> = {
    ANTOM_PUBLIC_KEY: KEY,
    ANTOM_PRIVATE_KEY: OWN_KEY,
    DATABASE_URL: 'postgres://db.example/paynotify',
    ADMIN_TOKEN: TOKEN,
    ADMIN_READ_TOKEN: `${TOKEN}-read`,
    CALLBACK_URL: 'https://shop.example/callbacks?key=a,b',
    CALLBACK_SECRETS: `whsec_${Buffer.alloc(24).toString('base64')},whsec_${Buffer.alloc(64, 1).toString('base64')}`,
  };
  /** The one needs the other. */
  const beside = {
    CALLBACK_URL: secrets.CALLBACK_URL,
    CALLBACK_SECRETS: secrets.CALLBACK_SECRETS,
    ANTOM_REGION: 'ASIA',
  };

  test.each(SECRETS)('%s may stand in a file', (name) => {
    const plain = readConfig({ ...accepted, ...beside, [name]: secrets[name] });
    const inFile = { [name]: undefined, [`${name}_FILE`]: fileOf(`${secrets[name]}\n`) };
    const fromFile = readConfig({ ...accepted, ...beside, ...inFile });
    const again = { readKeysAgain: null, readCallbacksAgain: null };
    expect({ ...fromFile, ...again }).toEqual({ ...plain, ...again });
  });

  test.each(SECRETS)('%s in a file that is away is a start-up error', (name) => {
    expect(problemsWith({ [name]: undefined, [`${name}_FILE`]: join(directory, 'away') })).toContain(
      `${name}_FILE cannot be read: ENOENT`,
    );
  });

  test.each(SECRETS)('%s in both places is a start-up error', (name) => {
    const both = { ...beside, [name]: secrets[name], [`${name}_FILE`]: fileOf(secrets[name]) };
    expect(problemsWith(both)).toEqual([`${name} and ${name}_FILE are both set: keep one`]);
  });

  test('may have a comma in its path', () => {
    const file = join(directory, 'a,b');
    writeFileSync(file, TOKEN);
    expect(readConfig({ ...accepted, ADMIN_TOKEN_FILE: file }).adminToken).toBe(TOKEN);
  });

  test('ANTOM_PUBLIC_KEY_FILE may hold PEM', () => {
    const { keys } = readConfig({
      ANTOM_CLIENT_ID: 'T_client',
      ANTOM_PUBLIC_KEY_FILE: fileOf(keyFixture('throw-away.public.certificate.pem')),
    });
    expect(keys.get('T_client')?.[0]?.fingerprint).toBe(FINGERPRINT);
  });
});

describe('the keys are read again', () => {
  test('from ANTOM_PUBLIC_KEY_FILE, and a broken file is a ConfigError each time until it is mended', () => {
    const file = fileOf(KEY);
    const config = readConfig({ ANTOM_CLIENT_ID: 'T_client', ANTOM_PUBLIC_KEY_FILE: file });
    writeFileSync(file, `${KEY},2:${SECOND_KEY}`);
    expect(
      config
        .readKeysAgain()
        .keys.get('T_client')
        ?.map(({ version }) => version),
    ).toEqual([null, '2']);
    writeFileSync(file, KEY.slice(0, 100));
    for (let time = 0; time < 3; time += 1) expect(problemsOf(config.readKeysAgain)).toHaveLength(1);
    writeFileSync(file, PRIVATE_KEY);
    expect(problemsOf(config.readKeysAgain)).toEqual([expect.stringContaining('this is a private key')]);
    writeFileSync(file, '');
    expect(problemsOf(config.readKeysAgain)).toHaveLength(1);
    rmSync(file);
    expect(problemsOf(config.readKeysAgain)).toContain('ANTOM_PUBLIC_KEY_FILE cannot be read: ENOENT');
    writeFileSync(file, KEY);
    expect(config.readKeysAgain().keys).toEqual(config.keys);
  });

  test('from ANTOM_CLIENTS_FILE, and a broken file is a ConfigError each time until it is mended', () => {
    const one = { clientId: 'T_one', publicKeys: [KEY] };
    const file = clientsFileOf([one]);
    const config = readConfig({ ANTOM_CLIENTS_FILE: file, NODE_ENV: 'production' });
    writeFileSync(file, JSON.stringify({ clients: [one, { clientId: 'T_two', publicKeys: [SECOND_KEY] }] }));
    expect([...config.readKeysAgain().keys.keys()]).toEqual(['T_one', 'T_two']);
    expect([...config.keys.keys()]).toEqual(['T_one']);
    writeFileSync(file, JSON.stringify({ clients: [one, { clientId: 'SANDBOX_x', publicKeys: [KEY] }] }));
    expect(problemsOf(config.readKeysAgain)).toEqual([expect.stringContaining('SANDBOX_x is a sandbox client')]);
    writeFileSync(file, '{"clients":[');
    for (let time = 0; time < 3; time += 1)
      expect(problemsOf(config.readKeysAgain)).toEqual(['ANTOM_CLIENTS_FILE cannot be read: it is not JSON']);
    writeFileSync(file, JSON.stringify({ clients: [one] }));
    expect(config.readKeysAgain().keys).toEqual(config.keys);
  });
});

describe('the admin listener', () => {
  test.each(['127.0.0.1', '127.0.0.2', 'localhost', '::1', '[::1]'])('needs no token on loopback: %s', (host) => {
    expect(isLoopback(host)).toBe(true);
    expect(problemsWith({ ADMIN_HOST: host })).toEqual([]);
    expect(problemsWith({ ADMIN_HOST: host, ADMIN_TOKEN: 'short', ADMIN_READ_TOKEN: 'shorter' })).toEqual([]);
  });

  test.each([
    '0.0.0.0',
    '::',
    '10.0.0.1',
    'admin.example',
    '127.0.0.1.example',
    '127.999.999.999',
    'localhost.example',
    '::ffff:10.0.0.1',
  ])('needs a token of 32 characters beyond loopback: %s', (host) => {
    expect(isLoopback(host)).toBe(false);
    expect(problemsWith({ ADMIN_HOST: host, ADMIN_TOKEN: 'x'.repeat(32) })).toEqual([]);
    const tooShort = [expect.stringMatching(/^ADMIN_TOKEN: .*at least 32 characters/)];
    expect(problemsWith({ ADMIN_HOST: host, ADMIN_TOKEN: 'x'.repeat(31) })).toEqual(tooShort);
    expect(problemsWith({ ADMIN_HOST: host })).toEqual(tooShort);
    expect(problemsWith({ ADMIN_HOST: host, ADMIN_READ_TOKEN: TOKEN })).toEqual(tooShort);
    expect(problemsWith({ ADMIN_HOST: host, ADMIN_TOKEN_FILE: fileOf('x'.repeat(31)) })).toEqual(tooShort);
  });

  test('needs a read token of 32 characters as well, where there is one', () => {
    expect(problemsWith({ ADMIN_HOST: '0.0.0.0', ADMIN_TOKEN: TOKEN, ADMIN_READ_TOKEN: 'short' })).toEqual([
      expect.stringMatching(/^ADMIN_READ_TOKEN: .*at least 32 characters/),
    ]);
  });

  test.each([
    ['192.0.2.1', '127.0.0.1', []],
    ['127.0.0.1', '127.0.0.1', ['ADMIN_PORT']],
    ['0.0.0.0', '127.0.0.1', ['ADMIN_PORT']],
    ['127.0.0.1', '0.0.0.0', ['ADMIN_PORT']],
    ['127.0.0.1', '::', ['ADMIN_PORT']],
  ])('may have the port of the other one only at an address of its own: HOST=%s ADMIN_HOST=%s', (...row) => {
    const [HOST, ADMIN_HOST, refused] = row;
    const problems = problemsWith({ HOST, PORT: '9090', ADMIN_HOST, ADMIN_TOKEN: TOKEN });
    expect(problems.map((problem) => /^[A-Z_]+/.exec(problem)?.[0])).toEqual(refused);
  });

  test('refuses one token for both', () => {
    expect(problemsWith({ ADMIN_TOKEN: TOKEN, ADMIN_READ_TOKEN: TOKEN })).toEqual([
      expect.stringMatching(/^ADMIN_READ_TOKEN: must differ/),
    ]);
  });
});

describe('the three lists of variables are one', () => {
  const root = new URL('../', import.meta.url);
  const read = new Set<string>([...VARIABLES, ...SECRETS.map((name) => `${name}_FILE`)]);
  /** `NAME=value`, commented out or not; a sentence that begins like one holds spaces. */
  const example = [
    ...readFileSync(new URL('.env.example', root), 'utf8').matchAll(/^(?:# )?([A-Z][A-Z_]*)=(\S*)$/gm),
  ].map(([, name = '', value = '']) => ({ name, value }));

  test('.env.example lists what config.ts reads, once', () => {
    expect(new Set(example.map(({ name }) => name))).toEqual(read);
    expect(example).toHaveLength(read.size);
  });

  test('.env.example shows the defaults', () => {
    const shown = Object.fromEntries(example.map(({ name, value }) => [name, value]));
    const again = { readKeysAgain: null, readCallbacksAgain: null };
    expect({ ...readConfig({ ...shown, ...accepted }), ...again }).toEqual({ ...readConfig(accepted), ...again });
  });

  const documented = readFileSync(new URL('docs/configuration.md', root), 'utf8');

  test('docs/configuration.md lists what config.ts reads, once; *file* says that NAME_FILE does as well', () => {
    const rows = [...documented.matchAll(/^\| `([A-Z][A-Z_]*)` \|([^|]*)\|/gm)];
    const listed = rows.flatMap(([, name = '', value = '']) =>
      value.includes('*file*') ? [name, `${name}_FILE`] : [name],
    );
    expect(new Set(listed)).toEqual(read);
    expect(listed).toHaveLength(read.size);
  });

  test('docs/configuration.md shows the defaults', () => {
    const rows = [...documented.matchAll(/^\| `([A-Z][A-Z_]*)` \| ?([^|]*?)(?:, \*file\*)? \|/gm)];
    const shown = new Map(rows.map(([, name, value = '']) => [name, value]));
    for (const { name, value } of example) if (value !== '') expect([name, shown.get(name)]).toEqual([name, value]);
  });

  test('docs/configuration.md says the limits of every number, and those are the limits', () => {
    const limits = [...documented.matchAll(/^\| `([A-Z][A-Z_]*)` \|.*?\b(\d+) to ([\d.]*\d)\b/gm)]
      .map(([, name = '', least, most]) => ({ name, least: Number(least), most: Number(most) }))
      .filter(({ name }) => isNumber(name));
    expect(limits.map(({ name }) => name).toSorted()).toEqual(VARIABLES.filter(isNumber).toSorted());
    for (const { name, least, most } of limits) {
      for (const within of [least, most]) expect(problemsWith({ [name]: String(within) })).toEqual([]);
      for (const beyond of [least - 1, most + 1]) expect(problemsWith({ [name]: String(beyond) })).toHaveLength(1);
    }
  });

  test('README names each of them', () => {
    const readme = readFileSync(new URL('README.md', root), 'utf8');
    expect([...read].filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });

  test('config.ts asks for each of them, and for no other', () => {
    const source = ['src/config.ts', 'src/key-ring.ts', 'src/api-access.ts', 'src/callback-config.ts']
      .map((path) => readFileSync(new URL(path, root), 'utf8'))
      .join('\n');
    const asked = [...source.matchAll(/\b(?:text|value)\('([A-Z_]+)'/g)].map(([, name]) => name);
    expect(new Set(asked)).toEqual(new Set<string>(VARIABLES));
  });

  test('no other file reads the environment; main.ts and cli.ts only hand it over', () => {
    const sources = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const readers = sources.filter((name) =>
      /process\??\.env|process\s*\[|\benv\b[^;]*\bfrom 'node:process'|getBuiltinModule/.test(
        readFileSync(new URL(`src/${name}`, root), 'utf8'),
      ),
    );
    // node-http.ts asks for no module but that one.
    const known = new Set(['config.ts', 'main.ts', 'cli.ts', 'node-http.ts']);
    expect(readers.filter((name) => !known.has(name))).toEqual([]);
    const source = readFileSync(new URL('src/node-http.ts', root), 'utf8');
    expect(source.match(/process\b.*/g)).toEqual(["process.getBuiltinModule('node:http');"]);
  });
});
