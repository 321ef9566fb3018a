import { describe, expect, test } from '@jest/globals';
import { amount, jpy } from '../support/facts.ts';
import {
  CAPTURE,
  CAPTURE_IDS,
  captureIn,
  malformed,
  PAYMENT,
  PAYMENT_IDS,
  paymentIn,
  read,
  readingOf,
  statementIn,
  withMember,
  without,
} from './support.ts';

describe('an amount', () => {
  const NINES = '9'.repeat(64);

  test.each([
    ['of one digit', amount('JPY', '0')],
    ['of leading zeros', amount('JPY', '000')],
    ['of 64 digits', amount('USD', NINES)],
    ['beside unknown fields', { currency: 'JPY', value: '120', scale: 2 }],
  ])('%s is read as it stands', (_, stated) => {
    const { currency, value } = stated as { currency: string; value: string };
    expect(paymentIn(read({ ...PAYMENT, paymentAmount: stated })).amount).toEqual({ currency, value });
    expect(captureIn(read({ ...CAPTURE, captureAmount: stated })).amount).toEqual({ currency, value });
  });

  const MISSING = 'is missing';
  const OBJECT = 'must be an object';
  const CURRENCY = 'must be three capital letters';
  const VALUE = 'must be a string of 1 to 64 digits, or an integer from 0 to 2^53 - 1';

  test.each<[string, unknown, readonly (readonly [path: string, problem: string])[]]>([
    ['a text', 'JPY 120', [['', OBJECT]]],
    ['an empty text', '', [['', OBJECT]]],
    ['a number', 120, [['', OBJECT]]],
    ['a list', [{ currency: 'JPY', value: '120' }], [['', OBJECT]]],
    [
      'an empty object',
      {},
      [
        ['.currency', MISSING],
        ['.value', MISSING],
      ],
    ],
    ['without a currency', { value: '120' }, [['.currency', MISSING]]],
    ['without a value', { currency: 'JPY' }, [['.value', MISSING]]],
    ['null in its value', { currency: 'JPY', value: null }, [['.value', MISSING]]],
    ['a negative number', { currency: 'JPY', value: -1 }, [['.value', VALUE]]],
    ['a fraction as a number', { currency: 'JPY', value: 1.5 }, [['.value', VALUE]]],
    ['a number beyond 2^53 - 1', { currency: 'JPY', value: 2 ** 53 }, [['.value', VALUE]]],
    ['true in its value', { currency: 'JPY', value: true }, [['.value', VALUE]]],
    ['nothing in its value', amount('JPY', ''), [['.value', VALUE]]],
    ['a sign', amount('JPY', '-1'), [['.value', VALUE]]],
    ['a plus', amount('JPY', '+1'), [['.value', VALUE]]],
    ['a fraction', amount('JPY', '1.00'), [['.value', VALUE]]],
    ['an exponent', amount('JPY', '1e400'), [['.value', VALUE]]],
    ['a hexadecimal number', amount('JPY', '0x10'), [['.value', VALUE]]],
    ['a separator', amount('JPY', '1,000'), [['.value', VALUE]]],
    ['a digit of another script', amount('JPY', '٣'), [['.value', VALUE]]],
    ['a full-width digit', amount('JPY', '１'), [['.value', VALUE]]],
    ['white space', amount('JPY', ' 1'), [['.value', VALUE]]],
    ['a line break', amount('JPY', '1\n'), [['.value', VALUE]]],
    ['U+0000', amount('JPY', '1\0'), [['.value', VALUE]]],
    ['65 digits', amount('JPY', `${NINES}9`), [['.value', VALUE]]],
    ['10,000 digits', amount('JPY', '9'.repeat(10_000)), [['.value', VALUE]]],
    ['a currency in lower case', amount('jpy', '1'), [['.currency', CURRENCY]]],
    ['a currency of two letters', amount('JP', '1'), [['.currency', CURRENCY]]],
    ['a currency of four letters', amount('JPYX', '1'), [['.currency', CURRENCY]]],
    ['a currency outside ASCII', amount('ＪＰＹ', '1'), [['.currency', CURRENCY]]],
    ['a currency with a line break', amount('JPY\n', '1'), [['.currency', CURRENCY]]],
    ['a currency that is a list', { currency: ['JPY'], value: '1' }, [['.currency', CURRENCY]]],
  ])('%s is MALFORMED', (_, stated, problems) => {
    const problem = (name: string) => `${problems.map(([path, what]) => `${name}${path} ${what}`).join('; ')}.`;
    expect(read({ ...PAYMENT, paymentAmount: stated })).toEqual(
      malformed('PAYMENT', problem('paymentAmount'), PAYMENT_IDS),
    );
    expect(read({ ...CAPTURE, captureAmount: stated })).toEqual(
      malformed('CAPTURE', problem('captureAmount'), CAPTURE_IDS),
    );
  });

  test.each([0, 120, 2 ** 53 - 1])('whose value is the integer %d is read as its digits', (value) => {
    expect(paymentIn(read({ ...PAYMENT, paymentAmount: { currency: 'JPY', value } })).amount).toEqual(jpy(`${value}`));
  });

  test('written as the number 1e400, which JSON reads as infinite, is MALFORMED', () => {
    expect(readingOf(withMember('"paymentAmount":{"currency":"JPY","value":1e400}')).outcome).toBe('MALFORMED');
  });

  test('that is null or absent is missing', () => {
    expect(read({ ...PAYMENT, paymentAmount: null })).toEqual(read(without(PAYMENT, 'paymentAmount')));
    expect(paymentIn(read(without(PAYMENT, 'paymentAmount'))).amount).toBeUndefined();
  });
});

describe('MALFORMED: resultStatus is not S, F or U', () => {
  test.each<[string, unknown, string]>([
    ['no result', undefined, 'result is missing.'],
    ['null', null, 'result is missing.'],
    ['a text', 'S', 'result must be an object.'],
    ['a list', [{ resultStatus: 'S' }], 'result must be an object.'],
    ['no resultStatus', { resultCode: 'SUCCESS' }, 'result.resultStatus is missing.'],
    ['lower case', { resultStatus: 's' }, 'result.resultStatus must be S, F or U.'],
    ['a word', { resultStatus: 'SUCCESS' }, 'result.resultStatus must be S, F or U.'],
    ['empty', { resultStatus: '' }, 'result.resultStatus must be S, F or U.'],
    ['null inside', { resultStatus: null }, 'result.resultStatus is missing.'],
    ['white space', { resultStatus: 'S ' }, 'result.resultStatus must be S, F or U.'],
  ])('%s', (_, result, problem) => {
    expect(read({ ...PAYMENT, result })).toEqual(malformed('PAYMENT', problem, PAYMENT_IDS));
    expect(read({ ...CAPTURE, result })).toEqual(malformed('CAPTURE', problem, CAPTURE_IDS));
  });

  test('but resultCode and resultMessage may be missing or anything', () => {
    expect(
      paymentIn(read({ ...PAYMENT, result: { resultStatus: 'U', resultCode: 7, resultMessage: null } })).result,
    ).toEqual({ resultStatus: 'U', resultCode: null, resultMessage: null });
  });
});

describe('texts that a database cannot keep', () => {
  test('have U+0000 and lone surrogates replaced', () => {
    const statement = statementIn(
      read({
        ...PAYMENT,
        result: { resultStatus: 'S', resultCode: 'A\0B', resultMessage: 'x\ud800' },
        paymentTime: '\udc00',
        acquirerReferenceNo: '\0',
        acquirerInfo: { 'na\0me': ['\ud83d', { deep: '\udc00\ud83d' }] },
      }),
    );
    expect(statement).toMatchObject({
      result: { resultCode: 'A\ufffdB', resultMessage: 'x\ufffd' },
      paymentTime: '\ufffd',
      acquirerReferenceNo: '\ufffd',
      acquirerInfo: { 'na\ufffdme': ['\ufffd', { deep: '\ufffd\ufffd' }] },
    });
  });

  test.each([
    [{ acquirerName: 'a\0b' }, { acquirerName: 'a\ufffdb' }],
    [{ 'na\0me': 'x' }, { 'na\ufffdme': 'x' }],
    [{ x: '\ud800' }, { x: '\ufffd' }],
  ])('have them replaced in a flat acquirerInfo: %j', (acquirerInfo, kept) => {
    expect(paymentIn(read({ ...PAYMENT, acquirerInfo })).acquirerInfo).toEqual(kept);
  });

  test('keep every other character, also beyond the basic plane', () => {
    expect(paymentIn(read({ ...PAYMENT, acquirerReferenceNo: '\ud83d\ude00 ü\u0001' })).acquirerReferenceNo).toBe(
      '\ud83d\ude00 ü\u0001',
    );
  });
});

describe('optional fields', () => {
  const OPTIONAL = {
    paymentTime: '2025-05-17T00:58:04-07:00',
    paymentCreateTime: '2025-05-17T00:57:31-07:00',
    authExpiryTime: 'whenever',
    paymentMethodType: 'CARD',
    acquirerReferenceNo: 'A1',
    acquirerInfo: { acquirerName: '2C2P', nested: { flag: true, count: 2, list: [null, 'x'] } },
  };

  test('are read as they are', () => {
    expect(paymentIn(read({ ...PAYMENT, ...OPTIONAL }))).toMatchObject(OPTIONAL);
    expect(captureIn(read({ ...CAPTURE, captureTime: 'whenever' })).captureTime).toBe('whenever');
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['empty', ''],
    ['a number', 7],
    ['a list', ['x']],
  ])('that are %s are absent', (_, value) => {
    const spoilt = Object.fromEntries(Object.keys(OPTIONAL).map((name) => [name, value]));
    expect(paymentIn(read({ ...PAYMENT, ...spoilt }))).toEqual(paymentIn(read(without(PAYMENT, 'paymentTime'))));
  });

  test('pspName is read of pspCustomerInfo', () => {
    expect(paymentIn(read({ ...PAYMENT, pspCustomerInfo: { pspName: 'TNG' } })).pspName).toBe('TNG');
    for (const pspCustomerInfo of [null, 'TNG', ['TNG'], {}, { pspName: 7 }]) {
      expect(paymentIn(read({ ...PAYMENT, pspCustomerInfo })).pspName).toBeUndefined();
    }
  });

  test('hasResultInfo says whether a field of paymentResultInfo is filled', () => {
    for (const info of [
      { cardNo: '4***1' },
      { threeDSResult: { eci: '' } },
      { funding: 0 },
      { avsResultRaw: 'Y' },
      { a: false },
    ]) {
      expect(paymentIn(read({ ...PAYMENT, paymentResultInfo: info })).hasResultInfo).toBe(true);
    }
    for (const info of [
      null,
      'VISA',
      [{ cardNo: '4' }],
      {},
      { cardNo: '' },
      { threeDSResult: {} },
      { list: [], none: null },
    ]) {
      expect(paymentIn(read({ ...PAYMENT, paymentResultInfo: info })).hasResultInfo).toBeUndefined();
    }
  });

  test('that we do not know change nothing', () => {
    expect(read({ ...PAYMENT, promotionResults: [{ promotionId: '1' }], acquirer: 7 })).toEqual(read(PAYMENT));
  });
});
