import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { readBody } from '../../src/handlers/read.ts';
import { anyCharacter } from '../support/texts.ts';
import {
  CAPTURE,
  CAPTURE_IDS,
  captureIn,
  identifiersIn,
  malformed,
  PAYMENT,
  PAYMENT_IDS,
  paymentIn,
  read,
  without,
} from './support.ts';

const illegible = (name: string) =>
  `${name} must be a string of 1 to 128 characters without control characters, and without white space at either end.`;
const LONGEST = 'x'.repeat(128);

describe('an identifier', () => {
  test.each([
    ['of one character', '!'],
    ['of 128 characters', LONGEST],
    ['of 128 characters beyond the basic plane', '\u{1F600}'.repeat(128)],
    ['with a space', 'P 1'],
    ['with a letter outside ASCII', 'Pé1'],
    ['of every printable character', '!"#$%&\'()*+,-./0189:;<=>?@AZ[\\]^_`az{|}~'],
  ])('%s is taken as it is', (_, id) => {
    const paid = read({ ...PAYMENT, paymentId: id, paymentRequestId: id });
    expect(identifiersIn(paid)).toEqual({ paymentId: id, paymentRequestId: id });
    expect(paymentIn(paid).paymentRequestId).toBe(id);
    const captured = read({ ...CAPTURE, captureId: id, captureRequestId: id });
    expect(identifiersIn(captured)).toEqual({ paymentId: 'P1', captureId: id, captureRequestId: id });
    expect(captureIn(captured)).toMatchObject({ captureId: id, captureRequestId: id });
  });

  const MALFORMED_IDS = [
    ['with a space before it', ' P1'],
    ['with a space after it', 'P1 '],
    ['with a no-break space before it', '\u00a0P1'],
    ['of white space', ' '],
    ['with a line break after it', 'P1\n'],
    ['with U+0000', 'P1\0'],
    ['with U+007F', 'P1\u007f'],
    ['with U+0085', 'P\u00851'],
    ['with a lone surrogate', 'P\ud800'],
    ['of 129 characters', `${LONGEST}x`],
    ['that is a number', 1],
    ['that is false', false],
    ['that is a list', ['P1']],
    ['that is an object', {}],
  ] as const;

  test.each(MALFORMED_IDS)('%s is MALFORMED, under whatever name', (_, id) => {
    for (const name of ['paymentId', 'paymentRequestId']) {
      expect(read({ ...PAYMENT, [name]: id })).toEqual(
        malformed('PAYMENT', illegible(name), without(PAYMENT_IDS, name)),
      );
    }
    for (const name of ['paymentId', 'captureId', 'captureRequestId']) {
      expect(read({ ...CAPTURE, [name]: id })).toEqual(
        malformed('CAPTURE', illegible(name), without(CAPTURE_IDS, name)),
      );
    }
  });

  test.each([
    ['null', null],
    ['empty', ''],
  ])('that is %s is missing, as if absent', (_, id) => {
    expect(read({ ...PAYMENT, paymentRequestId: id })).toEqual(read(without(PAYMENT, 'paymentRequestId')));
    for (const name of ['captureId', 'captureRequestId'])
      expect(read({ ...CAPTURE, [name]: id })).toEqual(read(without(CAPTURE, name)));
  });
});

const isControl = (code: number): boolean => code < 0x20 || (code >= 0x7f && code < 0xa0);
const isSurrogate = (code: number): boolean => code >= 0xd800 && code < 0xe000;

/** The rule once more, character by character. */
const isLegible = (text: string): boolean => {
  const characters = Array.from(text);
  return (
    characters.length >= 1 &&
    characters.length <= 128 &&
    text.trim() === text &&
    characters.every((character) => {
      const code = character.codePointAt(0) ?? 0;
      return !isControl(code) && !isSurrogate(code);
    })
  );
};

test('of any texts those are identifiers that are legible', () => {
  const odd = fc.constantFrom(' ', '\t', '\n', '\0', '\u007f', '\u00a0', '\u2028', '\u{1F600}', '\ud800', 'x', 'é');
  const texts = fc.array(fc.oneof(odd, fc.string({ unit: anyCharacter, maxLength: 3 })), { maxLength: 130 });
  fc.assert(
    fc.property(
      fc.oneof(
        texts.map((parts) => parts.join('')),
        odd.map((one) => one.repeat(128)),
      ),
      (id) => {
        const reading = readBody(Buffer.from(JSON.stringify({ ...PAYMENT, paymentRequestId: id })));
        const outcome = id === '' || isLegible(id) ? 'APPLIED' : 'MALFORMED';
        expect([reading.outcome, identifiersIn(reading)['paymentRequestId']]).toEqual([
          outcome,
          isLegible(id) ? id : undefined,
        ]);
      },
    ),
    { numRuns: 200 },
  );
});

describe('MALFORMED: no paymentId', () => {
  test.each([
    ['absent', without(PAYMENT, 'paymentId'), 'paymentId is missing.'],
    ['null', { ...PAYMENT, paymentId: null }, 'paymentId is missing.'],
    ['empty', { ...PAYMENT, paymentId: '' }, 'paymentId is missing.'],
    [
      'of the prototype only',
      { ...without(PAYMENT, 'paymentId'), constructor: { paymentId: 'P1' } },
      'paymentId is missing.',
    ],
  ])('%s', (_, fields, problem) => {
    expect(read(fields)).toEqual(malformed('PAYMENT', problem, { paymentRequestId: 'R1' }));
  });
});

describe('MALFORMED: a capture with neither captureId nor captureRequestId', () => {
  test.each([
    ['absent', without(without(CAPTURE, 'captureId'), 'captureRequestId')],
    ['null and empty', { ...CAPTURE, captureId: null, captureRequestId: '' }],
  ])('%s', (_, fields) => {
    expect(read(fields)).toEqual(
      malformed('CAPTURE', 'captureId is missing, and so is captureRequestId.', { paymentId: 'P1' }),
    );
  });

  test('one of them is enough', () => {
    expect(read(without(CAPTURE, 'captureId')).outcome).toBe('APPLIED');
    expect(read(without(CAPTURE, 'captureRequestId')).outcome).toBe('APPLIED');
  });
});
