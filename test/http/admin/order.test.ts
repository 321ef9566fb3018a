import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { jpy, paymentResult } from '../../support/facts.ts';
import { type Admin, CLIENT, openAdmin, OTHER, TIME } from './support.ts';

let admin: Admin;
const closing = async () => await admin.close();

const payment = (number: number) =>
  paymentResult('S', { paymentId: `P${number}`, paymentRequestId: `R${number}`, paymentAmount: jpy('120') });
const list = (query: string) => request(admin.app).get(`/api/orders${query}`).expect(200);
const find = (id: string) => request(admin.app).get(`/api/orders/${id}`);

describe('GET /api/orders/:id, with one client', () => {
  beforeAll(async () => {
    admin = await openAdmin();
    await admin.notify(payment(1));
    await admin.notify(payment(2));
    // R2 is a paymentId too: what it is a paymentRequestId of comes second.
    await admin.notify(paymentResult('F', { paymentId: 'R2', paymentRequestId: 'R3' }));
    await admin.notify(paymentResult('S', { paymentId: 'P4', paymentRequestId: 'R4' }));
    await admin.notify(paymentResult('S', { paymentId: 'P5', paymentRequestId: 'R4' }));
    await admin.notify(paymentResult('S', { paymentId: 'a/b?c%d#e', paymentRequestId: 'R6' }));
  });
  afterAll(closing);

  test('finds the Order by its paymentId', async () => {
    const { body } = await find('P1').expect(200);
    const expected = {
      clientId: CLIENT,
      paymentId: 'P1',
      paymentRequestId: 'R1',
      referenceOrderId: null,
      revision: expect.any(Number),
      status: 'AUTHORIZED',
      fulfillable: false,
      // Nothing has come for longer than an hour.
      nextAction: 'INQUIRE',
      paymentAmount: { currency: 'JPY', value: '120' },
      expectedAmount: null,
      finalAmount: null,
      capturedAmount: null,
      remainingAmount: { currency: 'JPY', value: '120' },
      refundedAmount: null,
      paymentMethod: null,
      captureRequired: true,
      captureMode: 'AUTOMATIC',
      result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'as reported' },
      paymentTime: null,
      authorizationExpiresAt: null,
      acquirerInfo: null,
      acquirerReferenceNo: null,
      captures: [],
      refunds: [],
      disputes: [],
      attention: [],
      review: null,
      replaces: null,
      createdAt: TIME,
      updatedAt: TIME,
    };
    expect(body).toEqual(expected);
    expect(Object.keys(body as object)).toEqual(Object.keys(expected));
  });

  test('finds it by its paymentRequestId', async () => {
    expect((await find('R1').expect(200)).body.paymentId).toBe('P1');
  });

  test('looks for a paymentId first', async () => {
    expect((await find('R2').expect(200)).body).toMatchObject({
      paymentId: 'R2',
      paymentRequestId: 'R3',
      status: 'FAILED',
    });
  });

  test('names the orders that one paymentRequestId stands for', async () => {
    const response = await find('R4');
    expect([response.status, response.body.code]).toEqual([409, 'AMBIGUOUS_ORDER']);
    expect(response.body.orders).toHaveLength(2);
    expect(response.body.orders).toEqual(
      expect.arrayContaining([
        { clientId: CLIENT, paymentId: 'P4', paymentRequestId: 'R4' },
        { clientId: CLIENT, paymentId: 'P5', paymentRequestId: 'R4' },
      ]),
    );
  });

  test('decodes the path', async () => {
    expect((await find(encodeURIComponent('a/b?c%d#e')).expect(200)).body.paymentId).toBe('a/b?c%d#e');
  });

  test.each(['P9', 'p1', '%20R1', 'P1%20', '%00', 'x'.repeat(129), '%F0%9F%98%80', '__proto__'])(
    'finds nothing under %s',
    async (id) => {
      const response = await find(id);
      expect([response.status, response.body.code]).toEqual([404, 'NOT_FOUND']);
    },
  );

  test.each(['?clientId=', '?clientId=a%20b', '?clientid=T_client', '?x=1', '?clientId=T_client&clientId=T_client'])(
    'refuses %s',
    async (query) => {
      await find(`P1${query}`).expect(400);
    },
  );

  test('looks among another client where one is named', async () => {
    await find(`P1?clientId=${CLIENT}`).expect(200);
    await find(`P1?clientId=${OTHER}`).expect(404);
  });
});

describe('GET /api/orders/:id, with several clients', () => {
  beforeAll(async () => {
    admin = await openAdmin({ clientIds: () => [CLIENT, OTHER] });
    await admin.notify(payment(1));
    await admin.notify(paymentResult('F', { paymentId: 'P1', paymentRequestId: 'R1' }), { clientId: OTHER });
  });
  afterAll(closing);

  test.each(['P1', 'R1', 'P9', '%20'])('wants to know whose %s is meant', async (id) => {
    const response = await request(admin.app).get(`/api/orders/${id}`);
    expect([response.status, response.body.code]).toEqual([400, 'CLIENT_REQUIRED']);
  });

  test('finds the named client’s', async () => {
    expect((await request(admin.app).get(`/api/orders/P1?clientId=${CLIENT}`).expect(200)).body.status).toBe(
      'AUTHORIZED',
    );
    expect((await request(admin.app).get(`/api/orders/R1?clientId=${OTHER}`).expect(200)).body.status).toBe('FAILED');
    await request(admin.app).get('/api/orders/P1?clientId=T_nobody').expect(404);
  });

  test('lists both clients’ orders, or one’s', async () => {
    expect((await list('')).body.items).toHaveLength(2);
    expect((await list(`?clientId=${OTHER}`)).body.items).toEqual([expect.objectContaining({ clientId: OTHER })]);
  });
});

describe('when the configured clients change', () => {
  afterEach(closing);

  test('clientId is required from then on', async () => {
    let clientIds = [CLIENT];
    admin = await openAdmin({ clientIds: () => clientIds });
    await admin.notify(payment(1));
    await request(admin.app).get('/api/orders/P1').expect(200);
    clientIds = [CLIENT, OTHER];
    await request(admin.app).get('/api/orders/P1').expect(400);
  });

  test('the orders of one that is gone are still found by naming it', async () => {
    admin = await openAdmin({ clientIds: () => [OTHER] });
    await admin.notify(payment(1));
    await request(admin.app).get('/api/orders/P1').expect(404);
    await request(admin.app).get(`/api/orders/P1?clientId=${CLIENT}`).expect(200);
  });
});
