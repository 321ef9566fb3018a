import type { Move, Store } from '../store/store.ts';
import { captureByRegistration } from './auto-capture.ts';
import type { Moves } from './moves.ts';

export interface MovingOptions {
  readonly store: Store;
  readonly moves: Moves;
  /** Capture MANUAL orders where a registration says the amount. */
  readonly autoCapture: boolean;
  readonly everyMs?: number;
  readonly onError: (error: unknown) => void;
}

/** What looks after moves that are under way; on one replica at a time. */
export interface Moving {
  /** Resolves when the step under way is done. */
  readonly stop: () => Promise<void>;
}

const EVERY_MS = 5_000;
const AT_ONCE = 50;

/** The first look takes up all: who wrote them down may be gone. The same twice is the same once, by its id. */
export const startMoving = ({ everyMs = EVERY_MS, onError, ...work }: MovingOptions): Moving => {
  let isStopping = false;
  let before = Number.MAX_SAFE_INTEGER;
  const step = async (): Promise<void> => {
    try {
      await workThrough(work, { before, isStopping: () => isStopping });
      before = 0;
    } catch (error) {
      if (!isStopping) onError(error);
    }
  };
  let underWay = step();
  let isBusy = true;
  const done = (): void => {
    isBusy = false;
  };
  void underWay.then(done);
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    underWay = step();
    void underWay.then(done);
  }, everyMs);
  return {
    stop: async () => {
      isStopping = true;
      clearInterval(timer);
      await underWay;
    },
  };
};

interface Bounds {
  readonly before: number;
  readonly isStopping: () => boolean;
}

const workThrough = async (
  { store, moves, autoCapture }: Pick<MovingOptions, 'store' | 'moves' | 'autoCapture'>,
  { before, isStopping }: Bounds,
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
          await moves.takeUp(move);
        }
      }
    });
  if (autoCapture) await captureByRegistration(store, moves, isStopping);
};

const nameOf = ({ clientId, kind, requestId }: Move): string => [clientId, kind, requestId].join('\n');
