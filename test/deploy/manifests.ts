import type { Deployment, StatefulSet } from 'kubernetes-types/apps/v1.d.ts';
import type { Job } from 'kubernetes-types/batch/v1.d.ts';
import type { Container, PodSpec } from 'kubernetes-types/core/v1.d.ts';
import { readManifests } from './typed.ts';

/** The manifests of deploy/kubernetes, taken apart. */
export const manifests = readManifests();
/** The types are what the compiler holds the documents to, in the first test. */
export const all = <T>(kind: string): readonly T[] =>
  manifests.filter((manifest) => manifest.kind === kind).map(({ content }) => content as T);
export const only = <T>(kind: string): T => {
  const [one, ...others] = all<T>(kind);
  if (one === undefined || others.length > 0)
    throw new Error(`${others.length + (one === undefined ? 0 : 1)} of ${kind}`);
  return one;
};

export type Labels = Readonly<Record<string, string>>;
export interface Workload {
  readonly kind: string;
  readonly pod: PodSpec;
  readonly labels: Labels;
  readonly container: Container;
}
const workload = (kind: string): Workload => {
  const { spec: pod, metadata } = only<Deployment | StatefulSet | Job>(kind).spec?.template ?? {};
  const [container, ...others] = pod?.containers ?? [];
  if (pod === undefined || container === undefined || others.length > 0)
    throw new Error(`${kind} has no one container`);
  return { kind, pod, labels: metadata?.labels ?? {}, container };
};

export const replicas = workload('Deployment');
export const single = workload('StatefulSet');
export const migration = workload('Job');
export const SERVING = [replicas, single];
export const WORKLOADS = [...SERVING, migration];

export const probesOf = ({ container: { startupProbe, livenessProbe, readinessProbe } }: Workload) => [
  startupProbe,
  livenessProbe,
  readinessProbe,
];
export const valuesOf = ({ container }: Workload): Labels =>
  Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value ?? '']));
