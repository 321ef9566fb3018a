import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { type Reading, readBody } from '../../src/antom/notification.ts';
import { handlers } from '../../src/handlers/index.ts';
import { amount, captureResult, type Fields, jpy, paymentPending, paymentResult, receive } from '../support/facts.ts';

const PAYMENT = paymentResult('S', { paymentAmount: jpy('120'), paymentTime: '2025-05-17T00:58:04-07:00' });
const CAPTURE = captureResult('S', { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('120') });

/** Everything in this file goes through a real signature. */
const readingOf = (body: string | Uint8Array): Reading => receive(body).reading;
const read = (fields: Fields): Reading => readingOf(JSON.stringify(fields));

const factsOf = (reading: Reading) => {
  if (reading.outcome !== 'APPLIED') throw new Error(`not applied, but ${reading.outcome}`);
  return reading.facts;
};

const without = (fields: Fields, name: string): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name));

const DEEP = 100_000;
const nested = `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`;

/** The text of the payment with one more member, written as it is: what JSON.stringify would not write. */
const withMember = (member: string): string => JSON.stringify(PAYMENT).replace(/\}$/, `,${member}}`);

describe('the bodies that the refusals start from are applied', () => {
  test.each([
    ['a PAYMENT_RESULT', PAYMENT],
    ['a PAYMENT_PENDING', paymentPending({ paymentAmount: jpy('120') })],
    ['a CAPTURE_RESULT', CAPTURE],
  ])('%s', (_, fields) => {
    expect(read(fields)).toMatchObject({
      outcome: 'APPLIED',
      notifyType: fields['notifyType'],
      facts: { paymentId: 'P1' },
    });
  });

  test("the sandbox's own notification, of which every fact is read", () => {
    const fixture: unknown = JSON.parse(
      readFileSync(new URL('../fixtures/payment-result-sandbox-2025.json', import.meta.url), 'utf8'),
    );
    expect(readBody(Buffer.from((fixture as { body: string }).body), handlers)).toEqual({
      outcome: 'APPLIED',
      notifyType: 'PAYMENT_RESULT',
      facts: {
        paymentId: '202505171940108001001885J0234117653',
        paymentRequestId: 'PR_1747468651136',
        result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' },
        paymentAmount: { currency: 'HKD', value: '10000' },
        paymentTime: '2025-05-17T00:58:04-07:00',
        paymentCreateTime: '2025-05-17T00:57:31-07:00',
        pspName: 'TNG',
      },
    });
  });
});

describe('MALFORMED: not a JSON object in UTF-8', () => {
  const text = JSON.stringify(PAYMENT);

  test.each<[string, string | Uint8Array]>([
    ['no bytes', ''],
    ['white space', ' \n'],
    ['a word', 'success'],
    ['null', 'null'],
    ['a number', '120'],
    ['a text', JSON.stringify(text)],
    ['a list of notifications', `[${text}]`],
    ['a body cut off', text.slice(0, -1)],
    ['a body with something after it', `${text}x`],
    ['two bodies', `${text}${text}`],
    ['single quotes', text.replaceAll('"', "'")],
    ['a comma too many', text.replace(/\}$/, ',}')],
    ['a comment', `${text}//`],
    ['a raw line break in a text', text.replace('as reported', 'as\nreported')],
    ['a raw U+0000 in a text', text.replace('as reported', 'as\0reported')],
    ['a byte order mark', `\ufeff${text}`],
    ['a byte that is no UTF-8', Buffer.from(text.replace('as reported', 'as\u00ff'), 'latin1')],
    [
      'a surrogate in UTF-8',
      Buffer.concat([
        Buffer.from(text.slice(0, -1)),
        Buffer.from([0x2c, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]),
      ]),
    ],
    [
      'an overlong encoding',
      Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0x2c, 0x22, 0xc1, 0x81, 0x22, 0x3a, 0x31, 0x7d])]),
    ],
    ['a character cut off at the end', Buffer.concat([Buffer.from(text), Buffer.from([0xe2, 0x82])])],
    ['UTF-16', Buffer.from(text, 'utf16le')],
    ['a list nested very deep', `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`],
  ])('%s', (_, body) => {
    expect(readingOf(body)).toEqual({ outcome: 'MALFORMED', notifyType: null, paymentId: null });
  });

  test('and the next body is read as if nothing had been', () => {
    expect(readingOf(Buffer.from([0x7b, 0xe2, 0x82])).outcome).toBe('MALFORMED');
    expect(read({ ...PAYMENT, next: 1 }).outcome).toBe('APPLIED');
  });
});

describe('MALFORMED: a notifyType that is no string', () => {
  test.each([[0], [1], [true], [false], [['PAYMENT_RESULT']], [{ toString: 'PAYMENT_RESULT' }]])('%j', (notifyType) => {
    expect(read({ ...PAYMENT, notifyType })).toEqual({ outcome: 'MALFORMED', notifyType: null, paymentId: null });
  });
});

describe('UNHANDLED: no notifyType, or one without a handler', () => {
  test.each([
    ['absent', without(PAYMENT, 'notifyType'), null],
    ['null', { ...PAYMENT, notifyType: null }, null],
    ['empty', { ...PAYMENT, notifyType: '' }, null],
    ['a kind of APO', { ...PAYMENT, notifyType: 'REFUND_RESULT' }, 'REFUND_RESULT'],
    ['in lower case', { ...PAYMENT, notifyType: 'payment_result' }, 'payment_result'],
    ['with white space', { ...PAYMENT, notifyType: 'PAYMENT_RESULT ' }, 'PAYMENT_RESULT '],
    ['with U+0000', { ...PAYMENT, notifyType: 'PAYMENT_RESULT\0' }, 'PAYMENT_RESULT\ufffd'],
    ['a lone surrogate', { ...PAYMENT, notifyType: '\ud800' }, '\ufffd'],
    ['what every object has', { ...PAYMENT, notifyType: 'constructor' }, 'constructor'],
    ['the name of a prototype', { ...PAYMENT, notifyType: '__proto__' }, '__proto__'],
    ['a property of a map', { ...PAYMENT, notifyType: 'size' }, 'size'],
  ])('%s', (_, fields, notifyType) => {
    expect(read(fields)).toEqual({ outcome: 'UNHANDLED', notifyType });
  });

  test('is decided before anything else is looked at', () => {
    expect(read({ notifyType: 'REFUND_RESULT', paymentId: 7, paymentAmount: 'x', result: null }).outcome).toBe(
      'UNHANDLED',
    );
    expect(readingOf('{}').outcome).toBe('UNHANDLED');
    expect(readingOf(nested).outcome).toBe('UNHANDLED');
  });

  test('an own __proto__ gives the body no notifyType', () => {
    expect(readingOf('{"__proto__":{"notifyType":"PAYMENT_RESULT"}}')).toEqual({
      outcome: 'UNHANDLED',
      notifyType: null,
    });
  });
});

const LONGEST = 'x'.repeat(64);

describe('an identifier', () => {
  test.each([
    ['of one character', '!'],
    ['of 64 characters', LONGEST],
    ['of every printable character', '!"#$%&\'()*+,-./0189:;<=>?@AZ[\\]^_`az{|}~'],
  ])('%s is taken as it is', (_, id) => {
    expect(factsOf(read({ ...PAYMENT, paymentId: id, paymentRequestId: id }))).toMatchObject({
      paymentId: id,
      paymentRequestId: id,
    });
    expect(factsOf(read({ ...CAPTURE, captureId: id, captureRequestId: id }))).toMatchObject({
      captureId: id,
      captureRequestId: id,
    });
  });

  const MALFORMED_IDS = [
    ['with a space', 'P 1'],
    ['with a space before it', ' P1'],
    ['with a line break after it', 'P1\n'],
    ['with U+0000', 'P1\0'],
    ['with U+007F', 'P1\u007f'],
    ['with a letter outside ASCII', 'Pé1'],
    ['with a lone surrogate', 'P\ud800'],
    ['of 65 characters', `${LONGEST}x`],
    ['that is a number', 1],
    ['that is false', false],
    ['that is a list', ['P1']],
    ['that is an object', {}],
  ] as const;

  test.each(MALFORMED_IDS)('%s is MALFORMED, under whatever name', (_, id) => {
    const malformed = { outcome: 'MALFORMED', notifyType: 'PAYMENT_RESULT', paymentId: 'P1' };
    expect(read({ ...PAYMENT, paymentId: id })).toEqual({ ...malformed, paymentId: null });
    expect(read({ ...PAYMENT, paymentRequestId: id })).toEqual(malformed);
    expect(read({ ...PAYMENT, captureId: id })).toEqual(malformed);
    for (const name of ['captureId', 'captureRequestId', 'paymentRequestId']) {
      expect(read({ ...CAPTURE, [name]: id })).toEqual({ ...malformed, notifyType: 'CAPTURE_RESULT' });
    }
  });

  test.each([
    ['null', null],
    ['empty', ''],
  ])('that is %s is missing, as if absent', (_, id) => {
    for (const name of ['paymentRequestId', 'captureId'])
      expect(read({ ...PAYMENT, [name]: id })).toEqual(read(without(PAYMENT, name)));
    expect(factsOf(read({ ...CAPTURE, captureId: id }))).toEqual(factsOf(read(without(CAPTURE, 'captureId'))));
    expect(factsOf(read({ ...CAPTURE, captureRequestId: id }))).toEqual(
      factsOf(read(without(CAPTURE, 'captureRequestId'))),
    );
  });
});

describe('MALFORMED: no paymentId', () => {
  test.each([
    ['absent', without(PAYMENT, 'paymentId')],
    ['null', { ...PAYMENT, paymentId: null }],
    ['empty', { ...PAYMENT, paymentId: '' }],
    ['of the prototype only', { ...without(PAYMENT, 'paymentId'), constructor: { paymentId: 'P1' } }],
  ])('%s', (_, fields) => {
    expect(read(fields)).toEqual({ outcome: 'MALFORMED', notifyType: 'PAYMENT_RESULT', paymentId: null });
  });
});

describe('MALFORMED: a capture with neither captureId nor captureRequestId', () => {
  test.each([
    ['absent', without(without(CAPTURE, 'captureId'), 'captureRequestId')],
    ['null and empty', { ...CAPTURE, captureId: null, captureRequestId: '' }],
  ])('%s', (_, fields) => {
    expect(read(fields)).toEqual({ outcome: 'MALFORMED', notifyType: 'CAPTURE_RESULT', paymentId: 'P1' });
  });

  test('one of them is enough', () => {
    expect(read(without(CAPTURE, 'captureId')).outcome).toBe('APPLIED');
    expect(read(without(CAPTURE, 'captureRequestId')).outcome).toBe('APPLIED');
  });
});

describe('an amount', () => {
  const NINES = '9'.repeat(64);

  test.each([
    ['of one digit', amount('JPY', '0')],
    ['of leading zeros', amount('JPY', '000')],
    ['of 64 digits', amount('USD', NINES)],
    ['beside unknown fields', { currency: 'JPY', value: '120', scale: 2 }],
  ])('%s is read as it stands', (_, stated) => {
    const { currency, value } = stated as { currency: string; value: string };
    expect(factsOf(read({ ...PAYMENT, paymentAmount: stated })).paymentAmount).toEqual({ currency, value });
    expect(factsOf(read({ ...CAPTURE, captureAmount: stated })).captureAmount).toEqual({ currency, value });
  });

  test.each<[string, unknown]>([
    ['a text', 'JPY 120'],
    ['an empty text', ''],
    ['a number', 120],
    ['a list', [{ currency: 'JPY', value: '120' }]],
    ['an empty object', {}],
    ['without a currency', { value: '120' }],
    ['without a value', { currency: 'JPY' }],
    ['null in its value', { currency: 'JPY', value: null }],
    ['a number in its value', { currency: 'JPY', value: 120 }],
    ['nothing in its value', amount('JPY', '')],
    ['a sign', amount('JPY', '-1')],
    ['a plus', amount('JPY', '+1')],
    ['a fraction', amount('JPY', '1.00')],
    ['an exponent', amount('JPY', '1e400')],
    ['a hexadecimal number', amount('JPY', '0x10')],
    ['a separator', amount('JPY', '1,000')],
    ['a digit of another script', amount('JPY', '٣')],
    ['a full-width digit', amount('JPY', '１')],
    ['white space', amount('JPY', ' 1')],
    ['a line break', amount('JPY', '1\n')],
    ['U+0000', amount('JPY', '1\0')],
    ['65 digits', amount('JPY', `${NINES}9`)],
    ['10,000 digits', amount('JPY', '9'.repeat(10_000))],
    ['a currency in lower case', amount('jpy', '1')],
    ['a currency of two letters', amount('JP', '1')],
    ['a currency of four letters', amount('JPYX', '1')],
    ['a currency outside ASCII', amount('ＪＰＹ', '1')],
    ['a currency with a line break', amount('JPY\n', '1')],
    ['a currency that is a list', { currency: ['JPY'], value: '1' }],
  ])('%s is MALFORMED', (_, stated) => {
    expect(read({ ...PAYMENT, paymentAmount: stated })).toEqual({
      outcome: 'MALFORMED',
      notifyType: 'PAYMENT_RESULT',
      paymentId: 'P1',
    });
    expect(read({ ...CAPTURE, captureAmount: stated })).toEqual({
      outcome: 'MALFORMED',
      notifyType: 'CAPTURE_RESULT',
      paymentId: 'P1',
    });
  });

  test('written as the number 1e400, which JSON reads as infinite, is MALFORMED', () => {
    expect(readingOf(withMember('"paymentAmount":{"currency":"JPY","value":1e400}')).outcome).toBe('MALFORMED');
  });

  test('that is null or absent is missing', () => {
    expect(factsOf(read({ ...PAYMENT, paymentAmount: null }))).toEqual(
      factsOf(read(without(PAYMENT, 'paymentAmount'))),
    );
    expect(factsOf(read(without(PAYMENT, 'paymentAmount'))).paymentAmount).toBeUndefined();
  });
});

describe('MALFORMED: resultStatus is not S, F or U', () => {
  test.each<[string, unknown]>([
    ['no result', undefined],
    ['null', null],
    ['a text', 'S'],
    ['a list', [{ resultStatus: 'S' }]],
    ['no resultStatus', { resultCode: 'SUCCESS' }],
    ['lower case', { resultStatus: 's' }],
    ['a word', { resultStatus: 'SUCCESS' }],
    ['empty', { resultStatus: '' }],
    ['null inside', { resultStatus: null }],
    ['white space', { resultStatus: 'S ' }],
  ])('%s', (_, result) => {
    expect(read({ ...PAYMENT, result })).toEqual({
      outcome: 'MALFORMED',
      notifyType: 'PAYMENT_RESULT',
      paymentId: 'P1',
    });
    expect(read({ ...CAPTURE, result })).toEqual({
      outcome: 'MALFORMED',
      notifyType: 'CAPTURE_RESULT',
      paymentId: 'P1',
    });
  });

  test('but resultCode and resultMessage may be missing or anything', () => {
    expect(
      factsOf(read({ ...PAYMENT, result: { resultStatus: 'U', resultCode: 7, resultMessage: null } })).result,
    ).toEqual({
      resultStatus: 'U',
      resultCode: null,
      resultMessage: null,
    });
  });
});

describe('of duplicate keys the last one wins', () => {
  test('among identifiers and amounts', () => {
    expect(factsOf(readingOf(withMember('"paymentId":"P2"'))).paymentId).toBe('P2');
    expect(readingOf(withMember('"paymentId":7')).outcome).toBe('MALFORMED');
    expect(
      factsOf(readingOf(withMember('"paymentAmount":{"currency":"JPY","value":"1","value":"2"}'))).paymentAmount,
    ).toEqual(jpy('2'));
  });

  test('and for notifyType', () => {
    expect(readingOf(withMember('"notifyType":"REFUND_RESULT"')).outcome).toBe('UNHANDLED');
    expect(readingOf(`{"notifyType":"REFUND_RESULT",${JSON.stringify(PAYMENT).slice(1)}`).outcome).toBe('APPLIED');
  });
});

describe('keys that name a prototype', () => {
  test('add no fact', () => {
    const reading = readingOf(
      withMember('"__proto__":{"paymentRequestId":"R2","captureId":"C 1"},"constructor":{"prototype":{}}'),
    );
    expect(reading).toEqual(read(PAYMENT));
  });

  test('inside acquirerInfo stay what they are', () => {
    const { acquirerInfo } = factsOf(
      readingOf(withMember('"acquirerInfo":{"__proto__":{"acquirerName":"ANTOM"},"a":1}')),
    );
    expect(JSON.stringify(acquirerInfo)).toBe('{"__proto__":{"acquirerName":"ANTOM"},"a":1}');
    expect(Object.getPrototypeOf(acquirerInfo)).toBe(Object.prototype);
    expect(acquirerInfo).not.toHaveProperty('acquirerName');
  });
});

describe('texts that a database cannot keep', () => {
  test('have U+0000 and lone surrogates replaced', () => {
    const facts = factsOf(
      read({
        ...PAYMENT,
        result: { resultStatus: 'S', resultCode: 'A\0B', resultMessage: 'x\ud800' },
        paymentTime: '\udc00',
        acquirerReferenceNo: '\0',
        acquirerInfo: { 'na\0me': ['\ud83d', { deep: '\udc00\ud83d' }] },
      }),
    );
    expect(facts).toMatchObject({
      result: { resultCode: 'A\ufffdB', resultMessage: 'x\ufffd' },
      paymentTime: '\ufffd',
      acquirerReferenceNo: '\ufffd',
      acquirerInfo: { 'na\ufffdme': ['\ufffd', { deep: '\ufffd\ufffd' }] },
    });
  });

  test('keep every other character, also beyond the basic plane', () => {
    expect(factsOf(read({ ...PAYMENT, acquirerReferenceNo: '\ud83d\ude00 ü\u0001' })).acquirerReferenceNo).toBe(
      '\ud83d\ude00 ü\u0001',
    );
  });
});

describe('a body nested 100,000 deep', () => {
  test('in a field that we do not read is applied', () => {
    expect(readingOf(withMember(`"x":${nested}`))).toEqual(read(PAYMENT));
  });

  test('in acquirerInfo is applied, and what is kept of it can be written', () => {
    const { acquirerInfo } = factsOf(readingOf(withMember(`"acquirerInfo":{"acquirerName":"ANTOM","x":${nested}}`)));
    expect(acquirerInfo).toMatchObject({ acquirerName: 'ANTOM' });
    expect(JSON.stringify(acquirerInfo).length).toBeLessThan(1_000);
  });

  test('in every field that we read is applied or MALFORMED', () => {
    for (const name of ['paymentResultInfo', 'pspCustomerInfo', 'paymentTime', 'acquirerReferenceNo']) {
      expect(readingOf(withMember(`"${name}":${nested}`)).outcome).toBe('APPLIED');
    }
    for (const name of ['paymentAmount', 'result', 'paymentId', 'captureId']) {
      expect(readingOf(withMember(`"${name}":${nested}`)).outcome).toBe('MALFORMED');
    }
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
    expect(factsOf(read({ ...PAYMENT, ...OPTIONAL }))).toMatchObject(OPTIONAL);
    expect(factsOf(read({ ...CAPTURE, captureTime: 'whenever' })).captureTime).toBe('whenever');
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['empty', ''],
    ['a number', 7],
    ['a list', ['x']],
  ])('that are %s are absent', (_, value) => {
    const spoilt = Object.fromEntries(Object.keys(OPTIONAL).map((name) => [name, value]));
    expect(factsOf(read({ ...PAYMENT, ...spoilt }))).toEqual(factsOf(read(without(PAYMENT, 'paymentTime'))));
  });

  test('pspName is read of pspCustomerInfo', () => {
    expect(factsOf(read({ ...PAYMENT, pspCustomerInfo: { pspName: 'TNG' } })).pspName).toBe('TNG');
    for (const pspCustomerInfo of [null, 'TNG', ['TNG'], {}, { pspName: 7 }]) {
      expect(factsOf(read({ ...PAYMENT, pspCustomerInfo })).pspName).toBeUndefined();
    }
  });

  test('cardFields says whether paymentResultInfo has a filled one', () => {
    for (const info of [{ cardNo: '4***1' }, { threeDSResult: { eci: '' } }, { funding: 0 }]) {
      expect(factsOf(read({ ...PAYMENT, paymentResultInfo: info })).cardFields).toBe(true);
    }
    for (const info of [
      null,
      'VISA',
      [{ cardNo: '4' }],
      {},
      { cardNo: '' },
      { threeDSResult: {} },
      { avsResultRaw: 'Y' },
    ]) {
      expect(factsOf(read({ ...PAYMENT, paymentResultInfo: info })).cardFields).toBeUndefined();
    }
  });

  test('that we do not know change nothing', () => {
    expect(read({ ...PAYMENT, promotionResults: [{ promotionId: '1' }], acquirer: 7 })).toEqual(read(PAYMENT));
  });
});
