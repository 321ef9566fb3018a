import type { DiagnosisCode } from '../antom/diagnosis.ts';
import type { PublicWatch } from '../http/public.ts';
import type { Committed } from '../inbox/recorder.ts';
import { readInstant } from '../order/time.ts';
import type { NotificationDelivery, Recorded } from '../store/store.ts';
import { createCounter, createHistogram, type Sample } from './counting.ts';
import { type CallbackFailure, METRICS } from './list.ts';

/** What is counted while the service runs. */
export interface Tally {
  readonly watch: Pick<PublicWatch, 'answered' | 'refused'>;
  readonly committed: (committed: Committed) => void;
  readonly diagnosed: (code: DiagnosisCode) => void;
  /** A callback was answered with this status; null where no answer came in time. */
  readonly posted: (status: number | null) => void;
  /** When a notification verified last, epoch milliseconds; null while none has since the start. */
  readonly lastVerifiedAt: () => number | null;
  readonly samples: () => Readonly<Record<string, readonly Sample[]>>;
}

/** Reading a time takes microseconds, and a sample tells as much. */
const SAMPLED_EVERY_MS = 10;

/** Costs under a microsecond a notification (`npm run bench:metrics`). */
export const createTally = (): Tally => {
  const notifications = createCounter(METRICS.notifications);
  const resends = createCounter(METRICS.resends);
  const unverified = createCounter(METRICS.unverified);
  const diagnosed = createCounter(METRICS.diagnosed);
  const refused = createCounter(METRICS.refused);
  const acknowledge = createHistogram(METRICS.acknowledge);
  const batch = createHistogram(METRICS.batch);
  const commit = createHistogram(METRICS.commit);
  const callbacks = createCallbackTally();
  const paymentToOrder = createHistogram(METRICS.paymentToOrder);
  let lastVerifiedAt: number | null = null;
  let sampledAt = Number.NEGATIVE_INFINITY;

  const countNotification = (delivery: NotificationDelivery, recorded: Recorded, now: number): void => {
    lastVerifiedAt = now;
    if (recorded.kind !== 'notification') return;
    if (recorded.deliveries > 1) return resends.add();
    notifications.add(recorded.reading.kind, recorded.reading.outcome);
    // The clock of the machine may be set back.
    const paidAt = Math.abs(now - sampledAt) < SAMPLED_EVERY_MS ? null : paymentTimeOf(delivery);
    if (paidAt === null) return;
    // APO's clock may be ahead of ours, and a sum must not sink.
    paymentToOrder.observe(Math.max(0, now - paidAt) / 1_000);
    sampledAt = now;
  };

  return {
    watch: {
      answered: (result, ms) => {
        if (result.kind === 'not stored') refused.add(result.because);
        else acknowledge.observe(ms / 1_000);
      },
      refused: (cause) => refused.add(cause),
    },
    committed: ({ deliveries, results, ms }) => {
      batch.observe(deliveries.length);
      commit.observe(ms / 1_000);
      const now = Date.now();
      for (let at = 0; at < deliveries.length; at += 1) {
        const delivery = deliveries[at];
        const result = results[at];
        if (delivery === undefined || result === undefined || result.kind === 'no room') continue;
        if (delivery.kind === 'unverified') unverified.add(delivery.failure.reason);
        else countNotification(delivery, result, now);
      }
    },
    diagnosed: (code) => diagnosed.add(code),
    posted: callbacks.posted,
    lastVerifiedAt: () => lastVerifiedAt,
    samples: () => ({
      notifications: notifications.samples(),
      resends: resends.samples(),
      unverified: unverified.samples(),
      diagnosed: diagnosed.samples(),
      refused: refused.samples(),
      acknowledge: acknowledge.samples(),
      batch: batch.samples(),
      commit: commit.samples(),
      paymentToOrder: paymentToOrder.samples(),
      ...callbacks.samples(),
    }),
  };
};

const createCallbackTally = (): Pick<Tally, 'posted' | 'samples'> => {
  const delivered = createCounter(METRICS.callbacksDelivered);
  const failed = createCounter(METRICS.callbacksFailed);
  return {
    posted: (status) => {
      if (status !== null && status >= 200 && status < 300) delivered.add();
      else failed.add(failureOf(status));
    },
    samples: () => ({ callbacksDelivered: delivered.samples(), callbacksFailed: failed.samples() }),
  };
};

const failureOf = (status: number | null): CallbackFailure => {
  if (status === null) return 'unreachable';
  if (status >= 500) return '5xx';
  return status >= 400 ? '4xx' : '3xx';
};

/** Of a PAYMENT_RESULT, epoch milliseconds; null where it states no time. */
const paymentTimeOf = ({ read }: NotificationDelivery): number | null => {
  const [statement] = read.reading.statements;
  return statement?.about === 'payment' && !statement.pending ? readInstant(statement.paymentTime ?? null) : null;
};
