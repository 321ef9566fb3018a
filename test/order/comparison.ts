import { hash } from 'node:crypto';
import type { RegistrationFact } from '../../src/order/evidence.ts';
import type { Derivation, deriveOrder } from '../../src/order/order.ts';
import type { OrderRules } from '../../src/order/rules.ts';
import { tell, type Told } from './oracle/tell.ts';
import { CONFIGURATIONS, INSTANTS, REGISTRATIONS } from './settings.ts';
import { evidenceOf, type Fact } from './table.ts';

/* The core and the oracle, asked the same. */

/** Every set of up to so many facts, the smaller ones first. */
export const setsOfUpTo = function* (size: number, facts: readonly Fact[]): Generator<readonly Fact[]> {
  for (let exactly = 0; exactly <= size; exactly += 1) yield* setsOf(exactly, facts);
};

/** Every set of exactly so many. */
export const setsOf = function* (size: number, facts: readonly Fact[], from = 0): Generator<readonly Fact[]> {
  if (size === 0) yield [];
  else
    for (let index = from; index <= facts.length - size; index += 1)
      for (const rest of setsOf(size - 1, facts, index + 1)) yield [facts[index]!, ...rest];
};

/** Plain data compared by value; a missing field and an undefined one are the same. */
export const same = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((one, index) => same(one, b[index]));
  const [one, other] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>];
  for (const name in one) if (!same(one[name], other[name])) return false;
  for (const name in other) if (!(name in one) && other[name] !== undefined) return false;
  return true;
};

type Said = Readonly<Record<string, unknown>>;

/** All that a derivation says, but for the wording, as the oracle says it. */
export const saidBy = ({ order, dueAt, settleable, captured }: Derivation): Said => {
  const { attention, ...rest } = order;
  return {
    ...rest,
    attention: attention.map(({ code, settled }) => ({ code, settled })),
    changesAt: dueAt,
    settleable: settleable.map(({ code }) => code),
    captured,
  };
};

export const toldBy = ({ order, changesAt, settleable, captured }: Told): Said => ({
  ...order,
  changesAt,
  settleable: settleable.map(({ code }) => code),
  captured,
});

export type Derive = typeof deriveOrder;

export interface Case {
  readonly set: readonly Fact[];
  readonly registered: RegistrationFact | null;
  readonly rules: OrderRules;
  readonly now: number;
  readonly derived: Derivation;
  readonly told: Told;
}

export const agree = ({ derived, told }: Pick<Case, 'derived' | 'told'>): boolean => {
  const { order, dueAt, settleable, captured } = derived;
  if (dueAt !== told.changesAt || captured !== told.captured) return false;
  if (settleable.length !== told.settleable.length || order.attention.length !== told.order.attention.length)
    return false;
  if (settleable.some(({ code }, index) => code !== told.settleable[index]?.code)) return false;
  for (const name of Object.keys(told.order) as (keyof typeof order)[])
    if (name !== 'attention' && !same(order[name], told.order[name])) return false;
  return order.attention.every(({ code, settled }, index) => {
    const one = told.order.attention[index];
    return one?.code === code && one.settled === settled;
  });
};

/** A set in one registration, both configurations and all instants. */
export const casesOf = function* (
  derive: Derive,
  set: readonly Fact[],
  registered: RegistrationFact | null,
): Generator<Case> {
  const evidence = evidenceOf(set, registered);
  for (const [, rules] of CONFIGURATIONS) {
    const teller = tell(evidence, rules);
    for (const now of INSTANTS)
      yield { set, registered, rules, now, derived: derive(evidence, rules, now), told: teller(now) };
  }
};

/** The first case in which a core says something else than the oracle; null where it never does. */
export const firstDifference = (derive: Derive, sets: Iterable<readonly Fact[]>): Case | null => {
  for (const set of sets)
    for (const [, registered] of REGISTRATIONS)
      for (const one of casesOf(derive, set, registered)) if (!agree(one)) return one;
  return null;
};

/** For a reader of the failure: what each of the two says where they differ. */
export const difference = (one: Case): Readonly<Record<string, unknown>> => {
  const [derived, told] = [saidBy(one.derived), toldBy(one.told)];
  const names = Object.keys(derived).filter((name) => !same(derived[name], told[name]));
  return {
    facts: one.set.map(({ name }) => name),
    registered: one.registered,
    captureRequired: one.rules.captureRequired,
    now: new Date(one.now).toISOString(),
    derived: Object.fromEntries(names.map((name) => [name, derived[name]])),
    told: Object.fromEntries(names.map((name) => [name, told[name]])),
  };
};

/** Numbers from 0 (inclusive) to 1, the same for the same seed. */
export const numbersFrom = (seed: string): (() => number) => {
  let state = seed;
  return () => {
    state = hash('sha256', state, 'hex');
    return Number.parseInt(state.slice(0, 12), 16) / 2 ** 48;
  };
};

/** So many different members in a random order. */
export const drawn = <T>(items: readonly T[], size: number, next: () => number): readonly T[] => {
  const left = [...items];
  return Array.from({ length: size }, () => left.splice(Math.floor(next() * left.length), 1)[0]!);
};

export const oneOf = <T>(items: readonly T[], next: () => number): T => items[Math.floor(next() * items.length)]!;
