import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ConfigError, type Environment, namedConfig, readConfig } from '../src/config.ts';
import { isPrivateAddress } from '../src/private-address.ts';
import { createSigner } from './support/client.ts';
import { newSecret } from './support/shop.ts';

const { clientId, publicKey } = createSigner();
const SECRET = newSecret();
const accepted: Environment = {
  ANTOM_CLIENT_ID: clientId,
  ANTOM_PUBLIC_KEY: publicKey,
  CALLBACK_URL: 'https://user:word@shop.example/callbacks?key=hidden',
  CALLBACK_SECRETS: `${SECRET},${newSecret()}`,
};

const problemsWith = (change: Environment): readonly string[] => {
  try {
    readConfig({ ...accepted, ...change });
    return [];
  } catch (error) {
    return error instanceof ConfigError ? error.problems : [String(error)];
  }
};

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'paynotify-callbacks-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const withFile = (clients: readonly object[]): Environment => {
  const file = join(directory, 'clients.json');
  writeFileSync(file, JSON.stringify({ clients }));
  return { ...accepted, ANTOM_CLIENT_ID: undefined, ANTOM_PUBLIC_KEY: undefined, ANTOM_CLIENTS_FILE: file };
};

const client = (id: string, callback?: unknown) => ({ clientId: id, publicKeys: [publicKey], callback });

describe('CALLBACK_URL and CALLBACK_SECRETS', () => {
  test('are where callbacks of the client go, and what signs them; only the origin is shown', () => {
    const config = readConfig(accepted);
    expect(config.callbacks).toMatchObject([{ clientId, origin: 'https://shop.example' }]);
    expect(config.callbacks[0]?.url).toMatch(/^[0-9a-f]{64}$/);
    expect(config.callbacks[0]?.secrets).toHaveLength(2);
    expect(namedConfig(config)['CALLBACK_URL']).toBe('https://shop.example');
    expect(JSON.stringify(namedConfig(config))).not.toMatch(/hidden|word|whsec/);
    const none = readConfig({ ...accepted, CALLBACK_URL: '', CALLBACK_SECRETS: '' });
    expect(none.callbacks).toEqual([]);
    expect(namedConfig(none)['CALLBACK_URL']).toBe('not set');
  });

  test.each([
    ['http://127.0.0.1:3000/hidden'],
    ['http://10.1.2.3/hidden'],
    ['http://172.31.0.1/'],
    ['http://192.168.0.9/'],
    ['http://[::1]:3000/'],
    ['http://[fd00::1]/'],
    ['http://shop:3000/'],
    ['https://8.8.8.8/'],
  ])('%s is taken', (url) => {
    expect(problemsWith({ CALLBACK_URL: url })).toEqual([]);
  });

  test.each([
    ['http://8.8.8.8/hidden', 'http is only for this machine and private networks'],
    ['http://172.32.0.1/hidden', 'http is only for'],
    ['http://169.254.169.254/hidden', 'http is only for'],
    ['http://[2001:db8::1]/hidden', 'http is only for'],
    ['ftp://shop.example/hidden', 'must begin with https://'],
    ['shop.example/hidden', 'must be a URL'],
    ['https://shop.example/#hidden', 'must not hold #'],
  ])('%s is refused, without being shown', (url, problem) => {
    const problems = problemsWith({ CALLBACK_URL: url });
    expect(problems).toEqual([expect.stringMatching(/^CALLBACK_URL: /)]);
    expect(problems[0]).toContain(problem);
    expect(problems[0]).not.toContain('hidden');
  });

  test.each([
    ['secret', 'CALLBACK_SECRETS: must begin with whsec_'],
    [
      `whsec_${Buffer.alloc(23, 7).toString('base64')}`,
      'CALLBACK_SECRETS: must hold 24 to 64 bytes, and this one holds 23',
    ],
    [
      `whsec_${Buffer.alloc(65, 7).toString('base64')}`,
      'CALLBACK_SECRETS: must hold 24 to 64 bytes, and this one holds 65',
    ],
    [`${SECRET},whsec_not*base64`, 'CALLBACK_SECRETS, secret 2: must be Base64 after whsec_'],
    ['', 'CALLBACK_SECRETS is required beside CALLBACK_URL'],
  ])('%s is refused', (secrets, problem) => {
    const problems = problemsWith({ CALLBACK_SECRETS: secrets });
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect(problems[0]).toContain('openssl rand -base64 32');
    if (secrets !== '') expect(problems[0]).not.toContain(secrets.slice(-12));
  });

  test('secrets without a URL are refused', () => {
    expect(problemsWith({ CALLBACK_URL: '' })).toEqual([
      expect.stringContaining('CALLBACK_URL is required beside CALLBACK_SECRETS'),
    ]);
  });
});

describe('a callback in the clients file', () => {
  const own = { url: 'https://own.example/?key=hidden', secrets: [SECRET] };

  test('is for its client, and CALLBACK_URL for the others', () => {
    const env = withFile([client('T_one', own), client('T_two')]);
    const origins = ({ callbacks }: Pick<ReturnType<typeof readConfig>, 'callbacks'>) =>
      callbacks.map((one) => [one.clientId, one.origin]);
    expect(origins(readConfig(env))).toEqual([
      ['T_one', 'https://own.example'],
      ['T_two', 'https://shop.example'],
    ]);
    const alone = { ...env, CALLBACK_URL: '', CALLBACK_SECRETS: '' };
    expect(origins(readConfig(alone))).toEqual([['T_one', 'https://own.example']]);
  });

  test.each([
    ['no URL', { secrets: [SECRET] }, 'clients.0.callback.url'],
    ['another field', { ...own, secret: 'x' }, 'clients.0.callback: '],
    ['no secret', { ...own, secrets: [] }, 'ANTOM_CLIENTS_FILE, client T_one, callback.secrets is required beside'],
    [
      'a wrong secret',
      { ...own, secrets: ['x'] },
      'ANTOM_CLIENTS_FILE, client T_one, callback.secrets: must begin with',
    ],
    ['a wrong URL', { ...own, url: 'x' }, 'ANTOM_CLIENTS_FILE, client T_one, callback.url: must be a URL'],
  ])('with %s is refused', (_, callback, problem) => {
    expect(problemsWith(withFile([client('T_one', callback)]))).toEqual([expect.stringContaining(problem)]);
  });

  test('is read again, and what is wrong by then changes nothing', () => {
    const env = withFile([client('T_one', own)]);
    const config = readConfig(env);
    const renewed = newSecret();
    withFile([client('T_one', { ...own, secrets: [renewed] })]);
    const [again] = config.readCallbacksAgain(config.keys);
    expect(again?.url).toBe(config.callbacks[0]?.url);
    expect(again?.secrets).toEqual([Buffer.from(renewed.slice('whsec_'.length), 'base64')]);
    withFile([client('T_one', { ...own, secrets: [] })]);
    expect(() => config.readCallbacksAgain(config.keys)).toThrow(ConfigError);
  });
});

test('private are this machine and the networks of RFC 1918 and RFC 4193', () => {
  const addresses = ['127.9.9.9', '10.0.0.1', '172.16.0.1', '192.168.1.1', '::1', 'fd12::1', '::ffff:10.0.0.1'];
  expect(addresses.filter((address) => !isPrivateAddress(address))).toEqual([]);
  const others = [
    '8.8.8.8',
    '172.15.0.1',
    '169.254.169.254',
    '0.0.0.0',
    '100.64.0.1',
    '::',
    'fe80::1',
    '::ffff:8.8.8.8',
    'shop',
  ];
  expect(others.filter(isPrivateAddress)).toEqual([]);
});
