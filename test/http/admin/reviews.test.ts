import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { captureResult, jpy, paymentResult } from '../../support/facts.ts';
import { type Admin, CLIENT, openAdmin, OTHER, TIME } from './support.ts';

let admin: Admin;
const find = async (id = 'P1') => (await request(admin.app).get(`/api/orders/${id}`)).body as Record<string, unknown>;
const put = (body: object, id = 'P1') => request(admin.app).put(`/api/orders/${id}/review`).send(body);
const withdraw = (path = 'P1/review') => request(admin.app).delete(`/api/orders/${path}`);

const payment = (fields = {}) => paymentResult('S', { paymentAmount: jpy('120'), ...fields });
const capture = (value: string, fields = {}) =>
  captureResult('S', { captureId: 'C1', captureAmount: jpy(value), ...fields });

/** One yen too much was captured of P1, and P2 is only authorized. */
const openAll = async (): Promise<void> => {
  for (const fields of [payment(), capture('121'), payment({ paymentId: 'P2', paymentRequestId: 'R2' })])
    await admin.notify(fields);
};
beforeEach(async () => {
  admin = await openAdmin();
  await openAll();
});
afterEach(async () => await admin.close());

describe('PUT /api/orders/:id/review', () => {
  test('FULFIL settles what a person has to decide, and the order is fulfillable', async () => {
    const before = await find();
    expect(before).toMatchObject({ status: 'CAPTURED', fulfillable: false, nextAction: 'REVIEW', review: null });
    const response = await put({ decision: 'FULFIL', revision: before['revision'], note: 'one yen, never mind' });
    expect(response.status).toBe(200);
    expect(response.body).toMatchObject({
      paymentId: 'P1',
      fulfillable: true,
      nextAction: 'FULFIL',
      attention: [{ code: 'OVER_CAPTURED', settled: true }],
      review: { decision: 'FULFIL', revision: before['revision'], note: 'one yen, never mind', createdAt: TIME },
    });
    expect(response.body.revision).toBeGreaterThan(Number(before['revision']));
    expect(await find()).toEqual(response.body);
  });

  test('CLOSE ends an order, by its paymentRequestId too', async () => {
    const revision = await admin.revisionOf('P1');
    const { body } = await put({ decision: 'CLOSE', revision }, 'R1').expect(200);
    expect(body).toMatchObject({ paymentId: 'P1', fulfillable: false, nextAction: 'NONE', review: { note: null } });
  });

  test('a placeholder is closed as well', async () => {
    await request(admin.app)
      .put('/api/orders/R3')
      .send({ amount: jpy('120') })
      .expect(201);
    const revision = await admin.revisionOf('R3');
    const { body } = await put({ decision: 'CLOSE', revision }, 'R3').expect(200);
    expect(body).toMatchObject({ paymentId: null, paymentRequestId: 'R3', nextAction: 'NONE' });
  });

  test('a new contradiction opens the order again', async () => {
    await put({ decision: 'FULFIL', revision: await admin.revisionOf('P1') }).expect(200);
    await admin.notify(paymentResult('F'));
    expect(await find()).toMatchObject({ fulfillable: false, nextAction: 'REVIEW', review: { decision: 'FULFIL' } });
  });

  test('another decision takes the place of the first', async () => {
    await put({ decision: 'FULFIL', revision: await admin.revisionOf('P1') }).expect(200);
    const { body } = await put({ decision: 'CLOSE', revision: await admin.revisionOf('P1') }).expect(200);
    expect(body).toMatchObject({ fulfillable: false, nextAction: 'NONE', review: { decision: 'CLOSE' } });
  });

  test.each([-1, 1])('another revision (%i) is a conflict that says which it is now', async (difference) => {
    const before = await find();
    const revision = await admin.revisionOf('P1');
    const response = await put({ decision: 'FULFIL', revision: revision + difference });
    expect([response.status, response.body.code]).toEqual([409, 'REVISION_OUTDATED']);
    expect(response.body.detail).toContain(`its revision is ${revision} now`);
    expect(response.body.order).toEqual(before);
    expect(await find()).toEqual(before);
    await put({ decision: 'FULFIL', revision }).expect(200);
  });

  test('FULFIL needs an order that is CAPTURED', async () => {
    const revision = await admin.revisionOf('P2');
    const response = await put({ decision: 'FULFIL', revision }, 'P2');
    expect([response.status, response.body.code]).toEqual([409, 'ORDER_NOT_CAPTURED']);
    expect(response.body.detail).toContain('this one is AUTHORIZED');
    expect((await find('P2'))['review']).toBeNull();
    await put({ decision: 'CLOSE', revision }, 'P2').expect(200);
  });

  test('names the orders that one paymentRequestId stands for', async () => {
    await admin.notify(payment({ paymentId: 'P3' }));
    const response = await put({ decision: 'CLOSE', revision: await admin.revisionOf('P1') }, 'R1');
    expect([response.status, response.body.code]).toEqual([409, 'AMBIGUOUS_ORDER']);
    expect(response.body.orders).toHaveLength(2);
    expect(response.body.orders).toContainEqual({ clientId: CLIENT, paymentId: 'P3', paymentRequestId: 'R1' });
    await put({ decision: 'CLOSE', revision: await admin.revisionOf('P1') }).expect(200);
  });

  test.each(['P9', '%20P1', '%00', 'x'.repeat(129)])('finds nothing under %s', async (id) => {
    const response = await put({ decision: 'CLOSE', revision: 1 }, id);
    expect([response.status, response.body.code]).toEqual([404, 'NOT_FOUND']);
  });

  test.each<readonly [string, object]>([
    ['no decision', { decision: undefined }],
    ['a decision in lower case', { decision: 'fulfil' }],
    ['a decision that is none', { decision: 'SHIP' }],
    ['no revision', { revision: undefined }],
    ['a revision of null', { revision: null }],
    ['a revision as a text', { revision: '1764079258123' }],
    ['a revision as a fraction', { revision: 1.5 }],
    ['a negative revision', { revision: -1 }],
    ['a note as a number', { note: 7 }],
    ['a note of 1,025 characters', { note: 'x'.repeat(1_025) }],
    ['a note with U+0000', { note: 'a\0b' }],
    ['a further member', { settled: [] }],
    ['a clientId as a number', { clientId: 1 }],
    ['a clientId that no database keeps', { clientId: '\0' }],
  ])('refuses %s', async (_, change) => {
    const accepted = { decision: 'FULFIL', revision: await admin.revisionOf('P1'), note: 'x'.repeat(1_024) };
    const response = await put({ ...accepted, ...change });
    expect([response.status, response.body.code]).toEqual([400, 'MALFORMED_REQUEST']);
    expect((await find())['review']).toBeNull();
    await put(accepted).expect(200);
  });

  test('takes no parameters, and JSON only', async () => {
    const accepted = { decision: 'FULFIL', revision: await admin.revisionOf('P1'), note: '', clientId: null };
    const sent = request(admin.app).put('/api/orders/P1/review').set('Content-Type', 'text/plain');
    await sent.send(JSON.stringify(accepted)).expect(415);
    await request(admin.app).put(`/api/orders/P1/review?clientId=${CLIENT}`).send(accepted).expect(400);
    expect((await put(accepted).expect(200)).body.review.note).toBeNull();
  });
});

describe('DELETE /api/orders/:id/review', () => {
  test('takes a review back, and the order is as before', async () => {
    const { revision: first, updatedAt: _then, ...before } = await find();
    await put({ decision: 'FULFIL', revision: first }).expect(200);
    const { body } = await withdraw().expect(200);
    expect(body).toMatchObject(before);
    expect(body.revision).toBeGreaterThan(Number(first));
    expect(await find()).toEqual(body);
  });

  test('says what is not there', async () => {
    expect((await withdraw().expect(404)).body.detail).toBe('There is no such review.');
    expect((await withdraw('P9/review').expect(404)).body.detail).toMatch(/^There is no such order\. It is named by/);
  });

  test('names the orders that one paymentRequestId stands for', async () => {
    await put({ decision: 'CLOSE', revision: await admin.revisionOf('P1') }).expect(200);
    await admin.notify(payment({ paymentId: 'P3' }));
    expect((await withdraw('R1/review').expect(409)).body.code).toBe('AMBIGUOUS_ORDER');
    await withdraw('P1/review').expect(200);
  });

  test('takes clientId alone', async () => {
    await put({ decision: 'CLOSE', revision: await admin.revisionOf('P1') }).expect(200);
    await withdraw('P1/review?revision=1').expect(400);
    await withdraw('P1/review').send({ clientId: CLIENT }).expect(400);
    await withdraw(`P1/review?clientId=${CLIENT}`).expect(200);
  });
});

const detailOf = (where: string) => `Several clients are configured: say which one by clientId in the ${where}.`;

describe('a review, with several clients', () => {
  beforeEach(async () => {
    await admin.close();
    admin = await openAdmin({ clientIds: () => [CLIENT, OTHER] });
    await openAll();
  });

  test('wants to know whose order is meant', async () => {
    const decided = { decision: 'CLOSE', revision: await admin.revisionOf('P1') };
    expect((await put(decided).expect(400)).body).toMatchObject({ code: 'CLIENT_REQUIRED', detail: detailOf('body') });
    expect((await withdraw().expect(400)).body).toMatchObject({ code: 'CLIENT_REQUIRED', detail: detailOf('query') });
    await put({ ...decided, clientId: OTHER }).expect(404);
    await put({ ...decided, clientId: CLIENT }).expect(200);
    expect((await withdraw().expect(400)).body.code).toBe('CLIENT_REQUIRED');
    await withdraw(`P1/review?clientId=${OTHER}`).expect(404);
    await withdraw(`P1/review?clientId=${CLIENT}`).expect(200);
  });
});
