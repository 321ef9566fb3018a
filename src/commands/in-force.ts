import { KeyError } from '../antom/keys.ts';
import type { Trust } from '../antom/signature.ts';
import type { Diagnosed, DiagnosisTrust } from '../antom/diagnosis.ts';
import { type Config, ConfigError, type Environment, namedRules, readConfig, readStoreConfig } from '../config.ts';
import type { Store, StoredUnverified } from '../store/store.ts';
import { diagnosisOf } from '../upkeep/diagnosis.ts';
import { storedClientsOf, recallRules, recallService, type ServiceInForce, trustOf } from '../upkeep/in-force.ts';
import { CommandError } from './failure.ts';

/*
 * Commands speak for the service: what it stored of itself decides. What their own environment says counts where no
 * service has started on the database yet.
 */

type Settings = Pick<Store, 'recall'>;

/** The whole configuration of this environment; null where it is none, as on a machine without the keys. */
const ownConfig = (env: Environment): Config | null => {
  try {
    return readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
};

/** The clients that this environment configures; none where it configures no keys. */
export const configuredClients = (env: Environment): readonly string[] => [...(ownConfig(env)?.keys.keys() ?? [])];

/** The clients of the service, else those that the environment configures; none where neither says. */
export const clientsInForce = async (env: Environment, store: Settings): Promise<readonly string[]> => {
  const service = await recallService(store);
  return service === null ? configuredClients(env) : service.clients.map(({ clientId }) => clientId);
};

/** What the service verifies with, else what the environment configures. Throws a ConfigError where neither says. */
export const trustInForce = async (env: Environment, store: Settings): Promise<DiagnosisTrust> => {
  const service = await recallService(store);
  if (service === null) {
    const { keys, publicUris, notifyPaths } = readConfig(env);
    return { keys, publicUris, notifyPaths };
  }
  try {
    return trustOf(service);
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    throw new CommandError(
      `a key of the service, in settings, cannot be read (${error.message}): start the service again, which writes it`,
    );
  }
};

/** The same, and what this environment configures: a key that was removed from the service verifies what is old. */
export const trustOfBoth = async (env: Environment, store: Settings): Promise<Trust> => {
  const trust = await trustInForce(env, store);
  const own = ownConfig(env);
  if (own === null) return trust;
  const keys = new Map(trust.keys);
  for (const [clientId, more] of own.keys) keys.set(clientId, [...(keys.get(clientId) ?? []), ...more]);
  return { keys, publicUris: [...trust.publicUris, ...own.publicUris] };
};

/**
 * Why an unverified request does not verify: as the service keeps it, else as by its keys; null where neither is there.
 */
export const diagnosisInForce = async (
  env: Environment,
  store: Settings,
  stored: StoredUnverified,
): Promise<Diagnosed | null> => {
  if (stored.diagnosis !== null) return stored.diagnosis;
  try {
    return await diagnosisOf(stored, await trustInForce(env, store));
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
};

/** One line for each variable that this environment and the service understand differently; both values, no secret. */
export const differences = async (env: Environment, store: Settings): Promise<readonly string[]> => {
  const [stored, service] = [await recallRules(store), await recallService(store)];
  const pairs: (readonly [string, string, string])[] = [];
  if (stored !== null) {
    const [here, there] = [namedRules(readStoreConfig(env).rules), namedRules(stored.rules)];
    for (const [name, value] of Object.entries(there)) pairs.push([name, here[name] ?? '', value]);
  }
  const own = ownConfig(env);
  if (service !== null && own !== null) {
    pairs.push(
      ['ANTOM_CLIENT_ID', [...own.keys.keys()].sort().join(','), clientIdsOf(service).join(',')],
      ['ANTOM_PUBLIC_KEY', fingerprintsOf(storedClientsOf(own.keys)), fingerprintsOf(service.clients)],
      ['NOTIFY_PATHS', own.notifyPaths.join(','), service.notifyPaths.join(',')],
      ['PUBLIC_NOTIFY_URL', own.publicUris.join(','), service.publicUris.join(',')],
    );
  }
  return pairs
    .filter(([, here, there]) => here !== there)
    .map(([name, here, there]) => `${name} is ${shown(here)} here and ${shown(there)} in the service, which decides`);
};

const shown = (value: string): string => (value === '' ? 'not set' : value);

const clientIdsOf = ({ clients }: ServiceInForce): readonly string[] => clients.map(({ clientId }) => clientId).sort();

/** Without their clients, which are compared by themselves. */
const fingerprintsOf = (clients: ServiceInForce['clients']): string =>
  clients
    .flatMap(({ keys }) =>
      keys.map(({ version, fingerprint }) => (version === null ? '' : `${version}:`) + fingerprint),
    )
    .sort()
    .join(',');
