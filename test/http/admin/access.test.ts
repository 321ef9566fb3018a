import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { type Admin, openAdmin, READ_TOKEN, TOKEN } from './support.ts';

const registration = { amount: { currency: 'JPY', value: '120' } };
let admin: Admin;
const closing = async () => await admin.close();
const reading = () => request(admin.app).get('/api/orders');
const writing = (id = 'R1') => request(admin.app).put(`/api/orders/${id}`).send(registration);
const readingBy = (authorization: string) => reading().set('Authorization', authorization);
const writingBy = (authorization: string) => writing().set('Authorization', authorization);

/** What supertest cannot send: the bytes of a whole request. Returns the whole answer. */
const exchange = async (bytes: string): Promise<string> => {
  const server = admin.app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(bytes);
  const answer = await text(socket);
  server.close();
  return answer;
};

describe('with both tokens configured', () => {
  beforeAll(async () => {
    admin = await openAdmin({ token: TOKEN, readToken: READ_TOKEN });
  });
  afterAll(closing);

  test('the token reads and writes', async () => {
    expect((await readingBy(`Bearer ${TOKEN}`)).status).toBe(200);
    expect((await writingBy(`Bearer ${TOKEN}`)).status).toBe(201);
  });

  test('the scheme is read whatever its case', async () => {
    expect((await readingBy(`bEARER ${TOKEN}`)).status).toBe(200);
    expect((await readingBy(`BEARER  ${TOKEN}`)).status).toBe(200);
  });

  test('the read token reads, also by HEAD', async () => {
    expect((await readingBy(`Bearer ${READ_TOKEN}`)).status).toBe(200);
    expect((await request(admin.app).head('/api/orders').set('Authorization', `Bearer ${READ_TOKEN}`)).status).toBe(
      200,
    );
  });

  test.each([
    ['put', '/api/orders/R1'],
    ['post', '/api/redrive'],
    ['post', `/api/notifications/${'0'.repeat(64)}/redrive`],
    ['patch', '/api/orders/R1'],
    ['put', '/api/orders/R1/review'],
    ['delete', '/api/orders/R1/review'],
    ['put', '/api/refunds/FR1'],
    ['delete', '/api/orders/R1'],
    ['post', '/nowhere'],
  ] as const)('the read token is refused to %s %s', async (method, path) => {
    const response = await request(admin.app)[method](path).set('Authorization', `Bearer ${READ_TOKEN}`);
    expect([response.status, response.body.code]).toEqual([403, 'READ_ONLY_TOKEN']);
  });

  test('the read token changes nothing', async () => {
    await writing('R2').set('Authorization', `Bearer ${READ_TOKEN}`).expect(403);
    await request(admin.app).get('/api/orders/R2').set('Authorization', `Bearer ${READ_TOKEN}`).expect(404);
  });

  test.each([
    ['another token', `Bearer ${TOKEN}x`],
    ['a part of the token', `Bearer ${TOKEN.slice(0, -1)}`],
    ['the token in another case', `Bearer ${TOKEN.toUpperCase()}`],
    ['an empty token', 'Bearer '],
    ['a scheme alone', 'Bearer'],
    ['a bare token', TOKEN],
    ['another scheme', `Basic ${Buffer.from(`admin:${TOKEN}`).toString('base64')}`],
    ['both tokens', `Bearer ${TOKEN}, Bearer ${READ_TOKEN}`],
  ])('%s is refused', async (_, authorization) => {
    const response = await readingBy(authorization);
    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.body).toMatchObject({ status: 401, code: 'TOKEN_REQUIRED' });
  });

  test.each([
    ['get', '/api/orders'],
    ['put', '/api/orders/R1'],
    ['get', '/nowhere'],
    ['get', '/'],
    ['get', '/api/orders/%zz'],
    ['post', '/healthz'],
    ['options', '/api/orders'],
  ] as const)('without a token %s %s is 401, whatever would be there', async (method, path) => {
    expect((await request(admin.app)[method](path)).status).toBe(401);
  });

  test('a token in the query is none', async () => {
    expect((await request(admin.app).get(`/api/orders?access_token=${TOKEN}`)).status).toBe(401);
  });

  test('/healthz needs no token', async () => {
    const response = await request(admin.app).get('/healthz');
    expect([response.status, response.body]).toEqual([200, { status: 'ok' }]);
    expect((await request(admin.app).head('/healthz')).status).toBe(200);
  });

  test('with the token any Host and any Origin is answered: a browser does not add the token by itself', async () => {
    expect(
      (await readingBy(`Bearer ${TOKEN}`).set('Host', 'admin.shop.example').set('Origin', 'https://shop.example'))
        .status,
    ).toBe(200);
  });
});

describe('with a token of other characters than ASCII', () => {
  afterAll(closing);

  test('the bytes of its UTF-8 are the token', async () => {
    admin = await openAdmin({ token: 'schlüssel' });
    const sent = Buffer.from('schlüssel').toString('latin1');
    expect((await readingBy(`Bearer ${sent}`)).status).toBe(200);
    expect((await readingBy('Bearer schlussel')).status).toBe(401);
  });
});

describe('with the token alone', () => {
  afterAll(closing);

  test('no other token reads', async () => {
    admin = await openAdmin({ token: TOKEN });
    expect((await readingBy(`Bearer ${READ_TOKEN}`)).status).toBe(401);
    expect((await readingBy(`Bearer ${TOKEN}`)).status).toBe(200);
  });
});

describe('with the read token alone', () => {
  beforeAll(async () => {
    admin = await openAdmin({ readToken: READ_TOKEN });
  });
  afterAll(closing);

  test('reading needs it', async () => {
    expect((await request(admin.app).get('/api/orders')).status).toBe(401);
    expect((await readingBy(`Bearer ${READ_TOKEN}`)).status).toBe(200);
  });

  test('nobody writes', async () => {
    expect((await writing()).status).toBe(401);
    expect((await writing().set('Authorization', 'Bearer ')).status).toBe(401);
    expect((await writing().set('Authorization', 'Bearer null')).status).toBe(401);
    expect((await writing().set('Authorization', `Bearer ${READ_TOKEN}`)).status).toBe(403);
  });
});

describe('without a token', () => {
  beforeAll(async () => {
    admin = await openAdmin();
  });
  afterAll(closing);
  test('a request to the loopback address reads and writes', async () => {
    expect((await reading()).status).toBe(200);
    expect((await writing()).status).toBe(201);
  });

  test.each(['localhost', 'localhost:9090', 'LOCALHOST:9090', '127.0.0.1:9090', '127.1.2.3', '[::1]', '[::1]:9090'])(
    'Host %s is answered',
    async (host) => {
      expect((await reading().set('Host', host)).status).toBe(200);
    },
  );

  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.999.999.999',
    '127.0.0.256:9090',
    '127.0.0.01',
    '127.1',
    'evil.example:9090',
    '128.0.0.1',
    '0.0.0.0',
    '::1',
    '[::2]',
    'localhost:',
    'localhost:9090@evil.example',
    'localhost, evil.example',
    'user@localhost',
  ])('Host %s is refused', async (host) => {
    const response = await reading().set('Host', host);
    expect([response.status, response.body.code]).toEqual([403, 'FOREIGN_HOST']);
    expect(response.text).not.toContain(host);
  });

  test('two Hosts, or none, are refused', async () => {
    expect(await exchange('GET /api/orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1.1 200 /,
    );
    expect(
      await exchange('GET /api/orders HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n'),
    ).toMatch(/^HTTP\/1.1 403 /);
    expect(await exchange('GET /api/orders HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 403 /);
  });

  test('a page of this very origin is answered', async () => {
    expect((await reading().set('Host', 'localhost:9090').set('Origin', 'http://localhost:9090')).status).toBe(200);
    expect((await reading().set('Host', 'LocalHost:9090').set('Origin', 'http://localhost:9090')).status).toBe(200);
  });

  test.each([
    'http://evil.example',
    'null',
    'https://localhost:9090',
    'http://localhost',
    'http://localhost:3000',
    'http://127.0.0.1:9090',
    'http://localhost:9090/',
    'http://localhost:9090, http://evil.example',
    '',
  ])('Origin %j is refused', async (origin) => {
    const response = await reading().set('Host', 'localhost:9090').set('Origin', origin);
    expect([response.status, response.body.code]).toEqual([403, 'FOREIGN_ORIGIN']);
  });

  test('a refused request writes nothing', async () => {
    await writing('R2').set('Origin', 'http://evil.example').expect(403);
    await request(admin.app).get('/api/orders/R2').expect(404);
  });

  test('an unknown path is refused like any other', async () => {
    expect((await request(admin.app).get('/nowhere').set('Host', 'evil.example')).status).toBe(403);
  });

  test('/healthz answers under any name', async () => {
    expect((await request(admin.app).get('/healthz').set('Host', 'evil.example')).status).toBe(200);
  });
});

describe('while the service drains', () => {
  const TOKENED = { Authorization: `Bearer ${TOKEN}` };
  beforeAll(async () => {
    admin = await openAdmin({ token: TOKEN, readToken: READ_TOKEN, isDraining: () => true });
  });
  afterAll(closing);

  test.each([
    ['what is found', 200, () => reading().set(TOKENED)],
    ['no token', 401, reading],
    ['a token that only reads', 403, () => writingBy(`Bearer ${READ_TOKEN}`)],
    ['another path', 404, () => request(admin.app).get('/nowhere').set(TOKENED)],
    ['another method', 405, () => request(admin.app).put('/api/orders').set(TOKENED)],
    [
      'a body over the limit',
      413,
      () =>
        writing()
          .set(TOKENED)
          .send({ note: 'x'.repeat(20_000) }),
    ],
    ['a malformed escape', 400, () => request(admin.app).get('/api/orders/%E0%A4').set(TOKENED)],
  ])('each answer has the connection closed: %s', async (_, status, ask) => {
    // Without it supertest itself closes the connection.
    const answer = await ask().set('Connection', 'keep-alive');
    expect([answer.status, answer.headers['connection']]).toEqual([status, 'close']);
  });

  test('also while the store is not open', async () => {
    const closed = await openAdmin({ store: () => null, isDraining: () => true });
    const answer = await request(closed.app).get('/api/orders').set('Connection', 'keep-alive');
    expect([answer.status, answer.headers['connection']]).toEqual([503, 'close']);
    await closed.close();
  });
});
