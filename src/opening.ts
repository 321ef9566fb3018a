import { setTimeout as pause } from 'node:timers/promises';
import type { KeyRing } from './antom/keys.ts';
import { type Config, namedConfig, namedRules } from './config.ts';
import { ListenError } from './http/listener.ts';
import { type Log, oncePerMinute, problemOf } from './log.ts';
import { openStore } from './store/open.ts';
import { type OpenedStore, type Store, StoreUnavailableError, StoreUnusableError } from './store/store.ts';
import { noteInUse } from './upkeep/copy.ts';
import {
  storedClientsOf,
  putRulesInForce,
  recallRules,
  rememberService,
  type ServiceInForce,
} from './upkeep/in-force.ts';
import { VERSION } from './version.ts';

/** What the service opens its store with. */
export interface Means {
  readonly config: Config;
  readonly log: Log;
  readonly onUnusable: (error: StoreUnusableError) => void;
}

const STARTED_AT = new Date();
const OPEN_AGAIN_AFTER_MS = 1_000;

/** An outage is waited for; what will never work is thrown. */
export const openPatiently = async (
  { config, log, onUnusable }: Means,
  isStopping: () => boolean,
): Promise<OpenedStore | null> => {
  const isNews = oncePerMinute();
  while (!isStopping()) {
    try {
      const store = await openStore({
        ...config,
        onNotice: (problem) => log.error({ problem }, 'the database was not closed'),
        onUnusable,
        onUnsafe: (settings) =>
          log.warn(
            { problem: `${settings.join(', ')} off` },
            'commits are not durable on this server: what was acknowledged may be lost (ALLOW_UNSAFE_DATABASE)',
          ),
      });
      await takeCharge(store.own, { config, log });
      return store;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      if (isNews('')) log.error(problemOf(error), 'the store cannot be opened yet');
      await pause(OPEN_AGAIN_AFTER_MS);
    }
  }
  return null;
};

/** Orders are derived by the rules of this service from now on, commands speak for it, and no copy takes anything. */
const takeCharge = async (store: Store, { config, log }: Omit<Means, 'onUnusable'>): Promise<void> => {
  try {
    const before = await recallRules(store);
    const { number } = await putRulesInForce(store, config.rules);
    await rememberService(store, serviceOf(config, config.keys));
    const lacksCopy = await noteInUse(store);
    log.info(
      { database: store.name },
      before === null ? 'a new database: no service has started on it before' : 'an existing database',
    );
    if (lacksCopy)
      log.error(
        'a copy into this database has not ended, so orders may lack what is still to come: end it with `paynotify copy`',
      );
    const rules = Object.entries(namedRules(config.rules)).map(([name, value]) => `${name}=${value}`);
    const isChange = before !== null && before.number !== number;
    log.info(`rules ${number}${isChange ? ', new: all orders are derived again' : ''}: ${rules.join(' ')}`);
  } catch (error) {
    await store.close();
    throw error;
  }
};

/** What this service says of itself. */
export const serviceOf = (config: Config, keys: KeyRing): ServiceInForce => ({
  version: VERSION,
  node: process.version,
  startedAt: STARTED_AT.toISOString(),
  clients: storedClientsOf(keys),
  notifyPaths: config.notifyPaths,
  publicUris: config.publicUris,
  configuration: namedConfig(config),
});

/** Each names what is wrong; a server also the variable that led to it. */
const unusable = ({ message }: StoreUnusableError): { readonly problem: string } => ({
  problem: message.startsWith('DATABASE_URL') ? message : `DATABASE_URL: ${message}`,
});

/** For the log's last line: why it cannot run. */
export const causeOf = (error: unknown): object => {
  if (error instanceof ListenError) return { problem: error.message };
  return error instanceof StoreUnusableError ? unusable(error) : problemOf(error);
};
