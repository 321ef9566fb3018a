import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { captureResult, jpy, paymentResult } from '../../support/facts.ts';
import { type Admin, CLIENT, openAdmin, OTHER, TIME } from './support.ts';

let admin: Admin;
const closing = async () => await admin.close();
const put = (id: string, body: object) => request(admin.app).put(`/api/orders/${id}`).send(body);
const patch = (id: string, body: object) => request(admin.app).patch(`/api/orders/${id}`).send(body);

const EVERYTHING = {
  amount: jpy('120'),
  referenceOrderId: 'order 1',
  captureMode: 'MANUAL',
  paymentMethodType: 'CARD',
  authExpiryTime: '2026-05-24T07:58:04Z',
  finalAmount: jpy('100'),
  cancelled: true,
};

describe('PATCH /api/orders/:paymentRequestId', () => {
  beforeAll(async () => {
    admin = await openAdmin();
  });
  afterAll(closing);

  test.each<readonly [string, object]>([
    ['amount', { amount: jpy('110') }],
    ['referenceOrderId', { referenceOrderId: 'order 2' }],
    ['captureMode', { captureMode: 'NONE' }],
    ['paymentMethodType', { paymentMethodType: 'GRABPAY_MY' }],
    ['authExpiryTime', { authExpiryTime: '1747468651136' }],
    ['finalAmount', { finalAmount: jpy('120') }],
    ['cancelled', { cancelled: false }],
  ])('changes %s alone', async (name, changes) => {
    const { body: before } = await put(`R-${name}`, EVERYTHING).expect(201);
    const { body } = await patch(`R-${name}`, changes).expect(200);
    expect(body).toEqual({ ...before, ...changes, updatedAt: TIME });
    expect(body.createdAt).toBe(before.createdAt);
  });

  test('changes several together', async () => {
    await put('R1', EVERYTHING);
    const changes = { amount: { currency: 'EUR', value: 50 }, finalAmount: { currency: 'EUR', value: '050' } };
    expect((await patch('R1', changes).expect(200)).body).toMatchObject({
      amount: { currency: 'EUR', value: '50' },
      finalAmount: { currency: 'EUR', value: '50' },
      referenceOrderId: 'order 1',
    });
  });

  test('null takes a field back', async () => {
    await put('R2', EVERYTHING);
    const taken = Object.fromEntries(Object.keys(EVERYTHING).map((name) => [name, null]));
    const { amount: _amount, ...others } = taken;
    expect((await patch('R2', others).expect(200)).body).toMatchObject({ ...others, cancelled: false });
  });

  test('the same again changes nothing', async () => {
    await put('R3', EVERYTHING);
    const { body: first } = await patch('R3', { finalAmount: jpy('90') }).expect(200);
    const { body: order } = await request(admin.app).get('/api/orders/R3');
    expect((await patch('R3', { finalAmount: jpy('090') }).expect(200)).body).toEqual(first);
    expect((await request(admin.app).get('/api/orders/R3')).body).toEqual(order);
  });

  test('the order says what follows: a final partial capture is all there is to capture', async () => {
    await admin.notify(paymentResult('S', { paymentId: 'P4', paymentRequestId: 'R4', paymentAmount: jpy('120') }));
    await admin.notify(captureResult('S', { paymentId: 'P4', captureId: 'C4', captureAmount: jpy('100') }));
    await put('R4', { amount: jpy('120') }).expect(201);
    const order = async () => (await request(admin.app).get('/api/orders/P4')).body as object;
    expect(await order()).toMatchObject({ status: 'PARTIALLY_CAPTURED', fulfillable: false, finalAmount: null });
    await patch('R4', { finalAmount: jpy('100') }).expect(200);
    expect(await order()).toMatchObject({ status: 'CAPTURED', fulfillable: true, finalAmount: jpy('100') });
    await patch('R4', { finalAmount: null }).expect(200);
    expect(await order()).toMatchObject({ status: 'PARTIALLY_CAPTURED', fulfillable: false, finalAmount: null });
  });

  test('says that nothing is registered, also where there is a payment', async () => {
    await admin.notify(paymentResult('S', { paymentId: 'P5', paymentRequestId: 'R5' }));
    for (const id of ['R5', 'R9']) {
      const response = await patch(id, { cancelled: true });
      expect([response.status, response.body.code]).toEqual([404, 'NOT_FOUND']);
      expect(response.body.detail).toBe('There is no such registration. PUT makes one, under the paymentRequestId.');
    }
  });

  test.each<readonly [string, object]>([
    ['an array', [{ finalAmount: jpy('90') }]],
    ['an amount of null', { finalAmount: jpy('90'), amount: null }],
    ['an amount of zero', { finalAmount: jpy('90'), amount: jpy('0') }],
    ['an amount below finalAmount', { finalAmount: jpy('90'), amount: jpy('89') }],
    ['a finalAmount of zero', { finalAmount: jpy('0') }],
    ['a finalAmount above the amount', { finalAmount: jpy('121') }],
    ['a finalAmount in another currency', { finalAmount: { currency: 'EUR', value: '90' } }],
    ['a member that is none', { finalAmount: jpy('90'), note: 'x' }],
    ['a paymentRequestId', { finalAmount: jpy('90'), paymentRequestId: 'R7' }],
    ['cancelled as a text', { finalAmount: jpy('90'), cancelled: 'yes' }],
    ['a time that is none', { finalAmount: jpy('90'), authExpiryTime: 'tomorrow' }],
    ['a client that is not configured', { finalAmount: jpy('90'), clientId: OTHER }],
  ])('refuses %s and changes nothing', async (_, body) => {
    const { body: before } = await put('R6', EVERYTHING);
    const response = await patch('R6', body);
    expect(response.status).toBe(400);
    expect(['MALFORMED_REQUEST', 'UNKNOWN_CLIENT']).toContain(response.body.code);
    expect((await put('R6', EVERYTHING).expect(200)).body).toEqual(before);
  });

  test('what those change is accepted', async () => {
    await put('R6', EVERYTHING);
    expect((await patch('R6', { finalAmount: jpy('90'), clientId: CLIENT }).expect(200)).body.finalAmount).toEqual(
      jpy('90'),
    );
  });

  test('takes no parameters, and JSON only', async () => {
    await put('R8', EVERYTHING);
    await patch('R8?replace=true', { cancelled: true }).expect(400);
    const sent = request(admin.app).patch('/api/orders/R8').set('Content-Type', 'text/plain');
    await sent.send(JSON.stringify({ cancelled: true })).expect(415);
    await patch('R8', { cancelled: true }).expect(200);
  });
});

describe('PATCH /api/orders/:paymentRequestId, with several clients', () => {
  beforeAll(async () => {
    admin = await openAdmin({ clientIds: () => [CLIENT, OTHER] });
    await put('R1', { ...EVERYTHING, clientId: OTHER }).expect(201);
  });
  afterAll(closing);

  test('wants to know whose it is', async () => {
    expect((await patch('R1', { cancelled: true })).body.code).toBe('CLIENT_REQUIRED');
    await patch('R1', { cancelled: true, clientId: CLIENT }).expect(404);
    await patch('R1', { cancelled: true, clientId: OTHER }).expect(200);
  });
});
