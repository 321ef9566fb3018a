import type { JsonObject } from '../order/statement.ts';
import type { Chance } from './chance.ts';
import { type Outcome, outcomeOf, SUCCESS } from './codes.ts';
import type { Notification, Treatment } from './courier.ts';
import type { Ledger, PaymentEntry } from './ledger.ts';
import type { MisbehaviourName, Settings } from './misbehaviour.ts';

/** What the operations act on. */
export interface World {
  readonly ledger: Ledger;
  readonly chance: Chance;
  readonly settings: () => Settings;
  /** A notification of the documents to write others after, by the name that `send --sample` has for it. */
  readonly sample: (name: string) => JsonObject;
  readonly deliver: (notification: Notification, treatment: Treatment) => void;
  /** Where notifications go whose payment says nothing else. */
  readonly notifyUrl: string | null;
  /** Does it after so many seconds, divided by the speed. */
  readonly later: (seconds: number, work: () => void) => void;
  readonly told: Told;
}

/** An outcome that somebody has asked for, for the next calls of an operation. */
export interface ToldAnswer {
  readonly operation: Operation;
  readonly resultCode: string;
  /** Of this payment alone, by either of its ids; null of any. */
  readonly payment: string | null;
  readonly count: number;
}

export const OPERATIONS = ['pay', 'capture', 'inquiryPayment', 'cancel', 'refund', 'inquiryRefund'] as const;
export type Operation = (typeof OPERATIONS)[number];

export interface Told {
  readonly add: (answer: ToldAnswer) => void;
  readonly all: () => readonly ToldAnswer[];
  /** Takes one of them that fits the operation and one of the payment's ids; null where none does. */
  readonly take: (operation: Operation, ids: readonly (string | null | undefined)[]) => Outcome | null;
}

export const createTold = (): Told => {
  let answers: readonly ToldAnswer[] = [];
  return {
    add: (answer) => {
      answers = [...answers, answer];
    },
    all: () => answers,
    take: (operation, ids) => {
      const found = answers.find(
        (one) => one.operation === operation && (one.payment === null || ids.includes(one.payment)),
      );
      if (found === undefined) return null;
      const left = { ...found, count: found.count - 1 };
      answers = answers.flatMap((one) => (one === found ? (left.count === 0 ? [] : [left]) : [one]));
      return outcomeOf(found.resultCode);
    },
  };
};

/** The answer to a call: with S its fields too. */
export interface Reply {
  readonly outcome: Outcome;
  readonly fields: JsonObject;
}
export const withOutcome = (outcome: Outcome): Reply => ({ outcome, fields: {} });
export const refusal = (resultCode: string, detail?: string): Reply => withOutcome(outcomeOf(resultCode, detail));
export const success = (fields: JsonObject): Reply => ({ outcome: SUCCESS, fields });

/** Whether this misbehaviour is drawn for what it is about. */
export const happens = ({ chance, settings }: World, name: MisbehaviourName, about: string): boolean =>
  chance.draw(name, about) < settings().shares[name];

const DIGITS = 24;
/** APO's begin with the day. Here it is always the same: what is drawn for a call may not change overnight. */
const DAY = '20260101';

/** An id as APO's look: a day and digits; for one request always the same. */
export const apoId = ({ chance }: World, what: string, about: string): string =>
  DAY + chance.digits(DIGITS, `${what} ${about}`).padStart(DIGITS, '0');

/** Writes a change of a payment down, and returns it. */
export const change = ({ ledger }: World, payment: PaymentEntry, changes: Partial<PaymentEntry>): PaymentEntry => {
  const after = { ...payment, ...changes };
  ledger.put(after);
  return after;
};
