import { failureReport } from '../failure-report.ts';
import { type Log, oncePerMinute } from '../log.ts';
import type { RelayReport } from './relay.ts';

/** What the relay says in the log: origins, never URLs. */
export const relayReport = (log: Log): Omit<RelayReport, 'posted'> => {
  const isNews = oncePerMinute();
  return {
    began: (targets) => {
      for (const { clientId, origin } of targets) log.info({ clientId, origin }, 'this replica posts callbacks');
    },
    paused: ({ origin, why }) =>
      log.warn({ origin, problem: why }, 'callbacks are paused: the shop is probed until it answers 2xx'),
    released: ({ origin }) => log.info({ origin }, 'callbacks go on: the shop answered 2xx'),
    refused: ({ origin, clientId, orderKey, why }) => {
      // All at once where the shop refuses everything.
      if (isNews(origin + why))
        log.warn(
          { origin, clientId, ...orderIdOf(orderKey), problem: why },
          'the shop refuses the callback of an order, which is posted again later: see `paynotify callbacks`',
        );
    },
    late: ({ clientId, origin, waiting, waitingSince, why }) =>
      log.error(
        {
          clientId,
          origin,
          count: waiting,
          problem: `since ${waitingSince}${why === null ? '' : `: ${why}`}`,
        },
        'callbacks have waited for more than 15 minutes: see `paynotify callbacks`',
      ),
    failed: failureReport({
      waits: (problem) => log.warn(problem, 'callbacks have to wait for the store'),
      fails: (problem) =>
        log.error(problem, 'callbacks could not be posted, a fault of paynotify; they are tried again'),
    }),
  };
};

/** The key of a registration that no payment names begins with a space. */
const orderIdOf = (orderKey: string): { readonly paymentId: string } | { readonly paymentRequestId: string } =>
  orderKey.startsWith(' ') ? { paymentRequestId: orderKey.slice(1) } : { paymentId: orderKey };
