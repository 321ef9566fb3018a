import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { paymentResult } from '../../support/facts.ts';
import { type Admin, openAdmin, TOKEN } from './support.ts';

let admin: Admin;
const closing = async () => await admin.close();

describe('every answer', () => {
  beforeAll(async () => {
    admin = await openAdmin();
  });
  afterAll(closing);

  test.each([
    ['/healthz', 200],
    ['/api/orders', 200],
    ['/api/orders?limit=0', 400],
    ['/nowhere', 404],
  ])('%s is neither cached nor guessed at, and says nothing of its maker', async (path, status) => {
    const { headers, status: given } = await request(admin.app).get(path);
    expect(given).toBe(status);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    expect(headers['content-type']).toMatch(status === 200 ? /^application\/json/ : /^application\/problem\+json/);
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('etag');
  });

  test('a problem says its status, a code and what to do', async () => {
    expect((await request(admin.app).get('/nowhere')).body).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      code: 'NOT_FOUND',
      detail: 'There is no such path.',
    });
  });

  test.each([
    ['/healthz', 'post', 'GET, HEAD'],
    ['/openapi.json', 'post', 'GET, HEAD'],
    ['/api/orders', 'post', 'GET, HEAD'],
    ['/api/orders', 'options', 'GET, HEAD'],
    ['/api/orders/R1', 'post', 'GET, HEAD, PUT, PATCH'],
    ['/api/orders/R1', 'delete', 'GET, HEAD, PUT, PATCH'],
    ['/api/orders/R1/review', 'get', 'PUT, DELETE'],
    ['/api/refunds', 'post', 'GET, HEAD'],
    ['/api/refunds/FR1', 'get', 'PUT'],
    ['/api/find', 'post', 'GET, HEAD'],
    ['/api/notifications', 'delete', 'GET, HEAD'],
    ['/api/notifications/x', 'put', 'GET, HEAD'],
    ['/api/notifications/x/redrive', 'get', 'POST'],
    ['/api/redrive', 'get', 'POST'],
    ['/api/orders/R1/captures', 'get', 'POST'],
    ['/api/unverified', 'delete', 'GET, HEAD'],
    ['/api/unverified/x', 'patch', 'GET, HEAD'],
  ] as const)('%s does not take %s', async (path, method, allowed) => {
    const response = await request(admin.app)[method](path);
    expect([response.status, response.body.code]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(response.headers['allow']).toBe(allowed);
  });

  test.each([
    '/api',
    '/api/',
    '/api/orders/',
    '/api/orders/R1/',
    '/api/orders/R1/capture',
    '/api/orders/R1/review/',
    '/api/refunds/',
    '/api/find/R1',
    '/API/orders',
    '/Healthz',
    '/metrics/x',
    '/api/notifications/',
    '/api/redrive/x',
  ])('%s is not there', async (path) => {
    expect((await request(admin.app).get(path)).status).toBe(404);
  });

  test.each(['/api/orders/%zz', '/api/orders/%ff', '/api/notifications/%', '/api/unverified/%e0%a4'])(
    'the malformed escape of %s is refused',
    async (path) => {
      const response = await request(admin.app).get(path);
      expect([response.status, response.body.code]).toEqual([400, 'MALFORMED_REQUEST']);
      expect(admin.lines).toEqual([]);
    },
  );

  test.each([
    ['get', '/secret-9f1?secret-9f1=secret-9f1'],
    ['get', '/api/orders?secret-9f1=1'],
    ['get', '/api/orders?status=secret-9f1'],
    ['get', '/api/orders?cursor=secret-9f1'],
    ['get', '/api/orders?limit=1&limit=secret-9f1'],
    ['get', '/api/orders/secret-9f1'],
    ['get', '/api/orders/secret-9f1%zz'],
    ['get', '/api/notifications/secret-9f1'],
    ['get', '/api/unverified/secret-9f1'],
    ['post', '/api/orders/secret-9f1'],
    ['put', '/api/orders/secret-9f1?replace=secret-9f1'],
    ['put', '/api/orders/secret-9f1/review'],
    ['delete', '/api/orders/secret-9f1/review'],
    ['put', '/api/refunds/secret-9f1'],
    ['get', '/api/find?id=%20secret-9f1'],
  ] as const)('nothing of the request is echoed: %s %s', async (method, path) => {
    const response = await request(admin.app)[method](path);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(JSON.stringify([response.headers, response.text])).not.toContain('secret-9f1');
  });
});

describe('while the store is not open yet', () => {
  beforeAll(async () => {
    admin = await openAdmin({ store: () => null });
  });
  afterAll(closing);

  test.each(['/healthz', '/openapi.json'])('%s is fine', async (path) => {
    expect((await request(admin.app).get(path)).status).toBe(200);
  });

  test.each([
    ['get', '/api/orders'],
    ['get', '/api/orders/R1'],
    ['put', '/api/orders/R1'],
    ['delete', '/api/orders/R1/review'],
    ['get', '/api/refunds'],
    ['get', '/api/find?id=R1'],
    ['get', '/api/notifications'],
    ['post', '/api/redrive'],
    ['get', '/api/unverified'],
    ['get', '/nowhere'],
  ] as const)('%s %s asks to come again', async (method, path) => {
    const response = await request(admin.app)[method](path);
    expect([response.status, response.body.code]).toEqual([503, 'STORE_UNAVAILABLE']);
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
    expect(admin.lines).toEqual([]);
  });
});

describe('while the store is not open yet, with a token', () => {
  afterEach(closing);

  test('a stranger is told 401 first', async () => {
    admin = await openAdmin({ store: () => null, token: TOKEN });
    expect((await request(admin.app).get('/api/orders')).status).toBe(401);
  });
});

describe('once the store is gone', () => {
  afterEach(closing);

  test.each([
    ['get', '/api/orders'],
    ['get', '/api/orders?after=0'],
    ['get', '/api/orders/R1'],
    ['get', '/api/notifications?cursor=5'],
    ['get', '/api/refunds?joined=false'],
    ['get', '/api/find?id=PR_174746'],
    ['delete', '/api/orders/R1/review'],
    ['get', `/api/unverified/${'0'.repeat(64)}`],
    ['post', '/api/redrive'],
  ] as const)('%s %s asks to come again, and the log says why', async (method, path) => {
    admin = await openAdmin();
    await request(admin.app).get('/api/orders').expect(200);
    await admin.store.close();
    const response = await request(admin.app)[method](path);
    expect([response.status, response.body.code]).toEqual([503, 'STORE_UNAVAILABLE']);
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
    // Only of what was to be written.
    expect((response.body.detail as string).includes('may or may not')).toBe(method !== 'get');
    expect(admin.lines).toHaveLength(1);
    expect(admin.lines[0]).toContain('StoreUnavailableError');
  });

  test('a registration is not said to be kept', async () => {
    admin = await openAdmin();
    await admin.store.close();
    const response = await request(admin.app)
      .put('/api/orders/R1')
      .send({ amount: { currency: 'JPY', value: '1' } });
    expect(response.status).toBe(503);
  });
});

describe('a fault of ours', () => {
  afterEach(closing);

  test('is a 500 without particulars, and the log has them', async () => {
    admin = await openAdmin({
      verifiesNow: () => {
        throw new TypeError('the particulars');
      },
    });
    const id = await admin.notify(paymentResult('S'));
    const response = await request(admin.app).get(`/api/notifications/${id}`);
    expect([response.status, response.body.code]).toEqual([500, 'INTERNAL_ERROR']);
    expect(response.text).not.toContain('particulars');
    expect(admin.lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: 50, error: 'TypeError: the particulars' }),
    ]);
  });

  test('is not put down to a cursor that nobody gave', async () => {
    admin = await openAdmin();
    await admin.notify(paymentResult('S'));
    const db = new DatabaseSync(admin.file);
    db.exec("update orders set content = '{'");
    db.close();
    expect((await request(admin.app).get('/api/orders')).status).toBe(500);
    expect((await request(admin.app).get('/api/orders?cursor=99')).status).toBe(500);
    expect((await request(admin.app).get('/api/orders?cursor=x')).status).toBe(400);
    expect(admin.lines).toHaveLength(2);
  });

  test('leaves the listener answering', async () => {
    admin = await openAdmin({
      redriving: () => {
        throw new Error('once');
      },
    });
    expect((await request(admin.app).post('/api/redrive')).status).toBe(500);
    expect((await request(admin.app).get('/api/orders')).status).toBe(200);
  });
});
