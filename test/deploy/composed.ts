import { parse } from 'yaml';
import type { Environment } from '../support/receiver.ts';
import { readDeployed } from './typed.ts';

export interface Composed {
  readonly image?: string;
  readonly build?: string;
  readonly user?: string;
  readonly environment?: Environment;
  readonly env_file?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly healthcheck?: { readonly disable?: boolean; readonly test?: readonly unknown[] };
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly networks?: readonly string[] | Readonly<Record<string, { readonly aliases: readonly string[] }>>;
}

/** deploy/compose.yaml, its merge keys resolved. */
export const compose = parse(readDeployed('compose.yaml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Composed>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly volumes: Readonly<Record<string, null>>;
};

export const serviceOf = (name: string): Composed => {
  const service = compose.services[name];
  if (service === undefined) throw new Error(`compose.yaml has no service ${name}`);
  return service;
};

export const composedReplicas: readonly Composed[] = Object.entries(compose.services)
  .filter(([name]) => /^paynotify-\d$/.test(name))
  .map(([, service]) => service);
