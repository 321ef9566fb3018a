import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createSigner, eventually } from '../support/client.ts';
import { captureResult, type Fields, jpy, paymentResult } from '../support/facts.ts';
import { sql, startServer } from '../support/postgres.ts';
import {
  environmentOf,
  fileIn,
  type InProcess,
  makeDirectory,
  removeDirectories,
  startReady,
} from '../support/receiver.ts';
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

const [follower = ''] = blocksOf(readPage('docs/consuming.md'), 'js');

/** Writes what it is told, one line a call. */
const SHOP = `
import { appendFileSync } from 'node:fs';
export const shipOnce = async (id) => appendFileSync('shipped', id + '\\n');
export const askAPerson = async ({ paymentId }) => appendFileSync('asked', paymentId + '\\n');
`;

const linesOf = (name: string): readonly string[] => {
  const file = join(directory, name);
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
};

/** Runs the follower of the page until what is waited for has happened. */
const follow = async (what: string, isDone: () => boolean): Promise<void> => {
  writeFileSync(join(directory, 'follow.mjs'), follower);
  writeFileSync(join(directory, 'shop.mjs'), SHOP);
  const { host, port } = receiver.admin;
  const child = spawn(process.execPath, ['follow.mjs'], {
    cwd: directory,
    env: { PAYNOTIFY_URL: `http://${host}:${port}` },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    await eventually(what, isDone, (done) => done);
  } finally {
    child.kill();
    await ended;
  }
};

describe('the follower of docs/consuming.md', () => {
  test('ships what is fulfillable, shows a person what is to be reviewed, and goes on where it was', async () => {
    await receiver.post(signer.sign(paymentResult('S', { paymentAmount: jpy('120') })));
    await receiver.post(signer.sign(paymentResult('S', { paymentId: 'P2', paymentRequestId: 'R2' })));
    await receiver.post(signer.sign(paymentResult('F', { paymentId: 'P2', paymentRequestId: 'R2' })));
    // Once its page is done, too: until then it would see the order twice.
    await follow('a review', () => linesOf('asked').length > 0 && existsSync(join(directory, 'cursor')));
    expect(linesOf('asked')).toEqual(['P2']);
    expect(linesOf('shipped')).toEqual([]);

    await receiver.post(signer.sign(captureResult('S', { captureId: 'C1', captureAmount: jpy('120') })));
    await follow('a parcel', () => linesOf('shipped').length > 0);
    expect(linesOf('shipped')).toEqual(['R1']);
    expect(linesOf('asked')).toEqual(['P2']);
  });
});

/** Orders that are paid in full, under numbers of their own. */
const pay = async (...numbers: readonly number[]): Promise<void> => {
  for (const number of numbers) {
    const ids = { paymentId: `P${number}`, paymentRequestId: `R${number}` };
    await receiver.post(signer.sign(paymentResult('S', { ...ids, paymentAmount: jpy('120') })));
    await receiver.post(
      signer.sign(captureResult('S', { paymentId: `P${number}`, captureId: `C${number}`, captureAmount: jpy('120') })),
    );
  }
};
const allShipped =
  (...numbers: readonly number[]) =>
  () =>
    numbers.every((number) => linesOf('shipped').includes(`R${number}`));

describe('the follower of docs/consuming.md ships every order', () => {
  test('after a SQLite backup was put back by hand', async () => {
    const environment = environmentOf(directory, signer);
    const file = fileIn(directory);
    await pay(1, 2);
    await receiver.stop();
    copyFileSync(file, `${file}.backup`);
    receiver = await startReady(directory, environment);
    await pay(3, 4);
    await follow('all parcels', allShipped(1, 2, 3, 4));

    await receiver.stop();
    copyFileSync(`${file}.backup`, file);
    receiver = await startReady(directory, environment);
    // As many as were lost: the feed is as long as the follower has read it.
    await pay(5, 6);
    await follow('the parcels after the restore', allShipped(5, 6));
    expect(new Set(linesOf('shipped'))).toEqual(new Set(['R1', 'R2', 'R3', 'R4', 'R5', 'R6']));
  });

  test('after a PostgreSQL database was made again from its copy', async () => {
    const server = await startServer();
    try {
      const url = new URL(await server.createDatabase());
      const name = url.pathname.slice(1);
      const maintenance = new URL('/postgres', url).href;
      const environment = { ...environmentOf(directory, signer), DATABASE_URL: url.href };
      await receiver.stop();
      receiver = await startReady(directory, environment);
      await pay(1);
      await receiver.stop();
      await sql(maintenance, `create database ${name}_copy template ${name}`);
      receiver = await startReady(directory, environment);
      await pay(2, 3);
      await follow('all parcels', allShipped(1, 2, 3));

      await receiver.stop();
      await sql(maintenance, `drop database ${name} with (force)`);
      await sql(maintenance, `alter database ${name}_copy rename to ${name}`);
      receiver = await startReady(directory, environment);
      await pay(4, 5);
      await follow('the parcels after the restore', allShipped(4, 5));
      expect(new Set(linesOf('shipped'))).toEqual(new Set(['R1', 'R2', 'R3', 'R4', 'R5']));
      await receiver.stop();
    } finally {
      await server.stop();
      receiver = await startReady(directory, environmentOf(directory, signer));
    }
  });
});

describe('the admin API as docs/consuming.md lists it', () => {
  const rows = [
    ...readPage('docs/consuming.md').text.matchAll(/^\| `(GET|PUT|PATCH|DELETE|POST) (\/[^?`]*)(?:\?([^`]*))?` \|/gm),
  ].map(([, method = '', path = '', query = '']) => [method, path, query.split('&').filter(Boolean)] as const);

  test('is listed', () => expect(rows.length).toBeGreaterThan(16));

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
        method === 'PUT' || method === 'PATCH'
          ? /application\/json/
          : /no such (order|notification|unverified request)/,
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
    const [applied, malformed] = receiver.log().filter(({ requestId }) => requestId !== undefined);
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
