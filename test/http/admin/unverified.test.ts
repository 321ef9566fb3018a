import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { UNVERIFIED_REASONS } from '../../../src/antom/signature.ts';
import { jpy, paymentResult } from '../../support/facts.ts';
import {
  type Admin,
  CLIENT,
  openAdmin,
  OTHER,
  RECEIVED_AT,
  REQUEST_TIME,
  signedRequest,
  TARGET,
  toBody,
} from './support.ts';

const accepted = signedRequest(toBody(paymentResult('S', { paymentAmount: jpy('120') })));
const body = Buffer.from([0x00, 0xff, 0x7b, 0x0a]);
const doubled = { ...accepted, clientIds: [CLIENT, OTHER], requestTimes: [], body };

let admin: Admin;
const closing = async () => await admin.close();
beforeAll(async () => {
  // Several clients: nobody vouches for the one that an unverified request names, so it is never asked for.
  admin = await openAdmin({ clientIds: () => [CLIENT, OTHER] });
  await admin.keepUnverified(doubled, 'DUPLICATE_HEADER');
  await admin.keepUnverified({ ...accepted, body }, 'SIGNATURE_MISMATCH');
  await admin.keepUnverified({ ...accepted, clientIds: ['T_stranger'] }, 'UNKNOWN_CLIENT');
  await admin.keepUnverified(doubled, 'DUPLICATE_HEADER');
});
afterAll(closing);

interface Listing {
  readonly items: readonly { readonly id: string; readonly reason: string }[];
  readonly next: string | null;
}
const list = async (query = ''): Promise<Listing> =>
  (await request(admin.app).get(`/api/unverified${query}`).expect(200)).body as Listing;
const reasons = ({ items }: Listing) => items.map(({ reason }) => reason);

describe('GET /api/unverified', () => {
  test('lists what failed verification, newest first, a repeat as a delivery', async () => {
    const all = await list();
    expect(reasons(all)).toEqual(['UNKNOWN_CLIENT', 'SIGNATURE_MISMATCH', 'DUPLICATE_HEADER']);
    expect(all.next).toBeNull();
    expect(all.items.at(-1)).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      reason: 'DUPLICATE_HEADER',
      diagnosis: null,
      deliveries: 2,
      bytes: expect.any(Number),
      firstReceivedAt: RECEIVED_AT,
      lastReceivedAt: RECEIVED_AT,
    });
  });

  test('pages to the end', async () => {
    const first = await list('?limit=2');
    expect(reasons(first)).toEqual(['UNKNOWN_CLIENT', 'SIGNATURE_MISMATCH']);
    const second = await list(`?limit=2&cursor=${first.next}`);
    expect([reasons(second), second.next]).toEqual([['DUPLICATE_HEADER'], null]);
  });

  test.each(UNVERIFIED_REASONS)('lists those of reason %s', async (reason) => {
    expect(reasons(await list(`?reason=${reason}`)).filter((its) => its !== reason)).toEqual([]);
  });

  test('takes every reason, and no other', async () => {
    expect(reasons(await list('?reason=SIGNATURE_MISMATCH'))).toEqual(['SIGNATURE_MISMATCH']);
  });

  test.each([
    'reason=',
    'reason=FORGED',
    'reason=unknown_client',
    'limit=0',
    'limit=1001',
    'cursor=x',
    'clientId=T_client',
    'reason=UNKNOWN_CLIENT&reason=UNKNOWN_CLIENT',
  ])('refuses ?%s', async (query) => {
    const response = await request(admin.app).get(`/api/unverified?${query}`);
    expect([response.status, response.body.code]).toEqual([400, 'MALFORMED_REQUEST']);
  });
});

describe('GET /api/unverified/:id', () => {
  test('gives every occurrence of the headers and the very bytes', async () => {
    const [item] = (await list('?reason=DUPLICATE_HEADER')).items;
    const response = await request(admin.app).get(`/api/unverified/${item?.id}`).expect(200);
    expect(response.body).toEqual({
      ...item,
      diagnosis: {
        code: 'DUPLICATE_HEADER',
        message: expect.stringMatching(/^The request has client-id more than once/),
      },
      method: 'POST',
      target: TARGET,
      headers: { 'client-id': [CLIENT, OTHER], 'request-time': [], signature: accepted.signatures },
      body: body.toString('base64'),
    });
  });

  test('gives a single header as an array too', async () => {
    const [item] = (await list('?reason=UNKNOWN_CLIENT')).items;
    const response = await request(admin.app).get(`/api/unverified/${item?.id}`).expect(200);
    expect(response.body.headers).toEqual({
      'client-id': ['T_stranger'],
      'request-time': [REQUEST_TIME],
      signature: accepted.signatures,
    });
  });

  test('never makes an order', async () => {
    expect((await request(admin.app).get('/api/orders').expect(200)).body.items).toEqual([]);
  });

  test.each(['0'.repeat(64), 'nope', 'A'.repeat(64), '%00'])('finds nothing under %s', async (id) => {
    const response = await request(admin.app).get(`/api/unverified/${id}`);
    expect([response.status, response.body.code]).toEqual([404, 'NOT_FOUND']);
  });

  test('refuses parameters', async () => {
    const [item] = (await list()).items;
    await request(admin.app).get(`/api/unverified/${item?.id}?clientId=${CLIENT}`).expect(400);
  });
});
