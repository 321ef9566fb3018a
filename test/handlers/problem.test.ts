import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { createHandler, type Handler } from '../../src/handlers/handler.ts';
import { readBody } from '../../src/handlers/read.ts';
import { type Fields, jpy } from '../support/facts.ts';
import { CAPTURE, PAYMENT, read, without } from './support.ts';

describe('the problem', () => {
  test('names every field that is wrong, in one sentence', () => {
    const { problem } = read({ ...without(PAYMENT, 'paymentId'), paymentAmount: jpy('1.5'), result: {} });
    expect(problem).toBe(
      'paymentId is missing; result.resultStatus is missing; paymentAmount.value must be a string of 1 to 64 digits, or an integer from 0 to 2^53 - 1.',
    );
  });

  test('quotes nothing of the notification', () => {
    const SECRET = 'secret é';
    for (const fields of [PAYMENT, CAPTURE]) {
      for (const name of Object.keys(fields)) {
        expect(read({ ...fields, [name]: SECRET }).problem ?? '').not.toContain('secret');
        expect(read({ ...fields, [name]: { [SECRET]: SECRET } }).problem ?? '').not.toContain('secret');
      }
    }
  });

  const STRICT: Handler = createHandler({
    kind: 'METER',
    matches: () => true,
    schema: z.strictObject({
      text: z.string(),
      word: z.enum(['one', 'two']),
      list: z.array(z.number().max(3)),
      either: z.union([z.string(), z.number()]),
      named: z.record(z.string(), z.string()).optional(),
    }),
    state: () => [],
  });
  const problemOf = (fields: Fields) => readBody(Buffer.from(JSON.stringify(fields)), [STRICT]).problem;

  test('is our own also where a schema words none', () => {
    expect(problemOf({})).toBe('text is missing; word is missing; list is missing; either is missing.');
    expect(problemOf({ text: 7, word: 'secret', list: [1, 'secret', 4], either: ['secret'] })).toBe(
      'text must be of type string; word is malformed; list.1 must be of type number; list.2 is malformed; either is malformed.',
    );
    expect(problemOf({ text: 'x', word: 'one', list: [], either: 1, secret: 'secret' })).toBe(
      'the notification is malformed.',
    );
  });

  test('is plain text whatever a field is called', () => {
    const named = { 'a\0\n\ud800é': 7 };
    expect(problemOf({ text: 'x', word: 'one', list: [], either: 1, named })).toBe(
      'named.a???? must be of type string.',
    );
  });

  test('is bounded, however much is wrong', () => {
    const problem = problemOf({ text: 'x', word: 'one', list: Array(1_000).fill('x'), either: 1 }) ?? '';
    expect(problem).toHaveLength(500);
    expect(problem).toMatch(/^list\.0 must be of type number; list\.1 .*…$/);
  });
});
