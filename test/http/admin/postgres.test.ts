import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { captureResult, jpy, paymentResult } from '../../support/facts.ts';
import { startServer, type TestServer } from '../../support/postgres.ts';
import { type Admin, CLIENT, openAdmin, refunded, signedRequest } from './support.ts';

/* What a shop and a person say, on the other database: one story through every route that says or finds something. */

let server: TestServer;
let admin: Admin;
beforeAll(async () => {
  server = await startServer();
  admin = await openAdmin({ databaseUrl: await server.createDatabase() });
});
afterAll(async () => {
  await admin.close();
  await server.stop();
});

const put = (path: string, body: object) => request(admin.app).put(`/api/${path}`).send(body);
const get = async (path: string) =>
  (await request(admin.app).get(`/api/${path}`).expect(200)).body as Record<string, unknown>;
const named = async (query: string) =>
  ((await get(`orders?${query}`))['items'] as readonly { readonly paymentId: string | null }[]).map(
    ({ paymentId }) => paymentId,
  );

test('what is registered before the payment is an order, and the payment takes its place', async () => {
  await put('orders/R-0001', { amount: jpy('120'), referenceOrderId: 'shop-0001' }).expect(201);
  expect(await get('orders/R-0001')).toMatchObject({ paymentId: null, expectedAmount: jpy('120') });
  await admin.notify(
    paymentResult('S', { paymentId: 'P-0001', paymentRequestId: 'R-0001', paymentAmount: jpy('120') }),
  );
  expect(await get('orders/R-0001')).toMatchObject({ paymentId: 'P-0001', referenceOrderId: 'shop-0001' });
  const conflict = await put('orders/R-0001', { amount: jpy('120') }).expect(409);
  expect(conflict.body).toMatchObject({ registration: { referenceOrderId: 'shop-0001' }, requested: {} });
});

test('a final partial capture is closed by PATCH', async () => {
  await admin.notify(captureResult('S', { paymentId: 'P-0001', captureId: 'C-0001', captureAmount: jpy('100') }));
  const { body } = await request(admin.app)
    .patch('/api/orders/R-0001')
    .send({ finalAmount: jpy('100') })
    .expect(200);
  expect(body).toMatchObject({ amount: jpy('120'), finalAmount: jpy('100') });
  expect(await get('orders/P-0001')).toMatchObject({ status: 'CAPTURED', fulfillable: true });
});

test('a person settles a capture too much, at the revision that was seen', async () => {
  await admin.notify(captureResult('S', { paymentId: 'P-0001', captureId: 'C-0002', captureAmount: jpy('1') }));
  expect(await get('orders/P-0001')).toMatchObject({ nextAction: 'REVIEW', fulfillable: false });
  const revision = await admin.revisionOf('P-0001');
  await put('orders/P-0001/review', { decision: 'FULFIL', revision: revision - 1 }).expect(409);
  const { body } = await put('orders/P-0001/review', { decision: 'FULFIL', revision, note: 'a yen' }).expect(200);
  expect(body).toMatchObject({ fulfillable: true, review: { decision: 'FULFIL', note: 'a yen' } });
  await request(admin.app).delete('/api/orders/P-0001/review').expect(200);
  await request(admin.app).delete('/api/orders/P-0001/review').expect(404);
  expect(await get('orders/P-0001')).toMatchObject({ nextAction: 'REVIEW', review: null });
});

test('a refund joins the payment that it is registered for', async () => {
  await admin.notify(refunded({ refundId: 'F-0001', refundRequestId: 'FR-0001' }));
  expect((await get('refunds?joined=false'))['items']).toHaveLength(1);
  await put('refunds/FR-0001', { paymentId: 'P-0001' }).expect(201);
  await put('refunds/FR-0001', { paymentId: 'P-0001' }).expect(200);
  await put('refunds/FR-0001', { paymentId: 'P-0002' }).expect(409);
  expect((await get('refunds?joined=false'))['items']).toEqual([]);
  expect((await get('refunds?joined=true'))['items']).toEqual([expect.objectContaining({ paymentIds: ['P-0001'] })]);
  expect(await get('orders/P-0001')).toMatchObject({ refundedAmount: jpy('20') });
});

test('every filter of the lists, and the feed of one client', async () => {
  await admin.notify(paymentResult('F', { paymentId: 'P-0002', paymentRequestId: 'R-0002' }));
  expect(await named('status=FAILED')).toEqual(['P-0002']);
  expect(await named('nextAction=REVIEW')).toEqual(['P-0001']);
  expect(await named('attention=OVER_CAPTURED')).toEqual(['P-0001']);
  expect(await named('referenceOrderId=shop-0001')).toEqual(['P-0001']);
  const all = `status=CAPTURED&attention=OVER_CAPTURED&nextAction=REVIEW&clientId=${CLIENT}`;
  expect(await named(`${all}&referenceOrderId=shop-0001`)).toEqual(['P-0001']);
  expect(await named(`after=0&clientId=${CLIENT}`)).toEqual(['P-0001', 'P-0002']);
  const ofAPayment = await request(admin.app)
    .put('/api/orders/P-0002')
    .send({ amount: jpy('120') });
  expect([ofAPayment.status, ofAPayment.body]).toMatchObject([409, { code: 'PAYMENT_ID' }]);
  const kinds = (await get(`notifications?id=P-0001&clientId=${CLIENT}`))['items'];
  expect(kinds).toEqual(['CAPTURE', 'CAPTURE', 'PAYMENT'].map((kind) => expect.objectContaining({ kind })));
});

test('one identifier finds all that carries it', async () => {
  const stranger = { ...signedRequest(Buffer.from('{"paymentId":"P-0001"}')), clientIds: ['T_stranger'] };
  await admin.keepUnverified(stranger, 'UNKNOWN_CLIENT');
  expect(await get('find?id=P-0001')).toMatchObject({
    orders: [{ paymentId: 'P-0001' }],
    unverified: [{ verified: false, reason: 'UNKNOWN_CLIENT' }],
    notSearched: null,
  });
  expect(await get('find?id=shop-0001')).toMatchObject({ orders: [{ paymentId: 'P-0001' }], unverified: [] });
  expect(await get('find?id=FR-0001')).toMatchObject({ notifications: [{ kind: 'REFUND' }], refunds: [{}] });
});

describe('a text that the database cannot keep is refused', () => {
  const amount = jpy('120');
  const decided = { decision: 'CLOSE', revision: 1 };

  test.each<readonly [string, 'put' | 'patch' | 'post', string, (text: string) => object]>([
    ['clientId', 'put', 'orders/P-0001/review', (clientId) => ({ ...decided, clientId })],
    ['note', 'put', 'orders/P-0001/review', (note) => ({ ...decided, note })],
    ['clientId', 'put', 'orders/R-0009', (clientId) => ({ amount, clientId })],
    ['referenceOrderId', 'put', 'orders/R-0009', (referenceOrderId) => ({ amount, referenceOrderId })],
    ['paymentMethodType', 'put', 'orders/R-0009', (paymentMethodType) => ({ amount, paymentMethodType })],
    ['authExpiryTime', 'put', 'orders/R-0009', (authExpiryTime) => ({ amount, authExpiryTime })],
    ['clientId', 'patch', 'orders/R-0001', (clientId) => ({ amount, clientId })],
    ['referenceOrderId', 'patch', 'orders/R-0001', (referenceOrderId) => ({ referenceOrderId })],
    ['clientId', 'put', 'refunds/FR-0009', (clientId) => ({ paymentId: 'P-0001', clientId })],
    ['paymentId', 'put', 'refunds/FR-0009', (paymentId) => ({ paymentId })],
    ['paymentRequestId', 'put', 'refunds/FR-0009', (paymentRequestId) => ({ paymentRequestId })],
    ['clientId', 'post', 'orders/P-0001/cancel', (clientId) => ({ clientId })],
    ['captureRequestId', 'post', 'orders/P-0001/captures', (captureRequestId) => ({ captureRequestId })],
    ['captureId', 'post', 'orders/P-0001/refunds', (captureId) => ({ amount, captureId })],
  ])('as %s of %s %s', async (name, ...[method, path, bodyOf]) => {
    for (const text of ['\0', 'a\0b', '\ud800', '']) {
      const { status, body } = await request(admin.app)[method](`/api/${path}`).send(bodyOf(text));
      if (name === 'note' && text === '') continue;
      expect([status, body.code, body.detail]).toEqual([400, 'MALFORMED_REQUEST', expect.stringContaining(name)]);
    }
  });

  test.each<readonly ['put' | 'delete' | 'post', string, object | undefined]>([
    ['put', 'review', decided],
    ['delete', 'review', undefined],
    ['post', 'captures', {}],
  ])('as the id of %s orders/:id/%s', async (method, path, body) => {
    expect((await request(admin.app)[method](`/api/orders/%00/${path}`).send(body)).status).toBe(404);
  });

  test('as an id of a path, and in a query', async () => {
    for (const path of ['orders/%00', 'orders/%00/timeline', 'notifications/%00', 'unverified/%00'])
      expect((await request(admin.app).get(`/api/${path}`)).status).toBe(404);
    const queries = ['find?id=', 'orders?clientId=', 'orders?cursor=', 'orders?after=', 'refunds?cursor='];
    for (const query of [...queries, 'orders/P-0001?clientId=', 'notifications?kind=', 'unverified?cursor='])
      expect((await request(admin.app).get(`/api/${query}%00`)).status).toBe(400);
  });
});
