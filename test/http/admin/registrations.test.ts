import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { captureResult, type Fields, jpy, paymentResult } from '../../support/facts.ts';
import { type Admin, CLIENT, openAdmin, OTHER } from './support.ts';

let admin: Admin;
const closing = async () => await admin.close();
const put = (path: string, body: object) => request(admin.app).put(`/api/orders/${path}`).send(body);
const written = (fields: Fields) => Buffer.from(JSON.stringify(fields));
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

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
      clientId: CLIENT,
    });
    expect(response.status).toBe(201);
    expect(response.body).toEqual({
      clientId: CLIENT,
      paymentRequestId: 'R1',
      amount: { currency: 'JPY', value: '120' },
      referenceOrderId: 'order 1 – ü',
      captureMode: 'MANUAL',
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

  test('the same again is a no-op, however it is written', async () => {
    const { body: first } = await put('R4', { amount: jpy('120'), referenceOrderId: null }).expect(201);
    const { body: order } = await request(admin.app).get('/api/orders/R4');
    for (const again of [
      { amount: jpy('000120') },
      { clientId: CLIENT, captureMode: null, amount: jpy('120') },
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

  test.each<readonly [string, object]>([
    ['amount', { amount: jpy('121'), referenceOrderId: 'six', captureMode: 'NONE' }],
    ['currency', { amount: { currency: 'EUR', value: '120' }, referenceOrderId: 'six', captureMode: 'NONE' }],
    ['referenceOrderId', { amount: jpy('120'), referenceOrderId: 'seven', captureMode: 'NONE' }],
    ['captureMode', { amount: jpy('120'), referenceOrderId: 'six' }],
  ])('another %s is a conflict, and the first one stays', async (_, other) => {
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
        createdAt: TIME,
        updatedAt: TIME,
      });
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

  test('takes a referenceOrderId of 128 characters, and any visible ASCII as paymentRequestId', async () => {
    await put('R9', { amount: jpy('120'), referenceOrderId: 'x'.repeat(128) }).expect(201);
    const strange = '/?#%+&"<'.padEnd(64, '~');
    expect((await put(encodeURIComponent(strange), { amount: jpy('120') }).expect(201)).body.paymentRequestId).toBe(
      strange,
    );
  });

  test.each<readonly [string, object]>([
    ['nothing', {}],
    ['an array', []],
    ['an array of one', [{ amount: jpy('120') }]],
    ['no amount', { referenceOrderId: 'x' }],
    ['amount null', { amount: null }],
    ['amount as a number', { amount: 120 }],
    ['a value of zero', { amount: jpy('0') }],
    ['a value of zeros', { amount: jpy('000') }],
    ['an empty value', { amount: jpy('') }],
    ['a value as a number', { amount: { currency: 'JPY', value: 120 } }],
    ['a negative value', { amount: jpy('-120') }],
    ['a decimal value', { amount: jpy('1.20') }],
    ['a value with a space', { amount: jpy(' 120') }],
    ['a value with a line end', { amount: jpy('120\n') }],
    ['a value in other digits', { amount: jpy('１２０') }],
    ['a value of 65 digits', { amount: jpy('1'.repeat(65)) }],
    ['no value', { amount: { currency: 'JPY' } }],
    ['no currency', { amount: { value: '120' } }],
    ['a currency in lower case', { amount: { currency: 'jpy', value: '120' } }],
    ['a currency of four letters', { amount: { currency: 'JPYY', value: '120' } }],
    ['a currency with a line end', { amount: { currency: 'JPY\n', value: '120' } }],
    ['a further member of amount', { amount: { ...jpy('120'), scale: 2 } }],
    ['a further member', { amount: jpy('120'), reference: 'x' }],
    ['an empty referenceOrderId', { amount: jpy('120'), referenceOrderId: '' }],
    ['a referenceOrderId of 129 characters', { amount: jpy('120'), referenceOrderId: 'x'.repeat(129) }],
    ['a referenceOrderId with U+0000', { amount: jpy('120'), referenceOrderId: 'a\0b' }],
    ['a referenceOrderId with a lone surrogate', { amount: jpy('120'), referenceOrderId: 'a\ud800b' }],
    ['a referenceOrderId as a number', { amount: jpy('120'), referenceOrderId: 7 }],
    ['an unknown captureMode', { amount: jpy('120'), captureMode: 'automatic' }],
    ['an empty captureMode', { amount: jpy('120'), captureMode: '' }],
    ['an empty clientId', { amount: jpy('120'), clientId: '' }],
    ['a clientId as a number', { amount: jpy('120'), clientId: 1 }],
    ['a clientId that is not configured', { amount: jpy('120'), clientId: OTHER }],
  ])('refuses %s and registers nothing', async (_, body) => {
    const response = await put('refused', body);
    expect(response.status).toBe(400);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    await request(admin.app).get('/api/orders/refused').expect(404);
  });

  test.each([
    '',
    '{',
    '{"amount":{"currency":"JPY","value":"120"}',
    'null',
    '"R1"',
    '1',
    '\ufeff{"amount":{"currency":"JPY","value":"120"}}',
  ])('refuses the body %j', async (text) => {
    const response = await request(admin.app)
      .put('/api/orders/refused')
      .set('Content-Type', 'application/json')
      .send(text);
    expect([response.status, response.body.code]).toEqual([400, 'MALFORMED_REQUEST']);
  });

  test('refuses a member called __proto__', async () => {
    const text = '{"amount":{"currency":"JPY","value":"120"},"__proto__":{"captureMode":"NONE"}}';
    await request(admin.app).put('/api/orders/refused').set('Content-Type', 'application/json').send(text).expect(400);
  });

  test('refuses a body that is not UTF-8, and so keeps no other reference than was meant', async () => {
    const text = written({ amount: jpy('120'), referenceOrderId: 'é' });
    const latin1 = Buffer.from(text.toString('utf8'), 'latin1');
    const agent = request(admin.app).put('/api/orders/refused').set('Content-Type', 'application/json');
    agent.write(latin1);
    expect((await agent).status).toBe(400);
  });

  test('says which member is wrong and what it has to be', async () => {
    const { body } = await put('refused', { amount: { currency: 'yen', value: '0' }, captureMode: 'LATER' });
    expect(body.detail).toContain('amount.currency: must be three capital letters');
    expect(body.detail).toContain('amount.value: must be above zero');
    expect(body.detail).toContain('captureMode: must be one of AUTOMATIC, MANUAL, NONE');
    expect(body.detail).not.toContain('LATER');
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonx',
    'application/problem+json',
    'text/json',
  ])('refuses Content-Type %s', async (type) => {
    const response = await request(admin.app)
      .put('/api/orders/refused')
      .set('Content-Type', type)
      .send(JSON.stringify({ amount: jpy('120') }));
    expect([response.status, response.body.code]).toEqual([415, 'UNSUPPORTED_BODY']);
  });

  test('refuses no Content-Type', async () => {
    await request(admin.app).put('/api/orders/refused').expect(415);
  });

  test('takes a Content-Type with parameters, in any case', async () => {
    await put('R10', { amount: jpy('120') })
      .set('Content-Type', 'Application/JSON; charset=utf-8')
      .expect(201);
  });

  test('refuses a compressed body', async () => {
    const agent = request(admin.app)
      .put('/api/orders/refused')
      .set('Content-Type', 'application/json')
      .set('Content-Encoding', 'gzip');
    agent.write(gzipSync(written({ amount: jpy('120') })));
    expect((await agent).status).toBe(415);
  });

  test('refuses a body over 16 KiB', async () => {
    const response = await put('refused', { amount: jpy('120'), referenceOrderId: 'x'.repeat(16_384) });
    expect([response.status, response.body.code]).toEqual([413, 'BODY_TOO_LARGE']);
    expect(admin.lines).toEqual([]);
  });

  test.each(['%20R', 'a%00', '%C3%A9', 'x'.repeat(65), 'a%0A'])('refuses %s as a paymentRequestId', async (id) => {
    const response = await put(id, { amount: jpy('120') });
    expect([response.status, response.body.code]).toEqual([400, 'MALFORMED_REQUEST']);
  });

  test.each([
    'replace=1',
    'replace=',
    'replace',
    'replace=TRUE',
    'replace=true&replace=true',
    'force=true',
    `clientId=${CLIENT}`,
  ])('refuses ?%s', async (query) => {
    await put(`refused?${query}`, { amount: jpy('120') }).expect(400);
  });
});

describe('PUT /api/orders/:paymentRequestId, with several clients', () => {
  beforeAll(async () => {
    admin = await openAdmin({ clientIds: () => [CLIENT, OTHER] });
  });
  afterAll(closing);

  test('wants to know whose it is', async () => {
    const response = await put('R1', { amount: jpy('120') });
    expect([response.status, response.body.code]).toEqual([400, 'CLIENT_REQUIRED']);
    expect((await put('R1', { amount: jpy('120'), clientId: null })).body.code).toBe('CLIENT_REQUIRED');
  });

  test('refuses one that is not configured', async () => {
    const response = await put('R1', { amount: jpy('120'), clientId: 'T_nobody' });
    expect([response.status, response.body.code]).toEqual([400, 'UNKNOWN_CLIENT']);
  });

  test('keeps the clients apart', async () => {
    await put('R1', { amount: jpy('120'), clientId: CLIENT }).expect(201);
    await put('R1', { amount: jpy('500'), clientId: OTHER }).expect(201);
    expect((await request(admin.app).get(`/api/orders/R1?clientId=${OTHER}`)).body.expectedAmount).toEqual(jpy('500'));
  });
});
