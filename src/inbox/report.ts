import { type Log, oncePerMinute, problemOf } from '../log.ts';
import { StoreUnavailableError } from '../store/store.ts';
import type { RecorderOptions } from './recorder.ts';

type Report = Required<Pick<RecorderOptions, 'onError' | 'onFailed' | 'onUnverifiedNearlyFull'>>;

/** What the inbox says in the log. An outage is said at once, and then once a minute. */
export const inboxReport = (log: Log): Report => {
  const isNews = oncePerMinute();
  return {
    onError: (error) => {
      if (!(error instanceof StoreUnavailableError) || isNews(error.message))
        log.error(problemOf(error), 'a batch could not be stored');
    },
    onFailed: (failed) => {
      for (const { clientId, id } of failed) {
        log.error(
          { clientId, notificationId: id, outcome: 'FAILED' },
          'a notification could not be applied; it will be tried again',
        );
      }
    },
    onUnverifiedNearlyFull: ({ share, bytes, maxBytes }) =>
      log.warn(
        { share, bytes, maxBytes },
        'the store of unverified requests is nearly full: see `paynotify unverified`',
      ),
  };
};
