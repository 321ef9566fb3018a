import { setImmediate as turn } from 'node:timers/promises';
import { diagnosing } from '../antom/diagnose.ts';
import { type Diagnosed, type Diagnosis, type DiagnosisTrust, isTextChanged } from '../antom/diagnosis.ts';
import { hintOf, toDiagnosed } from '../antom/diagnosis-text.ts';
import type { SignatureOrigin } from '../antom/origin.ts';
import type { SignedRequest, UnverifiedReason } from '../antom/signature.ts';
import { trustDigest } from '../antom/trust-digest.ts';
import { SETTING } from '../store/setting.ts';
import { ANY_NOTIFICATION, type Store, StoreUnavailableError, type StoredUnverified } from '../store/store.ts';
import { HOUR_MS, reportedThisHour } from './hourly.ts';

/** An unverified request that has just got its diagnosis. */
export interface DiagnosisReport {
  readonly id: string;
  readonly reason: UnverifiedReason;
  readonly diagnosis: Diagnosed;
  /** Its sentences for the log. */
  readonly hint: string;
}

/** Why a person is needed: a genuine signature over another text, or nothing has ever verified. */
export interface DiagnosisAlarm extends DiagnosisReport {
  readonly because: 'TEXT_CHANGED' | 'NOTHING_VERIFIED';
}

export interface DiagnosingOptions {
  readonly store: Pick<
    Store,
    | 'readUndiagnosed'
    | 'keepDiagnosis'
    | 'amendUnverified'
    | 'listNotifications'
    | 'recall'
    | 'remember'
    | 'exclusively'
  >;
  readonly report: {
    readonly diagnosed: (report: DiagnosisReport) => void;
    readonly alarmed: (alarm: DiagnosisAlarm) => void;
    readonly failed: (task: string, error: unknown) => void;
  };
}

/** Diagnoses the unverified in the background, the newest first. */
export interface Diagnosing {
  /** From now on by these keys and paths. */
  readonly use: (trust: DiagnosisTrust) => void;
  /** Resolves when the request under way is done. */
  readonly stop: () => Promise<void>;
}

const LOOK_EVERY_MS = 1_000;
/** Requests that one look diagnoses. */
const AT_ONCE = 2;
const AFTER_FAILURE_MS = 60_000;
const SLICE_MS = 1;
/** No keys and paths have this digest: what failed under it is verified again. */
const NO_TRUST = '00'.repeat(32);

/** Diagnoses a request in slices of a millisecond, between which others are served. */
const diagnoseInSlices = async (request: SignedRequest, trust: DiagnosisTrust): Promise<Diagnosis> => {
  const steps = diagnosing(request, trust);
  let began = performance.now();
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (performance.now() - began < SLICE_MS) continue;
    await turn();
    began = performance.now();
  }
};

/** The diagnosis of a stored request by these keys and paths: the one that is kept where it was made by them. */
export const diagnosisOf = async (stored: StoredUnverified, trust: DiagnosisTrust): Promise<Diagnosed> =>
  stored.diagnosis !== null && stored.trust === trustDigest(trust)
    ? stored.diagnosis
    : toDiagnosed(await diagnoseInSlices(stored.request, trust));

/**
 * Looks for requests without a diagnosis, and keeps one for each. Two replicas may diagnose the same request: one of
 * them keeps and reports it.
 */
export const startDiagnosing = ({ store, report }: DiagnosingOptions): Diagnosing => {
  let trust: DiagnosisTrust | null = null;
  let stopping = false;
  let underWay: Promise<void> | null = null;
  let notBefore = 0;
  const alarms = createAlarms({ store, report });
  const look = async (): Promise<void> => {
    try {
      if (trust !== null) await diagnoseNewest(trust);
      await alarms.tell();
    } catch (error) {
      notBefore = performance.now() + AFTER_FAILURE_MS;
      // An outage is told by those that cannot wait for its end.
      if (!stopping && !(error instanceof StoreUnavailableError)) report.failed('diagnosis', error);
    }
    underWay = null;
  };
  const diagnoseNewest = async (by: DiagnosisTrust): Promise<void> => {
    const digest = trustDigest(by);
    for (const { id, reason, origin, request } of await store.readUndiagnosed(digest, AT_ONCE)) {
      if (stopping) return;
      const found = await diagnoseInSlices(request, by);
      const diagnosis = toDiagnosed(found);
      if (diagnosis.code === 'VERIFIES') await store.amendUnverified([{ id, reason, origin, trust: NO_TRUST }]);
      else if (await store.keepDiagnosis({ id, trust: digest, origin: originBy(found, origin), diagnosis })) {
        const made = { id, reason, diagnosis, hint: hintOf(found) };
        report.diagnosed(made);
        await alarms.consider(made);
      }
    }
  };
  const timer = setInterval(() => {
    if (performance.now() >= notBefore) underWay ??= look();
  }, LOOK_EVERY_MS);
  return {
    use: (by) => {
      trust = by;
    },
    stop: async () => {
      stopping = true;
      clearInterval(timer);
      await underWay;
    },
  };
};

/** A signature that the key of another configured client made is genuine too. */
const originBy = (diagnosis: Diagnosis, origin: SignatureOrigin): SignatureOrigin =>
  'owner' in diagnosis && diagnosis.owner !== null ? 'CONFIGURED_KEY' : origin;

interface Alarms {
  readonly consider: (report: DiagnosisReport) => Promise<void>;
  /** Tells what is to be told, unless something was within the hour; then it waits. */
  readonly tell: () => Promise<void>;
}

/** At most one an hour, whichever replica and process. What comes within the hour is told after it: the latest. */
const createAlarms = ({ store, report }: DiagnosingOptions): Alarms => {
  let waiting: DiagnosisAlarm | null = null;
  let notBefore = 0;
  const tellOnce = async (): Promise<void> => {
    const now = new Date();
    const last = await reportedThisHour(store, SETTING.diagnosisAlarm, now);
    if (last !== null) {
      notBefore = last + HOUR_MS;
      return;
    }
    if (waiting !== null && (waiting.because === 'TEXT_CHANGED' || !(await hasVerified(store)))) {
      await store.remember(SETTING.diagnosisAlarm, now.toISOString());
      report.alarmed(waiting);
    }
    waiting = null;
  };
  return {
    consider: async (made) => {
      if (isTextChanged(made.diagnosis.code)) waiting = { ...made, because: 'TEXT_CHANGED' };
      else if (waiting?.because !== 'TEXT_CHANGED' && !(await hasVerified(store)))
        waiting = { ...made, because: 'NOTHING_VERIFIED' };
    },
    tell: async () => {
      if (waiting !== null && Date.now() >= notBefore) await store.exclusively('diagnosis alarm', tellOnce);
    },
  };
};

const hasVerified = async ({ listNotifications }: Pick<Store, 'listNotifications'>): Promise<boolean> => {
  const { items } = await listNotifications(ANY_NOTIFICATION, { limit: 1, cursor: null });
  return items.length > 0;
};
