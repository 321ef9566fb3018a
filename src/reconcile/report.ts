import { failureReport } from '../failure-report.ts';
import type { Log } from '../log.ts';
import { WHY } from './due.ts';
import type { ReconcileReport } from './reconciler.ts';
import type { Made } from './reconciling.ts';

/** What the reconciler says in the log. */
export const reconcileReport = (log: Log): ReconcileReport => ({
  began: (clientIds) => {
    for (const clientId of clientIds)
      log.info({ clientId }, 'APO is asked about payments whose notifications do not come');
  },
  made: (made) => log.info(fieldsOf(made), 'APO was asked'),
  turned: (turn, { key: { clientId }, inquired: { code, trouble } }) => {
    if (turn === 'closes') log.info({ clientId }, 'APO answers inquiries again');
    else if (trouble === 'configuration')
      log.error(
        { clientId, code },
        'inquiries of a client fail: APO does not accept its client id, key, host or contract',
      );
    else if (turn === 'lasts')
      log.error(
        { clientId, code },
        'APO has not answered inquiries for over an hour: payments whose notifications do not come stay as they are; it is tried again',
      );
    else if (turn === 'opens')
      log.warn({ clientId, problem: code }, 'inquiries are held back: APO does not answer them; it is tried again');
  },
  back: (since) =>
    log.info(
      { problem: `since ${since.toISOString()}` },
      'the service was down: all payments that something is waited for are asked about',
    ),
  failed: failureReport({
    waits: (problem) => log.warn(problem, 'inquiries have to wait for the store'),
    fails: (problem) => log.error(problem, 'an inquiry could not be made, a fault of paynotify; it is tried again'),
  }),
});

const fieldsOf = ({ key, why, inquired }: Made) => ({
  clientId: key.clientId,
  // The key of a registration begins with a space.
  ...(key.about === 'order' && !key.id.startsWith(' ') ? { paymentId: key.id } : {}),
  kind: 'INQUIRY',
  outcome: inquired.outcome,
  code: inquired.code,
  reason: WHY[why],
});
