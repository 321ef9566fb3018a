import { type AntomClient, createAntomClients } from './antom/client.ts';
import type { Config, ConfiguredKeys } from './config.ts';
import type { Log } from './log.ts';
import { type Reconciler, startReconciler } from './reconcile/reconciler.ts';
import { reconcileReport } from './reconcile/report.ts';
import type { Store } from './store/store.ts';

/** What calls Antom's API in the background, from the process's start to its end; it works while the store is open. */
export interface Calling {
  readonly begin: (store: Store) => void;
  /** Calls with these keys from now on. */
  readonly reload: (keys: ConfiguredKeys) => void;
  readonly stop: () => Promise<void>;
}

/** None without a private key. */
export const clientsOf = ({ api, keys }: ConfiguredKeys): ReadonlyMap<string, AntomClient> =>
  api === null ? new Map() : createAntomClients(api, keys);

export const createCalling = (config: Config, log: Log): Calling => {
  let clients = clientsOf(config);
  let reconciler: Reconciler | null = null;
  return {
    begin: (store) => {
      const report = reconcileReport(log);
      reconciler = startReconciler(clients, { store, perSecond: config.inquiriesPerSecond, report });
    },
    reload: (keys) => {
      clients = clientsOf(keys);
      reconciler?.use(clients);
    },
    stop: async () => await reconciler?.stop(),
  };
};
