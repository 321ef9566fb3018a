import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { captureResult, jpy, paymentResult } from '../../support/facts.ts';
import { type Admin, CLIENT, openAdmin, OTHER, RECEIVED_AT, refunded, TIME } from './support.ts';

let admin: Admin;
beforeEach(async () => {
  admin = await openAdmin();
});
afterEach(async () => await admin.close());

const put = (path: string, body: object) => request(admin.app).put(`/api/refunds/${path}`).send(body);
const order = async (id = 'P1') => (await request(admin.app).get(`/api/orders/${id}`)).body as object;

interface Listing {
  readonly items: readonly { readonly refundRequestId: string | null; readonly paymentIds: readonly string[] }[];
  readonly next: string | null;
}
const list = async (query = ''): Promise<Listing> =>
  (await request(admin.app).get(`/api/refunds${query}`).expect(200)).body as Listing;
const named = ({ items }: Listing) => items.map(({ refundRequestId }) => refundRequestId);

const pay = async (): Promise<void> => {
  await admin.notify(paymentResult('S', { paymentAmount: jpy('120') }));
  await admin.notify(captureResult('S', { captureId: 'C1', captureAmount: jpy('120') }));
};
const JOINED = {
  refundedAmount: jpy('20'),
  refunds: [{ refundRequestId: 'FR1', refundId: 'F1', status: 'SUCCEEDED' }],
};
const UNJOINED = { refundedAmount: null, refunds: [] };

describe('PUT /api/refunds/:refundRequestId', () => {
  test('registers which payment a refund belongs to', async () => {
    expect((await put('FR1', { paymentId: 'P1' }).expect(201)).body).toEqual({
      clientId: CLIENT,
      refundRequestId: 'FR1',
      paymentId: 'P1',
      paymentRequestId: null,
      createdAt: TIME,
      updatedAt: TIME,
    });
    expect((await put('FR2', { paymentRequestId: 'R1', clientId: CLIENT }).expect(201)).body).toMatchObject({
      paymentId: null,
      paymentRequestId: 'R1',
    });
  });

  test.each<readonly [string, object]>([
    ['paymentId', { paymentId: 'P1' }],
    ['paymentRequestId', { paymentRequestId: 'R1' }],
  ])('joins it by %s, before or after it and its payment', async (_, payment) => {
    await put('FR1', payment).expect(201);
    await admin.notify(refunded());
    await pay();
    expect(await order()).toMatchObject(JOINED);

    await admin.notify(refunded({ refundId: 'F2', refundRequestId: 'FR2', refundAmount: jpy('30') }));
    expect(await order()).toMatchObject(JOINED);
    await put('FR2', payment).expect(201);
    expect(await order()).toMatchObject({ refundedAmount: jpy('50') });
  });

  test('the same again is a no-op', async () => {
    const { body: first } = await put('FR1', { paymentId: 'P1' }).expect(201);
    for (const again of [
      { paymentId: 'P1', paymentRequestId: null },
      { paymentId: 'P1', clientId: null },
    ]) {
      expect((await put('FR1', again).expect(200)).body).toEqual(first);
      expect((await put('FR1?replace=true', again).expect(200)).body).toEqual(first);
    }
  });

  test.each<readonly [string, object]>([
    ['another paymentId', { paymentId: 'P2' }],
    ['a paymentRequestId', { paymentRequestId: 'R1' }],
  ])('%s is a conflict that shows both, and the first one stays', async (_, other) => {
    await pay();
    await admin.notify(refunded());
    const { body: first } = await put('FR1', { paymentId: 'P1' }).expect(201);
    for (const path of ['FR1', 'FR1?replace=false']) {
      const response = await put(path, other);
      expect([response.status, response.body.code]).toEqual([409, 'REGISTRATION_CONFLICT']);
      expect(response.body.registration).toEqual(first);
      const nothing = { paymentId: null, paymentRequestId: null };
      expect(response.body.requested).toEqual({ clientId: CLIENT, refundRequestId: 'FR1', ...nothing, ...other });
    }
    expect(await order()).toMatchObject(JOINED);
  });

  test('one that was sent to APO stays with its payment', async () => {
    await pay();
    const asked = {
      kind: 'refund',
      amount: { currency: 'JPY', value: '20' },
      requestId: 'FR1',
      captureId: null,
      isLast: null,
    } as const;
    const at = new Date(RECEIVED_AT);
    await admin.store.beginMove({ clientId: CLIENT, id: 'P1', ...asked, nextAttemptAt: at.getTime() }, at);
    const { status, body } = await put('FR1?replace=true', { paymentId: 'P2' });
    expect([status, body.code, body.registration.paymentId]).toEqual([409, 'REGISTRATION_CONFLICT', 'P1']);
    expect(body.detail).toMatch(/^paynotify has sent this refund to APO/);
    expect(await order()).toMatchObject({ refunds: [{ refundRequestId: 'FR1', status: 'PROCESSING' }] });
  });

  test('?replace=true replaces it, and the refund leaves the first payment', async () => {
    await pay();
    await admin.notify(paymentResult('S', { paymentId: 'P2', paymentRequestId: 'R2', paymentAmount: jpy('120') }));
    await admin.notify(refunded());
    const { body: first } = await put('FR1?replace=true', { paymentId: 'P1' }).expect(201);
    const { body: second } = await put('FR1?replace=true', { paymentId: 'P2' }).expect(200);
    expect(second).toMatchObject({ paymentId: 'P2', createdAt: first.createdAt });
    expect(await order('P1')).toMatchObject(UNJOINED);
    expect(await order('P2')).toMatchObject(JOINED);
  });

  test.each<readonly [string, object]>([
    ['nothing', { paymentId: undefined }],
    ['null', { paymentId: null }],
    ['both ids', { paymentRequestId: 'R1' }],
    ['an empty id', { paymentId: '' }],
    ['an id with a space at its end', { paymentId: 'P1 ' }],
    ['an id with a control character', { paymentId: 'P\u0001' }],
    ['an id of 129 characters', { paymentId: 'x'.repeat(129) }],
    ['an id as a number', { paymentId: 1 }],
    ['an amount', { amount: jpy('20') }],
    ['a clientId as a number', { clientId: 1 }],
  ])('refuses %s', async (_, change) => {
    const response = await put('FR1', { paymentId: 'P1', ...change });
    expect([response.status, response.body.code]).toEqual([400, 'MALFORMED_REQUEST']);
    await put('FR1', { paymentId: 'P1' }).expect(201);
  });

  test.each(['%20FR1', 'FR1%20', '%00', 'x'.repeat(129), 'FR1?force=true', 'FR1?replace=1', 'FR1?paymentId=P1'])(
    'refuses %s',
    async (path) => {
      expect((await put(path, { paymentId: 'P1' }).expect(400)).body.code).toBe('MALFORMED_REQUEST');
    },
  );

  test('takes JSON only', async () => {
    const sent = request(admin.app).put('/api/refunds/FR1').set('Content-Type', 'text/plain');
    await sent.send(JSON.stringify({ paymentId: 'P1' })).expect(415);
    await put('FR1', { paymentId: 'P1' }).set('Content-Type', 'application/json; charset=utf-8').expect(201);
  });

  test('keeps nothing for a client that is not configured', async () => {
    const response = await put('FR1', { paymentId: 'P1', clientId: OTHER });
    expect([response.status, response.body.code]).toEqual([400, 'UNKNOWN_CLIENT']);
    await put('FR1', { paymentId: 'P1', clientId: CLIENT }).expect(201);
  });

  test('with several clients wants to know whose it is', async () => {
    await admin.close();
    admin = await openAdmin({ clientIds: () => [CLIENT, OTHER] });
    expect((await put('FR1', { paymentId: 'P1' }).expect(400)).body.code).toBe('CLIENT_REQUIRED');
    await put('FR1', { paymentId: 'P1', clientId: CLIENT }).expect(201);
    await put('FR1', { paymentId: 'P2', clientId: OTHER }).expect(201);
  });
});

describe('GET /api/refunds', () => {
  beforeEach(async () => {
    await pay();
    for (const number of [1, 2, 3])
      await admin.notify(refunded({ refundRequestId: `FR${number}`, refundId: `F${number}` }));
    await put('FR2', { paymentId: 'P1' }).expect(201);
  });

  test('lists refunds, the one that was notified of last first', async () => {
    const all = await list();
    expect([named(all), all.next]).toEqual([['FR3', 'FR2', 'FR1'], null]);
    expect(all.items[0]).toEqual({
      clientId: CLIENT,
      refundId: 'F3',
      refundRequestId: 'FR3',
      status: 'SUCCEEDED',
      amount: jpy('20'),
      refundTime: '2025-05-18T07:58:04Z',
      result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'as reported' },
      paymentIds: [],
      registration: null,
      notifications: [expect.stringMatching(/^[0-9a-f]{64}$/)],
      firstReceivedAt: RECEIVED_AT,
    });
    expect(all.items[1]).toMatchObject({
      paymentIds: ['P1'],
      registration: { refundRequestId: 'FR2', paymentId: 'P1', paymentRequestId: null },
    });
  });

  test('lists those that join a known payment, or that do not', async () => {
    expect(named(await list('?joined=false'))).toEqual(['FR3', 'FR1']);
    expect(named(await list('?joined=true'))).toEqual(['FR2']);
    await put('FR3', { paymentId: 'P9' }).expect(201);
    expect(named(await list('?joined=false'))).toEqual(['FR3', 'FR1']);
  });

  test('pages to the end', async () => {
    for (const query of ['', '&joined=false', '&joined=true']) {
      const whole = named(await list(`?limit=9${query}`));
      const paged: (string | null)[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: Listing = await list(
          `?limit=1${query}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
        );
        paged.push(...named(page));
        cursor = page.next;
      }
      expect([query, paged]).toEqual([query, whole]);
    }
  });

  test.each([
    'joined=',
    'joined=no',
    'joined=TRUE',
    'joined=1',
    'joined=true&joined=true',
    'limit=0',
    'limit=1001',
    'cursor=',
    'cursor=x',
    'paymentId=P1',
    'after=0',
  ])('refuses ?%s', async (query) => {
    const response = await request(admin.app).get(`/api/refunds?${query}`);
    expect([response.status, response.body.code]).toEqual([400, 'MALFORMED_REQUEST']);
  });
});
