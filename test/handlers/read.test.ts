import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { createHandler, type Handler, type Handlers } from '../../src/handlers/handler.ts';
import { handlers } from '../../src/handlers/index.ts';
import { readBody } from '../../src/handlers/read.ts';
import { CLIENT, jpy, paymentPending, receive } from '../support/facts.ts';
import {
  CAPTURE,
  DEEP,
  identifiersIn,
  malformed,
  PAYMENT,
  PAYMENT_IDS,
  paymentIn,
  read,
  readingOf,
  withMember,
  without,
} from './support.ts';

describe('the bodies that the refusals start from are applied', () => {
  test.each([
    ['a PAYMENT_RESULT', PAYMENT, 'PAYMENT'],
    ['a PAYMENT_PENDING', paymentPending({ paymentAmount: jpy('120') }), 'PAYMENT_PENDING'],
    ['a CAPTURE_RESULT', CAPTURE, 'CAPTURE'],
  ])('%s', (_, fields, kind) => {
    const reading = read(fields);
    expect(reading).toMatchObject({ kind, outcome: 'APPLIED', problem: null });
    expect(identifiersIn(reading)).toMatchObject({ paymentId: 'P1' });
  });

  test("the sandbox's own notification, of which everything is read", () => {
    const fixture: unknown = JSON.parse(
      readFileSync(new URL('../fixtures/payment-result-sandbox-2025.json', import.meta.url), 'utf8'),
    );
    expect(readBody(Buffer.from((fixture as { body: string }).body))).toEqual({
      kind: 'PAYMENT',
      outcome: 'APPLIED',
      problem: null,
      identifiers: [
        { name: 'paymentId', value: '202505171940108001001885J0234117653' },
        { name: 'paymentRequestId', value: 'PR_1747468651136' },
      ],
      statements: [
        {
          about: 'payment',
          pending: false,
          paymentRequestId: 'PR_1747468651136',
          result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' },
          amount: { currency: 'HKD', value: '10000' },
          paymentTime: '2025-05-17T00:58:04-07:00',
          paymentCreateTime: '2025-05-17T00:57:31-07:00',
          pspName: 'TNG',
        },
      ],
    });
  });
});

test('a notification that is read keeps all that is needed to verify it again', () => {
  const body = Buffer.from(JSON.stringify(PAYMENT));
  expect(receive(body)).toEqual({
    clientId: CLIENT,
    raw: {
      method: 'POST',
      target: '/payNotify',
      requestTime: '2025-05-17T07:58:04Z',
      signature: expect.stringMatching(/^algorithm=RSA256,keyVersion=1,signature=/),
      body,
    },
    reading: readBody(body),
  });
});

describe('MALFORMED: not a JSON object in UTF-8', () => {
  const text = JSON.stringify(PAYMENT);

  const NOT_JSON = 'The body is not JSON.';
  const NO_OBJECT = 'The body is not a JSON object.';
  const NOT_UTF8 = 'The body is not UTF-8.';
  const cut = Buffer.from(text.slice(0, -1));

  test.each<[string, string | Uint8Array, string]>([
    ['no bytes', '', NOT_JSON],
    ['white space', ' \n', NOT_JSON],
    ['a word', 'success', NOT_JSON],
    ['null', 'null', NO_OBJECT],
    ['a number', '120', NO_OBJECT],
    ['a text', JSON.stringify(text), NO_OBJECT],
    ['a list of notifications', `[${text}]`, NO_OBJECT],
    ['a body cut off', text.slice(0, -1), NOT_JSON],
    ['a body with something after it', `${text}x`, NOT_JSON],
    ['two bodies', `${text}${text}`, NOT_JSON],
    ['single quotes', text.replaceAll('"', "'"), NOT_JSON],
    ['a comma too many', text.replace(/\}$/, ',}'), NOT_JSON],
    ['a comment', `${text}//`, NOT_JSON],
    ['a raw line break in a text', text.replace('as reported', 'as\nreported'), NOT_JSON],
    ['a raw U+0000 in a text', text.replace('as reported', 'as\0reported'), NOT_JSON],
    ['a byte order mark', `\ufeff${text}`, 'The body begins with a byte order mark.'],
    ['a byte that is no UTF-8', Buffer.from(text.replace('as reported', 'as\u00ff'), 'latin1'), NOT_UTF8],
    [
      'a surrogate in UTF-8',
      Buffer.concat([cut, Buffer.from([0x2c, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])]),
      NOT_UTF8,
    ],
    [
      'an overlong encoding',
      Buffer.concat([cut, Buffer.from([0x2c, 0x22, 0xc1, 0x81, 0x22, 0x3a, 0x31, 0x7d])]),
      NOT_UTF8,
    ],
    ['a character cut off at the end', Buffer.concat([Buffer.from(text), Buffer.from([0xe2, 0x82])]), NOT_UTF8],
    ['UTF-16', Buffer.from(text, 'utf16le'), NOT_JSON],
    ['a list nested very deep', `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`, NO_OBJECT],
  ])('%s', (_, body, problem) => {
    expect(readingOf(body)).toEqual(malformed('UNKNOWN', problem));
  });

  test('and the next body is read as if nothing had been', () => {
    expect(readingOf(Buffer.from([0x7b, 0xe2, 0x82])).outcome).toBe('MALFORMED');
    expect(read({ ...PAYMENT, next: 1 }).outcome).toBe('APPLIED');
  });
});

describe('MALFORMED: a notifyType that is no string', () => {
  test.each([[0], [1], [true], [false], [['PAYMENT_RESULT']], [{ toString: 'PAYMENT_RESULT' }]])('%j', (notifyType) => {
    expect(read({ ...PAYMENT, notifyType })).toEqual(malformed('UNKNOWN', 'notifyType must be a string.', PAYMENT_IDS));
  });

  test('leaves a dispute what it is, for its own field tells it', () => {
    const dispute = { disputeNotificationType: 'DISPUTE_CREATED', disputeId: 'D1', paymentId: 'P1' };
    expect(read(dispute)).toMatchObject({ kind: 'DISPUTE', outcome: 'APPLIED' });
    expect(read({ ...dispute, notifyType: 5 })).toEqual(
      malformed('DISPUTE', 'notifyType must be a string.', { paymentId: 'P1', disputeId: 'D1' }),
    );
  });
});

describe('UNHANDLED: no kind of which a handler is here', () => {
  test.each([
    ['without a notifyType', without(PAYMENT, 'notifyType'), 'UNKNOWN'],
    ['with null', { ...PAYMENT, notifyType: null }, 'UNKNOWN'],
    ['with an empty one', { ...PAYMENT, notifyType: '' }, 'UNKNOWN'],
    ['a kind of APO', { ...PAYMENT, notifyType: 'OFFLINE_PAYMENT_CODE' }, 'OFFLINE_CODE'],
    ['in lower case', { ...PAYMENT, notifyType: 'payment_result' }, 'UNKNOWN'],
    ['with white space', { ...PAYMENT, notifyType: 'PAYMENT_RESULT ' }, 'UNKNOWN'],
    ['with U+0000', { ...PAYMENT, notifyType: 'PAYMENT_RESULT\0' }, 'UNKNOWN'],
    ['a lone surrogate', { ...PAYMENT, notifyType: '\ud800' }, 'UNKNOWN'],
    ['what every object has', { ...PAYMENT, notifyType: 'constructor' }, 'UNKNOWN'],
    ['the name of a prototype', { ...PAYMENT, notifyType: '__proto__' }, 'UNKNOWN'],
    ['a property of a list', { ...PAYMENT, notifyType: 'length' }, 'UNKNOWN'],
  ])('%s', (_, fields, kind) => {
    const reading = read(fields);
    expect(reading).toMatchObject({ kind, outcome: 'UNHANDLED', problem: null, statements: [] });
    expect(identifiersIn(reading)).toEqual(PAYMENT_IDS);
  });

  test('is decided before anything else is looked at', () => {
    expect(read({ notifyType: 'OFFLINE_PAYMENT_CODE', paymentId: 7, paymentAmount: 'x', result: null }).outcome).toBe(
      'UNHANDLED',
    );
    expect(readingOf('{}').outcome).toBe('UNHANDLED');
  });

  test('an own __proto__ gives the body no notifyType', () => {
    expect(readingOf('{"__proto__":{"notifyType":"PAYMENT_RESULT"}}')).toEqual({
      kind: 'UNKNOWN',
      outcome: 'UNHANDLED',
      problem: null,
      identifiers: [],
      statements: [],
    });
  });

  test('and so is every kind while the table is empty', () => {
    expect(readBody(Buffer.from(JSON.stringify(PAYMENT)), [])).toMatchObject({ kind: 'UNKNOWN', outcome: 'UNHANDLED' });
  });
});

const fail = (error: unknown) => (): never => {
  throw error;
};

const withFault = (fault: Partial<Handler>): Handlers =>
  handlers.map((handler) => (handler.kind === 'CAPTURE' ? Object.assign({}, handler, fault) : handler));

describe('FAILED: a handler throws', () => {
  const body = Buffer.from(JSON.stringify(CAPTURE));
  test.each([
    ['in reading', { read: fail(new TypeError('C1 is no function')) }, 'TypeError'],
    ['in telling its kind', { matches: fail(new RangeError('C1')) }, 'RangeError'],
    ['what is no error', { read: fail('C1') }, 'Error'],
    ['an error under another name', { read: fail(Object.assign(new Error('C1'), { name: 'C1' })) }, 'Error'],
  ])('%s: the problem names the class alone', (_, fault, name) => {
    expect(readBody(body, withFault(fault))).toEqual({
      kind: 'CAPTURE',
      outcome: 'FAILED',
      problem: `${name}: a fault of paynotify, not of the notification, which is kept and read again.`,
      identifiers: [
        { name: 'paymentId', value: 'P1' },
        { name: 'captureId', value: 'C1' },
        { name: 'captureRequestId', value: 'Q1' },
      ],
      statements: [],
    });
  });

  test('in what it states', () => {
    const capture = createHandler({
      kind: 'CAPTURE',
      matches: () => true,
      schema: z.object({}),
      state: fail(new TypeError('C1')),
    });
    expect(readBody(body, [capture])).toMatchObject({ kind: 'CAPTURE', outcome: 'FAILED', statements: [] });
  });

  test('and another kind is read as ever', () => {
    const payment = Buffer.from(JSON.stringify(PAYMENT));
    expect(readBody(payment, withFault({ read: fail(new TypeError('C1')) }))).toEqual(readBody(payment));
  });
});

describe('of duplicate keys the last one wins', () => {
  test('among identifiers and amounts', () => {
    expect(identifiersIn(readingOf(withMember('"paymentId":"P2"')))).toMatchObject({ paymentId: 'P2' });
    expect(readingOf(withMember('"paymentId":7')).outcome).toBe('MALFORMED');
    expect(
      paymentIn(readingOf(withMember('"paymentAmount":{"currency":"JPY","value":"1","value":"2"}'))).amount,
    ).toEqual(jpy('2'));
  });

  test('and for notifyType', () => {
    expect(readingOf(withMember('"notifyType":"CAPTURE_RESULT"')).kind).toBe('CAPTURE');
    expect(readingOf(`{"notifyType":"CAPTURE_RESULT",${JSON.stringify(PAYMENT).slice(1)}`).kind).toBe('PAYMENT');
  });
});

describe('keys that name a prototype', () => {
  test('add nothing', () => {
    const reading = readingOf(
      withMember('"__proto__":{"paymentRequestId":"R2","captureId":"C 1"},"constructor":{"prototype":{}}'),
    );
    expect(reading).toEqual(read(PAYMENT));
  });

  test('inside acquirerInfo stay what they are', () => {
    const { acquirerInfo } = paymentIn(
      readingOf(withMember('"acquirerInfo":{"__proto__":{"acquirerName":"ANTOM"},"a":1}')),
    );
    expect(JSON.stringify(acquirerInfo)).toBe('{"__proto__":{"acquirerName":"ANTOM"},"a":1}');
    expect(Object.getPrototypeOf(acquirerInfo)).toBe(Object.prototype);
    expect(acquirerInfo).not.toHaveProperty('acquirerName');
  });
});
