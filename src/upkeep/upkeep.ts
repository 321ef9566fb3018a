import type { DiagnosisTrust } from '../antom/diagnosis.ts';
import type { Handlers } from '../handlers/handler.ts';
import type { OrderRules } from '../order/rules.ts';
import type { HeldUp, Store } from '../store/store.ts';
import { type DiagnosingOptions, startDiagnosing } from './diagnosis.ts';
import { reportHeldUp } from './held-up.ts';
import { keepInForce, rememberService, type ServiceInForce } from './in-force.ts';
import { type MethodReport, reportMethods } from './methods.ts';
import { rebuildByRulesInForce, type RebuildReport } from './rebuild.ts';
import { createRedriving, type RedriveReport } from './redrive.ts';
import { type RetentionReport, type RetentionRules, startRemoval } from './retention.ts';
import { createSchedule } from './schedule.ts';
import { reportSilence, type Silence } from './silence.ts';
import { createSweeping } from './sweeping.ts';
import { verifyUnverifiedAgain } from './verify-again.ts';

export interface UpkeepOptions {
  readonly store: Store;
  readonly handlers: Handlers;
  /** Where the store holds none. */
  readonly rules: OrderRules;
  readonly retention: RetentionRules;
  readonly report: DiagnosingOptions['report'] & {
    readonly rebuilt: (report: RebuildReport) => void;
    readonly redriven: (report: RedriveReport) => void;
    /** Orders stand as of a time to come, at most this one (UTC, ISO 8601). */
    readonly ahead: (until: string) => void;
    readonly moved: (count: number) => void;
    readonly removed: (report: RetentionReport) => void;
    readonly method: (report: MethodReport) => void;
    readonly silence: (silence: Silence) => void;
    readonly heldUp: (heldUp: HeldUp) => void;
  };
}

/** What goes on in the background; none of it delays readiness. */
export interface Upkeep {
  /**
   * At start, and whenever keys were read again; from then on every minute, by these. While replicas change over one by
   * one, one with the old keys may still add requests that the new ones would pass.
   */
  readonly verifyAgain: (trust: DiagnosisTrust) => void;
  /** Stores what commands speak for the service with; the keys among it may have been read again. */
  readonly remember: (service: ServiceInForce) => void;
  /** Resolves when the step under way is done. */
  readonly stop: () => Promise<void>;
}

const REDRIVE_EVERY_MS = 5 * 60_000;
const SWEEP_EVERY_MS = 60_000;
const VERIFY_AGAIN_EVERY_MS = 60_000;

export const startUpkeep = ({ store, handlers, rules, retention, report }: UpkeepOptions): Upkeep => {
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

  const rebuild = (): void =>
    schedule('rebuild', async () => report.rebuilt(await rebuildByRulesInForce(store, rules, isStopping)));
  // Also during a rebuild that takes long.
  const keep = (): void => clock.schedule('in force', async () => void (await keepInForce(store, new Date())));
  keep();
  rebuild();
  const sweeping = createSweeping({ store, report, now: Date.now, isStopping });
  const sweep = (): void => clock.schedule('sweep', sweeping);
  const look = (): void => {
    schedule('payment methods', async () => await reportMethods(store, report.method, new Date()));
    schedule('change feed', async () => await reportHeldUp(store, report.heldUp, new Date()));
    schedule('silence', async () => await reportSilence(store, report.silence, new Date()));
  };
  redrive();
  sweep();
  let trust: DiagnosisTrust | null = null;
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
    setInterval(keep, REDRIVE_EVERY_MS),
    setInterval(look, REDRIVE_EVERY_MS),
    setInterval(sweep, SWEEP_EVERY_MS),
    setInterval(verifyAgain, VERIFY_AGAIN_EVERY_MS),
  ];
  const diagnosing = startDiagnosing({ store, report });
  const removal = startRemoval({ store, rules: retention, report, isStopping, before: underWay });

  return {
    verifyAgain: (by) => {
      trust = by;
      diagnosing.use(by);
      verifyAgain();
    },
    remember: (service) => schedule('service', async () => await rememberService(store, service)),
    stop: async () => {
      stopping = true;
      timers.forEach(clearInterval);
      await Promise.all([underWay(), clock.underWay(), removal.stop(), diagnosing.stop()]);
    },
  };
};
