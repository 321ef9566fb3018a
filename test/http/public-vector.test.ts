import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ACKNOWLEDGEMENT, createPool, headerOf, type Post, send, withHeaders } from '../support/client.ts';
import {
  environmentOf,
  idOf,
  type InProcess,
  makeDirectory,
  removeDirectory,
  startReady,
} from '../support/receiver.ts';

/** A notification that Antom really signed, with its own path, client id and key. */
interface Vector {
  readonly signedUri: string;
  readonly clientId: string;
  readonly requestTime: string;
  readonly publicKey: string;
  readonly signatureHeader: string;
  readonly bodyBase64: string;
  readonly mustFail: readonly {
    readonly change: string;
    readonly signedUri?: string;
    readonly body?: string;
    readonly clientId?: string;
    readonly requestTime?: string;
  }[];
}
const vector = JSON.parse(
  readFileSync(new URL('../fixtures/payment-result-sandbox-2025.json', import.meta.url), 'utf8'),
) as Vector;

const genuine: Post = {
  method: 'POST',
  target: vector.signedUri,
  headers: [
    ['client-id', vector.clientId],
    ['request-time', vector.requestTime],
    ['signature', vector.signatureHeader],
  ],
  body: Buffer.from(vector.bodyBase64, 'base64'),
};
const PAYMENT = '202505171940108001001885J0234117653';

const directory = makeDirectory();
let receiver: InProcess;

beforeAll(async () => {
  receiver = await startReady(directory, {
    ...environmentOf(directory, vector),
    NOTIFY_PATHS: vector.signedUri,
    UNVERIFIED_MAX_PER_SECOND: '100000',
  });
});

afterAll(async () => {
  await receiver.stop();
  removeDirectory(directory);
});

test('what Antom signed goes in over HTTP, and its order is there to be read', async () => {
  expect(await receiver.post(genuine)).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
  expect(await receiver.order(PAYMENT)).toMatchObject({
    clientId: vector.clientId,
    paymentId: PAYMENT,
    paymentRequestId: 'PR_1747468651136',
    // A wallet's payment: its S is the money.
    status: 'CAPTURED',
    fulfillable: true,
    nextAction: 'FULFIL',
    paymentAmount: { currency: 'HKD', value: '10000' },
    capturedAmount: null,
    expectedAmount: null,
    result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' },
    paymentTime: '2025-05-17T00:58:04-07:00',
    authorizationExpiresAt: null,
    captures: [],
  });
  expect(await receiver.order('PR_1747468651136')).toMatchObject({ paymentId: PAYMENT });
  const stored = await receiver.read(`/api/notifications/${idOf(genuine.body)}`);
  expect(stored.json).toMatchObject({
    outcome: 'APPLIED',
    kind: 'PAYMENT',
    body: vector.bodyBase64,
    signatureVerifies: true,
  });
  expect(await receiver.unverified()).toEqual([]);
});

test('it verifies with an added query too', async () => {
  expect((await receiver.post({ ...genuine, target: `${vector.signedUri}?x=1` })).status).toBe(200);
  expect(await receiver.notifications()).toMatchObject([{ deliveries: 2 }]);
  expect(await receiver.unverified()).toEqual([]);
});

test('on another path it is not found', async () => {
  for (const target of [`${vector.signedUri}/`, '/payNotify', vector.signedUri.toUpperCase()]) {
    expect((await receiver.post({ ...genuine, target })).status).toBe(404);
  }
});

const changed = vector.mustFail.filter(({ signedUri }) => signedUri === undefined);

test.each(changed)('it does not verify with: $change', async ({ body, clientId, requestTime }) => {
  const post = withHeaders(genuine, {
    'client-id': clientId ?? vector.clientId,
    'request-time': requestTime ?? vector.requestTime,
  });
  await receiver.post(body === undefined ? post : { ...post, body: Buffer.from(body) });
  const [latest] = await receiver.unverified();
  expect(latest).toMatchObject({
    deliveries: 1,
    reason: clientId === undefined ? 'SIGNATURE_MISMATCH' : 'UNKNOWN_CLIENT',
  });
});

const flip = (text: string, at: number): string =>
  `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`;

const withByteChanged = (at: number): Post => {
  const body = Buffer.from(genuine.body);
  body[at] = (body[at] ?? 0) ^ 1;
  return { ...genuine, body };
};

test('it does not verify with any one byte of its body, time or client id changed', async () => {
  const each = (name: string): readonly Post[] =>
    Array.from(headerOf(genuine, name), (_, at) => withHeaders(genuine, { [name]: flip(headerOf(genuine, name), at) }));
  const bodies = [...genuine.body.keys()].map(withByteChanged);
  const all = [...bodies, ...each('client-id'), ...each('request-time')];
  const before = await receiver.unverified();
  const pool = createPool(16);
  const answers = await Promise.all(all.map((post) => send(receiver.address, post, pool)));
  pool.destroy();
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(await receiver.unverified()).toHaveLength(before.length + all.length);
  expect(await receiver.notifications()).toMatchObject([{ deliveries: 2 }]);
});
