import type { OrderRules } from '../order/rules.ts';

/** The names of everything that is kept in the table `settings`. */
export const SETTING = {
  /** The rules by which orders are derived, under their number (`writeRules`). A service stores them when it starts. */
  rules: 'rules',
  /** The rules by which every order was derived last (`nameOfRules`); anything else while that is not so. */
  derived: 'derived',
  /** When a program whose DERIVATION is in force said last that it is there, as ISO time. */
  inForceAt: 'in force at',
  /** What commands need to speak for the service, as JSON (upkeep/in-force.ts). */
  service: 'service',
  /** How far the copy into this database has come, as JSON. */
  copy: 'copy',
  /** A service has started on this database, or stored here what a copy could take away. */
  copyInUse: 'copy in use',
  /** When a diagnosis was an error in the log last, as ISO time (upkeep/diagnosis.ts). */
  diagnosisAlarm: 'diagnosis alarm',
  /** Which payment methods were reported today, as JSON (upkeep/methods.ts). */
  methods: 'methods',
  /** When a silence was reported last (upkeep/silence.ts). */
  silence: 'silence',
  /** When it was reported last that the change feed is held up (upkeep/held-up.ts). */
  heldUp: 'held up',
  /** What the service has seen lately, as JSON (upkeep/sightings.ts). */
  seen: 'seen',
  /** When a service looked last for payments to inquire, as ISO time (reconcile/). */
  reconciled: 'reconciled',
  /** Of which clients inquiries are held back, as JSON (held-back.ts). */
  heldBack: 'inquiries held back',
  /** Written to learn whether the database can be written. */
  probe: 'probe',
  /** SQLite: the last position of the change feed. */
  position: 'position',
  /** PostgreSQL: added to every transaction number, so that positions grow also after a dump was restored. */
  feedBase: 'feed_base',
} as const;

/** A term: a service works on this database. What it acknowledges is committed after that is, or with it. */
export const IN_USE = `exists (select 1 from settings where name = '${SETTING.copyInUse}')`;

/** A statement that makes it so: a service may come to another database without a start, where a name is moved. */
export const NOTE_IN_USE = `insert into settings values ('${SETTING.copyInUse}', 'true') on conflict (name) do nothing`;

/** A statement for who derives by another DERIVATION than the one in force: all is to be derived again. */
export const FORGET_DERIVED = `delete from settings where name = '${SETTING.derived}'`;

/** Rules as they are stored: each change of them has the next number. */
export interface NumberedRules {
  readonly number: number;
  /** The DERIVATION of the program that stored them. */
  readonly derivation: number;
  readonly rules: OrderRules;
}

export const writeRules = ({ number, derivation, rules }: NumberedRules): string =>
  JSON.stringify({ number, derivation, rules });

/** The text that was read last: every transaction reads it, and it hardly ever changes. */
let last: { readonly text: string; readonly read: NumberedRules | null } = { text: '', read: null };

/** Null for none, and for a text that is not of `writeRules`. */
export const readRules = (text: string | null | undefined): NumberedRules | null => {
  if (text === null || text === undefined) return null;
  if (text !== last.text) last = { text, read: parseRules(text) };
  return last.read;
};

/** Whoever stored them may have noted no derivation. */
type Rules = Omit<NumberedRules, 'derivation'> & Partial<Pick<NumberedRules, 'derivation'>>;

const parseRules = (text: string): NumberedRules | null => {
  try {
    const { number, derivation = 0, rules } = JSON.parse(text) as Rules;
    const isSound =
      Number.isSafeInteger(number) &&
      Number.isSafeInteger(derivation) &&
      ['methods', 'always'].includes(rules.captureRequired) &&
      ['AUTOMATIC', 'MANUAL'].includes(rules.captureMode) &&
      Array.isArray(rules.noCaptureMethods) &&
      rules.noCaptureMethods.every((method) => typeof method === 'string') &&
      typeof rules.requireRegistration === 'boolean' &&
      typeof rules.production === 'boolean';
    return isSound ? { number, derivation, rules } : null;
  } catch {
    return null;
  }
};
