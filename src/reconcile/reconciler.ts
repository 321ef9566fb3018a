import type { AntomClient, AntomClients } from '../antom/client.ts';
import { createNap, type Nap } from '../nap.ts';
import { isoTime } from '../order/time.ts';
import { SETTING } from '../store/setting.ts';
import type { Store } from '../store/store.ts';
import { type Breaker, createBreaker, type Turn } from './breaker.ts';
import { planInquiries } from './plan.ts';
import { createReconciling, type Made, type Reconciling, type ReconcilingOptions } from './reconciling.ts';
import { createTelling, type Telling } from './telling.ts';

export interface ReconcileReport {
  /** This process asks for these clients from now on. */
  readonly began: (clientIds: readonly string[]) => void;
  readonly made: (made: Made) => void;
  /** Inquiries of a client are held back, or go on. */
  readonly turned: (turn: Exclude<Turn, null>, made: Made) => void;
  /** No service has reconciled since then: all that something is waited for is asked about. */
  readonly back: (since: Date) => void;
  readonly failed: (error: unknown) => void;
}

export interface ReconcilerOptions extends ReconcilingOptions {
  readonly store: Store;
  readonly report: ReconcileReport;
  /** Milliseconds from one look for orders that are due to the next. */
  readonly lookEveryMs?: number;
}

/** Asks APO about orders whose notifications do not come. */
export interface Reconciler {
  /** Asks for these clients from now on. */
  readonly use: (clients: AntomClients) => void;
  /** Waits for answers for a moment, and gives up what has none. */
  readonly stop: () => Promise<void>;
}

const LOOKS_EVERY_MS = 60_000;
const FAILED_AGAIN_AFTER_MS = 5_000;
const STOPS_WITHIN_MS = 2_000;
/** How many inquiries of a client are under way at most. */
const AT_ONCE = 16;
/** Without a look for so long, every replica was down. */
const DOWN_AFTER_MS = 5 * 60_000;

interface Course extends Required<Pick<ReconcilerOptions, 'store' | 'report' | 'lookEveryMs' | 'now' | 'perSecond'>> {
  readonly reconciling: Reconciling;
  readonly telling: Telling;
  readonly nap: Nap;
  readonly clients: () => AntomClients;
  readonly isStopping: () => boolean;
  readonly aborting: AbortSignal;
}

export const startReconciler = (first: AntomClients, options: ReconcilerOptions): Reconciler => {
  const nap = createNap();
  const aborting = new AbortController();
  const telling = createTelling(options.store, options.report.failed);
  let clients = first;
  let isStopping = false;
  const running = run({
    lookEveryMs: LOOKS_EVERY_MS,
    now: Date.now,
    ...options,
    reconciling: createReconciling(options),
    telling,
    nap,
    clients: () => clients,
    isStopping: () => isStopping,
    aborting: aborting.signal,
  });
  return {
    use: (others) => {
      clients = others;
      nap.wake();
    },
    stop: async () => {
      isStopping = true;
      nap.wake();
      const timer = setTimeout(() => aborting.abort(), STOPS_WITHIN_MS);
      await running;
      clearTimeout(timer);
      await telling.told();
    },
  };
};

const run = async (course: Course): Promise<void> => {
  while (!course.isStopping()) {
    const clients = course.clients();
    // Nothing is written while there is nobody to ask for.
    if (clients.size === 0) await course.nap.sleep(course.lookEveryMs);
    else await workFor(course, clients);
  }
};

/** Resolves when other clients are configured, and when the reconciler stops. */
const workFor = async (course: Course, clients: AntomClients): Promise<void> => {
  course.report.began([...clients.keys()]);
  let isEnding = false;
  const lanes = [...clients].map(([clientId, client]) => {
    const nap = createNap();
    return { nap, ended: runLane({ ...course, clientId, client, nap, isEnding: () => isEnding }) };
  });
  const wakeLanes = (): void => lanes.forEach(({ nap }) => nap.wake());
  while (!course.isStopping() && course.clients() === clients) {
    const isDone = await look(course, [...clients.keys()]);
    wakeLanes();
    await course.nap.sleep(isDone ? course.lookEveryMs : Math.min(FAILED_AGAIN_AFTER_MS, course.lookEveryMs));
  }
  isEnding = true;
  wakeLanes();
  await Promise.all(lanes.map(async ({ ended }) => await ended));
};

/** False where it failed. Another replica that is at it does the same. */
const look = async ({ store, report, now, isStopping }: Course, clientIds: readonly string[]): Promise<boolean> => {
  try {
    await store.exclusively('inquiries', async () => {
      const last = await store.recall(SETTING.reconciled);
      const isBack = last !== null && now() - Date.parse(last) > DOWN_AFTER_MS;
      const isFirst = last === null || isBack;
      const isPlanned = await planInquiries({ store, clientIds, now: now(), isBack, isFirst, isStopping });
      // After the next start the service was down still.
      if (!isPlanned) return;
      if (isBack) report.back(new Date(last));
      await store.remember(SETTING.reconciled, isoTime(now()));
    });
    return true;
  } catch (error) {
    if (!isStopping()) report.failed(error);
    return false;
  }
};

interface Lane extends Course {
  readonly clientId: string;
  readonly client: AntomClient;
  readonly isEnding: () => boolean;
}

const runLane = async (lane: Lane): Promise<void> => {
  const { now, nap, isEnding } = lane;
  const breaker = createBreaker();
  // Of a process that ended meanwhile.
  lane.telling.tell(lane.clientId, breaker, '');
  const underWay = new Set<Promise<void>>();
  while (!isEnding()) {
    const openUntil = breaker.openUntil();
    const closedFor = openUntil === null ? 0 : openUntil - now();
    if (closedFor > 0) await nap.sleep(closedFor);
    else if (underWay.size >= (openUntil === null ? AT_ONCE : 1)) await Promise.race(underWay);
    else await nap.sleep(await takeOne(lane, { breaker, underWay }));
  }
  await Promise.all(underWay);
};

interface Traffic {
  readonly breaker: Breaker;
  readonly underWay: Set<Promise<void>>;
}

/** Begins one inquiry, and returns the milliseconds until the next one may be taken. */
const takeOne = async (lane: Lane, { breaker, underWay }: Traffic): Promise<number> => {
  const { reconciling, report, perSecond, clientId, client, aborting: signal, lookEveryMs } = lane;
  const onFailed = (error: unknown): void => report.failed(error);
  try {
    const taken = await reconciling.take({ clientId, client, signal });
    switch (taken.kind) {
      case 'none':
        return lookEveryMs;
      case 'early':
        return taken.inMs;
      case 'settled':
        return 0;
      case 'taken': {
        const making = taken.make().then((made) => tell(lane, breaker, made), onFailed);
        const ended = making.finally(() => underWay.delete(ended));
        underWay.add(ended);
        return 1_000 / perSecond;
      }
    }
  } catch (error) {
    onFailed(error);
    return FAILED_AGAIN_AFTER_MS;
  }
};

const tell = ({ report, telling, clientId, now }: Lane, breaker: Breaker, made: Made): void => {
  report.made(made);
  // Nobody waited for the answer.
  if (made.inquired.outcome === 'STOPPED') return;
  const turn = breaker.note(made.inquired, now());
  if (turn === null) return;
  report.turned(turn, made);
  telling.tell(clientId, breaker, made.inquired.code);
};
