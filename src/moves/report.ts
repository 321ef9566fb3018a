import { type Log, problemOf } from '../log.ts';
import type { Move } from '../store/store.ts';

/** Tells the log what became of moves: never an amount, nor what APO's answer said beside its code. */
export const moveReport = (log: Log) => ({
  onKept: ({ clientId, kind, paymentId, status, resultCode, reason }: Move): void => {
    const fields = { clientId, kind, paymentId, outcome: status, code: resultCode, reason };
    if (reason === 'CONFIGURATION' || reason === 'OUR_FAULT')
      log.error(fields, `a ${kind} is not accepted by APO: look at docs/operating.md, Captures, cancels and refunds`);
    else if (status === 'SUCCEEDED') log.info(fields, `a ${kind} has succeeded`);
    else
      log.warn(fields, status === 'FAILED' ? `a ${kind} has failed` : `it is not known yet what became of a ${kind}`);
  },
  onError: (error: unknown): void =>
    log.error(problemOf(error), 'moves could not be looked after; they are tried again'),
});
