import { createNap } from '../nap.ts';
import type { Order } from '../order/order.ts';
import { type Breaker, createBreaker } from '../reconcile/breaker.ts';
import type { Move, Store } from '../store/store.ts';
import { captureByRegistration } from './auto-capture.ts';
import type { Moves } from './moves.ts';

export interface MoveWorkerOptions {
  readonly store: Store;
  readonly moves: Moves;
  /** Capture MANUAL orders where a registration says the amount. */
  readonly autoCapture: boolean;
  readonly report: {
    readonly onError: (error: unknown) => void;
    readonly onNotCaptured: (order: Order, reason: string) => void;
  };
}

/** Looks after moves that are under way; on one replica at a time. */
export interface MoveWorker {
  /** Resolves when the step under way is done. */
  readonly stop: () => Promise<void>;
}

const LOOK_EVERY_MS = 5_000;
const AT_ONCE = 50;

/** The first look takes up all: who wrote them down may be gone. The same twice is the same once, by its id. */
export const startMoveWorker = (options: MoveWorkerOptions): MoveWorker => {
  const nap = createNap();
  const breakerOf = createBreakers();
  let stopping = false;
  const isStopping = (): boolean => stopping;
  const run = async (): Promise<void> => {
    let before = Number.MAX_SAFE_INTEGER;
    while (!isStopping()) {
      try {
        await workThrough(options, { before, breakerOf, isStopping });
        before = 0;
      } catch (error) {
        if (!isStopping()) options.report.onError(error);
      }
      await nap.sleep(LOOK_EVERY_MS);
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping = true;
      nap.wake();
      await running;
    },
  };
};

/** One for each client. */
const createBreakers = (): ((clientId: string) => Breaker) => {
  const breakers = new Map<string, Breaker>();
  return (clientId) => {
    const breaker = breakers.get(clientId) ?? createBreaker();
    breakers.set(clientId, breaker);
    return breaker;
  };
};

interface Course {
  readonly before: number;
  readonly breakerOf: (clientId: string) => Breaker;
  readonly isStopping: () => boolean;
}

const workThrough = async (
  { store, moves, autoCapture, report }: MoveWorkerOptions,
  { before, breakerOf, isStopping }: Course,
): Promise<void> => {
  const due = async (): Promise<readonly Move[]> => await store.dueMoves(Math.max(before, Date.now()), AT_ONCE);
  // Looked at first: a turn costs PostgreSQL a connection.
  if ((await due()).length > 0)
    await store.exclusively('moves', async () => {
      const taken = new Set<string>();
      for (let left = await due(); left.length > 0 && !isStopping(); left = await due()) {
        const fresh = left.filter((move) => !taken.has(nameOf(move)));
        if (fresh.length === 0) break;
        for (const move of fresh) {
          if (isStopping()) return;
          taken.add(nameOf(move));
          await takeUp(moves, move, breakerOf(move.clientId));
        }
      }
    });
  const { onNotCaptured } = report;
  if (autoCapture) await captureByRegistration({ store, moves, isStopping, onNotCaptured });
};

const takeUp = async (moves: Moves, move: Move, breaker: Breaker): Promise<void> => {
  const openUntil = breaker.openUntil();
  if (openUntil !== null && openUntil > Date.now()) return await moves.putOff(move);
  const { inquired } = await moves.takeUp(move);
  if (inquired !== null) breaker.note(inquired, Date.now());
};

const nameOf = ({ clientId, kind, requestId }: Move): string => [clientId, kind, requestId].join('\n');
