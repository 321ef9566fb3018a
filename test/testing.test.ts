import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readKey } from '../src/antom/keys.ts';
import { type Verification, verify } from '../src/antom/signature.ts';
import {
  createSender,
  makeKeyPair,
  notification,
  RESENT_AFTER,
  sample,
  SAMPLE_NAMES,
  type Sender,
  series,
  SERIES_NAMES,
} from '../src/testing.ts';
import { ACKNOWLEDGEMENT } from './support/client.ts';
import { freePort } from './support/port.ts';

/** Not paynotify: a listener that keeps what it receives, and answers what it is told to. */
interface Received {
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
const received: Received[] = [];
let answers: string[] = [];
let listener: Server;
let keys: { readonly privateKey: string; readonly publicKey: string };
let apo: Sender;

beforeAll(async () => {
  listener = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      received.push({ target: request.url ?? '', headers: request.headers, body: Buffer.concat(pieces) });
      response.end(answers.shift() ?? ACKNOWLEDGEMENT);
    });
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  keys = await makeKeyPair();
  const { port } = listener.address() as AddressInfo;
  apo = createSender({ url: `http://127.0.0.1:${port}/shop/notify?a=b`, clientId: 'T_1', privateKey: keys.privateKey });
});
beforeEach(() => {
  received.length = 0;
  answers = [];
});
afterAll(() => {
  listener.close();
  listener.closeAllConnections();
});

const verificationOf = ({ target, headers, body }: Received): Verification =>
  verify(
    {
      method: 'POST',
      target,
      clientIds: [String(headers['client-id'])],
      requestTimes: [String(headers['request-time'])],
      signatures: [String(headers['signature'])],
      body,
    },
    { keys: new Map([['T_1', [readKey(keys.publicKey)]]]), publicUris: [] },
  );

describe('a sender', () => {
  test('signs what it sends, as APO does', async () => {
    const payment = notification('PAYMENT_RESULT', { paymentId: 'P1' });
    expect(await apo.send(payment)).toEqual({
      acknowledged: true,
      answer: { status: 200, body: ACKNOWLEDGEMENT },
      problem: null,
    });
    const [request] = received;
    expect(verificationOf(request as Received)).toMatchObject({ verified: true });
    expect(JSON.parse(String(request?.body))).toEqual(payment);
  });

  test('says the time that it is told to, and signs it', async () => {
    await apo.send('{}', { requestTime: '2025-05-17T07:58:04Z' });
    expect(received[0]?.headers['request-time']).toBe('2025-05-17T07:58:04Z');
    expect(verificationOf(received[0] as Received)).toMatchObject({ verified: true });
  });

  test('sends bytes as they are, and a forgery that does not verify', async () => {
    const bytes = Buffer.from([0x7b, 0x20, 0xff, 0x7d]);
    await apo.send(bytes, { forged: true });
    expect(received[0]?.body).toEqual(bytes);
    expect(verificationOf(received[0] as Received)).toEqual({ verified: false, reason: 'SIGNATURE_MISMATCH' });
  });

  test('gives what it would send', () => {
    const { url, headers, body } = apo.sign('{}', { requestTime: '2025-05-17T07:58:04Z' });
    const request = { target: url.pathname, headers, body };
    expect(verificationOf(request)).toMatchObject({ verified: true });
  });

  test('says what else came back, and when nothing did', async () => {
    answers = ['OK'];
    expect(await apo.send('{}')).toEqual({ acknowledged: false, answer: { status: 200, body: 'OK' }, problem: null });
    const url = `http://127.0.0.1:${await freePort()}/payNotify`;
    const gone = createSender({ url, clientId: 'T_1', privateKey: keys.privateKey });
    expect(await gone.send('{}')).toEqual({
      acknowledged: false,
      answer: null,
      problem: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

describe('resending', () => {
  test('ends with the acknowledgement, and repeats the request byte for byte', async () => {
    answers = ['no', 'no'];
    const sends = await apo.resend('{"a":1}', { faster: 1_000_000 });
    expect(sends.map(({ acknowledged }) => acknowledged)).toEqual([false, false, true]);
    const [first, ...others] = received;
    expect(others).toEqual([first, first]);
  });

  test('gives up where APO does: 8 sends within 24 h 22 min', async () => {
    answers = Array.from({ length: 9 }, () => 'no');
    expect(await apo.resend('{}', { faster: 100_000_000 })).toHaveLength(8);
    expect(received).toHaveLength(8);
    expect(RESENT_AFTER.reduce((sum, after) => sum + after, 0)).toBe((24 * 60 + 22) * 60_000);
  });
});

describe('what is sent', () => {
  test('is new each time, but for the changes', () => {
    const changes = { paymentRequestId: 'PR_1', amount: { currency: 'JPY', value: '120' }, status: 'F' } as const;
    const [one, other] = [notification('PAYMENT_RESULT', changes), notification('PAYMENT_RESULT', changes)];
    expect(one).toMatchObject({ paymentRequestId: 'PR_1', paymentAmount: changes.amount });
    expect(one['result']).toMatchObject({ resultStatus: 'F' });
    expect(one['paymentId']).not.toBe(other['paymentId']);
  });

  test('is a sample as it is printed, but for the changes', () => {
    expect(sample('capture')).toMatchObject({ captureId: '20250317194010890100111600255676857' });
    expect(sample('capture', { captureId: 'C1' })).toEqual({ ...sample('capture'), captureId: 'C1' });
  });

  test('is a series about one payment', () => {
    const [payment, capture, refund] = series('refund', { paymentId: 'P1' });
    expect([payment, capture, refund]).toMatchObject([
      { notifyType: 'PAYMENT_RESULT', paymentId: 'P1' },
      { notifyType: 'CAPTURE_RESULT', paymentId: 'P1' },
      { notifyType: 'REFUND_RESULT' },
    ]);
  });

  test('has a name for each', () => {
    for (const name of SAMPLE_NAMES) expect(sample(name)).toEqual(expect.any(Object));
    for (const name of SERIES_NAMES) expect(series(name).length).toBeGreaterThan(0);
  });

  test.each([
    ['a sample that there is not', () => sample('nothing'), 'there is no sample nothing, but payment-card'],
    ['a series that there is not', () => series('nothing'), 'there is no series nothing, but wallet'],
    [
      'a result of a dispute',
      () => notification('DISPUTE_JUDGED', { status: 'F' }),
      'DISPUTE_JUDGED has no result: the type of a dispute says what became of it',
    ],
  ])('is not %s', (_what, make, message) => {
    expect(make).toThrow(message);
  });
});
