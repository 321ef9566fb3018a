import type { Statement } from '../../src/order/statement.ts';
import { type Clock, DAY, HOUR, MINUTE, SECOND } from './clock.ts';
import type { Facts, Notification } from './facts.ts';
import type { Random } from './random.ts';

/*
 * The way from APO to the receiver. A notification may be late, out of order, repeated, sent again under other bytes,
 * not legible, or lost.
 */

/** Probabilities, of one notification each. */
export interface Weather {
  readonly lost: number;
  readonly late: number;
  readonly repeated: number;
  readonly copied: number;
  readonly unreadable: number;
}

/**
 * LOST: APO has given up; its dashboard may send it again. GONE: not even that. UNREADABLE: stored, a redrive may read
 * it. HOPELESS: no redrive will.
 */
export type LetterState = 'UNDER_WAY' | 'LOST' | 'GONE' | 'UNREADABLE' | 'HOPELESS' | 'ARRIVED';

export interface Letter {
  readonly notification: Notification;
  state: LetterState;
}

export interface Post {
  /** Sends what concerns this payment; a refund's notification does not name it. */
  readonly send: (paymentId: string, statement: Statement) => Letter;
  readonly lettersOf: (paymentId: string) => readonly Letter[];
  /** The dashboard sends what was lost once more, where it can. */
  readonly resend: (letter: Letter) => void;
  /** Reads again what could not be read. */
  readonly redrive: (letter: Letter) => void;
}

interface Around {
  readonly random: Random;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly tell: (line: string) => void;
}

export const describe = (statement: Statement): string => {
  if (statement.about === 'dispute') return `dispute ${statement.disputeId} ${statement.notificationType}`;
  if (statement.about === 'cancelled payment') return statement.about;
  const { resultStatus, resultCode } = statement.result;
  if (statement.about === 'inquiry') return `${statement.about} ${resultStatus} ${resultCode}`;
  const what = statement.about === 'payment' && statement.pending ? 'pending' : statement.about;
  const name = 'captureRequestId' in statement ? ` ${statement.captureRequestId}` : '';
  return `${what}${name} ${resultStatus} ${resultCode ?? ''} ${statement.amount?.value ?? 'without an amount'}`;
};

export const createPost = (weather: Weather, { random, clock, facts, tell }: Around): Post => {
  const letters = new Map<string, Letter[]>();
  let number = 0;
  const digest = (): string => {
    number += 1;
    // Which one is greater is up to chance.
    return `${random.between(0, 0xffffff).toString(16).padStart(6, '0')}-${number}`;
  };
  const travel = (): number => {
    if (!random.chance(weather.late)) return random.between(1, 60) * SECOND;
    return random.chance(0.5) ? random.between(1, 6 * 60) * MINUTE : random.between(6, 72) * HOUR;
  };
  const arrive = (letter: Letter, notification: Notification): void => {
    const isReadable = letter.state === 'ARRIVED' || !random.chance(weather.unreadable);
    letter.state = isReadable ? 'ARRIVED' : 'UNREADABLE';
    tell(`received${isReadable ? '' : ', not legible'}: ${describe(notification.statement)} (${notification.digest})`);
    facts.receive(notification, isReadable);
  };
  const deliver = (letter: Letter): void => {
    letter.state = 'UNDER_WAY';
    clock.after(travel(), () => {
      arrive(letter, letter.notification);
    });
  };
  return {
    send: (paymentId, statement) => {
      const notification: Notification = {
        digest: digest(),
        paymentId: statement.about === 'refund' ? null : paymentId,
        statement,
      };
      const letter: Letter = { notification, state: 'UNDER_WAY' };
      letters.set(paymentId, [...(letters.get(paymentId) ?? []), letter]);
      if (random.chance(weather.lost)) {
        letter.state = 'LOST';
        tell(`lost: ${describe(statement)} of ${paymentId}`);
        return letter;
      }
      deliver(letter);
      if (random.chance(weather.repeated))
        clock.after(random.between(1, 72) * HOUR, () => {
          if (letter.state === 'ARRIVED') arrive(letter, notification);
        });
      if (random.chance(weather.copied))
        clock.after(random.between(1, 10) * DAY, () => {
          if (letter.state === 'ARRIVED') arrive(letter, { ...notification, digest: digest() });
        });
      return letter;
    },
    lettersOf: (paymentId) => letters.get(paymentId) ?? [],
    resend: (letter) => {
      if (random.chance(0.75)) deliver(letter);
      else letter.state = 'GONE';
    },
    redrive: (letter) => {
      if (!random.chance(0.7)) {
        letter.state = 'HOPELESS';
        return;
      }
      letter.state = 'ARRIVED';
      tell(`redriven: ${describe(letter.notification.statement)}`);
      facts.receive(letter.notification, true);
    },
  };
};
