import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { OUTCOMES } from '../../../src/order/reading.ts';
import { verifiesNow } from '../../../src/upkeep/verify-again.ts';
import { captureResult, jpy, paymentResult, result } from '../../support/facts.ts';
import { type Admin, CLIENT, openAdmin, OTHER, RECEIVED_AT, REQUEST_TIME, ROTATED, TARGET, toBody } from './support.ts';

let admin: Admin;
const closing = async () => await admin.close();

const payment = paymentResult('S', { paymentAmount: jpy('120') });
const capture = captureResult('S', { captureId: 'C1', captureAmount: jpy('120') });
const unhandled = { notifyType: 'REFUND_RESULT', paymentId: 'P1', result: result('S') };
const malformed = paymentResult('S', { paymentId: 'P2', paymentAmount: 120 });

const idOf = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

/** What retention will do one day: the facts stay, the bytes go. */
const removeBytes = (): void => {
  const db = new DatabaseSync(admin.file);
  db.exec('delete from raw_batches');
  db.close();
};

interface Listing {
  readonly items: readonly { readonly id: string; readonly kind: string; readonly outcome: string }[];
  readonly next: string | null;
}
const list = async (query = ''): Promise<Listing> =>
  (await request(admin.app).get(`/api/notifications${query}`).expect(200)).body as Listing;
const ids = ({ items }: Listing) => items.map(({ id }) => id);
const [PAYMENT, CAPTURE, UNHANDLED, MALFORMED] = [payment, capture, unhandled, malformed].map((fields) =>
  idOf(toBody(fields)),
);

const redrive = (id: string | undefined) => request(admin.app).post(`/api/notifications/${id}/redrive`);

describe('GET /api/notifications', () => {
  beforeAll(async () => {
    admin = await openAdmin();
    for (const fields of [payment, capture, unhandled, malformed, payment]) await admin.notify(fields);
  });
  afterAll(closing);

  test('lists what is stored, newest first, a resend as a delivery', async () => {
    const all = await list();
    expect(ids(all)).toEqual([MALFORMED, UNHANDLED, CAPTURE, PAYMENT]);
    expect(all.next).toBeNull();
    expect(all.items.at(-1)).toEqual({
      clientId: CLIENT,
      id: PAYMENT,
      kind: 'PAYMENT',
      paymentId: 'P1',
      identifiers: [
        { name: 'paymentId', value: 'P1' },
        { name: 'paymentRequestId', value: 'R1' },
      ],
      outcome: 'APPLIED',
      problem: null,
      deliveries: 2,
      firstReceivedAt: RECEIVED_AT,
      lastReceivedAt: RECEIVED_AT,
    });
  });

  test('pages to the end', async () => {
    const first = await list('?limit=3');
    expect(ids(first)).toEqual([MALFORMED, UNHANDLED, CAPTURE]);
    const second = await list(`?limit=3&cursor=${first.next}`);
    expect([ids(second), second.next]).toEqual([[PAYMENT], null]);
  });

  test('lists those of a kind, an outcome, a payment', async () => {
    expect(ids(await list('?kind=PAYMENT'))).toEqual([MALFORMED, PAYMENT]);
    expect(ids(await list('?outcome=UNHANDLED'))).toEqual([UNHANDLED]);
    expect(ids(await list('?paymentId=P1'))).toEqual([UNHANDLED, CAPTURE, PAYMENT]);
    expect(ids(await list('?kind=PAYMENT&outcome=MALFORMED&paymentId=P2'))).toEqual([MALFORMED]);
    expect(ids(await list('?paymentId=P1&outcome=MALFORMED'))).toEqual([]);
    expect(ids(await list('?kind=INVOICE'))).toEqual([]);
  });

  test.each(OUTCOMES)('takes outcome %s', async (outcome) => {
    expect((await list(`?outcome=${outcome}`)).items.every((item) => item.outcome === outcome)).toBe(true);
  });

  test.each([
    'kind=',
    'kind=PAYMENT_RESULT',
    'type=PAYMENT',
    'outcome=applied',
    'outcome=',
    'outcome=HELD',
    'paymentId=',
    'paymentId=a%20b',
    `paymentId=${'x'.repeat(65)}`,
    'limit=0',
    'limit=1001',
    'cursor=',
    'cursor=x',
    'notifyType=PAYMENT_RESULT',
    'clientId=T_client',
    'after=0',
    'outcome=APPLIED&outcome=FAILED',
  ])('refuses ?%s', async (query) => {
    const response = await request(admin.app).get(`/api/notifications?${query}`);
    expect([response.status, response.body.code]).toEqual([400, 'MALFORMED_REQUEST']);
  });
});

describe('GET /api/notifications/:id', () => {
  afterEach(closing);

  test('gives the headers and the very bytes, and whether the signature verifies now', async () => {
    admin = await openAdmin();
    await admin.notify(payment);
    const { body } = await request(admin.app).get(`/api/notifications/${PAYMENT}`).expect(200);
    expect(body).toEqual({
      ...(await list()).items[0],
      method: 'POST',
      target: TARGET,
      headers: {
        'client-id': CLIENT,
        'request-time': REQUEST_TIME,
        signature: expect.stringMatching(/^algorithm=RSA256,keyVersion=1,signature=/),
      },
      body: toBody(payment).toString('base64'),
      signatureVerifies: true,
    });
  });

  test('after the keys have changed the signature no longer verifies', async () => {
    admin = await openAdmin({ verifiesNow: (stored) => verifiesNow(stored, ROTATED) });
    await admin.notify(payment);
    expect((await request(admin.app).get(`/api/notifications/${PAYMENT}`).expect(200)).body.signatureVerifies).toBe(
      false,
    );
  });

  test('once its bytes are gone nothing can be verified', async () => {
    admin = await openAdmin();
    await admin.notify(payment);
    removeBytes();
    const { body } = await request(admin.app).get(`/api/notifications/${PAYMENT}`).expect(200);
    expect(body).toMatchObject({ id: PAYMENT, body: null, signatureVerifies: null, target: null, headers: null });
  });

  test.each(['0'.repeat(64), 'nope', 'A'.repeat(64), '0'.repeat(63), '0'.repeat(66), '%00', '__proto__'])(
    'finds nothing under %s',
    async (id) => {
      admin = await openAdmin();
      const response = await request(admin.app).get(`/api/notifications/${id}`);
      expect([response.status, response.body.code]).toEqual([404, 'NOT_FOUND']);
    },
  );

  test('with several clients the same body is one notification each: clientId says which', async () => {
    admin = await openAdmin({ clientIds: () => [CLIENT, OTHER] });
    await admin.notify(payment);
    await admin.notify(payment, { clientId: OTHER });
    const one = await request(admin.app).get(`/api/notifications/${PAYMENT}`);
    expect([one.status, one.body.code]).toEqual([400, 'CLIENT_REQUIRED']);
    for (const clientId of [CLIENT, OTHER]) {
      const { body } = await request(admin.app).get(`/api/notifications/${PAYMENT}?clientId=${clientId}`).expect(200);
      expect([body.clientId, body.headers['client-id'], body.signatureVerifies]).toEqual([clientId, clientId, true]);
    }
    await request(admin.app).get(`/api/notifications/${PAYMENT}?clientId=T_nobody`).expect(404);
  });

  test('refuses other parameters', async () => {
    admin = await openAdmin();
    await admin.notify(payment);
    await request(admin.app).get(`/api/notifications/${PAYMENT}?raw=true`).expect(400);
  });
});

describe('POST /api/notifications/:id/redrive', () => {
  afterEach(closing);

  test('applies one that failed, and its order appears', async () => {
    admin = await openAdmin();
    await admin.notify(payment, { inapplicable: true });
    await request(admin.app).get('/api/orders/P1').expect(404);
    expect((await redrive(PAYMENT).expect(200)).body).toEqual({ outcome: 'APPLIED' });
    expect((await request(admin.app).get('/api/orders/P1').expect(200)).body.status).toBe('AUTHORIZED');
    expect((await list()).items).toEqual([expect.objectContaining({ outcome: 'APPLIED', deliveries: 1 })]);
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
    removeBytes();
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
    removeBytes();
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
});
