import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { ATTENTION_CODES } from '../../../src/order/attention-code.ts';
import { NEXT_ACTIONS } from '../../../src/order/next-action.ts';
import { ORDER_STATUSES } from '../../../src/order/status.ts';
import { captureResult, jpy, paymentResult } from '../../support/facts.ts';
import { type Admin, CLIENT, openAdmin, OTHER } from './support.ts';

let admin: Admin;
const closing = async () => await admin.close();

const payment = (number: number) =>
  paymentResult('S', { paymentId: `P${number}`, paymentRequestId: `R${number}`, paymentAmount: jpy('120') });
const capture = (number: number, value = '120') =>
  captureResult('S', { paymentId: `P${number}`, captureId: `C${number}`, captureAmount: jpy(value) });

interface Listing {
  readonly items: readonly { readonly paymentId: string | null; readonly status: string }[];
  readonly next: string | null;
}
const list = async (query = ''): Promise<Listing> =>
  (await request(admin.app).get(`/api/orders${query}`).expect(200)).body as Listing;
const named = ({ items }: Listing) => items.map(({ paymentId }) => paymentId);

describe('GET /api/orders', () => {
  beforeAll(async () => {
    admin = await openAdmin({ clientIds: () => [CLIENT, OTHER] });
    for (const number of [1, 2, 3, 4]) await admin.notify(payment(number));
    await admin.notify(capture(2));
    await admin.notify(capture(1, '121'));
    await request(admin.app)
      .put('/api/orders/R3')
      .send({ amount: jpy('120'), referenceOrderId: 'shop 3', clientId: CLIENT });
  });
  afterAll(closing);

  test('lists every order as it is, newest change first', async () => {
    const all = await list();
    expect(named(all)).toEqual(['P3', 'P1', 'P2', 'P4']);
    expect(all.next).toBeNull();
    const none = { clientId: null, status: null, attention: null, nextAction: null, referenceOrderId: null };
    expect(all.items).toEqual((await admin.store.listOrders(none, { limit: 9, cursor: null })).items);
  });

  test('pages to the end, each order once', async () => {
    const first = await list('?limit=3');
    expect(named(first)).toEqual(['P3', 'P1', 'P2']);
    const second = await list(`?limit=3&cursor=${first.next}`);
    expect([named(second), second.next]).toEqual([['P4'], null]);
  });

  test('lists those of a status, or with an attention, or both', async () => {
    expect(named(await list('?status=AUTHORIZED'))).toEqual(['P3', 'P4']);
    expect(named(await list('?status=CAPTURED'))).toEqual(['P1', 'P2']);
    expect(named(await list('?attention=OVER_CAPTURED'))).toEqual(['P1']);
    expect(named(await list('?status=AUTHORIZED&attention=OVER_CAPTURED'))).toEqual([]);
  });

  test('lists those with a next action, of a shop order, of a client, and all of these together', async () => {
    expect(named(await list('?nextAction=REVIEW'))).toEqual(['P1']);
    expect(named(await list('?nextAction=FULFIL'))).toEqual(['P2']);
    expect(named(await list('?referenceOrderId=shop%203'))).toEqual(['P3']);
    expect(named(await list(`?clientId=${CLIENT}&limit=2`))).toEqual(['P3', 'P1']);
    expect(named(await list(`?clientId=${OTHER}`))).toEqual([]);
    const all = `status=CAPTURED&attention=OVER_CAPTURED&nextAction=REVIEW&clientId=${CLIENT}`;
    expect(named(await list(`?${all}`))).toEqual(['P1']);
    expect(named(await list(`?${all}&referenceOrderId=shop%203`))).toEqual([]);
  });

  test('takes every status, attention code and action', async () => {
    for (const status of ORDER_STATUSES) await list(`?status=${status}`);
    for (const attention of ATTENTION_CODES) await list(`?attention=${attention}`);
    for (const nextAction of NEXT_ACTIONS) await list(`?nextAction=${nextAction}`);
  });

  test('takes limits from 1 to 1000', async () => {
    expect((await list('?limit=1')).items).toHaveLength(1);
    expect((await list('?limit=1000')).items).toHaveLength(4);
  });

  test.each([
    'limit=0',
    'limit=1001',
    'limit=-1',
    'limit=1.5',
    'limit=1e2',
    'limit=',
    'limit=ten',
    'limit=99999999999999999999',
    'status=captured',
    'status=',
    'status=SETTLED',
    'status=CAPTURED,FAILED',
    'status=constructor',
    'nextAction=review',
    'nextAction=',
    'action=REVIEW',
    'referenceOrderId=',
    'referenceOrderId=%20x',
    `referenceOrderId=${'x'.repeat(129)}`,
    'paymentId=P1',
    'attention=over_captured',
    'attention=',
    'cursor=',
    'cursor=abc',
    'cursor=-1',
    'cursor=1.5',
    'cursor=9999999999999999999999',
    'cursor=%00',
    'cursor=%20',
    'after=',
    'after=abc',
    'after=-1',
    'after=null',
    'after=5',
    'after=0123456789abcdef',
    'after=0123456789abcdef.9999999999999999999',
    'stauts=CAPTURED',
    'clientId=',
    'clientId=a%20b',
    'wait=1',
    'Limit=5',
    '__proto__=1',
    'constructor=1',
    '=1',
    'x',
    'limit=5&limit=5',
    'status=CAPTURED&status=FAILED',
    'limit[]=5',
    'limit%5B%5D=5',
    'after=0&status=CAPTURED',
    'after=0&attention=OVER_CAPTURED',
    'after=0&cursor=5',
    'after=0&nextAction=REVIEW',
    'after=0&referenceOrderId=x',
    'after=0&wait=61',
    'after=0&wait=-1',
    'after=0&wait=1.5',
    'after=0&wait=',
    'after=0&wait=1&status=CAPTURED',
    'wait=0',
    'cursor=5&wait=1',
  ])('refuses ?%s', async (query) => {
    const response = await request(admin.app).get(`/api/orders?${query}`);
    expect([response.status, response.body.code]).toEqual([400, 'MALFORMED_REQUEST']);
    expect(admin.lines).toEqual([]);
  });

  test('says which parameter is wrong and what it may be', async () => {
    const { body } = await request(admin.app).get('/api/orders?limit=1001&status=PAID');
    expect(body.detail).toContain('limit: must be at most 1000');
    expect(body.detail).toContain(`status: must be one of ${ORDER_STATUSES.join(', ')}`);
  });

  test('an empty query is no query', async () => {
    expect((await list('?')).items).toHaveLength(4);
  });
});
