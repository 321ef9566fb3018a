import { setTimeout as pause } from 'node:timers/promises';
import type { Kinds } from '../antom/notification.ts';
import type { Trust } from '../antom/signature.ts';
import type { OrderRules } from '../order/order.ts';
import { DERIVATION } from '../store/projection.ts';
import type { Store } from '../store/store.ts';
import { rebuildOrders, type RebuildReport } from './rebuild.ts';
import { createRedriving, type RedriveReport } from './redrive.ts';
import { verifyUnverifiedAgain } from './verify-again.ts';

export interface UpkeepOptions {
  readonly store: Store;
  readonly kinds: Kinds;
  readonly rules: OrderRules;
  readonly report: {
    readonly rebuilt: (report: RebuildReport) => void;
    readonly redriven: (report: RedriveReport) => void;
    readonly moved: (count: number) => void;
    readonly failed: (task: string, error: unknown) => void;
  };
}

/** What goes on in the background; none of it delays readiness. */
export interface Upkeep {
  /**
   * At start, and whenever keys were read again. It does not rest on what was last used being different: while
   * replicas change over one by one, one with the old keys may still add requests that the new ones would pass.
   */
  readonly verifyAgain: (trust: Trust) => void;
  /** Resolves when the step under way is done. */
  readonly stop: () => Promise<void>;
}

const REDRIVE_EVERY_MS = 5 * 60_000;
/** When another replica is at the same task. */
const ANOTHER_TRY_AFTER_MS = 2_000;

export const startUpkeep = ({ store, kinds, rules, report }: UpkeepOptions): Upkeep => {
  let stopping = false;
  let underWay: Promise<void> = Promise.resolve();
  const isStopping = (): boolean => stopping;

  /** Each replica has its turn: what this one would do, the other may do with other keys. */
  const attempt = async (task: string, work: () => Promise<void>): Promise<void> => {
    try {
      while (!isStopping() && (await store.exclusively(task, async () => (await work(), true))) === null) {
        await pause(ANOTHER_TRY_AFTER_MS, undefined, { ref: false });
      }
    } catch (error) {
      if (!stopping) report.failed(task, error);
    }
  };
  /** One task after another; a task that fails is reported, and tried again on its next occasion. */
  const schedule = (task: string, work: () => Promise<void>): void => {
    const previous = underWay;
    underWay = (async () => {
      await previous;
      await attempt(task, work);
    })();
  };

  const redrive = (): void =>
    schedule('redrive', async () => {
      const done = await createRedriving(store, kinds).redriveAll('FAILED');
      if (done.redriven > 0) report.redriven(done);
    });

  schedule('rebuild', async () => {
    const derivation = JSON.stringify([DERIVATION, rules.captureRequired, rules.captureMode, rules.production]);
    const last = await store.recall('derivation');
    if (last === derivation) return;
    if (last !== null) report.rebuilt(await rebuildOrders(store, isStopping));
    if (!stopping) await store.remember('derivation', derivation);
  });
  redrive();
  const timer = setInterval(redrive, REDRIVE_EVERY_MS);

  return {
    verifyAgain: (trust) =>
      schedule('verify again', async () => {
        const moved = await verifyUnverifiedAgain(store, { trust, kinds, isStopping });
        if (moved > 0) report.moved(moved);
      }),
    stop: async () => {
      stopping = true;
      clearInterval(timer);
      await underWay;
    },
  };
};
