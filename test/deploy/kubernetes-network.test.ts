import { describe, expect, test } from '@jest/globals';
import type { Deployment, StatefulSet } from 'kubernetes-types/apps/v1.d.ts';
import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.d.ts';
import type { Service } from 'kubernetes-types/core/v1.d.ts';
import type { LabelSelector } from 'kubernetes-types/meta/v1.d.ts';
import type { Ingress, NetworkPolicy } from 'kubernetes-types/networking/v1.d.ts';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.d.ts';
import { parseAllDocuments } from 'yaml';
import { readProject } from './typed.ts';
import { all, type Labels, migration, only, probesOf, replicas, SERVING, valuesOf, WORKLOADS } from './manifests.ts';

const deployment = only<Deployment>('Deployment').spec;
const statefulSet = only<StatefulSet>('StatefulSet').spec;
const policy = (name: string) => {
  const spec = all<NetworkPolicy>('NetworkPolicy').find(({ metadata }) => metadata?.name === name)?.spec;
  if (spec === undefined) throw new Error(`no NetworkPolicy is named ${name}`);
  return spec;
};
/** An empty selector selects all; none at all, nothing. */
const selects = (selector: LabelSelector | undefined, labels: Labels): boolean =>
  selector !== undefined &&
  selector.matchExpressions === undefined &&
  Object.entries(selector.matchLabels ?? {}).every(([name, value]) => labels[name] === value);

describe('every selector', () => {
  test('selects the pods that serve, and not the migration', () => {
    const selectors = [
      deployment?.selector,
      statefulSet?.selector,
      ...(replicas.pod.topologySpreadConstraints ?? []).map(({ labelSelector }) => labelSelector),
      only<PodDisruptionBudget>('PodDisruptionBudget').spec?.selector,
      policy('paynotify').podSelector,
      ...all<Service>('Service').map(({ spec }) => ({ matchLabels: spec?.selector ?? {} })),
    ];
    const selected = selectors.map((selector) => WORKLOADS.map(({ labels }) => selects(selector, labels)));
    expect(selected).toEqual(selectors.map(() => [true, true, false]));
  });

  test('of what may reach the database selects the replicas and the migration', () => {
    const { podSelector } = policy('paynotify-database');
    expect([replicas, migration].map(({ labels }) => selects(podSelector, labels))).toEqual([true, true]);
    expect(selects(podSelector, { 'app.kubernetes.io/name': 'postgresql' })).toBe(false);
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
  test.each(SERVING.map((one) => [one.kind, one] as const))('that is named is one of the container: %s', (_, one) => {
    const names = new Set(one.container.ports?.map(({ name }) => name));
    const probed = probesOf(one).map((probe) => probe?.httpGet?.port);
    const served = all<Service>('Service').flatMap(({ spec }) =>
      (spec?.ports ?? []).map(({ targetPort }) => targetPort),
    );
    const admitted = policy('paynotify').ingress?.flatMap(({ ports }) => (ports ?? []).map(({ port }) => port));
    expect(admitted).toEqual(['public', 'admin']);
    expect([...probed, ...served, ...(admitted ?? [])].filter((port) => !names.has(String(port)))).toEqual([]);
  });

  test('that the Ingress and the route lead to is the public one of the Service, at the same host and path', () => {
    const [rule] = only<Ingress>('Ingress').spec?.rules ?? [];
    const [path] = rule?.http?.paths ?? [];
    const backend = path?.backend.service;
    const service = all<Service>('Service').find(({ metadata }) => metadata?.name === backend?.name);
    expect(service?.spec?.ports).toMatchObject([{ name: backend?.port?.name, targetPort: 'public' }]);
    expect(only<{ readonly spec: unknown }>('HTTPRoute').spec).toMatchObject({
      hostnames: [rule?.host],
      rules: [
        {
          matches: [{ path: { type: path?.pathType, value: path?.path } }],
          backendRefs: [{ name: backend?.name, port: service?.spec?.ports?.[0]?.port }],
        },
      ],
    });
    expect(valuesOf(replicas)['PUBLIC_NOTIFY_URL']).toBe(`https://${rule?.host}${path?.path}`);
  });
});

describe('the network', () => {
  const { ingress = [], egress = [] } = policy('paynotify');
  const SHOP = { 'paynotify.example.com/shop': 'true' };

  test('is closed where no policy opens it', () => {
    expect(policy('default-deny')).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  });

  test('lets labelled pods reach the admin port: those of operators, and the shop in its namespace', () => {
    const admin = ingress.filter(({ ports = [] }) => ports.some(({ port }) => port === 'admin'));
    expect(admin.map(({ from }) => from)).toEqual([
      [
        { podSelector: { matchLabels: { 'paynotify.example.com/operator': 'true' } } },
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
          podSelector: { matchLabels: SHOP },
        },
      ],
    ]);
  });

  test('lets replicas out to APO once the lines are uncommented that a private key needs, and has them if it needs them', () => {
    const text = readProject('deploy/kubernetes/base/network-policy.yaml');
    const opened = text.replaceAll(/^( +)# (- to: \[|  ports: \[)/gm, '$1$2');
    const [, policyOf] = parseAllDocuments(opened).map((one) => one.toJS() as NetworkPolicy);
    const toApo = { to: [{ ipBlock: { cidr: '0.0.0.0/0' } }], ports: [{ protocol: 'TCP', port: 443 }] };
    expect(policyOf?.spec?.egress).toMatchObject([toApo, ...egress]);
    const hasKey = SERVING.some((one) =>
      Object.keys(valuesOf(one)).some((name) => name.startsWith('ANTOM_PRIVATE_KEY')),
    );
    expect(egress.some(({ ports = [] }) => ports.some(({ port }) => port === 443))).toBe(hasKey);
  });

  test('lets replicas out to the shop that callbacks are for, PostgreSQL and DNS, and nowhere else', () => {
    const ways = [...egress, ...(policy('paynotify-database').egress ?? [])];
    expect(ways.flatMap(({ ports = [] }) => ports.map(({ port }) => port))).toEqual([8000, 53, 53, 5432, 53, 53]);
    expect(ways.every(({ to = [] }) => to.length > 0)).toBe(true);
    const [toShop] = egress;
    expect(toShop?.to?.[0]?.podSelector?.matchLabels).toEqual(SHOP);
    const { hostname, port } = new URL(valuesOf(replicas)['CALLBACK_URL'] ?? '');
    expect([hostname.split('.')[1], Number(port)]).toEqual([
      toShop?.to?.[0]?.namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name'],
      toShop?.ports?.[0]?.port,
    ]);
  });
});
