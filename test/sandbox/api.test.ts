import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { RESULT_CODES } from '../../src/sandbox/codes.ts';
import { holdsCardData } from '../../src/sandbox/operations/request.ts';
import { OPERATIONS } from '../../src/sandbox/world.ts';
import type { Fields } from '../support/facts.ts';
import { API, APO_KEY, CLIENT, jpy, keepUp, payment, type Served, serve } from './support.ts';

keepUp();
let sandbox: Served;
beforeAll(async () => {
  sandbox = await serve();
});

let count = 0;
const fresh = (name: string): string => `${name}-${(count += 1)}`;

/** An authorization of JPY 1000 that waits for its captures. */
const authorized = async (metaData: Fields = {}): Promise<{ readonly paymentId: string; readonly id: string }> => {
  const id = fresh('R');
  const { json } = await sandbox.call('pay', payment(id, {}, metaData));
  return { paymentId: String(json['paymentId']), id };
};
const capture = (paymentId: string, value = 1_000, more: Fields = {}): Fields => ({
  captureRequestId: fresh('C'),
  paymentId,
  captureAmount: jpy(value),
  ...more,
});
const refund = (paymentId: string, value = 1_000, more: Fields = {}): Fields => ({
  refundRequestId: fresh('F'),
  paymentId,
  refundAmount: jpy(value),
  ...more,
});

describe('each operation answers in the fields of the documents, signed', () => {
  test('pay', async () => {
    const asked = payment(fresh('R'));
    const { status, signed, json, answer } = await sandbox.call('pay', asked);
    expect({ status, signed }).toEqual({ status: 200, signed: 'well' });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=UTF-8',
      'client-id': CLIENT,
      'response-time': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-07:00$/),
    });
    expect(json).toEqual({
      acquirerInfo: expect.objectContaining({ acquirerName: 'ALIPAY', acquirerResultCode: 'SUCCESS' }),
      authExpiryTime: json['paymentTime'],
      paymentAmount: jpy(1_000),
      paymentCreateTime: expect.any(String),
      paymentId: expect.stringMatching(/^\d{32}$/),
      paymentRequestId: asked['paymentRequestId'],
      paymentResultInfo: expect.objectContaining({ cardNo: '************6044' }),
      paymentTime: expect.any(String),
      result: { resultCode: 'SUCCESS', resultMessage: 'success.', resultStatus: 'S' },
    });
  });

  test('capture', async () => {
    const { paymentId } = await authorized();
    const asked = capture(paymentId, 400);
    const { json, signed } = await sandbox.call('capture', asked);
    expect({ signed, json }).toEqual({
      signed: 'well',
      json: {
        acquirerInfo: expect.objectContaining({ acquirerResultMessage: 'success' }),
        captureAmount: jpy(400),
        captureId: expect.stringMatching(/^\d{32}$/),
        captureRequestId: asked['captureRequestId'],
        captureTime: expect.any(String),
        paymentId,
        result: { resultCode: 'SUCCESS', resultMessage: 'success.', resultStatus: 'S' },
      },
    });
  });

  test('inquiryPayment, with a transaction for each capture, refund and cancellation', async () => {
    const { paymentId, id } = await authorized();
    const before = await sandbox.call('inquiryPayment', { paymentRequestId: id });
    expect(before.json).toMatchObject({ paymentStatus: 'SUCCESS', paymentId, paymentResultCode: 'SUCCESS' });
    expect(before.json).not.toHaveProperty('transactions');
    const asked = capture(paymentId, 700);
    const captured = await sandbox.call('capture', asked);
    await sandbox.call('capture', capture(paymentId, 301));
    const refunded = await sandbox.call('refund', refund(paymentId, 200));
    // The paymentId wins.
    const { json, signed } = await sandbox.call('inquiryPayment', { paymentId, paymentRequestId: 'another' });
    expect(signed).toBe('well');
    expect(json['transactions']).toEqual([
      {
        transactionType: 'CAPTURE',
        transactionStatus: 'SUCCESS',
        transactionRequestId: asked['captureRequestId'],
        transactionAmount: jpy(700),
        transactionTime: captured.json['captureTime'],
        transactionId: captured.json['captureId'],
        transactionResult: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' },
      },
      expect.objectContaining({
        transactionType: 'CAPTURE',
        transactionStatus: 'FAIL',
        transactionResult: expect.objectContaining({ resultCode: 'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT' }),
      }),
      expect.objectContaining({ transactionType: 'REFUND', transactionId: refunded.json['refundId'] }),
    ]);
  });

  test('cancel, which is told to nobody, and stays', async () => {
    const { paymentId, id } = await authorized();
    const { json } = await sandbox.call('cancel', { paymentRequestId: id });
    expect(json).toMatchObject({ cancelTime: expect.any(String), paymentId, paymentRequestId: id });
    expect((await sandbox.call('cancel', { paymentId })).json).toEqual(json);
    const inquired = await sandbox.call('inquiryPayment', { paymentId });
    expect(inquired.json).toMatchObject({
      paymentStatus: 'CANCELLED',
      transactions: [{ transactionType: 'CANCEL', transactionStatus: 'SUCCESS' }],
    });
  });

  test('refund and inquiryRefund', async () => {
    const { paymentId } = await authorized();
    await sandbox.call('capture', capture(paymentId));
    const asked = refund(paymentId, 300);
    const { json } = await sandbox.call('refund', asked);
    const { refundRequestId } = asked;
    expect(json).toMatchObject({ refundId: expect.any(String), refundRequestId, refundAmount: jpy(300), paymentId });
    const byRequest = await sandbox.call('inquiryRefund', { refundRequestId });
    expect(byRequest.json).toMatchObject({
      refundStatus: 'SUCCESS',
      refundId: json['refundId'],
      refundAmount: jpy(300),
    });
    // The refundId wins.
    const byId = await sandbox.call('inquiryRefund', { refundId: json['refundId'], refundRequestId: 'another' });
    expect(byId.json).toEqual(byRequest.json);
  });
});

describe('a call that nobody signed as it is', () => {
  const body = { paymentRequestId: 'R' };
  test.each([
    ['another client', { clientId: 'SANDBOX_OTHER' }, 'CLIENT_INVALID'],
    ['no client', { without: 'client-id' }, 'CLIENT_INVALID'],
    ['a key that is not known', { keyVersion: '2' }, 'KEY_NOT_FOUND'],
    ['no signature', { without: 'signature' }, 'INVALID_SIGNATURE'],
    ['no time', { without: 'request-time' }, 'INVALID_SIGNATURE'],
    ['another key', { key: APO_KEY }, 'INVALID_SIGNATURE'],
    ['another body', { tamper: (text: string) => `${text} ` }, 'INVALID_SIGNATURE'],
    ['the path of the live API', { uri: '/ams/api/v1/payments/inquiryPayment' }, 'INVALID_SIGNATURE'],
  ])('%s: unsigned %j', async (_what, options, code) => {
    const { status, outcome, signed, json } = await sandbox.call('inquiryPayment', body, options);
    expect({ status, outcome, signed, fields: Object.keys(json) }).toEqual({
      status: 200,
      outcome: `F ${code}`,
      signed: 'not',
      fields: ['result'],
    });
  });

  test.each([
    ['another method', { method: 'PUT' }, 'METHOD_NOT_SUPPORTED'],
    ['another media type', { contentType: 'text/plain' }, 'MEDIA_TYPE_NOT_ACCEPTABLE'],
    ['an unknown operation', { path: `${API}/payout` }, 'INVALID_API'],
    ['the live API', { path: '/ams/api/v1/payments/inquiryPayment' }, 'INVALID_API'],
  ])('%s: %j', async (_what, options, code) => {
    expect(await sandbox.call('inquiryPayment', body, options)).toMatchObject({ outcome: `F ${code}`, signed: 'well' });
  });

  test('a body that is no JSON object: PARAM_ILLEGAL', async () => {
    for (const text of ['', '[]', 'null', '{"paymentId":']) {
      expect((await sandbox.call('inquiryPayment', text)).outcome).toBe('F PARAM_ILLEGAL');
    }
  });
});

describe('pay', () => {
  test.each([
    ['a card number', { paymentMethodMetaData: { cardNo: '4000 0000 0000 0002' } }],
    ['a masked card', { paymentMethodMetaData: { cardNo: '************8842' } }],
    ['a card number in disguise', { paymentMethodMetaData: { remark: 'it is 5555-5555-5555-4444.' } }],
    ['a code', { paymentMethodMetaData: { cvv: 'the code on its back' } }],
  ])('refuses %s, and keeps nothing of it', async (_what, method) => {
    const paymentMethod = { paymentMethodType: 'TEST', ...method };
    const { outcome } = await sandbox.call('pay', payment(fresh('R'), { paymentMethod }));
    expect(outcome).toBe('F PARAM_ILLEGAL');
    const kept = [await (await fetch(sandbox.url)).text(), JSON.stringify(await sandbox.ledger())].join('');
    expect(Object.values(method.paymentMethodMetaData).filter((value) => kept.includes(value))).toEqual([]);
  });

  test('shows no card number that stands for an id', async () => {
    const id = '4000000000000002';
    expect((await sandbox.call('pay', payment(id))).outcome).toBe('F PARAM_ILLEGAL');
    expect((await (await fetch(sandbox.url)).text()).includes(id)).toBe(false);
  });

  test('takes no id for the number of a card', () => {
    const ids = Array.from({ length: 20_000 }, () => randomUUID());
    // Of digits alone, and two of a kind that once were refused.
    ids.push('41234567-4123-4123-8123-412345678901', '0f9bd514-cdbb-4547-8673-941215818dd4');
    expect(ids.filter((id) => holdsCardData({ paymentRequestId: id, paymentId: id.replaceAll('-', '') }))).toEqual([]);
    expect(holdsCardData({ paymentRequestId: 'order-4000000000000002' })).toBe(true);
  });

  test('refuses every method but the test method', async () => {
    const paymentMethod = { paymentMethodType: 'CARD' };
    expect((await sandbox.call('pay', payment(fresh('R'), { paymentMethod }))).outcome).toBe(
      'F PAYMENT_METHOD_NOT_SUPPORTED',
    );
  });

  test('is declined by the code that the test method asks for, and stays so', async () => {
    const asked = payment(fresh('R'), {}, { resultCode: 'FRAUD_REJECT' });
    expect((await sandbox.call('pay', asked)).outcome).toBe('F FRAUD_REJECT');
    expect((await sandbox.call('pay', asked)).outcome).toBe('F FRAUD_REJECT');
    const { paymentRequestId } = asked;
    expect((await sandbox.call('inquiryPayment', { paymentRequestId })).json).toMatchObject({
      paymentStatus: 'FAIL',
      paymentResultCode: 'FRAUD_REJECT',
    });
  });

  test('under way: U, then the final state', async () => {
    const asked = payment(fresh('R'), {}, { resultCode: 'PAYMENT_IN_PROCESS' });
    expect((await sandbox.call('pay', asked)).outcome).toBe('U PAYMENT_IN_PROCESS');
    await sandbox.quiet();
    expect((await sandbox.call('pay', asked)).outcome).toBe('S SUCCESS');
  });

  test('captures by itself where the mode is AUTOMATIC, under the paymentRequestId', async () => {
    const id = fresh('R');
    await sandbox.call('pay', payment(id, { paymentFactor: { captureMode: 'AUTOMATIC' } }));
    const { json } = await sandbox.call('inquiryPayment', { paymentRequestId: id });
    expect(json['transactions']).toEqual([expect.objectContaining({ transactionRequestId: id })]);
  });
});

describe('a request id', () => {
  test('asked again has the same answer, and moves nothing', async () => {
    const { paymentId } = await authorized();
    const asked = capture(paymentId, 600);
    const first = await sandbox.call('capture', asked);
    expect((await sandbox.call('capture', asked)).text).toBe(first.text);
    const back = refund(paymentId, 600);
    const refunded = await sandbox.call('refund', back);
    expect((await sandbox.call('refund', back)).text).toBe(refunded.text);
    const entry = (await sandbox.ledger()).find((one) => one.paymentId === paymentId);
    expect(entry?.moved).toMatchObject({ authorized: '1000', paid: '600', returned: '600', kept: '0' });
  });

  test('asked again for something else: REPEAT_REQ_INCONSISTENT', async () => {
    const { paymentId, id } = await authorized();
    const asked = capture(paymentId, 600);
    await sandbox.call('capture', asked);
    const back = refund(paymentId, 100);
    await sandbox.call('refund', back);
    const changed: readonly (readonly [string, Fields])[] = [
      ['capture', { ...asked, captureAmount: jpy(601) }],
      ['refund', { ...back, refundAmount: jpy(101) }],
      ['pay', payment(id, { paymentAmount: jpy(1) })],
    ];
    for (const [operation, body] of changed) {
      expect((await sandbox.call(operation, body)).outcome).toBe('F REPEAT_REQ_INCONSISTENT');
    }
  });

  test('that failed has failed for ever', async () => {
    const { paymentId } = await authorized();
    const tooMuch = capture(paymentId, 1_001);
    expect((await sandbox.call('capture', tooMuch)).outcome).toBe('F CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT');
    expect((await sandbox.call('capture', tooMuch)).outcome).toBe('F CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT');
    const illegal = capture(paymentId, 100, { captureAmount: { currency: 'yen', value: '1' } });
    expect((await sandbox.call('capture', illegal)).outcome).toBe('F PARAM_ILLEGAL');
    const corrected = { ...illegal, captureAmount: jpy(1) };
    expect((await sandbox.call('capture', corrected)).outcome).toBe('F REPEAT_REQ_INCONSISTENT');
  });

  test('that is under way comes to its final state', async () => {
    const { paymentId } = await authorized();
    await sandbox.control('POST', '/answers', {
      operation: 'capture',
      resultCode: 'CAPTURE_IN_PROCESS',
      payment: paymentId,
    });
    const asked = capture(paymentId);
    expect((await sandbox.call('capture', asked)).outcome).toBe('U CAPTURE_IN_PROCESS');
    await sandbox.quiet();
    expect((await sandbox.call('capture', asked)).outcome).toBe('S SUCCESS');
    const back = refund(paymentId, 1_000, { isAsyncRefund: true });
    const { outcome } = await sandbox.call('refund', back);
    expect(outcome).toBe('U REFUND_IN_PROCESS');
    await sandbox.quiet();
    expect((await sandbox.call('refund', back)).outcome).toBe('S SUCCESS');
  });
});

describe('what cannot be done says why', () => {
  test('a capture', async () => {
    const open = await authorized();
    const asked = (body: Fields): Promise<string> => sandbox.call('capture', body).then(({ outcome }) => outcome);
    expect(await asked(capture('none'))).toBe('F AUTH_NOT_FOUND');
    expect(await asked(capture(open.paymentId, 1, { captureAmount: { currency: 'USD', value: '1' } }))).toBe(
      'F CURRENCY_NOT_SUPPORT',
    );
    expect(await asked(capture(open.paymentId, 1, { paymentId: undefined }))).toBe('F PARAM_ILLEGAL');
    expect(await asked(capture(open.paymentId, 600))).toBe('S SUCCESS');
    expect(await asked(capture(open.paymentId, 401))).toBe('F CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT');
    expect(await asked(capture(open.paymentId, 300, { isLastCapture: true }))).toBe('S SUCCESS');
    expect(await asked(capture(open.paymentId, 1))).toBe('F MULTI_CAPTURE_NOT_SUPPORTED');
    const gone = await authorized();
    await sandbox.call('cancel', { paymentId: gone.paymentId });
    expect(await asked(capture(gone.paymentId))).toBe('F AUTH_CANCELLED');
    const lapsed = await authorized();
    await sandbox.control('POST', '/lapses', { payment: lapsed.id });
    expect(await asked(capture(lapsed.paymentId))).toBe('F AUTH_EXPIRED');
    const wallet = await authorized({ as: 'GCASH' });
    expect(await asked(capture(wallet.paymentId))).toBe('F ORDER_STATUS_INVALID');
  });

  test('a cancellation', async () => {
    const asked = (body: Fields): Promise<string> => sandbox.call('cancel', body).then(({ outcome }) => outcome);
    expect(await asked({ paymentId: 'none' })).toBe('F ORDER_NOT_EXIST');
    expect(await asked({})).toBe('F PARAM_ILLEGAL');
    const { paymentId } = await authorized();
    await sandbox.call('capture', capture(paymentId, 1));
    expect(await asked({ paymentId })).toBe('F CANCEL_WINDOW_EXCEED');
    const never = await authorized({ as: 'DANA' });
    expect(await asked({ paymentId: never.paymentId })).toBe('F PAYMENT_METHOD_NOT_SUPPORTED');
    const declined = fresh('R');
    await sandbox.call('pay', payment(declined, {}, { resultCode: 'RISK_REJECT' }));
    expect(await asked({ paymentRequestId: declined })).toBe('F ORDER_STATUS_INVALID');
  });

  test('a refund', async () => {
    const asked = (body: Fields): Promise<string> => sandbox.call('refund', body).then(({ outcome }) => outcome);
    const { paymentId } = await authorized();
    expect(await asked(refund('none'))).toBe('F ORDER_NOT_EXIST');
    expect(await asked(refund(paymentId))).toBe('F ORDER_STATUS_INVALID');
    const { json } = await sandbox.call('capture', capture(paymentId, 300));
    await sandbox.call('capture', capture(paymentId, 500));
    const { captureId } = json;
    expect(await asked(refund(paymentId, 301, { captureId }))).toBe('F REFUND_AMOUNT_EXCEED');
    expect(await asked(refund(paymentId, 300, { captureId }))).toBe('S SUCCESS');
    expect(await asked(refund(paymentId, 1, { captureId: 'none' }))).toBe('F PARAM_ILLEGAL');
    expect(await asked(refund(paymentId, 501))).toBe('F REFUND_AMOUNT_EXCEED');
    expect(await asked(refund(paymentId, 1, { refundAmount: { currency: 'USD', value: '1' } }))).toBe(
      'F CURRENCY_NOT_SUPPORT',
    );
    const gone = await authorized({ as: 'GCASH' });
    await sandbox.call('cancel', { paymentId: gone.paymentId });
    expect(await asked(refund(gone.paymentId))).toBe('F ORDER_IS_CANCELED');
    expect((await sandbox.call('inquiryRefund', { refundRequestId: 'none' })).outcome).toBe('F REFUND_NOT_EXIST');
    expect((await sandbox.call('inquiryPayment', { paymentId: 'none' })).outcome).toBe('F ORDER_NOT_EXIST');
  });

  test('a paid wallet that is cancelled gives its money back', async () => {
    const { paymentId } = await authorized({ as: 'GCASH' });
    expect((await sandbox.call('cancel', { paymentId })).outcome).toBe('S SUCCESS');
    const entry = (await sandbox.ledger()).find((one) => one.paymentId === paymentId);
    expect(entry?.moved).toMatchObject({ paid: '1000', returned: '1000', kept: '0' });
  });
});

const UNSIGNED = new Set(['CLIENT_INVALID', 'KEY_NOT_FOUND', 'INVALID_SIGNATURE']);

describe('every code of the documents can be provoked', () => {
  test.each(OPERATIONS)('of %s, once, and of the payment that is meant', async (operation) => {
    const failing = RESULT_CODES.filter((code) => code !== 'SUCCESS');
    const { paymentId, id } = await authorized();
    const bodies: Readonly<Record<string, () => Fields>> = {
      pay: () => payment(id),
      capture: () => capture(paymentId, 1),
      refund: () => refund(paymentId, 1),
      cancel: () => ({ paymentId }),
      inquiryPayment: () => ({ paymentRequestId: id }),
      inquiryRefund: () => ({ refundId: paymentId }),
    };
    const wanted = failing.map((code) => ({ code, payment: operation === 'pay' ? fresh('R') : paymentId }));
    const came: string[] = [];
    for (const { code, payment: of } of wanted) {
      await sandbox.control('POST', '/answers', { operation, resultCode: code, payment: of });
      const body = operation === 'pay' ? payment(of) : bodies[operation]?.();
      const { outcome, signed } = await sandbox.call(operation, body ?? {});
      came.push(outcome.slice(2));
      expect(signed).toBe(UNSIGNED.has(code) ? 'not' : 'well');
    }
    expect(came).toEqual(failing);
    // They are used up.
    expect((await sandbox.control('GET', ''))['answers']).toEqual([]);
  });
});
