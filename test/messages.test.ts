import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, type Environment, misspelt, readConfig } from '../src/config.ts';
import { keyFixture } from './support/forge-signer.ts';

/*
 * What somebody reads who has made a mistake that everybody makes: the cause, the variable and the remedy, word for
 * word.
 */

const KEY = keyFixture('throw-away.public.spki.base64.txt').trim();
const PEM = keyFixture('throw-away.public.spki.pem');
const ACCEPTED: Environment = { ANTOM_CLIENT_ID: 'T_5YET942ZTUH303813', ANTOM_PUBLIC_KEY: KEY };

const directory = mkdtempSync(join(tmpdir(), 'paynotify-messages-'));
afterAll(() => rmSync(directory, { recursive: true }));
const keyFile = join(directory, 'apo.pem');
writeFileSync(keyFile, PEM);

/** What is said of an environment. */
const saidOf = (env: Environment): readonly string[] => {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
};

const QUOTED =
  'stands in quotation marks, and they are part of the value (docker run --env-file and Kubernetes keep them): remove them';
const CR = 'ends with a carriage return: save the file that sets it with Unix line ends (LF)';
const PATH = 'this is the path of a file, and the key itself belongs here: put the path into ANTOM_PUBLIC_KEY_FILE';

const ROWS: readonly (readonly [string, Environment, readonly string[]])[] = [
  ['quotes around a value', { PORT: '"8080"' }, [`PORT: ${QUOTED}`]],
  ['quotes around a key', { ANTOM_PUBLIC_KEY: `'${KEY}'` }, [`ANTOM_PUBLIC_KEY: ${QUOTED}`]],
  [
    'quotes around a path of a key file',
    { ANTOM_PUBLIC_KEY: '', ANTOM_PUBLIC_KEY_FILE: `"${keyFile}"` },
    [`ANTOM_PUBLIC_KEY_FILE: ${QUOTED}`],
  ],
  ['a CR at the end', { ANTOM_CLIENT_ID: 'T_5YET942ZTUH303813\r' }, [`ANTOM_CLIENT_ID: ${CR}`]],
  [
    'several at once, in one read',
    { PORT: '"80a"\r', LOG_LEVEL: 'loud\r' },
    [
      `PORT: ${CR}`,
      `PORT: ${QUOTED}`,
      'PORT: must be a whole number',
      `LOG_LEVEL: ${CR}`,
      'LOG_LEVEL: must be one of fatal, error, warn, info, debug, trace, silent',
    ],
  ],
  [
    'a client id with a space in it',
    { ANTOM_CLIENT_ID: 'T_5YET 942' },
    [
      'ANTOM_CLIENT_ID: a client id must be visible ASCII without spaces, and this one has a space in it: copy it again from the dashboard',
    ],
  ],
  [
    'a client id with a space at its end',
    { ANTOM_CLIENT_ID: 'T_5YET942 ' },
    [
      'ANTOM_CLIENT_ID: a client id must be visible ASCII without spaces, and this one has a space at its beginning or end: copy it again from the dashboard',
    ],
  ],
  [
    'the Base64 of a PEM',
    { ANTOM_PUBLIC_KEY: Buffer.from(PEM).toString('base64') },
    [
      'ANTOM_PUBLIC_KEY: this is a PEM file that was encoded as Base64 once more: decode it once, or put the PEM itself here',
    ],
  ],
  [
    'the Base64 of the PEM of a private key',
    { ANTOM_PUBLIC_KEY: Buffer.from(keyFixture('throw-away.private.pkcs8.pem')).toString('base64') },
    [
      "ANTOM_PUBLIC_KEY: this is a private key, and it may be compromised now: what belongs here is APO's public key, from the dashboard",
    ],
  ],
  [
    'two keys, one a line',
    { ANTOM_PUBLIC_KEY: `${KEY}\n${KEY}\n` },
    [
      'ANTOM_PUBLIC_KEY: the key is not DER: it may have been cut off when it was copied, or several stand here: give each key on its own, separated by commas',
    ],
  ],
  ["a key file's path in the key's variable", { ANTOM_PUBLIC_KEY: keyFile }, [`ANTOM_PUBLIC_KEY: ${PATH}`]],
  ['a relative one', { ANTOM_PUBLIC_KEY: 'keys/apo.pem' }, [`ANTOM_PUBLIC_KEY: ${PATH}`]],
  ['one of Windows', { ANTOM_PUBLIC_KEY: 'C:\\keys\\apo.pem' }, [`ANTOM_PUBLIC_KEY: ${PATH}`]],
  [
    'a misspelt variable that is missed under its own name',
    { ANTOM_PUBLIC_KEY: undefined, ANTOM_PUBLICKEY: KEY },
    [
      "ANTOM_PUBLIC_KEY is required beside ANTOM_CLIENT_ID: APO's public key, from the dashboard",
      "ANTOM_PUBLICKEY is none of paynotify's variables and is not read: if ANTOM_PUBLIC_KEY is meant, rename it",
    ],
  ],
  [
    'a list of client ids',
    { ANTOM_CLIENT_ID: 'T_1,T_2' },
    ['ANTOM_CLIENT_ID: takes one value, and this is a list: for several clients set ANTOM_CLIENTS_FILE instead'],
  ],
  ['a list of ports', { PORT: '8080,8081' }, ['PORT: takes one value, and this is a list: keep one of them']],
  ['white space before an address', { HOST: ' 0.0.0.0' }, ['HOST: must not hold white space']],
  ['white space after one', { ADMIN_HOST: '127.0.0.1\t' }, ['ADMIN_HOST: must not hold white space']],
  ['a list of addresses', { HOST: '0.0.0.0, ::' }, ['HOST: takes one value, and this is a list: keep one of them']],
  [
    'a notification URL without its scheme among several',
    { PUBLIC_NOTIFY_URL: 'https://a.example/payNotify, b.example/payNotify' },
    ['PUBLIC_NOTIFY_URL: must be the http or https URL that is entered at APO; several are comma-separated'],
  ],
  [
    'the address of a Service, which Kubernetes puts there',
    { ADMIN_PORT: 'tcp://10.96.12.7:9090' },
    [
      'ADMIN_PORT: tcp://10.96.12.7:9090 is the address of a Service named admin, which Kubernetes puts here: set enableServiceLinks: false in the pod, or rename the Service',
    ],
  ],
  [
    'one port for both listeners',
    { PORT: '9090' },
    ['ADMIN_PORT: is the same as PORT, 9090: give each listener a port of its own'],
  ],
  [
    'a password to be percent-encoded',
    { DATABASE_URL: 'postgres://shop:pa#ss@db:5432/paynotify' },
    ['DATABASE_URL: does not parse: percent-encode #, /, @ and % in the password (%23, %2F, %40, %25)'],
  ],
  [
    'another',
    { DATABASE_URL: 'postgres://shop:pa/ss@db:5432/paynotify' },
    ['DATABASE_URL: does not parse: percent-encode #, /, @ and % in the password (%23, %2F, %40, %25)'],
  ],
  [
    'a sandbox client in production',
    { ANTOM_CLIENT_ID: 'SANDBOX_5YET942ZTUH303813', NODE_ENV: 'production' },
    [
      'ANTOM_CLIENT_ID: SANDBOX_5YET942ZTUH303813 is a sandbox client, and NODE_ENV is production: its payments are no money. Set the live client, or NODE_ENV=development to test (ALLOW_SANDBOX=true starts all the same)',
    ],
  ],
  ...['Production', 'production ', ' production', 'PRODUCTION', 'prod', ' Prod'].map(
    (text) =>
      [
        `NODE_ENV=${JSON.stringify(text)}`,
        { NODE_ENV: text },
        ['NODE_ENV: only production, in lower case and without white space, is production: write NODE_ENV=production'],
      ] as const,
  ),
];

describe('a mistake is answered with its cause, the variable and the remedy', () => {
  test.each(ROWS)('%s', (_, change, said) => {
    expect(saidOf(ACCEPTED)).toEqual([]);
    expect(saidOf({ ...ACCEPTED, ...change })).toEqual(said);
  });

  test.each(['development', 'staging', 'preproduction', 'test'])('NODE_ENV=%s is none', (text) => {
    expect(readConfig({ ...ACCEPTED, NODE_ENV: text }).rules.production).toBe(false);
  });

  test('several notification URLs are allowed, and each of their paths is tried', () => {
    const { publicUris } = readConfig({
      ...ACCEPTED,
      PUBLIC_NOTIFY_URL:
        'https://a.example/payNotify,https://b.example/hooks/payNotify?shop=1, https://c.example/payNotify',
    });
    expect(publicUris).toEqual(['/payNotify', '/hooks/payNotify', '/hooks/payNotify?shop=1']);
  });
});

describe('a variable that looks misspelt', () => {
  test.each([
    ['NOTIFY_PATH', 'NOTIFY_PATHS'],
    ['ANTOM_PUBLICKEY', 'ANTOM_PUBLIC_KEY'],
    ['CAPTURE_REQUIRE', 'CAPTURE_REQUIRED'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['ANTOM_CLIENTID', 'ANTOM_CLIENT_ID'],
    ['REQUIRE_REGISTARTION', 'REQUIRE_REGISTRATION'],
    ['ADMIN_TOKEN_FIEL', 'ADMIN_TOKEN_FILE'],
    ['retention_days', 'RETENTION_DAYS'],
    ['CAPTURE_MADA', 'CAPTURE_MODE'],
  ])('%s is named with %s', (name, meant) => {
    expect(misspelt({ ...ACCEPTED, [name]: 'x' })).toEqual([
      `${name} is none of paynotify's variables and is not read: if ${meant} is meant, rename it`,
    ]);
    expect(misspelt({ [name]: '' })).toEqual([]);
  });

  test('so is one for a file, where that cannot be', () => {
    expect(misspelt({ ANTOM_CLIENT_ID_FILE: '/run/secrets/client' })).toEqual([
      'ANTOM_CLIENT_ID_FILE is not read: ANTOM_CLIENT_ID cannot stand in a file, so set it itself',
    ]);
  });

  test.each([
    'HOSTNAME',
    'NODE_PATH',
    'NODE_OPTIONS',
    'ADMIN_SERVICE_HOST',
    'ADMIN_PORT_9090_TCP',
    'POST',
    'PATH',
    'DATABASE_NAME',
    'npm_lifecycle_event',
  ])('%s does not', (name) => expect(misspelt({ ...ACCEPTED, [name]: 'x' })).toEqual([]));
});
