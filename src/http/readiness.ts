import { type Log, oncePerMinute, problemOf } from '../log.ts';
import type { Store } from '../store/store.ts';

export type Readiness = 'ready' | 'starting' | 'draining' | 'store unavailable' | 'store slow' | 'queue full';

export interface ReadinessProbe {
  readonly state: () => Readiness;
  readonly drain: () => void;
  readonly isDraining: () => boolean;
  readonly stop: () => void;
}

interface ProbeOptions {
  /** Null while it is not open. */
  readonly store: () => Store | null;
  readonly isQueueFull: () => boolean;
  /** A small write may pass where a batch fails, so the batches count as well. */
  readonly isStoreFailing: () => boolean;
  /** Told of each try that fails. */
  readonly onProblem: (error: unknown) => void;
  /** Told of each try that succeeds. */
  readonly onReady: () => void;
}

const TICK_MS = 1_000;
/** A store that is ready is tried less often: each try is a commit. */
const READY_EVERY_MS = 5_000;
const SLOW_AFTER_MS = 2_000;

/** Tries the store in the background; a request for readiness only reads the last result. */
export const createReadiness = ({
  store: currentStore,
  isQueueFull,
  isStoreFailing,
  onProblem,
  onReady,
}: ProbeOptions): ReadinessProbe => {
  let draining = false;
  let began: number | null = null;
  let last: { readonly at: number; readonly result: 'ready' | 'store unavailable' | 'store slow' } | null = null;

  const probe = async (store: Store): Promise<void> => {
    began = performance.now();
    try {
      await store.ping();
      last = { at: performance.now(), result: performance.now() - began > SLOW_AFTER_MS ? 'store slow' : 'ready' };
      onReady();
    } catch (error) {
      onProblem(error);
      last = { at: performance.now(), result: 'store unavailable' };
    } finally {
      began = null;
    }
  };

  const tick = (): void => {
    const store = currentStore();
    const rested = last === null || last.result !== 'ready' || performance.now() - last.at >= READY_EVERY_MS;
    if (store !== null && began === null && rested) void probe(store);
  };
  const timer = setInterval(tick, TICK_MS);

  return {
    state: () => {
      if (draining) return 'draining';
      if (currentStore() === null) return 'starting';
      if (began !== null && performance.now() - began > SLOW_AFTER_MS) return 'store slow';
      if (last !== null && last.result !== 'ready') return last.result;
      if (isStoreFailing()) return 'store unavailable';
      return isQueueFull() ? 'queue full' : 'ready';
    },
    drain: () => {
      draining = true;
    },
    isDraining: () => draining,
    stop: () => clearInterval(timer),
  };
};

/** Each outage is said at once, and then once a minute. */
export const readinessReport = (log: Log): Pick<ProbeOptions, 'onProblem' | 'onReady'> => {
  let isNews = oncePerMinute();
  return {
    onProblem: (error) => {
      const problem = problemOf(error);
      if (isNews(problem.error)) log.error(problem, 'the store cannot be written');
    },
    onReady: () => {
      isNews = oncePerMinute();
    },
  };
};
