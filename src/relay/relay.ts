import { CALLBACKS_LATE_MS, type CallbackUrl, type Store } from '../store/store.ts';
import { type LaneReport, runLane } from './lane.ts';
import { createLease, type HeldLease } from './lease.ts';
import { createNap, type Nap } from '../nap.ts';
import { SCHEDULE_MS } from './pauses.ts';
import { createPosting } from './post.ts';
import { type CallbackTarget, toDestination } from './target.ts';

/**
 * Resolves with true when something may have changed after this cursor of the feed, with false when the time is up or
 * the signal is aborted.
 */
export type WaitForChange = (
  cursor: string,
  wait: { readonly ms: number; readonly signal: AbortSignal },
) => Promise<boolean>;

export interface RelayReport extends LaneReport {
  /** This relay holds the lease now. */
  readonly began: (targets: readonly CallbackTarget[]) => void;
  /** The shop has not been told for too long. */
  readonly late: (url: CallbackUrl) => void;
}

export interface RelayOptions {
  readonly store: Store;
  readonly waitForChange: WaitForChange;
  readonly report: RelayReport;
  readonly leaseMs?: number;
  /** Milliseconds that one post may take in all. */
  readonly postTimeoutMs?: number;
  /** Of pauses (pauses.ts). */
  readonly scheduleMs?: readonly number[];
}

/** Tells shops of changed orders; on one replica at a time. */
export interface Relay {
  /** Posts to these from now on. */
  readonly use: (targets: readonly CallbackTarget[]) => void;
  /** Lets what is being posted come to its end for a moment, and hands the lease over. */
  readonly stop: () => Promise<void>;
}

const DEFAULTS = { leaseMs: 15_000, postTimeoutMs: 10_000, scheduleMs: SCHEDULE_MS };
/** Of the time in which posts may begin. */
const RENEWED_AFTER = 0.8;
/** How many posts to one URL at a time. */
const AT_ONCE = 16;
const TAKEN_AT_ONCE = 500;
const FAILED_AGAIN_AFTER_MS = 1_000;
const STOPS_WITHIN_MS = 2_000;
const LOOKS_FOR_LATE_EVERY_MS = 60_000;
const TOLD_EVERY_MS = 3_600_000;

interface Course extends Required<RelayOptions> {
  readonly lease: HeldLease;
  readonly nap: Nap;
  /** What is configured at this moment. */
  readonly targets: () => readonly CallbackTarget[];
  readonly isStopping: () => boolean;
  readonly aborting: AbortSignal;
  /** Told whom to wake when the relay has to look up from what it does. */
  readonly onWake: (wake: () => void) => void;
}

export const startRelay = (first: readonly CallbackTarget[], options: RelayOptions): Relay => {
  const settings = { ...DEFAULTS, ...options };
  const lease = createLease(options.store, settings.leaseMs);
  const nap = createNap();
  const aborting = new AbortController();
  let targets = first;
  let isStopping = false;
  let wakeOther: (() => void) | null = null;
  const wake = (): void => {
    nap.wake();
    wakeOther?.();
  };
  const running = run({
    ...settings,
    lease,
    nap,
    targets: () => targets,
    isStopping: () => isStopping,
    aborting: aborting.signal,
    onWake: (other) => {
      wakeOther = other;
    },
  });
  return {
    use: (others) => {
      targets = others;
      wake();
    },
    stop: async () => {
      isStopping = true;
      wake();
      const timer = setTimeout(() => aborting.abort(), STOPS_WITHIN_MS);
      await running;
      clearTimeout(timer);
    },
  };
};

const run = async (course: Course): Promise<void> => {
  while (!course.isStopping()) {
    const targets = course.targets();
    try {
      if (await course.lease.take()) await lead(course, targets);
      // Another replica has it.
      else await course.nap.sleep(course.leaseMs / 3);
    } catch (error) {
      course.report.failed(error);
      await course.nap.sleep(FAILED_AGAIN_AFTER_MS);
    }
  }
  // It runs out by itself where that cannot be written.
  await course.lease.release().catch(() => undefined);
};

/** Resolves when the lease is lost, when other targets are configured, and when the relay stops. */
const lead = async (course: Course, targets: readonly CallbackTarget[]): Promise<void> => {
  if (targets.length === 0) return await rest(course);
  const posting = createPosting({ timeoutMs: course.postTimeoutMs, atOnce: AT_ONCE });
  course.report.began(targets);
  const ending = new AbortController();
  const lanes = [...Map.groupBy(targets, ({ url }) => url).values()].map((ofUrl) => {
    const nap = createNap();
    const [head, ...others] = ofUrl;
    if (head === undefined) throw new Error('a group is never empty');
    const lane = {
      ...course,
      targets: [head, ...others] as const,
      posting,
      atOnce: AT_ONCE,
      ending: ending.signal,
      nap,
    };
    return { nap, ended: runLane(lane) };
  });
  const wakeLanes = (): void => lanes.forEach(({ nap }) => nap.wake());
  try {
    await follow(course, { targets, wakeLanes });
  } finally {
    ending.abort();
    wakeLanes();
    await Promise.all(lanes.map(async ({ ended }) => await ended));
    posting.close();
  }
};

/** Nothing is configured: what was is not in use any more. */
const rest = async ({ store, lease, nap, targets, isStopping }: Course): Promise<void> => {
  await lease.under(async (own) => await store.takeChanges(own, [], 1));
  await lease.release();
  while (targets().length === 0 && !isStopping()) await nap.sleep(LOOKS_FOR_LATE_EVERY_MS);
};

interface Following {
  readonly targets: readonly CallbackTarget[];
  readonly wakeLanes: () => void;
}

const follow = async (course: Course, { targets, wakeLanes }: Following): Promise<void> => {
  const { store, lease, report } = course;
  const destinations = targets.map(toDestination);
  let looksForLateAt = performance.now();
  while (!course.isStopping() && course.targets() === targets) {
    try {
      const taken = await lease.under(async (own) => await store.takeChanges(own, destinations, TAKEN_AT_ONCE));
      if (taken === null) return;
      wakeLanes();
      if (performance.now() >= looksForLateAt) {
        looksForLateAt = performance.now() + LOOKS_FOR_LATE_EVERY_MS;
        await tellLate(course);
      }
      if (!taken.more) await waitFor(course, targets, taken.end);
    } catch (error) {
      report.failed(error);
      await course.nap.sleep(FAILED_AGAIN_AFTER_MS);
    }
  }
};

/** At most until the lease has to be renewed: no post may begin late in it. */
const waitFor = async (course: Course, targets: readonly CallbackTarget[], end: string): Promise<void> => {
  const { waitForChange, leaseMs, postTimeoutMs } = course;
  const waking = new AbortController();
  course.onWake(() => waking.abort());
  if (course.isStopping() || course.targets() !== targets) return;
  await waitForChange(end, { ms: (leaseMs - postTimeoutMs) * RENEWED_AFTER, signal: waking.signal });
};

const tellLate = async ({ store, lease, report }: Course): Promise<void> => {
  const now = Date.now();
  const before = { since: new Date(now - CALLBACKS_LATE_MS), unless: new Date(now - TOLD_EVERY_MS) };
  for (const url of (await lease.under(async (own) => await store.alarmCallbacks(own, before))) ?? []) report.late(url);
};
