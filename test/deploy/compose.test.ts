import { afterAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig, SECRETS, VARIABLES } from '../../src/config.ts';
import { createSigner } from '../support/client.ts';
import { type Environment, makeDirectory, removeDirectories } from '../support/receiver.ts';
import { compose, type Composed, composedReplicas, serviceOf } from './composed.ts';
import { filledIn, imageEnv } from './environments.ts';
import { complaintsBySchema } from './schemas.ts';

const [replica = {}] = composedReplicas;
const environment: Environment = replica.environment ?? {};
const signer = createSigner();
afterAll(removeDirectories);

/** What is listed, or described under its names. */
const namesIn = (names: object): readonly string[] =>
  Array.isArray(names) ? (names as readonly string[]) : Object.keys(names);

describe('compose.yaml by the schema of the Compose Specification', () => {
  test('is as it is to be', () => expect(complaintsBySchema('compose', compose)).toBe(''));

  test.each([
    ['an unknown field', { restarts: 'always' }, /additional properties/],
    ['a mistyped field', { read_only: ['true'] }, /must be/],
    ['an unknown condition', { depends_on: { database: { condition: 'healthy' } } }, /allowed values/],
  ])('%s would be noticed', (_, change: object, complaint) => {
    const services = { ...compose.services, shop: { ...compose.services['shop'], ...change } };
    expect(complaintsBySchema('compose', { ...compose, services })).toMatch(complaint);
  });

  test('names only networks, volumes and services that there are', () => {
    const known = new Set([...Object.keys(compose.volumes), ...Object.keys(compose.networks)]);
    for (const { volumes = [], networks = [], depends_on: needed = {} } of Object.values(compose.services)) {
      const used = [
        ...volumes.map((volume) => volume.split(':')[0] ?? '').filter((source) => !source.startsWith('.')),
        ...namesIn(networks),
      ];
      expect(used.filter((name) => !known.has(name))).toEqual([]);
      expect(Object.keys(compose.services)).toEqual(expect.arrayContaining([...namesIn(needed)]));
    }
  });
});

describe('every service', () => {
  test('that is a replica differs in nothing from the others', () => {
    expect(composedReplicas).toHaveLength(3);
    expect(new Set(composedReplicas.map((one) => JSON.stringify(one))).size).toBe(1);
  });

  test('that goes on is asked whether it is well, in a way that it can read', () => {
    const asked = Object.values(compose.services)
      .filter(({ healthcheck }) => healthcheck?.disable !== true)
      .map(({ healthcheck }) => healthcheck?.test ?? []);
    expect(asked.filter((words) => words.length < 2 || words.some((word) => typeof word !== 'string'))).toEqual([]);
  });

  test.each(Object.entries(compose.services))('may do nothing that it need not do: %s', (name, service) => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(service.ports ?? []).toEqual(name === 'haproxy' ? ['${BIND_ADDRESS:-127.0.0.1}:8080:8080'] : []);
  });

  test('waits for what it needs: replicas for the schema, the shop for its secrets', () => {
    const done = { condition: 'service_completed_successfully' };
    expect(replica.depends_on).toEqual({ migrate: done, 'shop-secrets': done });
    expect(serviceOf('migrate')).toMatchObject({
      command: ['migrate'],
      depends_on: { database: { condition: 'service_healthy' } },
      environment: { DATABASE_URL_FILE: environment['DATABASE_URL_FILE'] },
    });
    expect(serviceOf('shop').depends_on).toEqual({ 'shop-secrets': done });
  });
});

/** Runs what makes a service's secrets; its volume is a directory here. */
const maker = (service: Composed, directory: string): void => {
  const [node = '', ...options] = service.entrypoint ?? [];
  expect(node).toBe('node');
  const words = [...options, ...(service.command ?? [])].map((word) => word.replaceAll("'/data/", `'${directory}/`));
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
};

const secretsOf = (name: string): readonly (string | undefined)[] =>
  (serviceOf(name).volumes ?? []).map((volume) => volume.split(':')[0]).filter((volume) => /secrets/.test(`${volume}`));

describe('the secrets', () => {
  /** As the services see them: each volume a directory. */
  const made = { secrets: makeDirectory(), 'shop-secrets': makeDirectory() };
  const make = (): void => {
    for (const [name, directory] of Object.entries(made)) maker(serviceOf(name), directory);
  };
  const seenBy = (env: Environment): Environment =>
    Object.fromEntries(
      Object.entries(env).map(([name, value]) => [
        name,
        value.replace(/^\/(secrets|shop-secrets)\//, (_, volume: keyof typeof made) => `${made[volume]}/`),
      ]),
    );
  const read = (): ReturnType<typeof readConfig> =>
    readConfig(
      seenBy({ ...imageEnv, ...environment, ANTOM_CLIENT_ID: signer.clientId, ANTOM_PUBLIC_KEY: signer.publicKey }),
    );

  test('are made once, each readable to the one who needs it, and taken by the replicas', () => {
    make();
    const { databaseUrl, adminToken, adminReadToken } = read();
    expect(new URL(databaseUrl).hostname).toBe('database');
    expect(readFileSync(join(made.secrets, 'database-password'), 'utf8')).toBe(new URL(databaseUrl).password);
    expect(new Set([adminToken, adminReadToken, new URL(databaseUrl).password]).size).toBe(3);
    const callbackSecret = (): string => readFileSync(join(made['shop-secrets'], 'callback-secrets'), 'utf8');
    const before = callbackSecret();
    expect(Buffer.from(/^whsec_(.+)$/.exec(before)?.[1] ?? '', 'base64')).toHaveLength(32);
    make();
    expect(read()).toMatchObject({ databaseUrl, adminToken, adminReadToken });
    expect(callbackSecret()).toBe(before);
    for (const file of ['secrets/database-url', 'shop-secrets/admin-token', 'shop-secrets/callback-secrets']) {
      const [volume, name] = file.split('/') as [keyof typeof made, string];
      expect([file, statSync(join(made[volume], name)).mode & 0o777]).toEqual([file, 0o600]);
    }
  });

  test('of the database are not seen by the shop, and those of the shop not by the database', () => {
    expect(secretsOf('shop')).toEqual(['shop-secrets']);
    expect(secretsOf('database')).toEqual(['secrets']);
    expect(replica.volumes).toEqual(['secrets:/secrets:ro', 'shop-secrets:/shop-secrets:ro']);
  });
});

describe('the shop of the example', () => {
  const shop = serviceOf('shop');
  const of = (name: string): string => shop.environment?.[name] ?? '';

  test('is where callbacks are posted, with the secrets that sign them', () => {
    expect(environment['CALLBACK_URL']).toBe(`http://shop:${of('PORT')}/callbacks`);
    for (const name of ['ADMIN_TOKEN_FILE', 'ADMIN_READ_TOKEN_FILE', 'CALLBACK_SECRETS_FILE'])
      expect([name, of(name)]).toEqual([name, environment[name]]);
  });

  test('reaches the admin listener of any replica', () => {
    const { hostname, port } = new URL(of('PAYNOTIFY_URL'));
    expect(replica.networks).toEqual({ inside: { aliases: [hostname] } });
    expect(shop.networks).toEqual(['inside']);
    expect(environment).toMatchObject({ ADMIN_HOST: '0.0.0.0', ADMIN_PORT: port });
  });
});

describe("a developer's .env", () => {
  /** Of these the replicas take what it says: APO's keys, what an order is, and bounds. */
  const TAKEN = new Set(
    [
      ['ANTOM_CLIENT_ID', 'ANTOM_PUBLIC_KEY', 'NODE_ENV', 'ALLOW_SANDBOX'],
      ['ANTOM_PRIVATE_KEY', 'ANTOM_PRIVATE_KEY_VERSION', 'ANTOM_REGION', 'ANTOM_API_URL'],
      ['INQUIRIES_PER_SECOND', 'AUTO_CAPTURE'],
      ['NOTIFY_PATHS', 'PUBLIC_NOTIFY_URL', 'BODY_LIMIT', 'LOG_LEVEL', 'RETENTION_DAYS'],
      ['CAPTURE_REQUIRED', 'NO_CAPTURE_METHODS', 'CAPTURE_MODE', 'REQUIRE_REGISTRATION'],
      ['UNVERIFIED_REPLY', 'UNVERIFIED_MAX_BYTES', 'UNVERIFIED_MAX_PER_SECOND', 'UNVERIFIED_RETENTION_DAYS'],
    ].flat(),
  );
  const rest = [...VARIABLES, ...SECRETS.map((name) => `${name}_FILE`)].filter((name) => !TAKEN.has(name));

  test('reaches the replicas, and no other service', () => {
    const given = Object.entries(compose.services).filter(([, service]) => service.env_file !== undefined);
    expect(given.map(([name]) => name)).toEqual(['paynotify-1', 'paynotify-2', 'paynotify-3']);
  });

  test.each(rest)('does not say what %s is', (name) => expect(environment).toHaveProperty(name));

  test('with a host, ports, a database, tokens and files of its own changes nothing of them', () => {
    const directory = makeDirectory();
    const given = {
      HOST: '127.0.0.1',
      PORT: '3000',
      DATABASE_URL: 'postgres://me@127.0.0.1/mine',
      ADMIN_HOST: '127.0.0.1',
      ADMIN_PORT: '3001',
      ADMIN_TOKEN: 'mine',
      ADMIN_READ_TOKEN: 'mine',
      ANTOM_PUBLIC_KEY_FILE: '/home/me/apo.pem',
      ANTOM_CLIENTS_FILE: '/home/me/clients.json',
      TRUST_PROXY: '0',
      DRAIN_DELAY: '0',
      CAPTURE_MODE: 'MANUAL',
    };
    const key = { ANTOM_PUBLIC_KEY: signer.publicKey };
    const { rules, ...config } = readConfig({ ...given, ...filledIn(environment, signer, directory), ...key });
    const { rules: plain, ...without } = readConfig({ ...filledIn(environment, signer, directory), ...key });
    expect(JSON.stringify(config)).toBe(JSON.stringify(without));
    expect(rules).toEqual({ ...plain, captureMode: 'MANUAL' });
  });
});
