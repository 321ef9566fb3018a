import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { furtherAction } from '../../src/antom/result-codes.ts';
import { readAnswer } from '../../src/handlers/inquiry.ts';
import { readBody } from '../../src/handlers/read.ts';
import { readStored } from '../../src/handlers/read-stored.ts';
import type { Asked } from '../../src/order/asked.ts';
import type { Reading } from '../../src/order/reading.ts';
import { answerTo, type Fields, jpy, paymentAnswer, result, transaction } from '../support/facts.ts';

const ABOUT_P1: Asked = { operation: 'inquiryPayment', paymentId: 'P1' };
const ABOUT_R1: Asked = { operation: 'inquiryPayment', paymentRequestId: 'R1' };
const ABOUT_G1: Asked = { operation: 'inquiryRefund', refundRequestId: 'G1' };

const bytesOf = (body: Fields | string): Buffer => Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
const read = (body: Fields | string, asked: Asked = ABOUT_P1): Reading => readAnswer(bytesOf(body), asked);

/** What it states, without whose bytes state it. */
const statedBy = (reading: Reading): readonly unknown[] => {
  expect(reading).toMatchObject({ kind: 'INQUIRY', outcome: 'APPLIED', problem: null });
  return reading.statements.map((statement) => {
    const { answer: _answer, ...stated } = JSON.parse(JSON.stringify(statement)) as Fields;
    return stated;
  });
};

const said = (resultStatus: string, resultCode: string | null = null, resultMessage: string | null = null) => ({
  resultStatus,
  resultCode,
  resultMessage,
});
const payment = (status: string, code: string | null = null) => ({
  about: 'payment',
  pending: false,
  result: said(status, code),
  paymentRequestId: 'R1',
});

const statedOf = (...transactions: readonly unknown[]): unknown =>
  statedBy(read(paymentAnswer('SUCCESS', { transactions }))).slice(1);

const withTransaction = (fields: unknown): Fields => paymentAnswer('SUCCESS', { transactions: [fields] });

const namesIn = ({ identifiers }: Reading): readonly string[] =>
  identifiers.map(({ name, value }) => `${name} ${value}`);

describe('the status of the payment', () => {
  test.each([
    ['SUCCESS', payment('S')],
    ['FAIL', payment('F')],
    ['PROCESSING', payment('U')],
    ['PENDING', payment('U')],
    ['A_NEW_STATUS', payment('U')],
    ['success', payment('U')],
    ['toString', payment('U')],
    ['CANCELLED', { about: 'cancelled payment', paymentRequestId: 'R1' }],
  ])('%s is a fact', (status, statement) => {
    expect(statedBy(read(paymentAnswer(status)))).toEqual([statement]);
  });

  test('the code is of the payment, not of the call', () => {
    const answer = paymentAnswer('FAIL', { paymentResultCode: 'RISK_REJECT', paymentResultMessage: 'declined' });
    expect(statedBy(read(answer))).toEqual([{ ...payment('F'), result: said('F', 'RISK_REJECT', 'declined') }]);
  });

  test('all else is read as of a notification', () => {
    const fields = {
      paymentAmount: { currency: 'JPY', value: 120 },
      paymentTime: '2025-03-16T19:27:17-07:00',
      paymentCreateTime: '2025-03-16T19:26:42-07:00',
      paymentMethodType: 'CARD',
      pspCustomerInfo: { pspName: 'TNG' },
      paymentResultInfo: { lastFour: '1358' },
      acquirerInfo: { acquirerName: 'CHECKOUT' },
      acquirerReferenceNo: 'pay_6',
    };
    const { paymentAmount: _amount, pspCustomerInfo: _psp, paymentResultInfo: _info, ...same } = fields;
    const details = { amount: jpy('120'), pspName: 'TNG', hasResultInfo: true, ...same };
    expect(statedBy(read(paymentAnswer('SUCCESS', fields)))).toEqual([{ ...payment('S'), ...details }]);
    expect(statedBy(read(paymentAnswer('CANCELLED', fields)))).toEqual([
      { about: 'cancelled payment', paymentRequestId: 'R1', ...details },
    ]);
  });

  test.each(['authExpiryTime', 'authExpirytime'])('the expiry is spelt %s', (name) => {
    expect(statedBy(read(paymentAnswer('SUCCESS', { [name]: '2025-05-24T07:58:04Z' })))).toMatchObject([
      { authExpiryTime: '2025-05-24T07:58:04Z' },
    ]);
  });
});

describe('the call', () => {
  test.each([
    ['F', 'ORDER_NOT_EXIST'],
    ['F', 'ACCESS_DENIED'],
    ['F', 'PARAM_ILLEGAL'],
    ['F', 'PROCESS_FAIL'],
    ['F', 'MERCHANT_NOT_REGISTERED'],
    ['U', 'PAYMENT_IN_PROCESS'],
    ['U', 'UNKNOWN_EXCEPTION'],
    ['U', 'REQUEST_TRAFFIC_EXCEED_LIMIT'],
  ] as const)('that came to %s %s says nothing of the payment, whatever stands beside it', (status, code) => {
    const beside = paymentAnswer('SUCCESS', { transactions: [transaction('REFUND', 'S', { transactionId: 'F1' })] });
    const reading = read({ ...beside, result: result(status, code) });
    expect(statedBy(reading)).toEqual([{ about: 'inquiry', result: said(status, code, 'as reported') }]);
    expect(reading.identifiers).toEqual([]);
  });

  test('that succeeded is not a payment that did', () => {
    expect(statedBy(read(paymentAnswer('FAIL', { result: result('S', 'SUCCESS') })))).toEqual([payment('F')]);
  });
});

describe('the transactions', () => {
  const ids = { transactionId: 'X1', transactionRequestId: 'Y1' };

  test.each([
    ['S decides', { transactionResult: { resultStatus: 'S' }, transactionStatus: 'FAIL' }, said('S')],
    ['F decides', { transactionResult: result('F', 'AUTH_EXPIRED') }, said('F', 'AUTH_EXPIRED', 'as reported')],
    ['U decides', { transactionResult: { resultStatus: 'U' }, transactionStatus: 'SUCCESS' }, said('U')],
    ['SUCCESS without it', { transactionStatus: 'SUCCESS' }, said('S')],
    ['FAIL without it', { transactionStatus: 'FAIL', transactionResult: null }, said('F')],
    ['PROCESSING without it', { transactionStatus: 'PROCESSING' }, said('U')],
    ['PENDING without it', { transactionStatus: 'PENDING', transactionResult: {} }, said('U')],
    ['CANCELLED without it', { transactionStatus: 'CANCELLED' }, said('U')],
    ['nothing at all', {}, said('U')],
  ])('transactionResult: %s', (_case, fields, expected) => {
    expect(statedOf({ transactionType: 'CAPTURE', ...ids, ...fields })).toMatchObject([{ result: expected }]);
  });

  const stated = { result: said('S', 'SUCCESS', 'as reported'), amount: jpy('50') };
  test.each([
    [
      'CAPTURE',
      [
        {
          about: 'capture',
          ...stated,
          captureId: 'X1',
          captureRequestId: 'Y1',
          captureTime: 'T',
          furtherAction: furtherAction('SUCCESS'),
          acquirerInfo: { acquirerName: 'ADYEN' },
        },
      ],
    ],
    [
      'REFUND',
      [{ about: 'refund', ...stated, refundId: 'X1', refundRequestId: 'Y1', paymentId: 'P1', refundTime: 'T' }],
    ],
    ['CANCEL', [{ about: 'cancellation', type: 'CANCEL', ...stated, cancelTime: 'T' }]],
    ['VOID', [{ about: 'cancellation', type: 'VOID', ...stated, cancelTime: 'T' }]],
    ['PAYMENT', []],
    ['AUTHORIZATION', []],
    ['INCREMENTAL', []],
    ['A_NEW_TYPE', []],
  ])('a %s', (type, expected) => {
    const fields = {
      ...ids,
      transactionAmount: jpy('50'),
      transactionTime: 'T',
      acquirerInfo: { acquirerName: 'ADYEN' },
    };
    const spoken = statedOf(transaction(type, 'S', fields));
    expect(spoken).toEqual(expected);
    const { transactionType, ...rest } = transaction(type, 'S', fields) as Fields & { transactionType: string };
    // As one page spells it.
    expect(statedOf({ ...rest, transationType: transactionType })).toEqual(spoken);
  });

  test.each(['CANCEL', 'VOID'])('a %s needs no id', (type) => {
    expect(statedOf({ transactionType: type, transactionStatus: 'SUCCESS' })).toEqual([
      { about: 'cancellation', type, result: said('S') },
    ]);
  });

  test.each([[null], [undefined], [[]]])('may be missing: %j', (transactions) => {
    expect(statedBy(read(paymentAnswer('SUCCESS', { transactions })))).toHaveLength(1);
  });

  test('of another type are not looked at', () => {
    expect(statedOf({ transactionType: 'AUTHORIZATION', transactionAmount: 'x', transactionId: 7 })).toEqual([]);
  });
});

describe('a refund', () => {
  test.each([
    ['SUCCESS', 'S'],
    ['FAIL', 'F'],
    ['PROCESSING', 'U'],
    ['PENDING', 'U'],
    ['A_NEW_STATUS', 'U'],
  ])('%s is %s, without the code of the call', (refundStatus, status) => {
    const answer = {
      result: result('S'),
      refundStatus,
      refundId: 'F1',
      refundRequestId: 'G1',
      refundAmount: jpy('50'),
    };
    expect(statedBy(read({ ...answer, refundTime: 'T' }, ABOUT_G1))).toEqual([
      {
        about: 'refund',
        refundId: 'F1',
        refundRequestId: 'G1',
        result: said(status),
        amount: jpy('50'),
        refundTime: 'T',
      },
    ]);
  });

  test.each([
    ['F', 'REFUND_NOT_EXIST'],
    ['U', 'UNKNOWN_EXCEPTION'],
  ] as const)('that is not known by %s %s is none', (status, code) => {
    expect(statedBy(read({ result: result(status, code) }, ABOUT_G1))).toMatchObject([{ about: 'inquiry' }]);
  });
});

describe('what cannot be read', () => {
  const refundAnswer = { result: result('S'), refundStatus: 'SUCCESS', refundRequestId: 'G1' };
  const capture = { transactionType: 'CAPTURE', transactionId: 'C1' };

  const UNREADABLE: readonly (readonly [body: Fields | string, problem: string, asked?: Asked])[] = [
    ['[]', 'The body is not a JSON object.'],
    ['\ufeff{}', 'The body begins with a byte order mark.'],
    [`{"result":${'['.repeat(70)}${']'.repeat(70)}}`, 'The body is nested more than 64 levels deep.'],
    [paymentAnswer('SUCCESS', { result: undefined }), 'result is missing.'],
    [paymentAnswer('SUCCESS', { result: { resultStatus: 's' } }), 'result.resultStatus must be S, F or U.'],
    [paymentAnswer('SUCCESS', { paymentStatus: null }), 'paymentStatus is missing.'],
    [paymentAnswer('SUCCESS', { paymentStatus: '' }), 'paymentStatus is missing.'],
    [paymentAnswer('SUCCESS', { paymentStatus: 1 }), 'paymentStatus must be a string.'],
    [paymentAnswer('SUCCESS', { paymentId: '' }), 'paymentId is missing.'],
    [
      paymentAnswer('SUCCESS', { paymentAmount: { currency: 'jpy', value: '1' } }),
      'paymentAmount.currency must be three capital letters.',
    ],
    [paymentAnswer('SUCCESS', { transactions: {} }), 'transactions must be a list.'],
    [withTransaction(null), 'transactions.0 is missing.'],
    [withTransaction('x'), 'transactions.0 must be an object.'],
    [withTransaction({ transactionId: 'C1' }), 'transactions.0.transactionType is missing.'],
    [
      withTransaction({ transactionType: 'CAPTURE' }),
      'transactions.0.transactionId is missing, and so is transactionRequestId.',
    ],
    [
      withTransaction({ ...capture, transactionId: 'C1 ' }),
      'transactions.0.transactionId must be a string of 1 to 128 characters without control characters, and without white space at either end.',
    ],
    [
      withTransaction({ ...capture, transactionRequestId: 'a\0' }),
      'transactions.0.transactionRequestId must be a string of 1 to 128 characters without control characters, and without white space at either end.',
    ],
    [withTransaction({ ...capture, transactionAmount: '1' }), 'transactions.0.transactionAmount must be an object.'],
    [
      withTransaction({ ...capture, transactionResult: { resultStatus: 'X' } }),
      'transactions.0.transactionResult.resultStatus must be S, F or U.',
    ],
    [withTransaction({ ...capture, transactionResult: 'S' }), 'transactions.0.transactionResult must be an object.'],
    [{ ...refundAnswer, refundStatus: undefined }, 'refundStatus is missing.', ABOUT_G1],
    [{ ...refundAnswer, refundRequestId: null }, 'refundId is missing, and so is refundRequestId.', ABOUT_G1],
  ];
  test.each(UNREADABLE.map(([body, problem, asked = ABOUT_P1]) => [body, problem, asked] as const))(
    '%j: %s',
    (body, problem, asked) => {
      expect(read(body, asked)).toMatchObject({ kind: 'INQUIRY', outcome: 'MALFORMED', problem, statements: [] });
    },
  );
});

describe('identifiers', () => {
  const transactions = [
    transaction('CAPTURE', 'S', { transactionId: 'C1', transactionRequestId: 'Q1' }),
    transaction('REFUND', 'S', { transactionId: 'F1', transactionRequestId: 'G1' }),
    transaction('REFUND', 'S', { transactionRequestId: 'G2' }),
    transaction('VOID', 'S', { transactionId: 'V1' }),
  ];
  const NAMES = ['paymentId P1', 'paymentRequestId R1', 'captureId C1', 'captureRequestId Q1', 'refundId F1'];
  const ALL = [...NAMES, 'refundRequestId G1', 'refundRequestId G2'];

  test('are those of the payment and of its transactions, readable or not', () => {
    expect(namesIn(read(paymentAnswer('SUCCESS', { transactions })))).toEqual(ALL);
    expect(namesIn(read(paymentAnswer('', { transactions })))).toEqual(ALL);
  });

  test('what was asked is among them, but no paymentId that the answer does not state', () => {
    const unknown = { result: result('F', 'ORDER_NOT_EXIST') };
    expect(namesIn(read(unknown, ABOUT_P1))).toEqual([]);
    expect(namesIn(read(unknown, ABOUT_R1))).toEqual(['paymentRequestId R1']);
    expect(namesIn(read('no JSON', ABOUT_G1))).toEqual(['refundRequestId G1']);
    expect(namesIn(read(paymentAnswer('SUCCESS'), ABOUT_R1))).toEqual(['paymentId P1', 'paymentRequestId R1']);
  });
});

test('every statement says whose bytes state it', () => {
  const body = bytesOf(
    paymentAnswer('SUCCESS', { transactions: [transaction('REFUND', 'S', { transactionId: 'F1' })] }),
  );
  const answer = createHash('sha256').update(body).digest('hex');
  expect(readAnswer(body, ABOUT_P1).statements.map((one) => 'answer' in one && one.answer)).toEqual([answer, answer]);
});

test('a notification that looks like an answer is read as a notification', () => {
  const body = bytesOf(paymentAnswer('SUCCESS', { transactions: [] }));
  expect(readBody(body)).toMatchObject({ kind: 'UNKNOWN', outcome: 'UNHANDLED', statements: [] });
  expect(readStored({ asked: null, body })).toEqual(readBody(body));
  const asWell = bytesOf(paymentAnswer('SUCCESS', { notifyType: 'INQUIRY', kind: 'INQUIRY' }));
  expect(readBody(asWell)).toMatchObject({ kind: 'UNKNOWN', outcome: 'UNHANDLED' });
});

test('an answer that looks like a notification is read as an answer', () => {
  const body = bytesOf({
    notifyType: 'PAYMENT_RESULT',
    result: result('S'),
    paymentId: 'P1',
    paymentAmount: jpy('120'),
  });
  expect(readBody(body)).toMatchObject({ kind: 'PAYMENT', outcome: 'APPLIED' });
  expect(readStored({ asked: ABOUT_P1, body })).toMatchObject({
    kind: 'INQUIRY',
    outcome: 'MALFORMED',
    statements: [],
  });
});

test('what was received is kept as it came', () => {
  const body = JSON.stringify(paymentAnswer('SUCCESS'));
  expect(answerTo(ABOUT_R1, body)).toMatchObject({
    asked: ABOUT_R1,
    raw: { method: 'POST', target: '/ams/api/v1/payments/inquiryPayment', requestTime: '2025-05-17T07:58:04Z' },
    reading: readAnswer(Buffer.from(body), ABOUT_R1),
  });
});
