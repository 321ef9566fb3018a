import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { furtherAction } from '../../src/antom/result-codes.ts';

/** The table of the seed document, copied: code, value, message, further action. */
const ROWS = readFileSync(new URL('../fixtures/capture-result-codes.md', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => /^\| [A-Z_]+ \|/.test(line))
  .map((line) => line.slice('| '.length, -' |'.length).split(' | '))
  .map(([code = '', value = '', message = '', action = '']) => ({ code, value, message, action }));

test('the table has 23 codes, each S, F or U with an action', () => {
  expect(new Set(ROWS.map(({ code }) => code)).size).toBe(23);
  expect(ROWS.filter(({ value, action }) => !['S', 'F', 'U'].includes(value) || action === '')).toEqual([]);
});

describe("the further action is the table's, word for word", () => {
  test.each(ROWS)('$code', ({ code, action }) => {
    expect(furtherAction(code)).toBe(action);
  });
});

describe('the further action is absent', () => {
  test.each([
    ['for a code that APO adds later', 'A_NEW_CODE'],
    ['without a code', null],
    ['for the empty code', ''],
    ['for a code in lower case', 'auth_expired'],
    ['for what every object has', 'constructor'],
    ['for the name of a prototype', '__proto__'],
  ])('%s', (_, code) => {
    expect(furtherAction(code)).toBeUndefined();
  });
});
