import { setTimeout as pause } from 'node:timers/promises';
import type { KeyRing } from './antom/keys.ts';
import type { Config } from './config.ts';
import type { Log } from './log.ts';
import { type Relay, startRelay, type WaitForChange } from './relay/relay.ts';
import { relayReport } from './relay/report.ts';
import type { Store } from './store/store.ts';

/** The relay from the process's start to its end; it works while the store is open. */
export interface Relaying {
  /** `posted` is told the status of every answer; null for none in time. */
  readonly begin: (store: Store, posted: (status: number | null) => void) => void;
  /** Reads again where callbacks of these clients are posted; throws a ConfigError, and then nothing changes. */
  readonly reload: (keys: KeyRing) => void;
  readonly stop: () => Promise<void>;
}

export const createRelaying = (config: Config, log: Log): Relaying => {
  let targets = config.callbacks;
  let relay: Relay | null = null;
  return {
    begin: (store, posted) => {
      const report = { ...relayReport(log), posted };
      relay = startRelay(targets, { store, waitForChange: pollFeed(store), report });
    },
    reload: (keys) => {
      targets = config.readCallbacksAgain(keys);
      relay?.use(targets);
    },
    stop: async () => await relay?.stop(),
  };
};

const LOOK_EVERY_MS = 250;

const pollFeed =
  (store: Pick<Store, 'endOfFeed'>): WaitForChange =>
  async (cursor, { ms, signal }) => {
    const until = performance.now() + ms;
    while (!signal.aborted && performance.now() < until) {
      await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
      if ((await store.endOfFeed()) !== cursor) return true;
    }
    return false;
  };
