import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { captureResult, jpy, paymentResult } from '../../support/facts.ts';
import { type Admin, CLIENT, openAdmin, TIME } from './support.ts';

let admin: Admin;
const closing = async () => await admin.close();
const put = (path: string, body: object) => request(admin.app).put(`/api/orders/${path}`).send(body);

describe('PUT /api/orders/:paymentRequestId', () => {
  beforeAll(async () => {
    admin = await openAdmin();
  });
  afterAll(closing);

  test('registers what to expect', async () => {
    const response = await put('R1', {
      amount: jpy('120'),
      referenceOrderId: 'order 1 – ü',
      captureMode: 'MANUAL',
      paymentMethodType: 'CARD',
      authExpiryTime: '2026-05-24T07:58:04+08:00',
      finalAmount: jpy('100'),
      cancelled: true,
      clientId: CLIENT,
    });
    expect(response.status).toBe(201);
    expect(response.body).toEqual({
      clientId: CLIENT,
      paymentRequestId: 'R1',
      amount: { currency: 'JPY', value: '120' },
      referenceOrderId: 'order 1 – ü',
      captureMode: 'MANUAL',
      paymentMethodType: 'CARD',
      authExpiryTime: '2026-05-24T07:58:04+08:00',
      finalAmount: { currency: 'JPY', value: '100' },
      cancelled: true,
      createdAt: TIME,
      updatedAt: TIME,
    });
  });

  test('of what is not said there is nothing', async () => {
    expect((await put('R0', { amount: jpy('120') }).expect(201)).body).toEqual({
      clientId: CLIENT,
      paymentRequestId: 'R0',
      amount: { currency: 'JPY', value: '120' },
      referenceOrderId: null,
      captureMode: null,
      paymentMethodType: null,
      authExpiryTime: null,
      finalAmount: null,
      cancelled: false,
      createdAt: TIME,
      updatedAt: TIME,
    });
  });

  test('before any notification it is an order without a paymentId', async () => {
    await put('R2', { amount: jpy('120') }).expect(201);
    const { body } = await request(admin.app).get('/api/orders/R2').expect(200);
    expect(body).toMatchObject({
      paymentId: null,
      paymentRequestId: 'R2',
      status: 'PENDING',
      expectedAmount: { currency: 'JPY', value: '120' },
    });
  });

  test('after notifications it changes the order that names it', async () => {
    await admin.notify(paymentResult('S', { paymentId: 'P3', paymentRequestId: 'R3', paymentAmount: jpy('120') }));
    await admin.notify(captureResult('S', { paymentId: 'P3', captureId: 'C3', captureAmount: jpy('120') }));
    expect((await request(admin.app).get('/api/orders/P3')).body).toMatchObject({ fulfillable: true });
    await put('R3', { amount: jpy('121'), referenceOrderId: 'three' }).expect(201);
    expect((await request(admin.app).get('/api/orders/P3')).body).toMatchObject({
      fulfillable: false,
      nextAction: 'REVIEW',
      referenceOrderId: 'three',
      attention: [{ code: 'AMOUNT_MISMATCH' }],
    });
  });

  test('a paymentId is refused, for nothing would compare the payment with it', async () => {
    await admin.notify(paymentResult('S', { paymentId: 'P14', paymentRequestId: 'R14', paymentAmount: jpy('1') }));
    const response = await put('P14', { amount: jpy('120') });
    expect([response.status, response.body.code]).toEqual([409, 'PAYMENT_ID']);
    expect(response.body.payment).toEqual({ clientId: CLIENT, paymentId: 'P14', paymentRequestId: 'R14' });
    expect((await admin.store.find(null, 'P14')).orders).toHaveLength(1);
    await put('R14', { amount: jpy('120') }).expect(201);
    expect((await request(admin.app).get('/api/orders/P14')).body).toMatchObject({
      expectedAmount: { currency: 'JPY', value: '120' },
    });
  });

  test('a paymentId is taken where a payment names it as its paymentRequestId too, and where it was registered before', async () => {
    await admin.notify(paymentResult('S', { paymentId: 'P5', paymentRequestId: 'P5', paymentAmount: jpy('1') }));
    await put('P5', { amount: jpy('120') }).expect(201);
    await put('P6', { amount: jpy('120') }).expect(201);
    await admin.notify(paymentResult('S', { paymentId: 'P6', paymentRequestId: 'R6', paymentAmount: jpy('1') }));
    await put('P6', { amount: jpy('120') }).expect(200);
  });

  test('the same again is a no-op, however it is written', async () => {
    const { body: first } = await put('R4', { amount: jpy('120'), referenceOrderId: null }).expect(201);
    const { body: order } = await request(admin.app).get('/api/orders/R4');
    for (const again of [
      { amount: jpy('000120') },
      { clientId: CLIENT, captureMode: null, amount: jpy('120'), authExpiryTime: null },
      { amount: { currency: 'JPY', value: 120 } },
      { amount: jpy('120'), referenceOrderId: null, captureMode: null, clientId: null },
    ]) {
      expect((await put('R4', again).expect(200)).body).toEqual(first);
      expect((await put('R4?replace=true', again).expect(200)).body).toEqual(first);
    }
    expect((await request(admin.app).get('/api/orders/R4')).body).toEqual(order);
  });

  test('the amount is kept without leading zeros, exact at any size', async () => {
    const digits = `00${'9'.repeat(62)}`;
    expect((await put('R5', { amount: jpy(digits) }).expect(201)).body.amount).toEqual({
      currency: 'JPY',
      value: '9'.repeat(62),
    });
  });

  test('takes an amount as a JSON integer up to 2^53 - 1, and a time as epoch milliseconds', async () => {
    const amount = { currency: 'JPY', value: Number.MAX_SAFE_INTEGER };
    const { body } = await put('R11', { amount, finalAmount: amount, authExpiryTime: 1_747_468_651_136 }).expect(201);
    const text = { currency: 'JPY', value: '9007199254740991' };
    expect(body).toMatchObject({ amount: text, finalAmount: text, authExpiryTime: '1747468651136' });
    await put('R11', { amount: text, authExpiryTime: '1747468651136' }).expect(200);
  });

  test('another finalAmount or cancelled is neither compared nor taken', async () => {
    const first = await put('R12', { amount: jpy('120'), finalAmount: jpy('100'), cancelled: true }).expect(201);
    for (const later of [{}, { finalAmount: jpy('90') }, { cancelled: false }, { finalAmount: null, cancelled: null }])
      expect((await put('R12', { amount: jpy('120'), ...later }).expect(200)).body).toEqual(first.body);
    const replaced = await put('R12?replace=true', { amount: jpy('110'), finalAmount: jpy('1') }).expect(200);
    expect(replaced.body).toMatchObject({ amount: jpy('110'), finalAmount: jpy('100'), cancelled: true });
  });

  test.each([
    ['an amount below finalAmount', { amount: jpy('99') }],
    ['an amount in another currency', { amount: { currency: 'EUR', value: '120' } }],
  ])('%s is a conflict, also with ?replace=true, and names the way out', async (_, other) => {
    await put('R13', { amount: jpy('120'), finalAmount: jpy('100') });
    for (const path of ['R13', 'R13?replace=true']) {
      const response = await put(path, other);
      expect([response.status, response.body.code]).toEqual([409, 'REGISTRATION_CONFLICT']);
      expect(response.body.detail).toMatch(/finalAmount.*PATCH/);
      expect(response.body).toMatchObject({ registration: { amount: jpy('120') }, requested: other });
    }
  });

  test.each<readonly [string, object]>([
    ['amount', { amount: jpy('121'), referenceOrderId: 'six', captureMode: 'NONE' }],
    ['currency', { amount: { currency: 'EUR', value: '120' }, referenceOrderId: 'six', captureMode: 'NONE' }],
    ['referenceOrderId', { amount: jpy('120'), referenceOrderId: 'seven', captureMode: 'NONE' }],
    ['captureMode', { amount: jpy('120'), referenceOrderId: 'six' }],
    ['paymentMethodType', { amount: jpy('120'), referenceOrderId: 'six', captureMode: 'NONE', paymentMethodType: 'X' }],
    [
      'authExpiryTime',
      { amount: jpy('120'), referenceOrderId: 'six', captureMode: 'NONE', authExpiryTime: '1747468651136' },
    ],
  ])('another %s is a conflict that shows both, and the first one stays', async (_, other) => {
    const first = { amount: jpy('120'), referenceOrderId: 'six', captureMode: 'NONE' };
    await put('R6', first);
    for (const path of ['R6', 'R6?replace=false']) {
      const response = await put(path, other);
      expect([response.status, response.body.code]).toEqual([409, 'REGISTRATION_CONFLICT']);
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(response.body.registration).toEqual({
        clientId: CLIENT,
        paymentRequestId: 'R6',
        ...first,
        paymentMethodType: null,
        authExpiryTime: null,
        finalAmount: null,
        cancelled: false,
        createdAt: TIME,
        updatedAt: TIME,
      });
      expect(response.body.requested).toMatchObject({ clientId: CLIENT, paymentRequestId: 'R6', ...other });
    }
    await put('R6', first).expect(200);
  });

  test('?replace=true replaces it', async () => {
    const { body: first } = await put('R7', { amount: jpy('120'), referenceOrderId: 'seven' }).expect(201);
    const { body: second } = await put('R7?replace=true', { amount: jpy('500') }).expect(200);
    expect(second).toMatchObject({ amount: { value: '500' }, referenceOrderId: null, createdAt: first.createdAt });
    expect((await request(admin.app).get('/api/orders/R7')).body.expectedAmount).toEqual(jpy('500'));
  });

  test('?replace=true of nothing registers', async () => {
    await put('R8?replace=true', { amount: jpy('120') }).expect(201);
  });

  test.each(['AUTOMATIC', 'MANUAL', 'NONE'])('takes captureMode %s', async (captureMode) => {
    expect((await put(`R-${captureMode}`, { amount: jpy('120'), captureMode }).expect(201)).body.captureMode).toBe(
      captureMode,
    );
  });

  test('takes 128 characters of any letters, and a space within', async () => {
    await put('R9', { amount: jpy('120'), referenceOrderId: 'x'.repeat(128) }).expect(201);
    const strange = '/?#%+&"< é漢'.padEnd(128, '~');
    expect((await put(encodeURIComponent(strange), { amount: jpy('120') }).expect(201)).body.paymentRequestId).toBe(
      strange,
    );
  });
});
