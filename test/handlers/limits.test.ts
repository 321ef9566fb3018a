import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { DEEPEST, excessOf, MOST_VALUES } from '../../src/handlers/limits.ts';
import { readBody } from '../../src/handlers/read.ts';
import { anyCharacter } from '../support/texts.ts';
import { CAPTURE, CAPTURE_IDS, DEEP, malformed, PAYMENT, PAYMENT_IDS, read, readingOf, withMember } from './support.ts';

const TOO_DEEP = `The body is nested more than ${DEEPEST} levels deep.`;
const TOO_MANY = `The body holds more than ${MOST_VALUES} values.`;

/** So many lists in one another, as the value of a member: the body itself is one level more. */
const lists = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
const objects = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const ones = (count: number): string => `[${Array.from({ length: count }, () => '1').join(',')}]`;

const OF_PAYMENT = JSON.stringify(PAYMENT).split(/[,{[]/).length;
const readText = (text: string) => readBody(Buffer.from(text));

describe('JSON at the limits is read', () => {
  test.each([
    ['lists', lists(DEEPEST - 1)],
    ['objects', objects(DEEPEST - 1)],
    ['values in a list', ones(MOST_VALUES - OF_PAYMENT - 1)],
    ['brackets in a text', JSON.stringify('[{'.repeat(2 * MOST_VALUES))],
    ['commas and quotes in a text', JSON.stringify('",\\'.repeat(2 * MOST_VALUES))],
    ['a text that ends with a backslash', `"${'x'.repeat(2 * MOST_VALUES)}\\\\"`],
    ['many lists beside one another', `[${Array.from({ length: 1_000 }, () => '[]').join(',')}]`],
  ])('%s', (_, value) => {
    expect(readingOf(withMember(`"x":${value}`))).toEqual(read(PAYMENT));
  });
});

describe('JSON beyond them is MALFORMED, with all that it names', () => {
  test.each([
    ['lists', lists(DEEPEST), TOO_DEEP],
    ['objects', objects(DEEPEST), TOO_DEEP],
    ['100,000 lists', lists(DEEP), TOO_DEEP],
    ['100,000 objects', objects(DEEP), TOO_DEEP],
    ['values in a list', ones(MOST_VALUES - OF_PAYMENT), TOO_MANY],
    ['empty lists in a list', `[${Array.from({ length: MOST_VALUES }, () => '[]').join(',')}]`, TOO_MANY],
  ])('%s', (_, value, problem) => {
    expect(readingOf(withMember(`"x":${value}`))).toEqual(malformed('PAYMENT', problem, PAYMENT_IDS));
    const capture = JSON.stringify(CAPTURE).replace(/\}$/, `,"acquirerInfo":${value}}`);
    expect(readingOf(capture)).toEqual(malformed('CAPTURE', problem, CAPTURE_IDS));
    expect(readingOf(`{"x":${value},${JSON.stringify(PAYMENT).slice(1)}`)).toMatchObject({ kind: 'PAYMENT', problem });
  });

  test('and states nothing', () => {
    const dispute = { disputeNotificationType: 'DISPUTE_CREATED', disputeId: 'D1', paymentId: 'P1' };
    expect(read(dispute).statements).toHaveLength(1);
    const deep = JSON.stringify(dispute).replace(/\}$/, `,"x":${lists(DEEPEST)}}`);
    expect(readingOf(deep)).toEqual(malformed('DISPUTE', TOO_DEEP, { paymentId: 'P1', disputeId: 'D1' }));
  });

  test('but a kind of which nothing is read stays what it is', () => {
    const code = JSON.stringify({ notifyType: 'OFFLINE_PAYMENT_CODE', paymentId: 'P1' });
    const deep = code.replace(/\}$/, `,"x":${lists(DEEPEST)}}`);
    expect(readingOf(deep)).toEqual(readingOf(code));
    expect(readingOf(deep)).toMatchObject({ kind: 'OFFLINE_CODE', outcome: 'UNHANDLED' });
    const unknown = deep.replace('OFFLINE_PAYMENT_CODE', 'TOMORROWS_RESULT');
    expect(readingOf(unknown)).toEqual(malformed('UNKNOWN', TOO_DEEP, { paymentId: 'P1' }));
  });

  test('more members than the limit are not looked at one by one', () => {
    const members = Array.from({ length: MOST_VALUES }, (_, index) => `"x${index}":1`).join(',');
    expect(readingOf(withMember(members))).toEqual(malformed('UNKNOWN', TOO_MANY));
  });

  test('what is cut off inside is not handed on to be parsed', () => {
    expect(excessOf(`{"a":[],"b":${'['.repeat(DEEP)}`)?.shallow).toBe('{"a":{},"b":{}');
  });

  test('what is no JSON is told as ever', () => {
    const text = withMember(`"x":${lists(DEEP)}`);
    expect(readingOf(`${text}x`)).toEqual(malformed('UNKNOWN', 'The body is not JSON.'));
    expect(readingOf(lists(DEEP))).toEqual(malformed('UNKNOWN', 'The body is not a JSON object.'));
    expect(readingOf('['.repeat(DEEP)).outcome).toBe('MALFORMED');
    expect(readingOf('{"a":'.repeat(DEEP)).outcome).toBe('MALFORMED');
  });
});

/** What a value amounts to, told by walking it: levels, and values with the names of members. */
const sizeOf = (value: unknown): { readonly levels: number; readonly values: number } => {
  if (typeof value !== 'object' || value === null) return { levels: 0, values: 1 };
  const inside = Object.values(value).map(sizeOf);
  return {
    levels: 1 + Math.max(0, ...inside.map(({ levels }) => levels)),
    values: 1 + inside.reduce((sum, { values }) => sum + values, 0),
  };
};

const json = (maxDepth: number): fc.Arbitrary<unknown> =>
  fc.jsonValue({ maxDepth, depthSize: 'max', stringUnit: anyCharacter });

describe('for any JSON', () => {
  test('within the limits nothing is found; the text of it may be spaced', () => {
    fc.assert(
      fc.property(json(12), fc.constantFrom(undefined, 1), (value, space) => {
        const text = JSON.stringify(value, null, space);
        const { levels, values } = sizeOf(value);
        fc.pre(levels < DEEPEST && 2 * values < MOST_VALUES);
        expect(excessOf(text)).toBeNull();
        expect(readText(withMember(`"x":${text}`))).toEqual(read(PAYMENT));
      }),
      { numRuns: 200 },
    );
  });

  test('wrapped until it is too deep, it is MALFORMED and keeps what it names', () => {
    fc.assert(
      fc.property(json(4), fc.integer({ min: DEEPEST, max: 3 * DEEPEST }), fc.boolean(), (value, levels, last) => {
        const wrapped = `"x":${'{"a":['.repeat(levels)}${JSON.stringify(value)}${']}'.repeat(levels)}`;
        const body = last ? withMember(wrapped) : `{${wrapped},${JSON.stringify(PAYMENT).slice(1)}`;
        expect(readText(body)).toEqual(malformed('PAYMENT', TOO_DEEP, PAYMENT_IDS));
      }),
      { numRuns: 200 },
    );
  });

  test('repeated until it is too much, it is MALFORMED and keeps what it names', () => {
    fc.assert(
      fc.property(json(3), (value) => {
        const text = JSON.stringify(Array.from({ length: MOST_VALUES }, () => value));
        fc.pre(text.length < 1e6);
        expect(readText(withMember(`"x":${text}`))).toEqual(malformed('PAYMENT', TOO_MANY, PAYMENT_IDS));
      }),
      { numRuns: 20 },
    );
  });
});

test('never throws, whatever the bytes', () => {
  const pieces = fc.constantFrom('[', ']', '{', '}', '"', ',', ':', '\\', '\\u', '1', 'null', '"a":', ' ', '\u00e9');
  const texts = fc
    .array(fc.tuple(pieces, fc.integer({ min: 1, max: 2_000 })), { maxLength: 20 })
    .map((parts) => parts.map(([piece, times]) => piece.repeat(times)).join(''));
  fc.assert(
    fc.property(fc.oneof(texts, texts.map(withMember)), (text) => {
      expect(['APPLIED', 'UNHANDLED', 'MALFORMED']).toContain(readBody(Buffer.from(text)).outcome);
    }),
    { numRuns: 200 },
  );
});
