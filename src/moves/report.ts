import { failureReport } from '../failure-report.ts';
import type { Log } from '../log.ts';
import type { Order } from '../order/order.ts';
import type { Move } from '../store/store.ts';

const HOUR_MS = 3_600_000;

type Trouble = 'no key' | 'not accepted' | 'our fault' | 'used id' | 'undecided' | 'not captured';

/** What somebody has to look at. */
const troubleOf = ({ status, reason, createdAt }: Move, now: number): Trouble | null => {
  if (reason === 'NO_KEY') return 'no key';
  if (reason === 'CONFIGURATION') return 'not accepted';
  if (reason === 'OUR_FAULT') return 'our fault';
  if (reason === 'USED_ID') return 'used id';
  return status === 'PROCESSING' && now - Date.parse(createdAt) > HOUR_MS ? 'undecided' : null;
};

const shout = (log: Log, trouble: Trouble, fields: object): void => {
  switch (trouble) {
    case 'no key':
      return log.error(
        fields,
        'a capture, cancel or refund waits for the private key of its client: configure it, and it goes on by itself; until then look into the dashboard of APO',
      );
    case 'not accepted':
      return log.error(
        fields,
        'a capture, cancel or refund is not accepted by APO: correct client id, key, region or contract, and it goes on by itself',
      );
    case 'our fault':
      return log.error(
        fields,
        'a capture, cancel or refund is wrong by itself, says APO: look at the order, and report it',
      );
    case 'used id':
      return log.error(
        fields,
        'something that paynotify does not know of was sent to APO under the id of a capture or refund, perhaps before a restore: look at the order, reconcile it, and only then ask again',
      );
    case 'undecided':
      return log.error(
        fields,
        'it is not known for over an hour what became of a capture, cancel or refund: look into the dashboard of APO; it is asked about and sent again',
      );
    case 'not captured':
      return log.error(
        fields,
        'AUTO_CAPTURE may not capture an order that is to be captured: capture it with a request id of your own before its authorization expires',
      );
  }
};

/**
 * Tells the log what became of moves: never an amount, nor what APO's answer said beside its code. What somebody has to
 * look at is an error once an hour for each client and trouble; what comes within the hour is a warning.
 */
export const moveReport = (log: Log, now: () => number = Date.now) => {
  const toldAt = new Map<string, number>();
  const isNew = (clientId: string, trouble: Trouble): boolean => {
    const name = `${trouble} ${clientId}`;
    const at = now();
    if (at - (toldAt.get(name) ?? -HOUR_MS) < HOUR_MS) return false;
    toldAt.set(name, at);
    return true;
  };
  return {
    onKept: (move: Move): void => {
      const { clientId, kind, paymentId, status, resultCode, reason } = move;
      const fields = { clientId, kind, paymentId, outcome: status, code: resultCode, reason };
      const trouble = troubleOf(move, now());
      if (trouble !== null && isNew(clientId, trouble)) shout(log, trouble, fields);
      else if (status === 'SUCCEEDED') log.info(fields, `a ${kind} has succeeded`);
      else
        log.warn(fields, status === 'FAILED' ? `a ${kind} has failed` : `it is not known yet what became of a ${kind}`);
    },
    onNotCaptured: ({ clientId, paymentId }: Order, reason: string): void => {
      if (isNew(clientId, 'not captured')) shout(log, 'not captured', { clientId, paymentId, reason });
    },
    onError: failureReport({
      waits: (problem) => log.warn(problem, 'captures, cancels and refunds have to wait for the store'),
      fails: (problem) => log.error(problem, 'moves could not be looked after; they are tried again'),
    }),
  };
};
