import { afterAll, describe, expect, test } from '@jest/globals';
import { settings, settingsWithPostgres } from '../../bench/subjects.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { createSigner } from '../support/client.ts';
import { type Environment, makeDirectory, removeDirectory } from '../support/receiver.ts';
import { commandsOf, readPage } from '../docs/blocks.ts';
import { compose, composedReplicas } from './composed.ts';
import { filledIn, imageEnv, READ } from './environments.ts';
import { replicas, single, valuesOf } from './manifests.ts';
import { readDeployed, readManifests, readProject } from './typed.ts';

const { pod, container } = replicas;
const [composedReplica = {}] = composedReplicas;
const dockerfile = readProject('Dockerfile');
const haproxy = readDeployed('haproxy.cfg');
const nginx = readDeployed('nginx.conf');

const deployedEnv = valuesOf(replicas);
const composedEnv: Environment = composedReplica.environment ?? {};

const signer = createSigner();
const directory = makeDirectory();
afterAll(() => removeDirectory(directory));

const onKubernetes = (env = deployedEnv): Config => readConfig(filledIn(env, signer, directory));
const composed = (): Config =>
  readConfig({ ...filledIn(composedEnv, signer, directory), ANTOM_PUBLIC_KEY: signer.publicKey });

/** Requests may take that long to come in, the last commit to return, and the store to close. */
const AFTER_DRAIN_DELAY_S = 8 + 5 + 5;
const longestDrain = ({ drainDelayMs }: Config): number => drainDelayMs / 1_000 + AFTER_DRAIN_DELAY_S;

/** A number in haproxy.cfg. */
const inHaproxy = (pattern: RegExp): number => Number(pattern.exec(haproxy)?.[1]);

describe('every variable', () => {
  test.each([
    ['the image', imageEnv],
    ['Kubernetes', deployedEnv],
    ['Kubernetes, with SQLite,', valuesOf(single)],
    ['compose', composedEnv],
  ])('that %s sets is one that we, Node or its C library read', (_, env) => {
    expect(Object.keys(env).length).toBeGreaterThan(0);
    expect(Object.keys(env).filter((name) => !READ.has(name))).toEqual([]);
  });

  test.each([
    ['SQLite, in the image', settings, imageEnv],
    ['SQLite, on Kubernetes', settings, { ...imageEnv, ...valuesOf(single) }],
    ['PostgreSQL, on Kubernetes', settingsWithPostgres, { ...imageEnv, ...deployedEnv }],
    ['PostgreSQL, composed', settingsWithPostgres, { ...imageEnv, ...composedEnv }],
  ])('is measured as it is deployed: %s', (_, { NODE_OPTIONS, MALLOC_ARENA_MAX }, deployed) => {
    expect(deployed).toMatchObject({ NODE_OPTIONS, MALLOC_ARENA_MAX });
  });

  test('of Node that the image sets, npm start sets too', () => {
    const { scripts } = JSON.parse(readProject('package.json')) as { readonly scripts: { readonly start: string } };
    expect(scripts.start).toContain(` ${imageEnv['NODE_OPTIONS']} `);
  });

  test('is accepted at start, on top of those of the image', () => {
    expect(onKubernetes()).toMatchObject({
      databaseUrl: expect.stringMatching(/^postgres:/),
      adminHost: '0.0.0.0',
      trustProxy: 1,
      publicUris: ['/payNotify'],
    });
    expect(onKubernetes(valuesOf(single))).toMatchObject({
      databaseUrl: 'sqlite:/data/paynotify.db',
      adminHost: '0.0.0.0',
    });
    expect(composed()).toMatchObject({
      databaseUrl: expect.stringMatching(/^postgres:/),
      adminHost: '0.0.0.0',
      trustProxy: 1,
    });
  });
});

describe('every port and limit', () => {
  test('is the one that the service listens on', () => {
    const { port, adminPort } = onKubernetes();
    expect(container.ports).toEqual([
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
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(longestDrain(onKubernetes()));
    expect(Number(/^(\d+)s$/.exec(composedReplica.stop_grace_period ?? '')?.[1])).toBeGreaterThan(
      longestDrain(composed()),
    );
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

test("the pods run as the image's user, by number", () => {
  // Node's images give `node` this number; Kubernetes cannot know that a name is not root's.
  expect(/^USER (\S+)$/m.exec(dockerfile)?.[1]).toMatch(/^(node|1000(:1000)?)$/);
  expect(pod.securityContext).toMatchObject({ runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 });
});

test('SIGUSR1 opens no debugger, from the first moment on, in the image and in npm start', () => {
  const { scripts } = JSON.parse(readProject('package.json')) as { readonly scripts: Environment };
  expect(scripts['start']).toContain(' --disable-sigusr1 ');
  expect(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1]).toContain('"--disable-sigusr1"');
});

describe('docker run, as README and docs/deploying.md show it', () => {
  const recipes = ['README.md', 'docs/deploying.md'].map((path) =>
    commandsOf(readPage(path)).find((command) => command.startsWith('docker run -d ')),
  );
  const [recipe = ''] = recipes;

  test('is one recipe', () => expect(recipes).toEqual([recipe, recipe]));

  test('starts again by itself, is waited for as long as a drain may take, and is bounded', () => {
    expect(recipe).toContain(' --restart unless-stopped ');
    expect(Number(/ --stop-timeout (\d+) /.exec(recipe)?.[1])).toBeGreaterThan(AFTER_DRAIN_DELAY_S);
    expect(recipe).toMatch(/ --memory 512m .*--read-only --cap-drop ALL --security-opt no-new-privileges /);
  });

  test('opens the admin listener to this host alone, where it has a token', () => {
    const { ADMIN_PORT, ADMIN_HOST } = { ADMIN_PORT: onKubernetes().adminPort, ADMIN_HOST: '0.0.0.0' };
    expect(recipe).toContain(` -p 127.0.0.1:${ADMIN_PORT}:${ADMIN_PORT} `);
    expect(recipe).toContain(` -e ADMIN_HOST=${ADMIN_HOST} `);
    const env = { ...imageEnv, ADMIN_HOST, ANTOM_CLIENT_ID: signer.clientId, ANTOM_PUBLIC_KEY: signer.publicKey };
    expect(() => readConfig(env)).toThrow(/ADMIN_TOKEN/);
  });
});
