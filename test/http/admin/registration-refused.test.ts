import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { type Fields, jpy } from '../../support/facts.ts';
import { type Admin, CLIENT, openAdmin, OTHER } from './support.ts';

let admin: Admin;
const closing = async () => await admin.close();
const put = (path: string, body: object) => request(admin.app).put(`/api/orders/${path}`).send(body);
const written = (fields: Fields) => Buffer.from(JSON.stringify(fields));

describe('PUT /api/orders/:paymentRequestId, of a registration that is accepted but for one thing', () => {
  beforeAll(async () => {
    admin = await openAdmin();
    await put('accepted', { amount: jpy('120') }).expect(201);
  });
  afterAll(closing);

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
    ['a value as a number of zero', { amount: { currency: 'JPY', value: 0 } }],
    ['a value as a negative number', { amount: { currency: 'JPY', value: -120 } }],
    ['a value as a fraction', { amount: { currency: 'JPY', value: 1.2 } }],
    ['a value as a number beyond 2^53 - 1', { amount: { currency: 'JPY', value: 2 ** 53 } }],
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
    ['a referenceOrderId with a space at its end', { amount: jpy('120'), referenceOrderId: 'x ' }],
    ['an empty paymentMethodType', { amount: jpy('120'), paymentMethodType: '' }],
    ['an authExpiryTime without a zone', { amount: jpy('120'), authExpiryTime: '2026-05-24T07:58:04' }],
    ['an authExpiryTime of ten digits', { amount: jpy('120'), authExpiryTime: 1_747_468_651 }],
    ['an authExpiryTime of no day', { amount: jpy('120'), authExpiryTime: '2026-02-30T07:58:04Z' }],
    ['a finalAmount of zero', { amount: jpy('120'), finalAmount: jpy('0') }],
    ['a finalAmount above the amount', { amount: jpy('120'), finalAmount: jpy('121') }],
    ['a finalAmount in another currency', { amount: jpy('120'), finalAmount: { currency: 'EUR', value: '1' } }],
    ['cancelled as a text', { amount: jpy('120'), cancelled: 'true' }],
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

  test.each(['%20R', 'R%20', 'a%00', 'x'.repeat(129), 'a%0Ab', '%C2%85x'])(
    'refuses %s as a paymentRequestId',
    async (id) => {
      const response = await put(id, { amount: jpy('120') });
      expect([response.status, response.body.code]).toEqual([400, 'MALFORMED_REQUEST']);
    },
  );

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
