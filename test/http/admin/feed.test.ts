import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { captureResult, jpy, paymentResult } from '../../support/facts.ts';
import { type Admin, CLIENT, openAdmin, OTHER } from './support.ts';

let admin: Admin;
const closing = async () => await admin.close();

const payment = (number: number) =>
  paymentResult('S', { paymentId: `P${number}`, paymentRequestId: `R${number}`, paymentAmount: jpy('120') });
const capture = (number: number) =>
  captureResult('S', { paymentId: `P${number}`, captureId: `C${number}`, captureAmount: jpy('120') });

interface Listing {
  readonly items: readonly { readonly paymentId: string | null; readonly revision: number }[];
  readonly next: string;
}
const list = async (query: string): Promise<Listing> =>
  (await request(admin.app).get(`/api/orders${query}`).expect(200)).body as Listing;
const named = ({ items }: Listing) => items.map(({ paymentId }) => paymentId);

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
    const another = next.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    const further = next.replace(/\d$/, '2');
    for (const cursor of [another, further]) {
      const response = await request(admin.app).get(`/api/orders?after=${cursor}`);
      expect(response.status).toBe(410);
      expect(response.type).toBe('application/problem+json');
      expect(response.body).toMatchObject({
        title: 'Gone',
        code: 'CURSOR_OUTDATED',
        detail: expect.stringMatching(/[Ss]tart again at after=0.*greatest revision.*ship once per referenceOrderId/),
      });
    }
  });

  test('gives those of one client, and where to go on among all', async () => {
    await admin.notify(payment(1));
    await admin.notify(payment(1), { clientId: OTHER });
    await admin.notify(payment(2));
    const first = await list(`?after=0&clientId=${OTHER}&limit=1`);
    expect(first.items).toEqual([expect.objectContaining({ clientId: OTHER, paymentId: 'P1' })]);
    expect(named(await list(`?after=${first.next}&clientId=${OTHER}`))).toEqual([]);
    expect(named(await list(`?after=0&clientId=${CLIENT}`))).toEqual(['P1', 'P2']);
  });

  test('of a client that is not configured it is refused, unless something of it is stored', async () => {
    await admin.notify(payment(1), { clientId: OTHER });
    expect(await list(`?after=0&clientId=${OTHER}`)).toMatchObject({ items: [{ clientId: OTHER }] });
    const paths = ['orders?after=0', 'orders?limit=1', 'notifications?after=0', 'notifications?limit=1', 'find?id=P1'];
    for (const path of paths) {
      const { status, body } = await request(admin.app).get(`/api/${path}&clientId=T_misspelt`);
      expect([path, status, body.code]).toEqual([path, 400, 'UNKNOWN_CLIENT']);
      expect(body.detail).toBe(`The clientId is not one that is configured: ${CLIENT}.`);
    }
  });

  test('and where one thing of such a client is looked for, that it is not configured is said', async () => {
    const id = await admin.notify(payment(1));
    await admin.notify(payment(2), { clientId: OTHER });
    const notification = `notifications/${id.replace(/./g, '0')}`;
    const askers: readonly ((clientId: string) => request.Test)[] = [
      ...['orders/P9', 'orders/P9/timeline', notification].map(
        (path) => (clientId: string) => request(admin.app).get(`/api/${path}?clientId=${clientId}`),
      ),
      (clientId) => request(admin.app).post(`/api/${notification}/redrive?clientId=${clientId}`),
      (clientId) => request(admin.app).delete(`/api/orders/P9/review?clientId=${clientId}`),
      (clientId) => request(admin.app).put('/api/orders/P9/review').send({ decision: 'CLOSE', revision: 1, clientId }),
    ];
    for (const ask of askers) {
      const detailOf = async (clientId: string): Promise<string> =>
        (await ask(clientId).expect(404)).body.detail as string;
      for (const known of [CLIENT, OTHER]) expect(await detailOf(known)).not.toContain('configured');
      expect(await detailOf('T_misspelt')).toMatch(/ The clientId is not one that is configured: \S+\.$/);
    }
  });

  test('names the placeholder that a payment has replaced, and gives revisions that grow', async () => {
    await request(admin.app)
      .put('/api/orders/R1')
      .send({ amount: jpy('120') })
      .expect(201);
    const first = await list('?after=0');
    await admin.notify(payment(1), { receivedAt: new Date() });
    const second = await list(`?after=${first.next}`);
    expect(first.items).toEqual([expect.objectContaining({ paymentId: null, paymentRequestId: 'R1', replaces: null })]);
    expect(second.items).toEqual([expect.objectContaining({ paymentId: 'P1', replaces: 'R1' })]);
    expect(second.items[0]?.revision).toBeGreaterThan(first.items[0]?.revision ?? Number.MAX_VALUE);
    expect((await list('?after=0')).items).toHaveLength(1);
  });

  test('of an empty store it gives the cursor back', async () => {
    expect(await list('?after=0')).toEqual({ items: [], next: '0' });
  });
});
