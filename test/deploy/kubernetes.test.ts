import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts';
import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.d.ts';
import type { PodSpec, Secret, Service } from 'kubernetes-types/core/v1.d.ts';
import type { LabelSelector } from 'kubernetes-types/meta/v1.d.ts';
import type { Ingress, NetworkPolicy } from 'kubernetes-types/networking/v1.d.ts';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.d.ts';
import { parse } from 'yaml';
import { complaintsAbout, type Manifest, manifestFiles, readDeployed, readManifests } from './typed.ts';

const manifests = readManifests();
/** The types are what the compiler holds the documents to, in the first test. */
const all = <T>(kind: string): readonly T[] =>
  manifests.filter((manifest) => manifest.kind === kind).map(({ content }) => content as T);
const only = <T>(kind: string): T => {
  const [one, ...others] = all<T>(kind);
  if (one === undefined || others.length > 0)
    throw new Error(`${others.length + (one === undefined ? 0 : 1)} of ${kind}`);
  return one;
};

const deployment = only<Deployment>('Deployment').spec;
const pod = deployment?.template.spec as PodSpec;
const [container] = pod.containers;
const probes = [container?.startupProbe, container?.livenessProbe, container?.readinessProbe];
const labels = deployment?.template.metadata?.labels ?? {};
const selects = (selector: LabelSelector | undefined): boolean => {
  const wanted = Object.entries(selector?.matchLabels ?? {});
  return wanted.length > 0 && wanted.every(([name, value]) => labels[name] === value);
};

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
];

const broken = MISTAKES.map(({ kind, change: [from, to] }): Manifest => {
  const manifest = manifests.find((one) => one.kind === kind) as Manifest;
  const text = JSON.stringify(manifest.content);
  if (!text.includes(from)) throw new Error(`${kind} has no ${from}`);
  return { ...manifest, content: JSON.parse(text.replace(from, to)) as Manifest['content'] };
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
        'HorizontalPodAutoscaler',
        'Ingress',
        'Namespace',
        'NetworkPolicy',
        'PodDisruptionBudget',
        'Secret',
        'Service',
      ]),
    );
  });

  test.each(MISTAKES.map(({ name }, index) => [name, index] as const))('%s would be noticed', (_, index) => {
    expect(complaints[manifests.length + index]).toMatch(/error TS(2322|2353|2561|2741)/);
  });
});

describe('kustomize', () => {
  const { resources, images } = parse(readDeployed('kubernetes/kustomization.yaml')) as {
    readonly resources: readonly string[];
    readonly images: readonly { readonly name: string }[];
  };

  test('applies every file but the example of the Secret', () => {
    expect([...resources, 'kustomization.yaml', 'secret.example.yaml'].sort()).toEqual([...manifestFiles()].sort());
  });

  test("names the Deployment's image", () => {
    expect(images.map(({ name }) => name)).toEqual([container?.image]);
  });
});

describe('the pods', () => {
  test('may do nothing that they need not do', () => {
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(Object.keys(container?.resources?.limits ?? {})).toContain('memory');
    expect(Object.keys(container?.resources?.requests ?? {})).toEqual(['cpu', 'memory']);
  });

  test('are replaced one by one, and never fewer than there should be', () => {
    expect(deployment?.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
    expect(deployment).not.toHaveProperty('replicas');
  });

  test('live by /healthz, and are ready by /readyz', () => {
    expect(probes.map((probe) => probe?.httpGet?.path)).toEqual(['/healthz', '/healthz', '/readyz']);
  });
});

describe('every selector', () => {
  test('selects the pods', () => {
    const selectors = [
      deployment?.selector,
      ...(pod.topologySpreadConstraints ?? []).map(({ labelSelector }) => labelSelector),
      only<PodDisruptionBudget>('PodDisruptionBudget').spec?.selector,
      only<NetworkPolicy>('NetworkPolicy').spec?.podSelector,
      ...all<Service>('Service').map(({ spec }) => ({ matchLabels: spec?.selector ?? {} })),
    ];
    expect(selectors.map(selects)).toEqual(selectors.map(() => true));
  });

  test('the autoscaler scales the Deployment', () => {
    const { name } = only<Deployment>('Deployment').metadata ?? {};
    expect(only<HorizontalPodAutoscaler>('HorizontalPodAutoscaler').spec?.scaleTargetRef).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name,
    });
  });
});

describe('every port', () => {
  const names = new Set(container?.ports?.map(({ name }) => name));

  test('that is named is one of the container', () => {
    const probed = probes.map((probe) => probe?.httpGet?.port);
    const served = all<Service>('Service').flatMap(({ spec }) =>
      (spec?.ports ?? []).map(({ targetPort }) => targetPort),
    );
    const admitted = only<NetworkPolicy>('NetworkPolicy').spec?.ingress?.flatMap(({ ports }) =>
      (ports ?? []).map(({ port }) => port),
    );
    expect([...probed, ...served, ...(admitted ?? [])].filter((port) => !names.has(String(port)))).toEqual([]);
  });

  test('that the Ingress leads to is the public one of the Service', () => {
    const backends = only<Ingress>('Ingress').spec?.rules?.flatMap(({ http }) =>
      (http?.paths ?? []).map(({ backend }) => backend.service),
    );
    const service = all<Service>('Service').find(({ metadata }) => metadata?.name === backends?.[0]?.name);
    expect(service?.spec?.ports).toMatchObject([{ name: backends?.[0]?.port?.name, targetPort: 'public' }]);
  });

  test('of operators is open to labelled pods only, and nothing else is let out but to PostgreSQL and DNS', () => {
    const { ingress = [], egress = [] } = only<NetworkPolicy>('NetworkPolicy').spec ?? {};
    const admin = ingress.filter(({ ports = [] }) => ports.some(({ port }) => port === 'admin'));
    expect(admin).toHaveLength(1);
    expect(admin[0]?.from?.every(({ podSelector }) => Object.keys(podSelector?.matchLabels ?? {}).length > 0)).toBe(
      true,
    );
    expect(egress.flatMap(({ ports = [] }) => ports.map(({ port }) => port))).toEqual([5432, 53, 53]);
    expect(egress.every(({ to = [] }) => to.length > 0)).toBe(true);
  });
});

test('every file that a variable names comes from a key of the Secret', () => {
  const mount = container?.volumeMounts?.[0];
  const volume = pod.volumes?.find(({ name }) => name === mount?.name)?.secret;
  const secret = only<Secret>('Secret');
  expect(volume?.secretName).toBe(secret.metadata?.name);
  // Read by the group that fsGroup gives them: 0440.
  expect([volume?.defaultMode, pod.securityContext?.fsGroup]).toEqual([0o440, pod.securityContext?.runAsGroup]);
  const named = (container?.env ?? []).filter(({ name }) => name.endsWith('_FILE')).map(({ value }) => value);
  expect(new Set(named)).toEqual(
    new Set(Object.keys(secret.stringData ?? {}).map((key) => `${mount?.mountPath}/${key}`)),
  );
  expect(Object.values(secret.stringData ?? {}).filter((value) => value !== '')).toEqual([]);
});
