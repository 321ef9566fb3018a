import { describe, expect, test } from '@jest/globals';
import { deriveOrder } from '../../src/order/order.ts';
import { agree, drawn, numbersFrom, oneOf, same, saidBy, toldBy } from './comparison.ts';
import { tell } from './oracle/tell.ts';
import { CONFIGURATIONS, INSTANTS, REGISTRATIONS } from './settings.ts';
import { evidenceOf, type Fact, FACTS, MORE_FACTS } from './table.ts';

/* Law 4 in the pure core: an order is a function of the set of facts, in whatever order they come. */

const ALL: readonly Fact[] = [...FACTS, ...MORE_FACTS];

const SETS = 1_000;

const permutations = function* <T>(items: readonly T[]): Generator<readonly T[]> {
  if (items.length < 2) yield items;
  else
    for (const [index, item] of items.entries())
      for (const rest of permutations(items.toSpliced(index, 1))) yield [item, ...rest];
};

interface Drawn {
  readonly facts: readonly Fact[];
  readonly setting: (typeof REGISTRATIONS)[number][1];
  readonly rules: (typeof CONFIGURATIONS)[number][1];
  readonly now: number;
}

/** The same on every run; each size is as frequent as the others. */
const draw = (number: number): Drawn => {
  const next = numbersFrom(`set ${number}`);
  return {
    facts: drawn(ALL, 1 + Math.floor(next() * 6), next),
    setting: oneOf(REGISTRATIONS, next)[1],
    rules: oneOf(CONFIGURATIONS, next)[1],
    now: oneOf(INSTANTS, next),
  };
};

const WORLDS: readonly Drawn[] = Array.from({ length: SETS }, (_, number) => draw(number));

describe(`in ${SETS} sets of up to six facts`, () => {
  test('the order is the one that the oracle tells', () => {
    const differing = WORLDS.flatMap(({ facts, setting, rules, now }) => {
      const evidence = evidenceOf(facts, setting);
      const [derived, told] = [deriveOrder(evidence, rules, now), tell(evidence, rules)(now)];
      return agree({ derived, told })
        ? []
        : [{ facts: facts.map(({ name }) => name), derived: saidBy(derived), told: toldBy(told) }];
    });
    expect(differing[0]?.derived).toEqual(differing[0]?.told);
    expect(differing.map(({ facts }) => facts)).toEqual([]);
  });

  test.each([0, 1])('the order is the same in all permutations, to the last word (part %i)', (part) => {
    let compared = 0;
    const differing: (readonly string[])[] = [];
    for (const { facts, setting, rules, now } of WORLDS.filter((_, number) => number % 2 === part)) {
      const reference = deriveOrder(evidenceOf(facts, setting), rules, now);
      for (const permutation of permutations(facts)) {
        compared += 1;
        const derived = deriveOrder(evidenceOf(permutation, setting), rules, now);
        if (!same(derived, reference)) differing.push(permutation.map(({ name }) => name));
      }
    }
    expect(differing.slice(0, 3)).toEqual([]);
    expect(compared).toBeGreaterThan(50_000);
  });
});
