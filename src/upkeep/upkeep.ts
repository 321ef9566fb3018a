import { setTimeout as pause } from 'node:timers/promises';
import type { Trust } from '../antom/signature.ts';
import type { Handlers } from '../handlers/handler.ts';
import type { OrderRules } from '../order/rules.ts';
import type { Store } from '../store/store.ts';
import { noteInUse } from './copy.ts';
import { rememberService, type ServiceInForce } from './in-force.ts';
import { type MethodReport, reportMethods } from './methods.ts';
import { rebuildByRulesInForce, type RebuildReport } from './rebuild.ts';
import { createRedriving, type RedriveReport } from './redrive.ts';
import { removeOld, type RetentionReport, type RetentionRules } from './retention.ts';
import { verifyUnverifiedAgain } from './verify-again.ts';

export interface UpkeepOptions {
  readonly store: Store;
  readonly handlers: Handlers;
  /** Where the store holds none. */
  readonly rules: OrderRules;
  readonly retention: RetentionRules;
  /** Milliseconds from one look for requests to verify again to the next. */
  readonly verifyAgainEveryMs?: number;
  /** The same from one sweep to the next. */
  readonly sweepEveryMs?: number;
  readonly report: {
    readonly rebuilt: (report: RebuildReport) => void;
    readonly redriven: (report: RedriveReport) => void;
    readonly moved: (count: number) => void;
    /** A copy into this database has not ended. */
    readonly unfinishedCopy: () => void;
    readonly removed: (report: RetentionReport) => void;
    readonly method: (report: MethodReport) => void;
    readonly failed: (task: string, error: unknown) => void;
  };
}

/** What goes on in the background; none of it delays readiness. */
export interface Upkeep {
  /**
   * At start, and whenever keys were read again; from then on every minute, by these. While replicas change over one by
   * one, one with the old keys may still add requests that the new ones would pass.
   */
  readonly verifyAgain: (trust: Trust) => void;
  /** Stores what commands speak for the service with; the keys among it may have been read again. */
  readonly remember: (service: ServiceInForce) => void;
  /** Resolves when the step under way is done. */
  readonly stop: () => Promise<void>;
}

const REDRIVE_EVERY_MS = 5 * 60_000;
const SWEEP_EVERY_MS = 60_000;
const SWEPT_AT_ONCE = 200;
const VERIFY_AGAIN_EVERY_MS = 60_000;
const REMOVE_EVERY_MS = 60 * 60_000;
/** When another replica is at the same task. */
const ANOTHER_TRY_AFTER_MS = 2_000;

export const startUpkeep = ({ store, handlers, rules, retention, report, ...options }: UpkeepOptions): Upkeep => {
  const { verifyAgainEveryMs = VERIFY_AGAIN_EVERY_MS, sweepEveryMs = SWEEP_EVERY_MS } = options;
  let stopping = false;
  const isStopping = (): boolean => stopping;
  const { schedule, underWay } = createSchedule({ store, report, isStopping });
  // What is due waits for no other task.
  const clock = createSchedule({ store, report, isStopping });

  const redrive = (): void =>
    schedule('redrive', async () => {
      if (!(await store.hasFailed())) return;
      const done = await createRedriving(store, handlers).redriveAll('FAILED');
      if (done.redriven > 0) report.redriven(done);
    });

  schedule('copy', async () => {
    if (await noteInUse(store)) report.unfinishedCopy();
  });
  const rebuild = (): void =>
    schedule('rebuild', async () => {
      const rebuilt = await rebuildByRulesInForce(store, rules, isStopping);
      if (rebuilt.orders > 0) report.rebuilt(rebuilt);
    });
  rebuild();
  const sweep = (): void =>
    clock.schedule('sweep', async () => {
      while (!isStopping() && (await store.sweep(new Date(), SWEPT_AT_ONCE)) > 0);
    });
  const lookAtMethods = (): void =>
    schedule('payment methods', async () => await reportMethods(store, report.method, new Date()));
  redrive();
  sweep();
  let trust: Trust | null = null;
  const verifyAgain = (): void =>
    schedule('verify again', async () => {
      if (trust === null) return;
      const moved = await verifyUnverifiedAgain(store, { trust, handlers, isStopping });
      if (moved > 0) report.moved(moved);
    });
  const timers = [
    setInterval(redrive, REDRIVE_EVERY_MS),
    // Where it failed before.
    setInterval(rebuild, REDRIVE_EVERY_MS),
    setInterval(lookAtMethods, REDRIVE_EVERY_MS),
    setInterval(sweep, sweepEveryMs),
    setInterval(verifyAgain, verifyAgainEveryMs),
  ];
  const removal = startRemoval({ store, rules: retention, report, isStopping, before: underWay });

  return {
    verifyAgain: (by) => {
      trust = by;
      verifyAgain();
    },
    remember: (service) => schedule('service', async () => await rememberService(store, service)),
    stop: async () => {
      stopping = true;
      timers.forEach(clearInterval);
      await Promise.all([underWay(), clock.underWay(), removal.stop()]);
    },
  };
};

interface Scheduling extends Pick<UpkeepOptions, 'store'> {
  readonly report: Pick<UpkeepOptions['report'], 'failed'>;
  readonly isStopping: () => boolean;
}

interface Schedule {
  readonly schedule: (task: string, work: () => Promise<void>) => void;
  /** All that has been scheduled. */
  readonly underWay: () => Promise<void>;
}

/** One task after another; a task that fails is reported, and tried again on its next occasion. */
const createSchedule = ({ store, report, isStopping }: Scheduling): Schedule => {
  let underWay: Promise<void> = Promise.resolve();
  /** Each replica has its turn: what this one would do, the other may do with other keys. */
  const attempt = async (task: string, work: () => Promise<void>): Promise<void> => {
    try {
      while (!isStopping() && (await store.exclusively(task, async () => (await work(), true))) === null) {
        await pause(ANOTHER_TRY_AFTER_MS, undefined, { ref: false });
      }
    } catch (error) {
      if (!isStopping()) report.failed(task, error);
    }
  };
  return {
    schedule: (task, work) => {
      const previous = underWay;
      underWay = (async () => {
        await previous;
        await attempt(task, work);
      })();
    },
    underWay: () => underWay,
  };
};

interface Removal {
  readonly store: Store;
  readonly rules: RetentionRules;
  readonly report: Pick<UpkeepOptions['report'], 'removed' | 'failed'>;
  readonly isStopping: () => boolean;
  /** What has to be done first: an unverified request that verifies by now is not to be removed. */
  readonly before: () => Promise<void>;
}

/**
 * Removes what is old, at start and every hour. It waits for the other tasks, and none of them for it: the first
 * time there may be years to remove. Where another replica is at it nothing is left to do.
 */
const startRemoval = ({
  store,
  rules,
  report,
  isStopping,
  before,
}: Removal): { readonly stop: () => Promise<void> } => {
  let underWay: Promise<void> = Promise.resolve();
  const removeOnce = async (): Promise<void> => {
    if (isStopping()) return;
    try {
      const removed = await store.exclusively(
        'retention',
        async () => await removeOld({ store, rules, isStopping }, new Date()),
      );
      if (removed !== null && removed.notifications + removed.unverified > 0) report.removed(removed);
    } catch (error) {
      if (!isStopping()) report.failed('retention', error);
    }
  };
  const schedule = (): void => {
    const previous = underWay;
    underWay = (async () => {
      await previous;
      await before();
      await removeOnce();
    })();
  };
  schedule();
  const timer = setInterval(schedule, REMOVE_EVERY_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await underWay;
    },
  };
};
