import { afterAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts';
import { parse } from 'yaml';
import { settings, settingsWithPostgres } from '../../bench/subjects.ts';
import { type Config, readConfig, SECRETS, VARIABLES } from '../../src/config.ts';
import { createSigner } from '../support/client.ts';
import { type Environment, makeDirectory, removeDirectory } from '../support/receiver.ts';
import { readDeployed, readManifests, readProject } from './typed.ts';

interface Composed {
  readonly image?: string;
  readonly build?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly environment?: Environment;
  readonly env_file?: string;
  readonly ports?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly healthcheck?: { readonly disable?: boolean; readonly test?: readonly unknown[] };
  readonly stop_grace_period?: string;
  readonly depends_on?: unknown;
}

const compose = parse(readDeployed('compose.yaml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Composed>>;
};
const replicas = Object.entries(compose.services)
  .filter(([name]) => /^paynotify-\d$/.test(name))
  .map(([, service]) => service);
const [replica = {}] = replicas;
const deployment = readManifests().find(({ kind }) => kind === 'Deployment')?.content as unknown as Deployment;
const pod = deployment.spec?.template.spec;
const [container] = pod?.containers ?? [];

const dockerfile = readProject('Dockerfile');
const haproxy = readDeployed('haproxy.cfg');
const nginx = readDeployed('nginx.conf');

/** What the image sets: the ENV of its last stage. */
const imageEnv: Environment = Object.fromEntries(
  [...(dockerfile.split(/^FROM /m).at(-1) ?? '').matchAll(/^(?:ENV|\s+)\s*([A-Z_]+)=(\S+)/gm)].map(
    ([, name = '', value = '']) => [name, value],
  ),
);
const deployedEnv: Environment = Object.fromEntries(
  (container?.env ?? []).map(({ name, value }) => [name, value ?? '']),
);
const composedEnv: Environment = replica.environment ?? {};

const signer = createSigner();
const directory = makeDirectory();
afterAll(() => removeDirectory(directory));

/** What somebody fills in: the client, and one file for each that is named. */
const filledIn = (env: Environment): Environment => {
  const contents: Environment = {
    ANTOM_PUBLIC_KEY_FILE: signer.publicKey,
    DATABASE_URL_FILE: 'postgres://paynotify:secret@database:5432/paynotify',
    ADMIN_TOKEN_FILE: 'a'.repeat(32),
  };
  const files = Object.keys(env).filter((name) => name.endsWith('_FILE'));
  for (const name of files) writeFileSync(join(directory, name), contents[name] ?? '');
  return {
    ...imageEnv,
    ...env,
    ANTOM_CLIENT_ID: signer.clientId,
    ...Object.fromEntries(files.map((name) => [name, join(directory, name)])),
  };
};

const onKubernetes = (): Config => readConfig(filledIn(deployedEnv));
const composed = (): Config => readConfig({ ...filledIn(composedEnv), ANTOM_PUBLIC_KEY: signer.publicKey });

/** Requests may take that long to come in, the last commit to return, and the store to close. */
const AFTER_DRAIN_DELAY_S = 8 + 5 + 5;
const longestDrain = ({ drainDelayMs }: Config): number => drainDelayMs / 1_000 + AFTER_DRAIN_DELAY_S;

/** A number in haproxy.cfg. */
const inHaproxy = (pattern: RegExp): number => Number(pattern.exec(haproxy)?.[1]);

describe('every variable', () => {
  const known = new Set<string>([
    ...VARIABLES,
    ...SECRETS.map((name) => `${name}_FILE`),
    'NODE_COMPILE_CACHE',
    'MALLOC_ARENA_MAX',
    'NODE_OPTIONS',
  ]);

  test.each([
    ['the image', imageEnv],
    ['Kubernetes', deployedEnv],
    ['compose', composedEnv],
  ])('that %s sets is one that we, Node or its C library read', (_, env) => {
    expect(Object.keys(env).length).toBeGreaterThan(0);
    expect(Object.keys(env).filter((name) => !known.has(name))).toEqual([]);
  });

  test.each([
    ['SQLite, in the image', settings, imageEnv],
    ['PostgreSQL, on Kubernetes', settingsWithPostgres, { ...imageEnv, ...deployedEnv }],
    ['PostgreSQL, composed', settingsWithPostgres, { ...imageEnv, ...composedEnv }],
  ])('is measured as it is deployed: %s', (_, { NODE_OPTIONS, MALLOC_ARENA_MAX }, deployed) => {
    expect(deployed).toMatchObject({ NODE_OPTIONS, MALLOC_ARENA_MAX });
  });

  test('is accepted at start, on top of those of the image', () => {
    expect(onKubernetes()).toMatchObject({
      databaseUrl: expect.stringMatching(/^postgres:/),
      adminHost: '0.0.0.0',
      trustProxy: 1,
      publicUris: ['/payNotify'],
    });
    expect(composed()).toMatchObject({
      databaseUrl: expect.stringMatching(/^postgres:/),
      adminHost: '0.0.0.0',
      trustProxy: 1,
    });
  });

  test('and file that compose makes for itself is accepted, and made only once', () => {
    const { entrypoint: [node = '', ...options] = [], command = [] } = compose.services['secrets'] ?? {};
    expect(node).toBe('node');
    const values = [...options, ...command];
    const make = (): Config => {
      const { status, stderr } = spawnSync(
        process.execPath,
        values.map((value) => value.replaceAll("'/data/", `'${directory}/`)),
        { encoding: 'utf8' },
      );
      expect([status, stderr]).toEqual([0, '']);
      const env = { ...imageEnv, ...composedEnv, ANTOM_CLIENT_ID: signer.clientId, ANTOM_PUBLIC_KEY: signer.publicKey };
      return readConfig(
        Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace(/^\/secrets/, directory)])),
      );
    };
    const { databaseUrl, adminToken } = make();
    expect(new URL(databaseUrl).hostname).toBe('database');
    expect(new URL(databaseUrl).password).not.toBe(adminToken);
    expect(make()).toMatchObject({ databaseUrl, adminToken });
    for (const name of ['admin-token', 'database-url'])
      expect([name, statSync(join(directory, name)).mode & 0o777]).toEqual([name, 0o600]);
  });
});

describe('every port and limit', () => {
  test('is the one that the service listens on', () => {
    const { port, adminPort } = onKubernetes();
    expect(container?.ports).toEqual([
      { name: 'public', containerPort: port },
      { name: 'admin', containerPort: adminPort },
    ]);
    expect(/^EXPOSE (.*)$/m.exec(dockerfile)?.[1]).toBe(`${port} ${adminPort}`);
    expect([...haproxy.matchAll(/^ {2}server \S+ (\S+)$/gm)].map(([, server]) => server)).toEqual(
      Object.keys(compose.services)
        .filter((name) => name.startsWith('paynotify-'))
        .map((name) => `${name}:${composed().port}`),
    );
    expect(new Set([...nginx.matchAll(/^ {4}server \S+:(\d+) /gm)].map(([, of]) => Number(of)))).toEqual(
      new Set([port]),
    );
  });

  test('lets a body of BODY_LIMIT through', () => {
    const ingress = readManifests().find(({ kind }) => kind === 'Ingress')?.content as {
      readonly metadata: { readonly annotations: Environment };
    };
    const limit = `${onKubernetes().bodyLimit / 1_024}k`;
    expect(/client_max_body_size (\S+);/.exec(nginx)?.[1]).toBe(limit);
    expect(ingress.metadata.annotations['nginx.ingress.kubernetes.io/proxy-body-size']).toBe(limit);
  });
});

describe('no 503 that a stranger causes takes a replica out', () => {
  test('of nginx: none counts as a failure', () => {
    const servers = [...nginx.matchAll(/^ {4}server .*$/gm)].map(([line]) => line);
    expect(servers.length).toBeGreaterThan(1);
    expect(servers.filter((line) => !line.includes(' max_fails=0;'))).toEqual([]);
  });

  test('of the Ingress: a 503 is not passed on, and no failure is counted', () => {
    const ingress = readManifests().find(({ kind }) => kind === 'Ingress')?.content as {
      readonly metadata: { readonly annotations: Environment };
    };
    const { annotations } = ingress.metadata;
    const seconds = (name: string): number => Number(annotations[`nginx.ingress.kubernetes.io/proxy-${name}`]);
    expect(annotations['nginx.ingress.kubernetes.io/proxy-next-upstream']?.split(' ')).toEqual([
      'error',
      'timeout',
      'non_idempotent',
    ]);
    expect(annotations['nginx.org/max-fails']).toBe('0');
    // Otherwise a pod that is gone leaves no time for the next one.
    expect(seconds('connect-timeout')).toBeLessThan(seconds('next-upstream-timeout'));
  });

  test('of HAProxy: only its own checks count', () => {
    expect(haproxy).not.toMatch(/\bobserve\b|\bon-error\b|retry-on .*503/);
    expect(haproxy).toContain('http-check send meth GET uri /readyz');
  });
});

describe('a rolling deploy', () => {
  test('is waited for as long as a drain may take', () => {
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(longestDrain(onKubernetes()));
    expect(Number(/^(\d+)s$/.exec(replica.stop_grace_period ?? '')?.[1])).toBeGreaterThan(longestDrain(composed()));
  });

  test('is noticed by HAProxy before a replica stops accepting', () => {
    const noticed = inHaproxy(/\binter (\d+)s/) * inHaproxy(/\bfall (\d+)/) + inHaproxy(/timeout check (\d+)s/);
    expect(noticed).toBeGreaterThan(0);
    expect(composed().drainDelayMs / 1_000).toBeGreaterThan(noticed);
  });
});

describe('the image', () => {
  const last = dockerfile.split(/^FROM /m).at(-1) ?? '';
  const { version, license, description } = JSON.parse(readProject('package.json')) as Readonly<Record<string, string>>;

  test('says what it holds', () => {
    const labels = Object.fromEntries(
      [...last.matchAll(/org\.opencontainers\.image\.([\w.]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [
        name,
        value,
      ]),
    );
    expect(labels).toEqual({
      title: 'paynotify',
      description,
      version,
      licenses: license,
      revision: '$REVISION',
      'base.name': `docker.io/library/${last.split('\n')[0]}`,
    });
    expect(last).toContain('COPY --from=dependencies /app/sbom.cdx.json');
  });

  // Node has a folder for each user, and makes none where it may not write.
  test("has Node's compile cache for the user that reads it", () => {
    const [before = '', after] = last.split('RUN node src/cli.ts demo');
    expect(after).toBeDefined();
    expect(before.match(/^USER .*$/gm)?.at(-1)).toBe(last.match(/^USER .*$/gm)?.at(-1));
  });

  test('serves, or runs the command that is named', () => {
    expect(/^ENTRYPOINT (.*)$/m.exec(last)?.[1]).toBe('["node", "--disable-sigusr1", "/app/src/cli.ts"]');
    expect(/^CMD (.*)$/m.exec(last)?.[1]).toBe('["serve"]');
  });
});

describe('compose', () => {
  test('runs three replicas that differ in nothing', () => {
    expect(replicas).toHaveLength(3);
    expect(new Set(replicas.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(replica).toMatchObject({ build: '..', env_file: '../.env' });
  });

  test('asks every service that goes on whether it is well, in a way that it can read', () => {
    const asked = Object.values(compose.services)
      .filter(({ healthcheck }) => healthcheck?.disable !== true)
      .map(({ healthcheck }) => healthcheck?.test ?? []);
    expect(asked.filter((words) => words.length < 2 || words.some((word) => typeof word !== 'string'))).toEqual([]);
  });

  test.each(Object.entries(compose.services))('lets %s do nothing that it need not do', (name, service) => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(service.ports ?? []).toHaveLength(name === 'haproxy' ? 1 : 0);
  });
});

test("the pods run as the image's user, by number", () => {
  // Node's images give `node` this number; Kubernetes cannot know that a name is not root's.
  expect(/^USER (\S+)$/m.exec(dockerfile)?.[1]).toMatch(/^(node|1000(:1000)?)$/);
  expect(pod?.securityContext).toMatchObject({ runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 });
});

test('SIGUSR1 opens no debugger, from the first moment on, in the image and in npm start', () => {
  const { scripts } = JSON.parse(readProject('package.json')) as { readonly scripts: Environment };
  expect(scripts['start']).toContain(' --disable-sigusr1 ');
  expect(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1]).toContain('"--disable-sigusr1"');
});
