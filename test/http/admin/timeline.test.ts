import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { captureResult, jpy, paymentResult } from '../../support/facts.ts';
import { keepPosts, shopOf, takeChanges } from '../../support/posts.ts';
import { type Admin, CLIENT, openAdmin, OTHER, signedRequest, TIME } from './support.ts';

let admin: Admin;
const timelineOf = (id: string, more = '') =>
  request(admin.app).get(`/api/orders/${encodeURIComponent(id)}/timeline${more}`);

interface Item {
  readonly type: string;
  readonly at: string;
  readonly says: unknown;
}
const itemsOf = (body: unknown): readonly Item[] => (body as { readonly items: readonly Item[] }).items;

const callbacksOf = async (id: string) =>
  itemsOf((await timelineOf(id, `?clientId=${OTHER}`).expect(200)).body).filter(({ type }) => type === 'callback');

describe('GET /api/orders/:id/timeline', () => {
  beforeAll(async () => {
    admin = await openAdmin({ clientIds: () => [CLIENT, OTHER] });
    const ids = { paymentId: 'P-0001', paymentRequestId: 'R-0001' };
    await admin.notify(paymentResult('S', { ...ids, paymentAmount: jpy('120'), paymentMethodType: 'CARD' }));
    await admin.notify(captureResult('S', { paymentId: 'P-0001', captureId: 'C-0001', captureAmount: jpy('120') }), {
      receivedAt: new Date('2025-05-17T08:00:00.000Z'),
    });
    for (const paymentId of ['P-0002', 'P-0003'])
      await admin.notify(paymentResult('S', { paymentId, paymentRequestId: 'R-twice' }));
    await admin.keepUnverified(
      { ...signedRequest(Buffer.from('{"captureId":"C-0002","of":"R-0001"}')), clientIds: ['T_stranger'] },
      'UNKNOWN_CLIENT',
    );
  });
  afterAll(async () => await admin.close());

  test('tells all that is stored about an order, oldest first, with what it said from then on', async () => {
    const { body } = await timelineOf('R-0001', `?clientId=${CLIENT}`).expect(200);
    expect(body).toEqual({
      order: expect.objectContaining({ paymentId: 'P-0001', status: 'CAPTURED', fulfillable: true }),
      why: {
        status: ['JPY 120 was captured, and JPY 120 is due. Captures that succeeded: C-0001.'],
        fulfillable: [
          'Yes: it is captured, and nothing speaks against it.',
          'No price is registered, so nothing says whether the amount is right.',
        ],
        nextAction: ['It is paid.'],
        advice: ['FULFIL: Ship it, once for its referenceOrderId.'],
        isWrong: false,
      },
      items: expect.any(Array),
      omitted: 0,
      note: null,
      inquiry: null,
      notSearched: null,
    });
    const said = { status: 'AUTHORIZED', fulfillable: false, nextAction: 'WAIT', attention: [] };
    expect(itemsOf(body).map(({ type, says }) => [type, says])).toEqual([
      ['notification', said],
      ['unverified', null],
      ['notification', { status: 'CAPTURED', fulfillable: true, nextAction: 'FULFIL', attention: [] }],
    ]);
  });

  test('tells when APO is asked about the order', async () => {
    const key = { clientId: CLIENT, about: 'order', id: 'P-0001' } as const;
    const dueAt = Date.parse('2026-01-02T03:04:05Z');
    await admin.store.planInquiries([{ key, position: '0', why: 'authorized', dueAt }]);
    const { body } = await timelineOf('P-0001', `?clientId=${CLIENT}`).expect(200);
    expect(body).toMatchObject({
      inquiry: { why: 'authorized', askedAt: null, outcome: null, attempts: 0, nextAt: '2026-01-02T03:04:05.000Z' },
    });
  });

  test('tells what a shop was told of the order, and what it is still to be told', async () => {
    const { store } = admin;
    const shop = shopOf(OTHER);
    await takeChanges(store, shop);
    await admin.notify(paymentResult('S', { paymentId: 'P-0004', paymentRequestId: 'R-0004' }), { clientId: OTHER });
    await takeChanges(store, shop);
    const until = Date.now() + 60_000;
    await keepPosts(store, shop, { fails: 'HTTP 503', url: { kind: 'paused', until, attempts: 1, why: 'HTTP 503' } });
    const [order] = await store.findOrders({ clientId: OTHER, id: 'P-0004' });
    const revision = order?.revision;
    const told = { type: 'callback', at: TIME, origin: shop.origin, revision, says: null };
    expect(await callbacksOf('P-0004')).toEqual([
      { ...told, waiting: { attempts: 1, nextAttemptAt: new Date(until).toISOString(), why: 'HTTP 503' } },
    ]);

    await store.sendCallbacks({ clientId: OTHER, id: 'P-0004' });
    await keepPosts(store, shop);
    expect(await callbacksOf('P-0004')).toEqual([{ ...told, waiting: null }]);
  });

  test('an unverified request that holds one of its ids is marked as such, and changes nothing', async () => {
    const { body } = await timelineOf('P-0001', `?clientId=${CLIENT}`).expect(200);
    expect(itemsOf(body)[1]).toEqual({
      type: 'unverified',
      at: TIME,
      verified: false,
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      reason: 'UNKNOWN_CLIENT',
      diagnosis: null,
      deliveries: 1,
      bytes: expect.any(Number),
      firstReceivedAt: TIME,
      lastReceivedAt: TIME,
      says: null,
    });
  });

  test.each([
    ['of an unknown id', 'P-9999/timeline?clientId=T_client', 404],
    ['of what is no id', '%20P-0001/timeline?clientId=T_client', 404],
    ['of another client', 'P-0001/timeline?clientId=T_other', 404],
    ['of nobody says whom', 'P-0001/timeline', 400],
    ['with a parameter too many', 'P-0001/timeline?clientId=T_client&limit=3', 400],
    ['of several orders', 'R-twice/timeline?clientId=T_client', 409],
  ])('there is none %s', async (_, target, status) => {
    const response = await request(admin.app).get(`/api/orders/${target}`);
    expect([response.status, response.type]).toEqual([status, 'application/problem+json']);
  });
});
