import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { captureResult, jpy, paymentResult, result } from '../../support/facts.ts';
import { type Admin, CLIENT, openAdmin, OTHER, removeBytes, toBody } from './support.ts';

let admin: Admin;
const closing = async () => await admin.close();

const payment = paymentResult('S', { paymentAmount: jpy('120') });
const capture = captureResult('S', { captureId: 'C1', captureAmount: jpy('120') });
const unhandled = { notifyType: 'OFFLINE_PAYMENT_CODE', paymentId: 'P1', result: result('S') };
const malformed = paymentResult('S', { paymentId: 'P2', paymentAmount: 120 });
const PAYMENT = createHash('sha256').update(toBody(payment)).digest('hex');

const redrive = (id: string) => request(admin.app).post(`/api/notifications/${id}/redrive`);

describe('POST /api/notifications/:id/redrive', () => {
  afterEach(closing);

  test('applies one that failed, and its order says what it stated', async () => {
    admin = await openAdmin();
    await admin.notify(payment, { inapplicable: true });
    expect((await request(admin.app).get('/api/orders/P1').expect(200)).body).toMatchObject({
      status: 'PENDING',
      nextAction: 'REVIEW',
      attention: [{ code: 'UNREADABLE_NOTIFICATION' }],
    });
    expect((await redrive(PAYMENT).expect(200)).body).toEqual({ outcome: 'APPLIED' });
    expect((await request(admin.app).get('/api/orders/P1').expect(200)).body.status).toBe('AUTHORIZED');
    expect((await request(admin.app).get('/api/notifications')).body.items).toEqual([
      expect.objectContaining({ outcome: 'APPLIED', deliveries: 1 }),
    ]);
  });

  test('is never blocked by having been seen, and changes nothing then', async () => {
    admin = await openAdmin();
    await admin.notify(payment);
    const { body: before } = await request(admin.app).get('/api/orders/P1');
    expect((await redrive(PAYMENT).expect(200)).body).toEqual({ outcome: 'APPLIED' });
    expect((await redrive(PAYMENT).expect(200)).body).toEqual({ outcome: 'APPLIED' });
    expect((await request(admin.app).get('/api/orders/P1')).body).toEqual(before);
  });

  test.each([['UNHANDLED', unhandled] as const, ['MALFORMED', malformed] as const])(
    'says %s of what still is',
    async (outcome, fields) => {
      admin = await openAdmin();
      const id = await admin.notify(fields);
      expect((await redrive(id).expect(200)).body).toEqual({ outcome });
    },
  );

  test.each(['0'.repeat(64), 'nope'])('finds nothing under %s', async (id) => {
    admin = await openAdmin();
    expect((await redrive(id)).status).toBe(404);
  });

  test('cannot apply one whose bytes are gone', async () => {
    admin = await openAdmin();
    await admin.notify(payment);
    removeBytes(admin);
    const response = await redrive(PAYMENT);
    expect([response.status, response.body.code]).toEqual([409, 'NOTIFICATION_WITHOUT_BYTES']);
  });

  test('with several clients wants to know whose', async () => {
    admin = await openAdmin({ clientIds: () => [CLIENT, OTHER] });
    await admin.notify(payment, { clientId: OTHER });
    expect((await redrive(PAYMENT)).body.code).toBe('CLIENT_REQUIRED');
    await request(admin.app).post(`/api/notifications/${PAYMENT}/redrive?clientId=${CLIENT}`).expect(404);
    await request(admin.app).post(`/api/notifications/${PAYMENT}/redrive?clientId=${OTHER}`).expect(200);
  });

  test('refuses other parameters', async () => {
    admin = await openAdmin();
    await request(admin.app).post(`/api/notifications/${PAYMENT}/redrive?outcome=FAILED`).expect(400);
  });
});

describe('POST /api/redrive', () => {
  afterEach(closing);
  const none = { APPLIED: 0, UNHANDLED: 0, MALFORMED: 0, FAILED: 0 };

  test('applies those of an outcome again and reports', async () => {
    admin = await openAdmin();
    for (const fields of [payment, capture]) await admin.notify(fields, { inapplicable: true });
    await admin.notify(unhandled);
    const { body } = await request(admin.app).post('/api/redrive?outcome=FAILED').expect(200);
    expect(body).toEqual({ redriven: 2, outcomes: { ...none, APPLIED: 2 }, withoutBytes: 0, held: 0 });
    expect((await request(admin.app).get('/api/orders/P1')).body).toMatchObject({
      status: 'CAPTURED',
      fulfillable: true,
    });
    expect((await request(admin.app).post('/api/redrive?outcome=FAILED')).body.redriven).toBe(0);
  });

  test('without an outcome applies all again', async () => {
    admin = await openAdmin();
    for (const fields of [payment, capture, unhandled, malformed]) await admin.notify(fields);
    const { body } = await request(admin.app).post('/api/redrive').expect(200);
    expect(body).toEqual({
      redriven: 4,
      outcomes: { ...none, APPLIED: 2, UNHANDLED: 1, MALFORMED: 1 },
      withoutBytes: 0,
      held: 0,
    });
  });

  test('counts what it could not apply', async () => {
    admin = await openAdmin();
    await admin.notify(payment);
    removeBytes(admin);
    expect((await request(admin.app).post('/api/redrive').expect(200)).body).toEqual({
      redriven: 0,
      outcomes: none,
      withoutBytes: 1,
      held: 0,
    });
  });

  test.each(['outcome=failed', 'outcome=', 'outcome=FAILED&outcome=MALFORMED', 'kind=PAYMENT', 'outcom=FAILED'])(
    'refuses ?%s',
    async (query) => {
      admin = await openAdmin();
      await request(admin.app).post(`/api/redrive?${query}`).expect(400);
    },
  );

  test.each(['/api/redrive', `/api/notifications/${PAYMENT}/redrive`])(
    'takes no body of %s but an empty one',
    async (path) => {
      admin = await openAdmin();
      await admin.notify(payment);
      const post = () => request(admin.app).post(path);
      await post().send({}).expect(200);
      await post().set('Content-Type', 'application/json').send('').expect(200);
      for (const said of ['{"outcome":"FAILED"}', '[]', 'outcome=FAILED', '{'])
        expect((await post().set('Content-Type', 'application/json').send(said).expect(400)).body).toMatchObject({
          code: 'MALFORMED_REQUEST',
          detail: 'This path takes no body: what it takes is given in the path and the query.',
        });
    },
  );
});
