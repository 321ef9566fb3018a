import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { OUTCOMES } from '../../../src/order/reading.ts';
import { verifiesNow } from '../../../src/upkeep/verify-again.ts';
import { captureResult, jpy, paymentResult, result } from '../../support/facts.ts';
import {
  type Admin,
  CLIENT,
  openAdmin,
  OTHER,
  RECEIVED_AT,
  removeBytes,
  REQUEST_TIME,
  ROTATED,
  TARGET,
  toBody,
} from './support.ts';

let admin: Admin;
const closing = async () => await admin.close();

const payment = paymentResult('S', { paymentAmount: jpy('120') });
const capture = captureResult('S', { captureId: 'C1', captureAmount: jpy('120') });
const unhandled = { notifyType: 'OFFLINE_PAYMENT_CODE', paymentId: 'P1', result: result('S') };
const malformed = paymentResult('S', { paymentId: 'P2', paymentAmount: 120 });

const idOf = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

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

describe('GET /api/notifications', () => {
  beforeAll(async () => {
    admin = await openAdmin({ clientIds: () => [CLIENT, OTHER] });
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
      asked: null,
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

  test('lists those of a kind, an outcome, an identifier, a client', async () => {
    expect(ids(await list('?kind=PAYMENT'))).toEqual([MALFORMED, PAYMENT]);
    expect(ids(await list('?outcome=UNHANDLED'))).toEqual([UNHANDLED]);
    expect(ids(await list('?id=P1'))).toEqual([UNHANDLED, CAPTURE, PAYMENT]);
    expect(ids(await list('?id=C1'))).toEqual([CAPTURE]);
    expect(ids(await list('?id=R1'))).toEqual([MALFORMED, PAYMENT]);
    expect(ids(await list('?id=P9'))).toEqual([]);
    expect(ids(await list('?kind=PAYMENT&outcome=MALFORMED&id=P2'))).toEqual([MALFORMED]);
    expect(ids(await list('?id=P1&outcome=MALFORMED'))).toEqual([]);
    expect(ids(await list(`?id=P1&clientId=${CLIENT}`))).toEqual([UNHANDLED, CAPTURE, PAYMENT]);
    expect(ids(await list(`?clientId=${OTHER}`))).toEqual([]);
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
    'paymentId=P1',
    'id=',
    'id=%20a',
    `id=${'x'.repeat(129)}`,
    'limit=0',
    'limit=1001',
    'cursor=',
    'cursor=x',
    'notifyType=PAYMENT_RESULT',
    'clientId=',
    'after=',
    'after=5',
    'wait=1',
    'after=0&wait=61',
    'after=0&outcome=APPLIED',
    'after=0&id=P1',
    'after=0&cursor=5',
    'outcome=APPLIED&outcome=FAILED',
  ])('refuses ?%s', async (query) => {
    const response = await request(admin.app).get(`/api/notifications?${query}`);
    expect([response.status, response.body.code]).toEqual([400, 'MALFORMED_REQUEST']);
  });
});

describe('what another kind keeps secret', () => {
  afterEach(closing);

  test('is in its bytes alone', async () => {
    admin = await openAdmin();
    const secrets = { accessToken: 'secret-token-9f1', authCode: 'secret-code-9f1', userLoginId: 'secret-login-9f1' };
    const id = await admin.notify({ authorizationNotifyType: 'TOKEN_CREATED', result: result('S'), ...secrets });
    for (const path of [
      '/api/notifications',
      '/api/notifications?kind=AUTHORIZATION',
      `/api/notifications/${id}`,
      '/api/orders?after=0',
      '/api/find?id=secret-token-9f1',
    ]) {
      const { text } = await request(admin.app).get(path).expect(200);
      expect([path, text.includes('secret-')]).toEqual([path, false]);
    }
    const { body } = await request(admin.app).get(`/api/notifications/${id}`);
    expect(Buffer.from(String(body.body), 'base64').toString()).toContain(secrets.accessToken);
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
    removeBytes(admin);
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
