import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ENDPOINTS } from '../../src/http/admin/endpoints.ts';
import { createSigner } from '../support/client.ts';
import { type Fields, jpy, paymentResult } from '../support/facts.ts';
import { environmentOf, type InProcess, makeDirectory, removeDirectories, startReady } from '../support/receiver.ts';
import { blocksOf, readPage } from './blocks.ts';

const signer = createSigner();
let directory = '';
let receiver: InProcess;
beforeEach(async () => {
  directory = makeDirectory();
  receiver = await startReady(directory, environmentOf(directory, signer));
});
afterEach(async () => {
  await receiver.stop();
});
afterAll(removeDirectories);

/** Whatever its `:id` is called. */
const named = (method: string, path: string): string => `${method.toUpperCase()} ${path.replace(/:\w+/, ':id')}`;

describe('the admin API as docs/consuming.md lists it', () => {
  const rows = [
    ...readPage('docs/consuming.md').text.matchAll(/^\| `(GET|PUT|PATCH|DELETE|POST) (\/[^?`]*)(?:\?([^`]*))?` \|/gm),
  ].map(([, method = '', path = '', query = '']) => [method, path, query.split('&').filter(Boolean)] as const);

  const endpoints = new Map(ENDPOINTS.map((one) => [named(one.method, one.path), one]));

  test('has a row for each endpoint', () => {
    expect([...new Set(rows.map(([method, path]) => named(method, path)))].sort()).toEqual(
      [...endpoints.keys()].sort(),
    );
  });

  const some: Readonly<Record<string, string>> = { kind: 'CAPTURE', outcome: 'FAILED', status: 'FAILED' };
  Object.assign(some, {
    attention: 'CAPTURE_FAILED',
    reason: 'UNKNOWN_CLIENT',
    nextAction: 'REVIEW',
    referenceOrderId: 'order-4711',
    clientId: signer.clientId,
    joined: 'false',
    id: 'PR_1747468651136',
    limit: '1',
    after: '0',
    wait: '0',
  });

  test.each(rows)('%s %s takes %j', async (method, path, parameters) => {
    const query = parameters
      .map((parameter) => parameter.replace('=', ''))
      .filter((name) => name !== 'cursor')
      .map((name) => `${name}=${some[name]}`);
    const target = `${path.replace(/:\w+/, 'X')}${query.length === 0 ? '' : `?${query.join('&')}`}`;
    const { host, port } = receiver.admin;
    const response = await fetch(`http://${host}:${port}${target}`, { method });
    const text = await response.text();
    const answer = (path === '/metrics' ? {} : JSON.parse(text)) as { readonly detail?: string };
    // An id that is not there is another matter than a path that is not there; what registers needs a body.
    if (path.includes(':'))
      expect(answer.detail).toMatch(
        endpoints.get(named(method, path))?.body === null ? /no such (?!path)/ : /application\/json; \{\}/,
      );
    else expect(response.status).toBe(200);
  });
});

describe('the documents show', () => {
  test('a review that is taken', async () => {
    const [example = ''] = blocksOf(readPage('docs/consuming.md'), 'http');
    const [, target = '', paymentId = '', body = ''] =
      /^PUT (\/api\/orders\/(\w+)\/review)\nContent-Type: application\/json\n\n(.+)\n$/.exec(example) ?? [];
    await receiver.post(signer.sign(paymentResult('S', { paymentId, paymentAmount: jpy('120') })));
    await receiver.post(signer.sign(paymentResult('F', { paymentId })));
    const { revision = 0, nextAction } = (await receiver.order(paymentId)) ?? {};
    expect(nextAction).toBe('REVIEW');
    const { host, port } = receiver.admin;
    const response = await fetch(`http://${host}:${port}${target}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: body.replace(/(?<="revision":)\d+/, String(revision)),
    });
    expect(await response.json()).toMatchObject({ nextAction: 'NONE', review: { decision: 'CLOSE', revision } });
  });

  test('a log line with the fields that it has', async () => {
    await receiver.post(signer.sign(paymentResult('S')));
    await receiver.post(signer.sign({ notifyType: 'PAYMENT_RESULT', result: { resultStatus: 'X' } }));
    const [example = '{}'] = blocksOf(readPage('docs/operating.md'), 'json');
    const [applied, malformed] = (await receiver.log()).filter(({ requestId }) => requestId !== undefined);
    expect(Object.keys(applied ?? {})).toEqual(Object.keys(JSON.parse(example) as Fields));
    expect(applied).toMatchObject({ kind: 'PAYMENT', outcome: 'APPLIED', msg: 'notification' });
    const { problem } = malformed ?? {};
    expect(readPage('docs/orders.md').text).toContain(`\`${String(problem)}\``);
  });

  test('an error as it is', async () => {
    const { json } = await receiver.read('/api/orders?limit=many');
    expect(blocksOf(readPage('docs/consuming.md'), 'json').map((block) => JSON.parse(block) as unknown)).toEqual([
      json,
    ]);
  });
});
