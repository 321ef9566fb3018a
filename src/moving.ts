import { type AntomClient, createAntomClients } from './antom/client.ts';
import type { Config, ConfiguredKeys } from './config.ts';
import type { Log } from './log.ts';
import { createMoves, type Moves } from './moves/moves.ts';
import { moveReport } from './moves/report.ts';
import { type Moving as Worker, startMoving } from './moves/worker.ts';
import type { Store } from './store/store.ts';

/** Moves from the process's start to its end; without a private key there are none. */
export interface Moving {
  /** Null without a private key. */
  readonly moves: (store: Store) => Moves | null;
  /** Looks after those that are under way, from now on. */
  readonly begin: (store: Store) => void;
  readonly reload: (keys: ConfiguredKeys) => void;
  /** What is under way is given up, and taken up after the next start. */
  readonly stop: () => Promise<void>;
}

type Clients = ReadonlyMap<string, AntomClient>;

const clientsOf = ({ api, keys }: ConfiguredKeys): Clients =>
  api === null ? new Map() : createAntomClients(api, keys);

export const createMoving = (config: Config, log: Log): Moving => {
  let clients = clientsOf(config);
  let worker: Worker | null = null;
  const stopping = new AbortController();
  const { onKept, onError } = moveReport(log);
  const movesBy = (store: Store): Moves => createMoves({ store, clients: current, signal: stopping.signal, onKept });
  // Keys may be read again while a move is under way.
  const current: Pick<Clients, 'get'> = { get: (clientId) => clients.get(clientId) };
  return {
    moves: (store) => (clients.size === 0 ? null : movesBy(store)),
    begin: (store) => {
      if (config.api === null) return;
      worker = startMoving({ store, moves: movesBy(store), autoCapture: config.autoCapture, onError });
    },
    reload: (keys) => {
      clients = clientsOf(keys);
    },
    stop: async () => {
      stopping.abort();
      await worker?.stop();
    },
  };
};
