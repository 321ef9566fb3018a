import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { ATTENTION_CODES } from '../../../src/order/attention.ts';
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
const find = (id: string) => request(admin.app).get(`/api/orders/${id}`);

describe('GET /api/orders', () => {
  beforeAll(async () => {
    admin = await openAdmin();
    for (const number of [1, 2, 3, 4]) await admin.notify(payment(number));
    await admin.notify(capture(2));
    await admin.notify(capture(1, '121'));
  });
  afterAll(closing);

  test('lists every order as it is, newest change first', async () => {
    const all = await list();
    expect(named(all)).toEqual(['P1', 'P2', 'P4', 'P3']);
    expect(all.next).toBeNull();
    expect(all.items).toEqual(
      (await admin.store.listOrders({ status: null, attention: null }, { limit: 9, cursor: null })).items,
    );
  });

  test('pages to the end, each order once', async () => {
    const first = await list('?limit=3');
    expect(named(first)).toEqual(['P1', 'P2', 'P4']);
    const second = await list(`?limit=3&cursor=${first.next}`);
    expect([named(second), second.next]).toEqual([['P3'], null]);
  });

  test('lists those of a status, or with an attention, or both', async () => {
    expect(named(await list('?status=AUTHORIZED'))).toEqual(['P4', 'P3']);
    expect(named(await list('?status=CAPTURED'))).toEqual(['P1', 'P2']);
    expect(named(await list('?attention=OVER_CAPTURED'))).toEqual(['P1']);
    expect(named(await list('?status=AUTHORIZED&attention=OVER_CAPTURED'))).toEqual([]);
  });

  test('takes every status, and every attention code but the one that looks at the clock', async () => {
    for (const status of ORDER_STATUSES) await list(`?status=${status}`);
    for (const attention of ATTENTION_CODES)
      if (attention !== 'AUTHORIZATION_EXPIRING') await list(`?attention=${attention}`);
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
    'attention=AUTHORIZATION_EXPIRING',
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
    'clientId=T_client',
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
  ])('refuses ?%s', async (query) => {
    const response = await request(admin.app).get(`/api/orders?${query}`);
    expect([response.status, response.body.code]).toEqual([400, 'MALFORMED_REQUEST']);
    expect(admin.lines).toEqual([]);
  });

  test('says which parameter is wrong and what it may be', async () => {
    const { body } = await request(admin.app).get('/api/orders?limit=1001&status=PAID');
    expect(body.detail).toContain('limit: must be at most 1000');
    expect(body.detail).toContain(
      'status: must be one of CAPTURED, PARTIALLY_CAPTURED, AUTHORIZED, FAILED, PROCESSING, PENDING',
    );
  });

  test('an empty query is no query', async () => {
    expect((await list('?')).items).toHaveLength(4);
  });
});

describe('GET /api/orders?after=', () => {
  beforeEach(async () => {
    admin = await openAdmin();
  });
  afterEach(closing);

  test('gives each order once, oldest change first, and always says where to go on', async () => {
    for (const number of [1, 2, 3]) await admin.notify(payment(number));
    const first = await list('?after=0&limit=2');
    expect(named(first)).toEqual(['P1', 'P2']);
    const second = await list(`?after=${first.next}&limit=2`);
    expect(named(second)).toEqual(['P3']);
    const third = await list(`?after=${second.next}&limit=2`);
    expect(third).toEqual({ items: [], next: second.next });
  });

  test('gives an order again, further on and in its current state, once it has changed', async () => {
    for (const number of [1, 2]) await admin.notify(payment(number));
    const seen = await list('?after=0');
    await admin.notify(capture(1));
    const news = await list(`?after=${seen.next}`);
    expect(news.items).toEqual([
      expect.objectContaining({ paymentId: 'P1', status: 'CAPTURED', fulfillable: true, nextAction: 'FULFIL' }),
    ]);
    expect(named(await list('?after=0'))).toEqual(['P2', 'P1']);
  });

  test('answers 410 to a cursor of a database that went back, and says what to do', async () => {
    await admin.notify(payment(1));
    const { next } = await list('?after=0');
    const another = next?.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    const further = next?.replace(/\d$/, '2');
    for (const cursor of [another, further]) {
      const response = await request(admin.app).get(`/api/orders?after=${cursor}`);
      expect(response.status).toBe(410);
      expect(response.type).toBe('application/problem+json');
      expect(response.body).toMatchObject({
        title: 'Gone',
        code: 'CURSOR_OUTDATED',
        detail: expect.stringMatching(/Start again at after=0.*greatest updatedAt.*ship once per referenceOrderId/),
      });
    }
  });

  test('of an empty store it gives the cursor back', async () => {
    expect(await list('?after=0')).toEqual({ items: [], next: '0' });
  });
});

describe('GET /api/orders/:id, with one client', () => {
  beforeAll(async () => {
    admin = await openAdmin();
    await admin.notify(payment(1));
    await admin.notify(payment(2));
    // R2 is a paymentId too: what it is a paymentRequestId of comes second.
    await admin.notify(paymentResult('F', { paymentId: 'R2', paymentRequestId: 'R3' }));
    await admin.notify(paymentResult('S', { paymentId: 'P4', paymentRequestId: 'R4' }));
    await admin.notify(paymentResult('S', { paymentId: 'P5', paymentRequestId: 'R4' }));
    await admin.notify(paymentResult('S', { paymentId: 'a/b?c%d#e', paymentRequestId: 'R6' }));
  });
  afterAll(closing);

  test('finds the Order by its paymentId', async () => {
    const { body } = await find('P1').expect(200);
    expect(body).toEqual({
      clientId: CLIENT,
      paymentId: 'P1',
      paymentRequestId: 'R1',
      referenceOrderId: null,
      status: 'AUTHORIZED',
      fulfillable: false,
      nextAction: 'WAIT',
      paymentAmount: { currency: 'JPY', value: '120' },
      capturedAmount: null,
      expectedAmount: null,
      result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'as reported' },
      paymentTime: null,
      authorizationExpiresAt: null,
      acquirerInfo: null,
      acquirerReferenceNo: null,
      captures: [],
      attention: [],
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      updatedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  test('finds it by its paymentRequestId', async () => {
    expect((await find('R1').expect(200)).body.paymentId).toBe('P1');
  });

  test('looks for a paymentId first', async () => {
    expect((await find('R2').expect(200)).body).toMatchObject({
      paymentId: 'R2',
      paymentRequestId: 'R3',
      status: 'FAILED',
    });
  });

  test('names the orders that one paymentRequestId stands for', async () => {
    const response = await find('R4');
    expect([response.status, response.body.code]).toEqual([409, 'AMBIGUOUS_ORDER']);
    expect(response.body.orders).toHaveLength(2);
    expect(response.body.orders).toEqual(
      expect.arrayContaining([
        { clientId: CLIENT, paymentId: 'P4', paymentRequestId: 'R4' },
        { clientId: CLIENT, paymentId: 'P5', paymentRequestId: 'R4' },
      ]),
    );
  });

  test('decodes the path', async () => {
    expect((await find(encodeURIComponent('a/b?c%d#e')).expect(200)).body.paymentId).toBe('a/b?c%d#e');
  });

  test.each(['P9', 'p1', '%20R1', 'P1%20', '%00', 'x'.repeat(65), '%F0%9F%98%80', '__proto__'])(
    'finds nothing under %s',
    async (id) => {
      const response = await find(id);
      expect([response.status, response.body.code]).toEqual([404, 'NOT_FOUND']);
    },
  );

  test.each(['?clientId=', '?clientId=a%20b', '?clientid=T_client', '?x=1', '?clientId=T_client&clientId=T_client'])(
    'refuses %s',
    async (query) => {
      await find(`P1${query}`).expect(400);
    },
  );

  test('looks among another client where one is named', async () => {
    await find(`P1?clientId=${CLIENT}`).expect(200);
    await find(`P1?clientId=${OTHER}`).expect(404);
  });
});

describe('GET /api/orders/:id, with several clients', () => {
  beforeAll(async () => {
    admin = await openAdmin({ clientIds: () => [CLIENT, OTHER] });
    await admin.notify(payment(1));
    await admin.notify(paymentResult('F', { paymentId: 'P1', paymentRequestId: 'R1' }), { clientId: OTHER });
  });
  afterAll(closing);

  test.each(['P1', 'R1', 'P9', '%20'])('wants to know whose %s is meant', async (id) => {
    const response = await request(admin.app).get(`/api/orders/${id}`);
    expect([response.status, response.body.code]).toEqual([400, 'CLIENT_REQUIRED']);
  });

  test('finds the named client’s', async () => {
    expect((await request(admin.app).get(`/api/orders/P1?clientId=${CLIENT}`).expect(200)).body.status).toBe(
      'AUTHORIZED',
    );
    expect((await request(admin.app).get(`/api/orders/R1?clientId=${OTHER}`).expect(200)).body.status).toBe('FAILED');
    await request(admin.app).get('/api/orders/P1?clientId=T_nobody').expect(404);
  });

  test('lists both clients’ orders', async () => {
    expect((await list()).items).toHaveLength(2);
  });
});

describe('when the configured clients change', () => {
  afterEach(closing);

  test('clientId is required from then on', async () => {
    let clientIds = [CLIENT];
    admin = await openAdmin({ clientIds: () => clientIds });
    await admin.notify(payment(1));
    await request(admin.app).get('/api/orders/P1').expect(200);
    clientIds = [CLIENT, OTHER];
    await request(admin.app).get('/api/orders/P1').expect(400);
  });

  test('the orders of one that is gone are still found by naming it', async () => {
    admin = await openAdmin({ clientIds: () => [OTHER] });
    await admin.notify(payment(1));
    await request(admin.app).get('/api/orders/P1').expect(404);
    await request(admin.app).get(`/api/orders/P1?clientId=${CLIENT}`).expect(200);
  });
});
