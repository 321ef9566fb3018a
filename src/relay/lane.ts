import type { CallbackResult, DueCallback, Store, UrlState } from '../store/store.ts';
import type { HeldLease } from './lease.ts';
import type { Nap } from '../nap.ts';
import { pauseAfter, verdictOf } from './pauses.ts';
import type { Posting, PostResult } from './post.ts';
import { webhookHeaders } from './standard-webhooks.ts';
import { type CallbackTarget, toDestination } from './target.ts';
import { webhookBody, webhookId } from './webhook.ts';

/** What the relay tells of one URL. Of the URL only its origin is ever said. */
export interface LaneReport {
  /** A post was answered with this status; null where no answer came in time. */
  readonly posted: (status: number | null) => void;
  readonly paused: (paused: { readonly origin: string; readonly why: string }) => void;
  readonly released: (released: { readonly origin: string }) => void;
  readonly refused: (
    refused: Pick<DueCallback, 'clientId' | 'orderKey'> & { readonly origin: string; readonly why: string },
  ) => void;
  readonly failed: (error: unknown) => void;
}

export interface LaneOptions {
  /** Of one URL, each for another client. */
  readonly targets: readonly [CallbackTarget, ...CallbackTarget[]];
  readonly store: Pick<Store, 'dueCallbacks' | 'keepCallbackResults'>;
  readonly lease: HeldLease;
  readonly posting: Posting;
  /** No post begins while the lease is held for less than this. */
  readonly postTimeoutMs: number;
  readonly atOnce: number;
  /** Of pauses (pauses.ts). */
  readonly scheduleMs: readonly number[];
  readonly report: LaneReport;
  /** Ends the lane: no post begins any more. */
  readonly ending: AbortSignal;
  /** Breaks off what is being posted. */
  readonly aborting: AbortSignal;
  readonly nap: Nap;
}

/** Commands write to the database as well: it is asked so often whether something is due. */
const LOOK_EVERY_MS = 1_000;

/** Posts what is due at one URL until it is ended. */
export const runLane = async (lane: LaneOptions): Promise<void> => {
  while (!lane.ending.aborted) {
    try {
      const rest = await postDue(lane);
      if (rest > 0) await lane.nap.sleep(rest);
    } catch (error) {
      lane.report.failed(error);
      await lane.nap.sleep(LOOK_EVERY_MS);
    }
  }
};

/** One step: posts a batch, and writes down what came of it. Returns the milliseconds until there may be more. */
const postDue = async (lane: LaneOptions): Promise<number> => {
  const now = Date.now();
  const page = { limit: 2 * lane.atOnce, now };
  const { pausedUntil, attempts, due } = await lane.store.dueCallbacks(lane.targets.map(toDestination), page);
  if (due.length === 0)
    return pausedUntil === null || pausedUntil <= now ? LOOK_EVERY_MS : Math.min(LOOK_EVERY_MS, pausedUntil - now);
  const needless = due.flatMap(withoutPost);
  if (needless.length > 0 && !(await keep(lane, needless, null))) return LOOK_EVERY_MS;
  const ready = due.filter((one) => one.content !== null && one.copied === null);
  const isProbe = pausedUntil !== null;
  const posted = await postAll(lane, isProbe ? ready.slice(0, 1) : ready);
  const state = stateAfter(lane, posted, { isProbe, attempts, now: Date.now() });
  const results = posted.flatMap((one) => toResult(lane, one, Date.now()));
  if (results.length === 0) return needless.length > 0 ? 0 : LOOK_EVERY_MS;
  if (!(await keep(lane, results, state))) return LOOK_EVERY_MS;
  tell(lane, { posted, state, isProbe });
  return 0;
};

const keyOf = ({ clientId, orderKey, number }: DueCallback) => ({ clientId, orderKey, number });

/** An order that is gone, or came with a copy, in a state that the shop may know. */
const withoutPost = (one: DueCallback): readonly CallbackResult[] => {
  if (one.content === null) return [{ ...keyOf(one), kind: 'gone' }];
  if (one.copied === null) return [];
  return one.copied === 'same'
    ? [{ ...keyOf(one), kind: 'same', revision: one.content.order.revision }]
    : [{ ...keyOf(one), kind: 'different' }];
};

/** An outage of the database is waited for as long as the lease is held; what is not written is posted again. */
const keep = async (
  { store, lease, targets, report, nap }: LaneOptions,
  results: readonly CallbackResult[],
  url: UrlState,
): Promise<boolean> => {
  while (lease.left() > 0) {
    try {
      const kept = await lease.under(
        async (own) => (await store.keepCallbackResults(own, { digest: targets[0].url, results, url })) || null,
      );
      return kept === true;
    } catch (error) {
      report.failed(error);
      await nap.sleep(LOOK_EVERY_MS);
    }
  }
  return false;
};

interface Posted {
  readonly of: DueCallback;
  readonly result: Exclude<PostResult, { readonly kind: 'aborted' }>;
}

/** So many at a time; none begins after one has shown that the URL has to be paused. */
const postAll = async (lane: LaneOptions, due: readonly DueCallback[]): Promise<readonly Posted[]> => {
  const posted: Posted[] = [];
  const left = [...due];
  const postNext = async (): Promise<void> => {
    for (let of = left.shift(); of !== undefined; of = left.shift()) {
      if (lane.ending.aborted || lane.lease.left() <= lane.postTimeoutMs || posted.some(stopsUrl)) return;
      const result = await postOne(lane, of);
      if (result.kind !== 'aborted') posted.push({ of, result });
    }
  };
  await Promise.all(Array.from({ length: Math.min(lane.atOnce, due.length) }, postNext));
  return posted;
};

const postOne = async ({ targets, posting, aborting, report }: LaneOptions, due: DueCallback): Promise<PostResult> => {
  const target = targets.find(({ clientId }) => clientId === due.clientId);
  if (target === undefined || due.content === null) return { kind: 'aborted' };
  const body = webhookBody(due.content);
  const signed = { id: webhookId(due, due.content), timestamp: Math.floor(Date.now() / 1_000), body };
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'paynotify',
    ...webhookHeaders(signed, target.secrets),
  };
  const result = await posting.post({ href: target.href, headers, body }, aborting);
  if (result.kind !== 'aborted') report.posted(result.kind === 'answered' ? result.status : null);
  return result;
};

const verdictOn = ({ result }: Posted): ReturnType<typeof verdictOf> =>
  result.kind === 'failed' ? 'pause the URL' : verdictOf(result.status);

const stopsUrl = (posted: Posted): boolean => verdictOn(posted) === 'pause the URL';

const whyOf = ({ result }: Posted): string => (result.kind === 'failed' ? result.why : `HTTP ${result.status}`);

const retryAfterOf = ({ result }: Posted): string | null => (result.kind === 'failed' ? null : result.retryAfter);

interface Before {
  readonly isProbe: boolean;
  /** Of the URL since it is paused; 0 where it is not. */
  readonly attempts: number;
  readonly now: number;
}

const stateAfter = (
  { scheduleMs }: LaneOptions,
  posted: readonly Posted[],
  { isProbe, attempts, now }: Before,
): UrlState => {
  const stopped = posted.find(stopsUrl);
  if (stopped !== undefined) {
    const made = attempts + 1;
    const until = now + pauseAfter({ attempts: made, retryAfter: retryAfterOf(stopped), now }, scheduleMs);
    return { kind: 'paused', until, attempts: made, why: whyOf(stopped) };
  }
  const [probe] = posted;
  if (!isProbe || probe === undefined) return null;
  // Only a 2xx releases what waits; one that is about its order leaves the next probe to another order, at once.
  return verdictOn(probe) === 'delivered'
    ? { kind: 'working' }
    : { kind: 'paused', until: now, attempts, why: whyOf(probe) };
};

const toResult = ({ scheduleMs }: LaneOptions, posted: Posted, now: number): readonly CallbackResult[] => {
  const { of } = posted;
  if (of.content === null) return [];
  const { order, previous } = of.content;
  const { revision, status, fulfillable, nextAction } = order;
  switch (verdictOn(posted)) {
    case 'delivered': {
      const paymentRequestId = previous === null && order.paymentId !== null ? order.paymentRequestId : null;
      return [
        { ...keyOf(of), kind: 'delivered', state: { revision, status, fulfillable, nextAction }, paymentRequestId },
      ];
    }
    // The next probe is made with another order, where there is one: it may be this one that the shop stumbles over.
    case 'pause the URL':
      return [{ ...keyOf(of), kind: 'failed', why: whyOf(posted), again: now }];
    case 'pause the order': {
      const again = now + pauseAfter({ attempts: of.attempts + 1, retryAfter: retryAfterOf(posted), now }, scheduleMs);
      return [{ ...keyOf(of), kind: 'failed', why: whyOf(posted), again }];
    }
  }
};

/** A pause and its end are told once each, not every probe. */
const tell = (
  { report, targets: [{ origin }] }: LaneOptions,
  {
    posted,
    state,
    isProbe,
  }: { readonly posted: readonly Posted[]; readonly state: UrlState; readonly isProbe: boolean },
): void => {
  if (state?.kind === 'paused' && !isProbe) report.paused({ origin, why: state.why });
  if (state?.kind === 'working') report.released({ origin });
  for (const one of posted) {
    if (verdictOn(one) === 'pause the order')
      report.refused({ origin, clientId: one.of.clientId, orderKey: one.of.orderKey, why: whyOf(one) });
  }
};
