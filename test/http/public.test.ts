import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import request, { type Response } from 'supertest';
import { ACKNOWLEDGEMENT, createSigner, PATH, type Post, type SignOptions, withHeaders } from '../support/client.ts';
import type { PublicWatch } from '../../src/http/public.ts';
import { paymentResult } from '../support/facts.ts';
import { openPublic, type Public } from './support.ts';

const BODY_LIMIT = 4_096;
/** Paths are compared byte for byte: an escape that is configured is an escape that is asked for. */
const ODD_PATH = '/Shop%2f1/../%C3%BC//notify;v=1';

const signer = createSigner();
const stranger = createSigner(signer.clientId);
let opened: Public;
const closing = async (): Promise<void> => await opened.close();

let made = 0;
const fields = () => {
  made += 1;
  return paymentResult('S', { paymentId: `P${made}`, paymentRequestId: `R${made}` });
};
/** A signed notification that was never sent before. */
const fresh = (options?: SignOptions): Post => signer.sign(fields(), options);

/** A signed notification of exactly so many bytes. */
const ofLength = (bytes: number): Post => {
  const short = { ...fields(), padding: '' };
  return signer.sign({ ...short, padding: 'x'.repeat(bytes - JSON.stringify(short).length) });
};

const expectAcknowledged = (response: Response): void => {
  expect([response.status, response.text]).toEqual([200, ACKNOWLEDGEMENT]);
};

const expectFailure = (response: Response, status: number): void => {
  expect([response.status, response.headers['content-type']]).toEqual([status, 'application/json']);
  expect(response.body).toEqual({
    result: { resultCode: 'ERROR', resultStatus: 'F', resultMessage: expect.stringMatching(/./) },
  });
};

describe('the public app', () => {
  beforeAll(async () => {
    opened = await openPublic(signer, {
      env: { NOTIFY_PATHS: `${PATH},${ODD_PATH}`, BODY_LIMIT: String(BODY_LIMIT) },
    });
  });
  afterAll(closing);

  describe('acknowledges', () => {
    test('with the fixed bytes, 200 and application/json, and says nothing else', async () => {
      const post = fresh();
      const response = await opened.post(post);
      expectAcknowledged(response);
      expect(response.headers).toEqual({
        'content-type': 'application/json',
        'content-length': String(ACKNOWLEDGEMENT.length),
        date: expect.any(String),
        connection: 'close',
      });
      expect(opened.isStored(post)).toBe(true);
    });

    test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'nonsense', ''])(
      'whatever the Content-Type: %j',
      async (contentType) => {
        const post = withHeaders(fresh(), { 'Content-Type': contentType });
        expectAcknowledged(await opened.post(post));
        expect(opened.isStored(post)).toBe(true);
      },
    );

    test('without a Content-Type', async () => {
      const post = withHeaders(fresh(), { 'Content-Type': null });
      expectAcknowledged(await opened.post(post));
      expect(opened.isStored(post)).toBe(true);
    });

    test('on a path with any query', async () => {
      const post = fresh({ target: `${PATH}?a=1&b=%2F??/x` });
      expectAcknowledged(await opened.post(post));
      expect(opened.isStored(post)).toBe(true);
    });

    test('where the query was signed too', async () => {
      const post = fresh({ target: `${PATH}?shop=1`, uri: `${PATH}?shop=1` });
      expectAcknowledged(await opened.post(post));
      expect(opened.isStored(post)).toBe(true);
    });

    test('on every one of NOTIFY_PATHS', async () => {
      const post = fresh({ target: ODD_PATH });
      expectAcknowledged(await opened.post(post));
      expect(opened.isStored(post)).toBe(true);
    });

    test('a body at the limit', async () => {
      const post = ofLength(BODY_LIMIT);
      expect(post.body.length).toBe(BODY_LIMIT);
      expectAcknowledged(await opened.post(post));
      expect(opened.isStored(post)).toBe(true);
    });

    test.each(['identity', 'Identity', ''])('the Content-Encoding %j, which is none', async (encoding) => {
      expectAcknowledged(await opened.post(withHeaders(fresh(), { 'Content-Encoding': encoding })));
    });
  });

  describe('refuses', () => {
    test('a body over the limit with 413, and closes the connection', async () => {
      const post = ofLength(BODY_LIMIT + 1);
      const response = await opened.post(post);
      expectFailure(response, 413);
      expect(response.headers['connection']).toBe('close');
      expect(opened.isStored(post)).toBe(false);
    });

    test('a hundred headers with 431: one that Node drops may be signed', async () => {
      const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x-${index}`, 'y']));
      const post = withHeaders(fresh(), many);
      const response = await opened.post(post);
      expectFailure(response, 431);
      expect(response.headers['connection']).toBe('close');
      expect(opened.isStored(post)).toBe(false);
    });

    test.each(['gzip', 'br', 'GZIP', 'identity, gzip', 'x'])(
      'the Content-Encoding %s with 415: a signed body comes raw',
      async (encoding) => {
        const post = fresh();
        expectFailure(await opened.post(withHeaders(post, { 'Content-Encoding': encoding })), 415);
        expect(opened.isStored(post)).toBe(false);
      },
    );

    test.each(['get', 'put', 'options', 'delete', 'patch'] as const)(
      '%s with 405, and says what the URL is for',
      async (method) => {
        const response = await request(opened.app)[method](PATH);
        expect([response.status, response.headers['allow']]).toEqual([405, 'POST']);
        expect(response.headers['content-type']).toBe('application/json');
        expect(JSON.stringify(response.body)).toMatch(/payment notifications.*POST/);
      },
    );
  });

  describe('has nothing', () => {
    test.each([
      ['post', '/'],
      ['post', '/PayNotify'],
      ['post', `${PATH}/`],
      ['post', '/healthz'],
      ['get', '/healthz/'],
      ['get', '/Healthz'],
      ['options', '/readyz'],
      ['get', '/api/orders'],
      ['get', '/metrics'],
    ] as const)('at %s %s', async (method, path) => {
      const response = await request(opened.app)[method](path);
      expect([response.status, response.headers['content-type']]).toEqual([404, 'application/json']);
      expect(response.body).toEqual({ error: expect.any(String) });
    });

    test('to give back of a request that is not for it', async () => {
      const response = await request(opened.app)
        .post('/canary?canary=canary')
        .set({ canary: 'canary', 'client-id': 'canary', 'Content-Type': 'text/canary' })
        .send('canary');
      expect(response.status).toBe(404);
      expect(JSON.stringify([response.headers, response.text])).not.toContain('canary');
    });
  });

  describe('health', () => {
    test.each([
      ['/healthz', '{"status":"ok"}'],
      ['/readyz', '{"status":"ready"}'],
    ])('%s says %s, and HEAD the same without a body', async (path, body) => {
      const response = await request(opened.app).get(path);
      expect([response.status, response.text]).toEqual([200, body]);
      expect(response.headers['content-type']).toBe('application/json');
      const head = await request(opened.app).head(path);
      expect([head.status, head.text ?? '', head.headers['content-length']]).toEqual([200, '', String(body.length)]);
    });
  });
});

/** What the app tells of what it does not take. */
const watching = (): { readonly watch: PublicWatch; readonly told: readonly string[] } => {
  const told: string[] = [];
  const tell = (what: string): void => void told.push(what);
  return { watch: { answered: () => undefined, refused: tell, misdirected: tell }, told };
};

describe('a public app that drains, refuses the unverified, or fails', () => {
  afterEach(closing);

  test('tells of a signed POST to another path, with that path', async () => {
    const { watch, told } = watching();
    opened = await openPublic(signer, { watch });
    const post = fresh({ target: '/elsewhere?secret' });
    await opened.post(post);
    await opened.post(withHeaders(post, { signature: null }));
    await request(opened.app).get('/elsewhere').set('signature', 'x');
    expect(told).toEqual(['NOT_FOUND', '/elsewhere', 'NOT_FOUND', 'NOT_FOUND']);
  });

  test('takes notifications while it drains, and says that it does', async () => {
    opened = await openPublic(signer);
    const agent = request.agent(opened.app).set('Connection', 'keep-alive');
    expect((await agent.get('/healthz')).headers['connection']).toBe('keep-alive');
    opened.readiness.drain();
    const response = await agent.get('/readyz');
    expect([response.status, response.text]).toEqual([503, '{"status":"draining"}']);
    expect(response.headers['connection']).toBe('close');
    const post = withHeaders(fresh(), { Connection: 'keep-alive' });
    const acknowledgement = await opened.post(post);
    expectAcknowledged(acknowledgement);
    expect(acknowledgement.headers['connection']).toBe('close');
    expect(opened.isStored(post)).toBe(true);
  });

  test.each([
    ['acknowledge', 200],
    ['refuse', 401],
  ])('responds to what does not verify with UNVERIFIED_REPLY=%s: %d', async (reply, status) => {
    opened = await openPublic(signer, { env: { UNVERIFIED_REPLY: reply } });
    const response = await opened.post(stranger.sign(fields()));
    if (status === 200) expectAcknowledged(response);
    else expectFailure(response, status);
    expect(opened.log()).toMatchObject([{ status, reason: 'SIGNATURE_MISMATCH' }]);
  });

  test('answers a fault of ours with 500 without particulars, and the log has them', async () => {
    const { watch, told } = watching();
    opened = await openPublic(signer, { payNotify: () => Promise.reject(new TypeError('the particulars')), watch });
    const response = await opened.post(fresh());
    expectFailure(response, 500);
    expect(response.text).not.toContain('particulars');
    expect(told).toEqual(['INTERNAL_ERROR']);
    expect(opened.log()).toMatchObject([{ level: 50, error: 'TypeError: the particulars' }]);
    expect((await request(opened.app).get('/healthz')).status).toBe(200);
  });
});
