import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deriveOrder } from '../../src/order/order.ts';
import { type Derive, firstDifference, setsOfUpTo } from './comparison.ts';
import { MUTANTS } from './mutants.ts';
import { FACTS } from './table.ts';

/* Law 5's comparison notices a core with any one rule put wrong: most in a set of two facts, one in a set of four. */

const CORE = fileURLToPath(new URL('../../src/order', import.meta.url));

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'paynotify-mutants-'));
});
afterAll(() => rm(directory, { recursive: true }));

test('the core itself has no difference in sets of up to two', () => {
  expect(firstDifference(deriveOrder, setsOfUpTo(2, FACTS))).toBeNull();
});

test('the rules are distinct', () => {
  expect(new Set(MUTANTS.map(({ rule }) => rule)).size).toBe(MUTANTS.length);
  expect(MUTANTS.length).toBeGreaterThanOrEqual(25);
});

test('what each puts wrong stands once in the core', async () => {
  for (const { rule, file, from } of MUTANTS) {
    const text = await readFile(join(CORE, file), 'utf8');
    expect([rule, text.split(from).length - 1]).toEqual([rule, 1]);
  }
});

/** Every third one; all of them: MUTANTS=all npm run -s jest -- test/order/mutants */
const tried = MUTANTS.filter((_, index) => process.env['MUTANTS'] === 'all' || index % 3 === 0);

test.each(tried)('notices without: $rule', async ({ rule, file, from, to, facts }) => {
  const copy = join(directory, rule.replaceAll(/\W/g, '-'));
  await cp(CORE, copy, { recursive: true });
  const text = await readFile(join(copy, file), 'utf8');
  await writeFile(
    join(copy, file),
    text.replace(from, () => to),
  );
  const { deriveOrder: derive } = (await import(join(copy, 'order.ts'))) as { readonly deriveOrder: Derive };
  const together = FACTS.filter(({ name }) => facts?.includes(name));
  expect(together).toHaveLength(facts?.length ?? 0);
  expect(firstDifference(derive, facts === null ? setsOfUpTo(2, FACTS) : [together])).not.toBeNull();
});
