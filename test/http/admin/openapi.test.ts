import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import request, { type Response, type Test } from 'supertest';
import { z } from 'zod';
import { UNVERIFIED_REASONS } from '../../../src/antom/signature.ts';
import { ok } from '../../../src/http/admin/answer.ts';
import { endpoint } from '../../../src/http/admin/endpoint.ts';
import { health } from '../../../src/http/admin/health.ts';
import { createDocument } from '../../../src/http/admin/openapi.ts';
import { nothing } from '../../../src/http/admin/query.ts';
import { addRoutes } from '../../../src/http/admin/routes.ts';
import { send as write } from '../../../src/http/reply.ts';
import type { Order } from '../../../src/order/order.ts';
import type { Store } from '../../../src/store/store.ts';
import { type Ground, layGround } from '../../moves/support.ts';
import { CLIENT as SANDBOX_CLIENT, keepUp } from '../../sandbox/support.ts';
import { jpy, paymentResult } from '../../support/facts.ts';
import { makeDirectory } from '../../support/receiver.ts';
import { DOCUMENT, differences, differencesInRequest, operationOf } from './documented.ts';
import { type Admin, openAdmin, READ_TOKEN, signedRequest, TOKEN, toBody } from './support.ts';

keepUp();
let admin: Admin;
const get = (path: string): Test => request(admin.app).get(path);
const put = (path: string, body: object): Test => request(admin.app).put(path).send(body);
const registration = { amount: jpy('120'), referenceOrderId: 'shop-0001' };
const decision = async () => ({ decision: 'CLOSE', revision: await admin.revisionOf('P-0001') });

describe('GET /openapi.json', () => {
  beforeAll(async () => {
    admin = await openAdmin({ token: TOKEN, readToken: READ_TOKEN });
  });
  afterAll(async () => await admin.close());

  test('gives the document to whoever may read', async () => {
    await request(admin.app).get('/openapi.json').expect(401);
    const response = await request(admin.app).get('/openapi.json').set('Authorization', `Bearer ${READ_TOKEN}`);
    expect([response.status, response.body]).toEqual([200, DOCUMENT]);
    expect(response.body).toMatchObject({ openapi: '3.1.0', info: { title: 'paynotify' } });
  });
});

describe('the document', () => {
  const CLI = fileURLToPath(new URL('../../../node_modules/@redocly/cli/bin/cli.js', import.meta.url));
  const directory = makeDirectory();
  afterAll(() => rmSync(directory, { recursive: true }));

  /** The rules that a public linter finds broken, under what it recommends; errors and warnings. */
  const broken = (document: object): readonly string[] => {
    const file = join(directory, 'openapi.json');
    writeFileSync(file, JSON.stringify(document));
    // Nothing of it goes out to anybody.
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
    const words = [CLI, 'lint', file, '--extends=recommended', '--format=json'];
    const { stdout } = spawnSync(process.execPath, words, { cwd: directory, env, encoding: 'utf8' });
    const { problems } = JSON.parse(stdout) as { readonly problems: readonly { readonly ruleId: string }[] };
    return problems.map(({ ruleId }) => ruleId);
  };

  test('is clean to a public linter', () => {
    expect(broken(DOCUMENT)).toEqual([]);
  });

  test('has no two shapes of one name', () => {
    const shape = z.strictObject({ status: z.literal('fine') }).meta({ id: 'Health' });
    const other = { ...health, path: '/other', responses: { 200: { means: 'Another.', body: shape } } };
    expect(() => createDocument([health, other])).toThrow('two schemas have the name Health');
  });

  test('would not be, without a summary and with a reference to nothing', () => {
    const { '/healthz': first, ...paths } = DOCUMENT.paths;
    const { get: operation } = first as { readonly get: object };
    const responses = { 400: { $ref: '#/components/responses/None' } };
    const changed = {
      ...DOCUMENT,
      paths: { ...paths, '/healthz': { get: { ...operation, summary: undefined, responses } } },
    };
    expect(broken(changed)).toEqual(expect.arrayContaining(['operation-summary', 'no-unresolved-refs']));
  });
});

describe('every operation', () => {
  const OTHER_FACTS = { paymentId: 'P-0002', paymentRequestId: 'R-0002' };
  let id = '';
  let unverifiedId = '';
  let ground: Ground;
  let calling: Admin;
  const paymentIds: string[] = [];
  beforeAll(async () => {
    admin = await openAdmin();
    ground = await layGround();
    const { store, moves } = ground;
    calling = await openAdmin({ around: () => store, moves: () => moves, clientIds: () => [SANDBOX_CLIENT] });
    paymentIds.push(await ground.authorized(), await ground.authorized());
    id = await admin.notify(paymentResult('S', { paymentId: 'P-0001', paymentRequestId: 'R-0001' }));
    await admin.notify(paymentResult('F', OTHER_FACTS));
    await admin.keepUnverified(signedRequest(toBody(OTHER_FACTS)), UNVERIFIED_REASONS[0]);
    const { items } = await admin.store.listUnverified(null, { limit: 1, cursor: null });
    unverifiedId = items[0]?.id ?? '';
  });
  afterAll(async () => {
    await admin.close();
    await calling.close();
    await ground.stop();
  });
  const post = (number: number, what: string, body: object): Test =>
    request(calling.app).post(`/api/orders/${paymentIds[number]}/${what}`).send(body);
  const capture = { amount: jpy('700'), captureRequestId: 'C-0001' };
  const refund = { amount: jpy('300'), refundRequestId: 'R-0001' };

  /** One request for each success that is documented, in an order in which each succeeds. */
  const STORY: readonly (readonly [success: string, send: () => PromiseLike<Response>])[] = [
    ['checkHealth 200', () => get('/healthz')],
    ['describeApi 200', () => get('/openapi.json')],
    ['showStatus 200', () => get('/api/status')],
    ['readMetrics 200', () => get('/metrics')],
    ['registerOrder 201', () => put('/api/orders/R-0001', registration)],
    ['registerOrder 200', () => put('/api/orders/R-0001', registration)],
    ['amendOrder 200', () => request(admin.app).patch('/api/orders/R-0001').send({ paymentMethodType: 'CARD' })],
    ['listOrders 200', () => get('/api/orders')],
    ['findOrder 200', () => get('/api/orders/P-0001')],
    ['readTimeline 200', () => get('/api/orders/P-0001/timeline')],
    ['reviewOrder 200', async () => await put('/api/orders/P-0001/review', await decision())],
    ['withdrawReview 200', () => request(admin.app).delete('/api/orders/P-0001/review')],
    ['captureOrder 201', () => post(0, 'captures', capture)],
    ['captureOrder 200', () => post(0, 'captures', capture)],
    ['refundOrder 201', () => post(0, 'refunds', refund)],
    ['refundOrder 200', () => post(0, 'refunds', refund)],
    ['cancelOrder 201', () => post(1, 'cancel', {})],
    ['cancelOrder 200', () => post(1, 'cancel', {})],
    ['registerRefund 201', () => put('/api/refunds/FR-0001', { paymentId: 'P-0001' })],
    ['registerRefund 200', () => put('/api/refunds/FR-0001', { paymentId: 'P-0001' })],
    ['listRefunds 200', () => get('/api/refunds')],
    ['find 200', () => get('/api/find?id=P-0001')],
    ['listNotifications 200', () => get('/api/notifications')],
    ['findNotification 200', () => get(`/api/notifications/${id}`)],
    ['redriveNotification 200', () => request(admin.app).post(`/api/notifications/${id}/redrive`)],
    ['redriveNotifications 200', () => request(admin.app).post('/api/redrive')],
    ['listUnverified 200', () => get('/api/unverified')],
    ['findUnverified 200', () => get(`/api/unverified/${unverifiedId}`)],
  ];

  test('is in this story, with each of its successes', () => {
    const operations = Object.values(DOCUMENT.paths).flatMap((path) => Object.values(path));
    const successes = operations.flatMap(({ operationId, responses }) =>
      Object.keys(responses).flatMap((status) => (status.startsWith('2') ? [`${operationId} ${status}`] : [])),
    );
    expect(STORY.map(([success]) => success).sort()).toEqual(successes.sort());
  });

  test.each(STORY)('%s is answered as documented', async (success, send) => {
    const { request: sent, status } = await send();
    const { pathname, search } = new URL(sent.url);
    expect(`${operationOf(sent.method, pathname + search)?.operation.operationId} ${status}`).toBe(success);
    expect([...admin.differences, ...calling.differences]).toEqual([]);
  });
});

describe('a body that is not read is refused as documented', () => {
  beforeAll(async () => {
    admin = await openAdmin();
  });
  afterAll(async () => await admin.close());

  const AT_ANY_TIME = new Set(['/healthz', '/metrics', '/openapi.json']);
  const OPERATIONS = Object.entries(DOCUMENT.paths).flatMap(([path, ofPath]) =>
    Object.keys(ofPath).map((method) => [method as 'get', path.replace('{id}', 'a'.repeat(64))] as const),
  );

  test.each(OPERATIONS)('%s %s', async (method, path) => {
    const sent = (): Test => request(admin.app)[method](path).set('Content-Type', 'application/json');
    const tooLarge = await sent().send(' '.repeat(17_000));
    const encoded = await sent().set('Content-Encoding', 'gzip').send('{}');
    expect([tooLarge.status, encoded.status]).toEqual(AT_ANY_TIME.has(path) ? [200, 200] : [413, 415]);
    expect(admin.differences).toEqual([]);
  });
});

/** The one order, otherwise than it is. */
const changed = (change: (order: Order) => object) => (store: Store) => ({
  ...store,
  findOrders: async (...asked: Parameters<Store['findOrders']>) =>
    (await store.findOrders(...asked)).map(change) as readonly Order[],
});

describe('an answer that is not documented is noticed:', () => {
  afterEach(async () => {
    admin.differences.length = 0;
    await admin.close();
  });

  test.each<readonly [string, (order: Order) => object, string]>([
    ['a further field', (order) => ({ ...order, colour: 'red' }), 'must NOT have additional properties'],
    ['a field within a field', (order) => ({ ...order, result: { ...order.result, more: 1 } }), '/result must NOT'],
    ['a field less', ({ status: _status, ...order }) => order, "must have required property 'status'"],
    ['a word of no set', (order) => ({ ...order, status: 'PAID' }), '/status must be equal to one of'],
    ['another type', (order) => ({ ...order, revision: String(order.revision) }), '/revision must be integer'],
    ['a time of another form', (order) => ({ ...order, createdAt: '2026-01-01' }), '/createdAt must match format'],
  ])('%s', async (_, change, difference) => {
    admin = await openAdmin({ around: changed(change) });
    await admin.notify(paymentResult('S'));
    expect((await request(admin.app).get('/api/orders/P1')).status).toBe(200);
    expect(admin.differences).toEqual(expect.arrayContaining([expect.stringContaining(difference)]));
    expect(admin.differences.every((one) => one.startsWith('GET /api/orders/P1: 200 '))).toBe(true);
  });
});

describe('an answer differs from the document', () => {
  const problem = {
    type: 'about:blank',
    title: 'Not Found',
    status: 404,
    code: 'NOT_FOUND',
    detail: 'There is no such order.',
  };
  const accepted = {
    method: 'GET',
    url: '/api/orders/P1',
    status: 404,
    contentType: 'application/problem+json; charset=utf-8',
    body: JSON.stringify(problem),
  };

  test('not where it is as documented', () => {
    expect(differences(accepted)).toEqual([]);
    expect(differences({ ...accepted, url: '/nowhere' })).toEqual([]);
  });

  test.each([
    ['another status', { status: 409 }],
    ['a status that is not documented', { status: 418 }],
    ['another type', { contentType: 'application/json' }],
    ['a code of no set', { body: JSON.stringify({ ...problem, code: 'GONE_FISHING' }) }],
    ['a code of another status', { body: JSON.stringify({ ...problem, code: 'TOKEN_REQUIRED' }) }],
    ['a further member', { body: JSON.stringify({ ...problem, order: {} }) }],
    ['a further member, of no operation', { url: '/nowhere', body: JSON.stringify({ ...problem, order: {} }) }],
    ['a page, of no operation', { url: '/nowhere', contentType: 'text/html', body: '<html>' }],
  ])('with %s', (_, change) => {
    expect(differences({ ...accepted, ...change })).not.toEqual([]);
  });
});

describe('a request that is accepted differs from the document', () => {
  const accepted = {
    method: 'PUT',
    url: '/api/orders/R1?replace=true',
    sent: JSON.stringify({ amount: { currency: 'JPY', value: 120 }, captureMode: null }),
  };

  test('not where it is as documented', () => {
    expect(differencesInRequest(accepted)).toEqual([]);
    expect(differencesInRequest({ method: 'HEAD', url: '/api/find?id=P1&clientId=C', sent: '' })).toEqual([]);
  });

  test.each([
    ['a further parameter', { url: '/api/orders/R1?force=true' }],
    ['a parameter of another type', { url: '/api/orders/R1?replace=1' }],
    ['a parameter less', { method: 'GET', url: '/api/find' }],
    ['a body less', { sent: '{}' }],
    ['a further field', { sent: JSON.stringify({ amount: { currency: 'JPY', value: '1' }, colour: 'red' }) }],
    ['a value of zero', { sent: JSON.stringify({ amount: { currency: 'JPY', value: '00' } }) }],
    ['a path that is not there', { url: '/api/orders/R1/captures' }],
  ])('with %s', (_, change) => {
    expect(differencesInRequest({ ...accepted, ...change })).not.toEqual([]);
  });
});

describe('an answer that is no JSON', () => {
  const greeting = endpoint({
    method: 'get',
    path: '/greeting',
    name: 'greet',
    tag: 'Service',
    summary: 'A greeting',
    description: 'A greeting.',
    id: null,
    query: nothing,
    body: null,
    responses: { 200: { means: 'It.', body: z.string(), contentType: 'text/plain; version=1; charset=utf-8' } },
    problems: [],
    answer: () => async () => ok('"good morning"\n'),
  });

  test('is sent as it is, under its own type, which is documented', async () => {
    const app = express();
    addRoutes(app, [greeting], { needs: null, respond: write });
    const { text, headers } = await request(app).get('/greeting').expect(200);
    expect([text, headers['content-type']]).toEqual(['"good morning"\n', 'text/plain; version=1; charset=utf-8']);
    expect(createDocument([greeting])).toMatchObject({
      paths: {
        '/greeting': { get: { responses: { 200: { content: { 'text/plain': { schema: { type: 'string' } } } } } } },
      },
    });
  });
});
