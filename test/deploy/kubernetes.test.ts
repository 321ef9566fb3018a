import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Deployment, StatefulSet } from 'kubernetes-types/apps/v1.d.ts';
import type { Secret, Service, ServiceAccount } from 'kubernetes-types/core/v1.d.ts';
import { parse } from 'yaml';
import {
  all,
  manifests,
  migration,
  only,
  probesOf,
  replicas,
  SERVING,
  single,
  valuesOf,
  WORKLOADS,
} from './manifests.ts';
import { complaintsAbout, type Manifest, manifestFiles, readDeployed } from './typed.ts';

const deployment = only<Deployment>('Deployment').spec;
const statefulSet = only<StatefulSet>('StatefulSet').spec;

/** Each with one thing changed that Kubernetes would refuse, or ignore in silence. */
const MISTAKES: readonly {
  readonly name: string;
  readonly kind: string;
  readonly change: readonly [from: string, to: string];
}[] = [
  { name: 'a mistyped field', kind: 'Deployment', change: ['"containerPort":8080', '"containerPort":"8080"'] },
  { name: 'an unknown field', kind: 'Deployment', change: ['"revisionHistoryLimit":5', '"revisionHistory":5'] },
  {
    name: 'a misspelled field deep inside',
    kind: 'Deployment',
    change: ['readOnlyRootFilesystem', 'readOnlyRootFileSystem'],
  },
  { name: 'a number where a variable needs text', kind: 'Deployment', change: ['"value":"10"', '"value":10'] },
  {
    name: 'a list that is none',
    kind: 'NetworkPolicy',
    change: ['"policyTypes":["Ingress","Egress"]', '"policyTypes":"Ingress"'],
  },
  { name: 'a required field that is missing', kind: 'Ingress', change: ['"pathType":"Exact"', '"path":"/payNotify"'] },
  { name: 'a misspelled field of a route', kind: 'HTTPRoute', change: ['"backendRefs"', '"backendRef"'] },
  { name: 'a word that a route does not know', kind: 'HTTPRoute', change: ['"Exact"', '"Whole"'] },
];

const broken = MISTAKES.map(({ kind, change: [from, to] }): Manifest => {
  const manifest = manifests.find((one) => one.kind === kind && JSON.stringify(one.content).includes(from));
  if (manifest === undefined) throw new Error(`${kind} has no ${from}`);
  return {
    ...manifest,
    content: JSON.parse(JSON.stringify(manifest.content).replace(from, to)) as Manifest['content'],
  };
});

describe('every field of the Kubernetes manifests', () => {
  let complaints: readonly string[];
  beforeAll(() => {
    complaints = complaintsAbout([...manifests, ...broken]);
  });

  test('is known and has its type', () => {
    expect(manifests.map(({ file }, index) => [file, complaints[index]])).toEqual(
      manifests.map(({ file }) => [file, '']),
    );
    expect(new Set(manifests.map(({ kind }) => kind))).toEqual(
      new Set([
        'Deployment',
        'HTTPRoute',
        'HorizontalPodAutoscaler',
        'Ingress',
        'Job',
        'Namespace',
        'NetworkPolicy',
        'PodDisruptionBudget',
        'Secret',
        'Service',
        'ServiceAccount',
        'StatefulSet',
      ]),
    );
  });

  test.each(MISTAKES.map(({ name }, index) => [name, index] as const))('%s would be noticed', (_, index) => {
    expect(complaints[manifests.length + index]).toMatch(
      /error TS(2322|2353|2561|2741)|additional properties|allowed values/,
    );
  });
});

describe('kustomize', () => {
  interface Kustomization {
    readonly resources: readonly string[];
    readonly namespace?: string;
    readonly images?: readonly { readonly name: string; readonly newName: string; readonly newTag: string }[];
  }
  const read = (folder: string): Kustomization =>
    parse(readDeployed(`kubernetes/${folder}/kustomization.yaml`)) as Kustomization;
  const variants = [read('postgresql'), read('sqlite')] as const;

  test('applies every file but the example of the Secret, and one of the two ways in', () => {
    const listed = ['base', 'postgresql', 'sqlite'].flatMap((folder) =>
      ['kustomization.yaml', ...read(folder).resources]
        .filter((name) => name !== '../base')
        .map((name) => `${folder}/${name}`),
    );
    expect([...listed, 'base/ingress.yaml', 'base/secret.example.yaml'].sort()).toEqual([...manifestFiles()].sort());
    expect(readDeployed('kubernetes/base/kustomization.yaml')).toContain(
      '# CHANGE: ingress.yaml in place of http-route',
    );
  });

  test('gives both variants the same base, namespace and image, which is the one of every container', () => {
    for (const { resources, namespace, images } of variants) {
      expect(resources[0]).toBe('../base');
      expect(namespace).toBe(only<{ readonly metadata: { readonly name: string } }>('Namespace').metadata.name);
      expect(images).toEqual(variants[0].images);
    }
    expect(new Set(WORKLOADS.map(({ container }) => container.image))).toEqual(
      new Set(variants[0].images?.map(({ name }) => name)),
    );
  });
});

describe('the pods', () => {
  test.each(WORKLOADS.map((one) => [one.kind, one] as const))(
    'of the %s may do nothing that they need not do',
    (_, one) => {
      expect(one.pod).toMatchObject({
        serviceAccountName: only<ServiceAccount>('ServiceAccount').metadata?.name,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(one.container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(Object.keys(one.container.resources?.limits ?? {})).toContain('memory');
      expect(Object.keys(one.container.resources?.requests ?? {})).toEqual(['cpu', 'memory']);
    },
  );

  test('have an account of their own that nobody gets a token of', () => {
    expect(only<ServiceAccount>('ServiceAccount').automountServiceAccountToken).toBe(false);
  });

  test('are replaced one by one, and never fewer than there should be', () => {
    expect(deployment?.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
    expect(deployment).not.toHaveProperty('replicas');
  });

  test('live by /healthz of the port that no stranger can fill, and are ready by /readyz of the public one', () => {
    for (const one of SERVING) {
      expect(probesOf(one).map((probe) => [probe?.httpGet?.path, probe?.httpGet?.port])).toEqual([
        ['/healthz', 'admin'],
        ['/healthz', 'admin'],
        ['/readyz', 'public'],
      ]);
      // A probe comes from the node.
      expect(valuesOf(one)['ADMIN_HOST']).toBe('0.0.0.0');
    }
  });
});

describe('with SQLite', () => {
  test('there is one pod, with a disk that no other pod has', () => {
    expect(statefulSet?.replicas).toBe(1);
    const [claim, ...others] = statefulSet?.volumeClaimTemplates ?? [];
    expect([claim?.spec?.accessModes, others]).toEqual([['ReadWriteOncePod'], []]);
    const mount = single.container.volumeMounts?.find(({ name }) => name === claim?.metadata?.name);
    expect(valuesOf(single)['DATABASE_URL']).toBe(`sqlite:${mount?.mountPath}/paynotify.db`);
    expect(all<Service>('Service').map(({ metadata }) => metadata?.name)).toContain(statefulSet?.serviceName);
    // What was once opened to the group is opened again at each start otherwise, against the files' own 0600.
    expect(single.pod.securityContext?.fsGroupChangePolicy).toBe('OnRootMismatch');
  });

  test('it is the same as with PostgreSQL, but for the database', () => {
    const { DATABASE_URL: _file, ...withSqlite } = valuesOf(single);
    const { DATABASE_URL: _none, DATABASE_URL_FILE: _url, NODE_OPTIONS: _, ...withPostgres } = valuesOf(replicas);
    expect(withSqlite).toEqual(withPostgres);
    expect(probesOf(single)).toEqual(probesOf(replicas));
    expect(single.pod.terminationGracePeriodSeconds).toBe(replicas.pod.terminationGracePeriodSeconds);
    expect(single.container.resources).toEqual(replicas.container.resources);
  });
});

describe('the migration', () => {
  test('runs with the database and the Secret of the replicas', () => {
    expect(migration.container.args).toEqual(['migrate']);
    expect(valuesOf(replicas)).toMatchObject(valuesOf(migration));
    expect(migration.pod.volumes).toEqual(replicas.pod.volumes);
    expect(migration.container.volumeMounts).toEqual(replicas.container.volumeMounts);
  });
});

test('every file that a variable names comes from a key of the Secret', () => {
  const secret = only<Secret>('Secret');
  const named = WORKLOADS.flatMap((one) => {
    const volume = one.pod.volumes?.find(({ secret: from }) => from !== undefined);
    const mount = one.container.volumeMounts?.find(({ name }) => name === volume?.name);
    expect(volume?.secret?.secretName).toBe(secret.metadata?.name);
    // Read by the group that fsGroup gives them: 0440.
    expect([volume?.secret?.defaultMode, one.pod.securityContext?.fsGroup]).toEqual([
      0o440,
      one.pod.securityContext?.runAsGroup,
    ]);
    return Object.entries(valuesOf(one))
      .filter(([name]) => name.endsWith('_FILE'))
      .map(([, file]) => file.replace(`${mount?.mountPath}/`, ''));
  });
  expect(new Set(named)).toEqual(new Set(Object.keys(secret.stringData ?? {})));
  expect(Object.values(secret.stringData ?? {}).filter((value) => value !== '')).toEqual([]);
});
