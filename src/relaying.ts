import type { KeyRing } from './antom/keys.ts';
import type { Config } from './config.ts';
import type { FeedWatch } from './feed-watch.ts';
import type { Log } from './log.ts';
import { type Relay, startRelay } from './relay/relay.ts';
import { relayReport } from './relay/report.ts';
import type { Store } from './store/store.ts';

/** The relay from the process's start to its end; it works while the store is open. */
export interface Relaying {
  readonly begin: (store: Store) => void;
  /** Reads again where callbacks of these clients are posted; throws a ConfigError, and then nothing changes. */
  readonly reload: (keys: KeyRing) => void;
  readonly stop: () => Promise<void>;
}

export const createRelaying = (
  config: Config,
  { waitForChange }: Pick<FeedWatch, 'waitForChange'>,
  log: Log,
): Relaying => {
  let targets = config.callbacks;
  let relay: Relay | null = null;
  return {
    begin: (store) => {
      relay = startRelay(targets, {
        store,
        waitForChange: async (cursor, wait) => await waitForChange('orders', cursor, wait),
        report: relayReport(log),
      });
    },
    reload: (keys) => {
      targets = config.readCallbacksAgain(keys);
      relay?.use(targets);
    },
    stop: async () => await relay?.stop(),
  };
};
