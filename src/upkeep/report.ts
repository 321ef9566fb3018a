import { type Log, problemOf } from '../log.ts';
import { StoreUnavailableError } from '../store/store.ts';
import type { UpkeepOptions } from './upkeep.ts';

/** What the background tasks say in the log. */
export const upkeepReport = (log: Log): UpkeepOptions['report'] => ({
  rebuilt: ({ orders, changed }) => log.info({ orders, changed }, 'orders rebuilt under the new configuration'),
  redriven: ({ redriven }) => log.info({ count: redriven }, 'failed notifications applied again'),
  moved: (moved) => log.info({ moved }, 'unverified requests verify now and were applied'),
  unfinishedCopy: () =>
    log.error(
      'a copy into this database has not ended, so orders may lack what is still to come: end it with `paynotify copy`',
    ),
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
  silence: ({ registeredAt, lastVerifiedAt }) =>
    log.error(
      {
        problem: `registered: ${registeredAt}; last verified: ${lastVerifiedAt ?? 'never'}`,
        hint: SILENCE_HINT,
      },
      'silence: a payment that was registered over an hour ago has no notification, and nothing has verified since',
    ),
  failed: (task, error) => {
    const fields = { problem: task, ...problemOf(error) };
    // An outage has lines of its own, and the task is tried again.
    if (error instanceof StoreUnavailableError) log.warn(fields, 'a background task has to wait for the store');
    else log.error(fields, 'a background task failed');
  },
});

const SILENCE_HINT =
  "check the notification URL in APO's dashboard and what stands in front of paynotify; see `paynotify unverified`";
