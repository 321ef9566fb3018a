import { type Log, problemOf } from '../log.ts';
import { StoreUnavailableError } from '../store/store.ts';
import type { DiagnosisCode } from '../antom/diagnosis.ts';
import type { DiagnosisReport } from './diagnosis.ts';
import type { UpkeepOptions } from './upkeep.ts';

/** Logs a line of a kind that strangers can cause, as many a minute as is good (http/sampled-log.ts). */
type Sampled = (
  kind: { readonly level: 'warn'; readonly text: string; readonly fields: Readonly<Record<string, string>> },
  rest: () => object,
) => void;

interface Reporting {
  readonly sampled: Sampled;
  readonly metrics: { readonly diagnosed: (code: DiagnosisCode) => void };
}

type Report = UpkeepOptions['report'];

/** What nobody else would say: all looks well meanwhile. */
const silentTroubles = (log: Log): Pick<Report, 'silence' | 'heldUp'> => ({
  silence: ({ registeredAt, lastVerifiedAt }) =>
    log.error(
      {
        problem: `registered: ${registeredAt}; last verified: ${lastVerifiedAt ?? 'never'}`,
        hint: SILENCE_HINT,
      },
      'silence: a payment that was registered over an hour ago has no notification, and nothing has verified since',
    ),
  heldUp: ({ since, by }) =>
    log.error(
      { problem: `since ${since}, by ${by ?? 'a transaction that has just ended'}`, hint: HELD_UP_HINT },
      'the change feed is held up, and callbacks with it: see `paynotify status`',
    ),
});

/** What the background tasks say in the log, and what is counted of it. */
export const upkeepReport = (log: Log, { sampled, metrics }: Reporting): Report => ({
  rebuilt: ({ orders, changed }) => {
    if (orders > 0) log.info({ orders, changed }, 'orders derived again by the rules in force');
  },
  ahead: (until) =>
    log.warn(
      { problem: `until ${until}` },
      'orders stand as of a time to come: this clock is behind, or was ahead. Set it; if one was ahead, run `paynotify rebuild`',
    ),
  redriven: ({ redriven }) => log.info({ count: redriven }, 'failed notifications applied again'),
  moved: (moved) => log.info({ moved }, 'unverified requests verify now and were applied'),
  ...silentTroubles(log),
  removed: ({ notifications, unverified }) => {
    if (notifications > 0)
      log.info({ count: notifications }, 'notifications older than RETENTION_DAYS lost their raw bytes');
    if (unverified > 0)
      log.info({ count: unverified }, 'unverified requests older than UNVERIFIED_RETENTION_DAYS removed');
  },
  method: ({ code, paymentId }) => {
    if (code === 'CAPTURE_UNDECIDED') {
      log.warn(
        { paymentId },
        'nothing shows whether the payment method of this order is captured, so such orders count as authorized only: add the method to NO_CAPTURE_METHODS, or register paymentMethodType or captureMode',
      );
    } else {
      log.error(
        { paymentId },
        'a capture came for this order, whose payment method is listed as one without: correct NO_CAPTURE_METHODS or the registrations',
      );
    }
  },
  diagnosed: (made) => {
    const fields = { reason: made.reason, diagnosis: made.diagnosis.code };
    metrics.diagnosed(made.diagnosis.code);
    sampled({ level: 'warn', text: 'an unverified request was diagnosed', fields }, () => fieldsOf(made));
  },
  alarmed: (alarm) => {
    if (alarm.because === 'TEXT_CHANGED')
      log.error(fieldsOf(alarm), 'a request with a genuine signature came changed: see `paynotify unverified`');
    else
      log.error(
        fieldsOf(alarm),
        'a request failed verification, and nothing has ever verified: see `paynotify unverified`',
      );
  },
  failed: (task, error) => {
    const fields = { problem: task, ...problemOf(error) };
    // An outage has lines of its own, and the task is tried again.
    if (error instanceof StoreUnavailableError) log.warn(fields, 'a background task has to wait for the store');
    else log.error(fields, 'a background task failed');
  },
});

const HELD_UP_HINT =
  'nothing is lost; if it is a COMMIT that waits for a synchronous standby, bring that back; else end the transaction (pg_terminate_backend, or rollback prepared), and keep programs with long transactions off this PostgreSQL server';

const SILENCE_HINT =
  "check the notification URL in APO's dashboard and what stands in front of paynotify; see `paynotify unverified`";

const fieldsOf = ({ id, reason, diagnosis: { code }, hint }: DiagnosisReport): object => ({
  unverifiedId: id,
  reason,
  diagnosis: code,
  hint,
});
