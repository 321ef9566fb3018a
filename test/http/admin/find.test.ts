import { afterEach, beforeAll, afterAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { captureResult, type Fields, jpy, paymentResult, result } from '../../support/facts.ts';
import type { Store } from '../../../src/store/store.ts';
import { type Admin, CLIENT, openAdmin, OTHER, RECEIVED_AT, refunded, signedRequest } from './support.ts';

let admin: Admin;
const closing = async () => await admin.close();

interface Found {
  readonly orders: readonly { readonly paymentId: string | null; readonly paymentRequestId: string | null }[];
  readonly notifications: readonly { readonly kind: string; readonly clientId: string }[];
  readonly refunds: readonly { readonly refundRequestId: string | null }[];
  readonly refundRegistrations: readonly unknown[];
  readonly unverified: readonly { readonly reason: string; readonly verified: boolean }[];
  readonly notSearched: string | null;
}
const find = async (id: string, more = ''): Promise<Found> =>
  (
    await request(admin.app)
      .get(`/api/find?id=${encodeURIComponent(id)}${more}`)
      .expect(200)
  ).body as Found;
const payments = ({ orders }: Found) => orders.map(({ paymentId }) => paymentId ?? '').sort();
const kinds = ({ notifications }: Found) => notifications.map(({ kind }) => kind).sort();

const NOTIFICATIONS: readonly Fields[] = [
  paymentResult('S', { paymentId: 'P-0001', paymentRequestId: 'R-0001', paymentAmount: jpy('120') }),
  paymentResult('F', { paymentId: 'P-0002', paymentRequestId: 'R-0002' }),
  captureResult('S', {
    paymentId: 'P-0001',
    captureId: 'C-0001',
    captureRequestId: 'CR-0001',
    captureAmount: jpy('120'),
  }),
  refunded({ refundId: 'F-0001', refundRequestId: 'FR-0001' }),
  { disputeNotificationType: 'DISPUTE_CREATED', disputeId: 'D-0001', paymentId: 'P-0001', paymentRequestId: 'R-0001' },
  { vaultingRequestId: 'V-0001', result: result('S') },
];

const stranger = (text: string) => ({ ...signedRequest(Buffer.from(text)), clientIds: ['T_stranger'] });

describe('GET /api/find', () => {
  beforeAll(async () => {
    admin = await openAdmin({ clientIds: () => [CLIENT, OTHER] });
    for (const fields of NOTIFICATIONS) await admin.notify(fields);
    await admin.notify(paymentResult('U', { paymentId: 'P-0001', paymentRequestId: 'R-0001' }), { clientId: OTHER });
    const registered = { amount: jpy('120'), referenceOrderId: 'shop-0001', clientId: CLIENT };
    for (const id of ['R-0001', 'R-0002']) await request(admin.app).put(`/api/orders/${id}`).send(registered);
    await admin.keepUnverified(stranger('{"paymentId":"P-0001"}'), 'UNKNOWN_CLIENT');
    await admin.keepUnverified(stranger('P-0001 in no JSON at all'), 'SIGNATURE_MISMATCH');
    await admin.keepUnverified(stranger('{"paymentId":"P-9"}'), 'UNKNOWN_CLIENT');
  });
  afterAll(closing);

  test('gives all that carries an identifier, and apart what is not verified', async () => {
    const found = await find('P-0001', `&clientId=${CLIENT}`);
    expect(Object.keys(found)).toEqual([
      'orders',
      'notifications',
      'refunds',
      'refundRegistrations',
      'unverified',
      'notSearched',
    ]);
    expect(payments(found)).toEqual(['P-0001']);
    expect(kinds(found)).toEqual(['CAPTURE', 'DISPUTE', 'PAYMENT']);
    expect(found.refunds).toEqual([]);
    expect(found.unverified.map(({ reason }) => reason).sort()).toEqual(['SIGNATURE_MISMATCH', 'UNKNOWN_CLIENT']);
    expect(found.unverified[0]).toEqual({
      verified: false,
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      reason: 'SIGNATURE_MISMATCH',
      diagnosis: null,
      deliveries: 1,
      bytes: expect.any(Number),
      firstReceivedAt: RECEIVED_AT,
      lastReceivedAt: RECEIVED_AT,
    });
    expect(found.notSearched).toBeNull();
  });

  test.each([
    ['R-0001', ['P-0001'], ['DISPUTE', 'PAYMENT']],
    ['C-0001', ['P-0001'], ['CAPTURE']],
    ['CR-0001', ['P-0001'], ['CAPTURE']],
    ['D-0001', ['P-0001'], ['DISPUTE']],
    ['V-0001', [], ['VAULTING']],
    ['shop-0001', ['P-0001', 'P-0002'], []],
    ['P-000', [], []],
  ] as const)('finds %s', async (id, orders, notifications) => {
    const found = await find(id, `&clientId=${CLIENT}`);
    expect([payments(found), kinds(found)]).toEqual([orders, notifications]);
  });

  test.each(['F-0001', 'FR-0001'])('finds the refund %s, which joins no payment', async (id) => {
    const found = await find(id);
    expect(kinds(found)).toEqual(['REFUND']);
    expect(found.refunds).toEqual([expect.objectContaining({ refundId: 'F-0001', paymentIds: [] })]);
    expect(payments(found)).toEqual([]);
  });

  test('finds a refund that is only registered, with the order of its payment', async () => {
    const registered = { paymentId: 'P-0001', clientId: CLIENT };
    await request(admin.app).put('/api/refunds/FR-0002').send(registered).expect(201);
    const found = await find('FR-0002');
    expect(payments(found)).toEqual(['P-0001']);
    expect([found.notifications, found.refunds]).toEqual([[], []]);
    expect(found.refundRegistrations).toEqual([
      expect.objectContaining({ ...registered, refundRequestId: 'FR-0002', paymentRequestId: null }),
    ]);
  });

  test('looks at all clients unless one is named', async () => {
    expect((await find('P-0001')).orders).toHaveLength(2);
    expect((await find('P-0001', `&clientId=${OTHER}`)).notifications).toEqual([
      expect.objectContaining({ clientId: OTHER, kind: 'PAYMENT' }),
    ]);
  });

  test('whoever an unverified request says it is from, it is found', async () => {
    expect((await find('P-0001', `&clientId=${OTHER}`)).unverified).toHaveLength(2);
  });

  test('says why unverified requests are not searched for fewer than six characters', async () => {
    const short = await find('P-000');
    expect(short.unverified).toEqual([]);
    expect(short.notSearched).toContain('fewer than 6 characters');
    expect((await find('P-0009')).notSearched).toBeNull();
  });

  test('lists at most twenty unverified requests', async () => {
    for (let number = 0; number < 21; number += 1)
      await admin.keepUnverified(stranger(`repeated-${number}`), 'SIGNATURE_MISMATCH');
    expect((await find('repeated-')).unverified).toHaveLength(20);
  });

  test.each([
    '',
    'id=',
    'id=%20P-0001',
    'id=P-0001%20',
    'id=a%00b',
    `id=${'x'.repeat(129)}`,
    'id=P-0001&limit=5',
    'id=P-0001&clientId=',
    'id=P-0001&id=P-0002',
    'paymentId=P-0001',
  ])('refuses ?%s', async (query) => {
    const response = await request(admin.app).get(`/api/find?${query}`);
    expect([response.status, response.body.code]).toEqual([400, 'MALFORMED_REQUEST']);
  });
});

describe('while unverified requests are searched', () => {
  afterEach(closing);

  test('a second search finds what is verified, and says that it did not search the rest', async () => {
    const first = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const held = (store: Store): Store => ({
      ...store,
      findInUnverified: async (...asked) => {
        begun.resolve();
        await first.promise;
        return await store.findInUnverified(...asked);
      },
    });
    admin = await openAdmin({ around: held });
    await admin.notify(paymentResult('S', { paymentId: 'P-0001' }));
    await admin.keepUnverified(stranger('{"paymentId":"P-0001"}'), 'UNKNOWN_CLIENT');
    const slow = find('P-0001');
    await begun.promise;
    const meanwhile = await find('P-0001');
    expect([payments(meanwhile), meanwhile.unverified]).toEqual([['P-0001'], []]);
    expect(meanwhile.notSearched).toContain('another search is under way');
    first.resolve();
    expect(await slow).toMatchObject({ notSearched: null, unverified: [{ verified: false }] });
    expect(await find('P-0001')).toMatchObject({ notSearched: null, unverified: [{ verified: false }] });
  });
});
