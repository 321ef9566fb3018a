import { type AntomClients, createAntomClients } from './antom/client.ts';
import type { Config, ConfiguredKeys } from './config.ts';
import type { Log } from './log.ts';
import { createMoves, type Moves } from './moves/moves.ts';
import { moveReport } from './moves/report.ts';
import { type MoveWorker, startMoveWorker } from './moves/worker.ts';
import { type Reconciler, startReconciler } from './reconcile/reconciler.ts';
import { reconcileReport } from './reconcile/report.ts';
import type { Store } from './store/store.ts';

/** What calls APO's API, from the process's start to its end: inquiries, captures, cancels and refunds. */
export interface Calling {
  /** Null without a private key. */
  readonly moves: (store: Store) => Moves | null;
  /** Works in the background from now on. */
  readonly begin: (store: Store) => void;
  /** Calls with these keys from now on. */
  readonly reload: (keys: ConfiguredKeys) => void;
  /** What is under way is given up, and taken up after the next start. */
  readonly stop: () => Promise<void>;
}

/** None without a private key. */
export const clientsOf = ({ api, keys }: ConfiguredKeys): AntomClients =>
  api === null ? new Map() : createAntomClients(api, keys);

export const createCalling = (config: Config, log: Log): Calling => {
  let clients = clientsOf(config);
  let reconciler: Reconciler | null = null;
  let worker: MoveWorker | null = null;
  const stopping = new AbortController();
  const report = moveReport(log);
  // Keys may be read again while a move is under way.
  const current: Pick<AntomClients, 'get'> = { get: (clientId) => clients.get(clientId) };
  const movesBy = (store: Store): Moves =>
    createMoves({ store, clients: current, signal: stopping.signal, onKept: report.onKept });
  return {
    moves: (store) => (clients.size === 0 ? null : movesBy(store)),
    begin: (store) => {
      const { inquiriesPerSecond: perSecond, autoCapture } = config;
      reconciler = startReconciler(clients, { store, perSecond, report: reconcileReport(log) });
      worker = startMoveWorker({ store, moves: movesBy(store), autoCapture, report });
    },
    reload: (keys) => {
      clients = clientsOf(keys);
      reconciler?.use(clients);
    },
    stop: async () => {
      stopping.abort();
      await Promise.all([reconciler?.stop(), worker?.stop()]);
    },
  };
};
