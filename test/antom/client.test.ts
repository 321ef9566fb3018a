import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { verifyAnswer } from '../../src/antom/answer.ts';
import { verifyEvidence } from '../../src/antom/call-result.ts';
import type { AntomClient, ClientSettings } from '../../src/antom/client.ts';
import { createAntomClient, createAntomClients } from '../../src/antom/client.ts';
import { readConfig } from '../../src/config.ts';
import { exchange } from '../../src/antom/exchange.ts';
import { readKey } from '../../src/antom/keys.ts';
import { readPrivateKeyText } from '../../src/antom/private-key.ts';
import {
  answering,
  answeringWith,
  answerHeaders,
  type AntomApi,
  APO_PUBLIC_KEY,
  CLIENT_ID,
  MERCHANT_KEY,
  type Reply,
  startAntomApi,
} from '../support/antom-api.ts';
import { createForgeSigner, keyFixture } from '../support/forge-signer.ts';

const sample = (name: string): string =>
  readFileSync(new URL(`../fixtures/answers/${name}.json`, import.meta.url), 'utf8');

let api: AntomApi;
beforeAll(async () => {
  api = await startAntomApi();
});
afterAll(async () => await api.close());

const NOW = 1_747_468_684_123;
const { key } = readPrivateKeyText(MERCHANT_KEY);
const apoKeys = [readKey(APO_PUBLIC_KEY)];
const clientWith = (change: Partial<ClientSettings> = {}): AntomClient =>
  createAntomClient({
    clientId: CLIENT_ID,
    origin: api.origin,
    signingKey: { key, version: '3' },
    keys: apoKeys,
    now: () => NOW,
    ...change,
  });

const OK = { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' };
const hkd = { currency: 'HKD', value: 10n };
const hkdOf = (value: string) => ({ currency: 'HKD', value });
const capture = { captureRequestId: 'C1', paymentId: 'P1', captureAmount: hkd };
/** What a successful capture is answered with. */
const captured = {
  result: OK,
  captureRequestId: 'C1',
  captureId: 'A1',
  paymentId: 'P1',
  captureAmount: { currency: 'HKD', value: '10' },
  captureTime: '2025-05-07T03:04:15-07:00',
};
const CAPTURED = JSON.stringify(captured);

/** What becomes of the capture of above when it is answered so. */
const captureAnswered = async (reply: Reply, change: Partial<ClientSettings> = {}) => {
  api.reply(reply);
  return await clientWith(change).capture(capture);
};

const missing = (): never => {
  throw new Error('it is missing');
};

describe('a request', () => {
  const asks: readonly (readonly [string, (client: AntomClient) => Promise<unknown>, unknown])[] = [
    [
      'inquiryPayment',
      async (client) => await client.inquiryPayment({ paymentRequestId: 'R1' }),
      { paymentRequestId: 'R1' },
    ],
    ['inquiryPayment', async (client) => await client.inquiryPayment({ paymentId: 'P1' }), { paymentId: 'P1' }],
    [
      'capture',
      async (client) => await client.capture({ ...capture, isLastCapture: true }),
      { captureRequestId: 'C1', paymentId: 'P1', captureAmount: { currency: 'HKD', value: '10' }, isLastCapture: true },
    ],
    ['cancel', async (client) => await client.cancel({ paymentId: 'P1' }), { paymentId: 'P1' }],
    [
      'refund',
      async (client) =>
        await client.refund({ refundRequestId: 'Größe', paymentId: 'P1', refundAmount: hkd, captureId: 'A1' }),
      {
        refundRequestId: 'Größe',
        paymentId: 'P1',
        refundAmount: { currency: 'HKD', value: '10' },
        captureId: 'A1',
      },
    ],
    [
      'inquiryRefund',
      async (client) => await client.inquiryRefund({ refundRequestId: 'F1' }),
      { refundRequestId: 'F1' },
    ],
  ];

  test.each(asks)('of %s is signed over the bytes and the path that are sent', async (operation, ask, body) => {
    await ask(clientWith());
    const seen = api.seen.at(-1);
    expect(seen).toMatchObject({
      method: 'POST',
      target: `/ams/sandbox/api/v1/payments/${operation}`,
      isSigned: true,
      headers: {
        'client-id': CLIENT_ID,
        'request-time': String(NOW),
        'content-type': 'application/json; charset=UTF-8',
        signature: expect.stringMatching(/^algorithm=RSA256,keyVersion=3,signature=[A-Za-z0-9%]+$/),
      },
    });
    expect(JSON.parse(String(seen?.body))).toEqual(body);
  });

  test('of a client beyond the sandbox goes to the plain path', async () => {
    await clientWith({ clientId: 'T_live' }).capture(capture);
    expect(api.seen.at(-1)).toMatchObject({ target: '/ams/api/v1/payments/capture', isSigned: true });
  });

  test.each([
    ['/ams/api/v1/payments/capture?tenant=1&x=%2f', '/ams/api/v1/payments/capture?tenant=1&x=%2f'],
    ['/a?b=c?d/e', '/a?b=c?d/e'],
    ['/a b?c d', '/a%20b?c%20d'],
    ['/a/../b?x#y', '/b?x'],
  ])('to a URI with a query is signed with it, as it leaves: %s', async (target, sent) => {
    const caller = { timeoutMs: 10_000, maxBytes: 1_000, now: () => NOW, clientId: CLIENT_ID, origin: api.origin };
    const signingKey = { key, version: '1' };
    const exchanged = await exchange({ ...caller, signingKey }, { target, body: Buffer.from('{}') });
    expect(exchanged.sent.target).toBe(sent);
    expect(api.seen.at(-1)).toMatchObject({ target: sent, isSigned: true });
  });
});

describe('what APO signed is read', () => {
  test('the capture of its page', async () => {
    api.reply(answering(sample('capture')));
    const result = await clientWith().capture({
      captureRequestId: '20250507181369736538569428992',
      paymentId: '20250507114010800100181290233266703',
      captureAmount: hkd,
    });
    expect(result).toMatchObject({
      outcome: 'OK',
      result: OK,
      answer: {
        captureId: '20250507114010807000181290271040256',
        captureRequestId: '20250507181369736538569428992',
        paymentId: '20250507114010800100181290233266703',
        captureAmount: hkd,
      },
    });
  });

  test('the inquiry of its page, with the capture that followed', async () => {
    api.reply(answering(sample('inquiry-payment')));
    const result = await clientWith().inquiryPayment({ paymentRequestId: 'G153202503171022523041' });
    const jpy = { currency: 'JPY', value: 120n };
    expect(result).toMatchObject({
      outcome: 'OK',
      answer: {
        paymentStatus: 'SUCCESS',
        paymentId: '20250317194010890100111600255689113',
        paymentAmount: jpy,
        transactions: [
          {
            transactionId: '20250317194010890100111600255676857',
            transactionRequestId: 'G153202503171022523041',
            transactionAmount: jpy,
          },
        ],
      },
    });
  });

  test('a payment without anything that followed, and one that failed without an amount', async () => {
    for (const transactions of [null, undefined, []]) {
      api.reply(answering({ result: OK, paymentId: 'P1', paymentStatus: 'FAIL', transactions }));
      expect(await clientWith().inquiryPayment({ paymentId: 'P1' })).toMatchObject({
        outcome: 'OK',
        answer: { paymentStatus: 'FAIL', paymentAmount: null, paymentRequestId: null },
      });
    }
  });

  test('cancel, refund and inquiryRefund', async () => {
    const refunded = { refundRequestId: 'F1', refundId: 'B1', refundAmount: { currency: 'HKD', value: 10 } };
    api.reply(answering({ result: OK, paymentId: 'P1', paymentRequestId: 'R1' }));
    expect(await clientWith().cancel({ paymentRequestId: 'R1' })).toMatchObject({
      outcome: 'OK',
      answer: { paymentId: 'P1', paymentRequestId: 'R1' },
    });
    api.reply(answering({ result: OK, paymentId: 'P1', ...refunded }));
    expect(await clientWith().refund({ refundRequestId: 'F1', paymentId: 'P1', refundAmount: hkd })).toMatchObject({
      outcome: 'OK',
      answer: { ...refunded, refundAmount: hkd },
    });
    api.reply(answering({ result: OK, refundStatus: 'PROCESSING', ...refunded }));
    expect(await clientWith().inquiryRefund({ refundId: 'B1' })).toMatchObject({
      outcome: 'OK',
      answer: { refundStatus: 'PROCESSING', refundAmount: hkd },
    });
  });

  test('a capture that names some of what was asked, and an id of 128 characters', async () => {
    const captureId = 'A'.repeat(128);
    const { paymentId: _paymentId, ...some } = captured;
    expect(await captureAnswered(answering({ ...some, captureId }))).toMatchObject({
      outcome: 'OK',
      answer: { captureId, paymentId: null },
    });
  });

  test('with the bytes, headers and times by which it can be stored, and verified again', async () => {
    const { evidence } = await captureAnswered(answering(CAPTURED));
    expect(String(evidence.received?.body)).toBe(CAPTURED);
    expect(Object.fromEntries(evidence.received?.headers ?? [])).toMatchObject(
      answerHeaders('/ams/sandbox/api/v1/payments/capture', CAPTURED),
    );
    expect(evidence.received?.receivedAt).toBe(NOW);
    expect(evidence.sent).toMatchObject({ target: '/ams/sandbox/api/v1/payments/capture', requestTime: String(NOW) });
    const { path, clientId, responseTime, signature, body } = evidence.verified ?? missing();
    expect([path, responseTime]).toEqual(['/ams/sandbox/api/v1/payments/capture', '2025-05-17T07:58:04Z']);
    const again = { path, clientIds: [clientId], responseTimes: [responseTime], signatures: [signature], body };
    expect(verifyAnswer(again, new Map([[CLIENT_ID, apoKeys]]))).toEqual(evidence.verified);
  });

  test('F is a failure of the class of its code', async () => {
    const failed = await captureAnswered(answering({ result: { resultStatus: 'F', resultCode: 'AUTH_EXPIRED' } }));
    expect(failed).toMatchObject({
      outcome: 'FAILED',
      failure: 'AUTHORIZATION_GONE',
      result: { resultStatus: 'F', resultCode: 'AUTH_EXPIRED', resultMessage: null },
    });
    expect(failed.evidence.verified).not.toBeNull();
  });

  test.each([
    [{ resultStatus: 'U', resultCode: 'CAPTURE_IN_PROCESS' }, 'IN_PROCESS'],
    [{ resultStatus: 'U', resultCode: 'REQUEST_TRAFFIC_EXCEED_LIMIT' }, 'BACK_OFF'],
    [{ resultStatus: 'U' }, 'AGAIN'],
    [{ resultStatus: 'F', resultCode: 'UNKNOWN_EXCEPTION' }, 'AGAIN'],
  ])('%j is UNDECIDED', async (result, delay) => {
    const undecided = await captureAnswered(answering({ result }));
    expect(undecided).toMatchObject({ outcome: 'UNKNOWN', reason: 'UNDECIDED', delay, result });
    expect(undecided.evidence.verified).not.toBeNull();
  });
});

describe('an answer whose signature does not verify is not believed, whatever it says', () => {
  const UNVERIFIED = { outcome: 'UNKNOWN', reason: 'UNVERIFIED', delay: 'AGAIN', result: null };
  const PLAIN = '/ams/api/v1/payments/capture';
  const stranger = createForgeSigner(keyFixture('throw-away-3072.private.pkcs8.pem'));
  const merchant = createForgeSigner(MERCHANT_KEY);
  const failed = JSON.stringify({ result: { resultStatus: 'F', resultCode: 'AUTH_EXPIRED' } });

  test('while the one that verifies is', async () => {
    expect(await captureAnswered(answering(CAPTURED))).toMatchObject({ outcome: 'OK' });
    expect(await captureAnswered(answering(failed))).toMatchObject({ outcome: 'FAILED' });
  });

  const forged: readonly (readonly [string, Reply, string])[] = [
    ['signed by a stranger', answering(CAPTURED, { signer: stranger }), 'MALFORMED_SIGNATURE'],
    ['signed by the merchant', answering(CAPTURED, { signer: merchant }), 'SIGNATURE_MISMATCH'],
    ['a failure signed by the merchant', answering(failed, { signer: merchant }), 'SIGNATURE_MISMATCH'],
    ["with APO's signature over other bytes", answering(CAPTURED, { signedBody: failed }), 'SIGNATURE_MISMATCH'],
    ['with a space more', answering(`${CAPTURED} `, { signedBody: CAPTURED }), 'SIGNATURE_MISMATCH'],
    ['signed for another path', answering(CAPTURED, { uri: PLAIN }), 'SIGNATURE_MISMATCH'],
    ['for another client', answering(CAPTURED, { clientId: 'SANDBOX_other' }), 'UNKNOWN_CLIENT'],
    ['without client-id', answeringWith(CAPTURED, { 'client-id': null }), 'MISSING_HEADER'],
    ['without response-time', answeringWith(CAPTURED, { 'response-time': null }), 'MISSING_HEADER'],
    [
      'with another response-time',
      answeringWith(CAPTURED, { 'response-time': '2025-05-17T07:58:05Z' }),
      'SIGNATURE_MISMATCH',
    ],
    [
      'with another algorithm',
      answeringWith(CAPTURED, { signature: 'algorithm=RSA512,signature=AAAA' }),
      'UNSUPPORTED_ALGORITHM',
    ],
    ['with no signature that can be read', answeringWith(CAPTURED, { signature: 'testing' }), 'MALFORMED_SIGNATURE'],
    ['with client-id twice', answeringWith(CAPTURED, { 'client-id': [CLIENT_ID, CLIENT_ID] }), 'UNKNOWN_CLIENT'],
  ];
  test.each(forged)('%s', async (_, reply, detail) => {
    const result = await captureAnswered(reply);
    expect(result).toMatchObject({ ...UNVERIFIED, detail });
    expect(result.evidence.verified).toBeNull();
    expect(result.evidence.received).not.toBeNull();
  });

  test("where the configured key is another one of APO's, or there is none", async () => {
    const keys = [readKey(keyFixture('throw-away-second.public.spki.pem'))];
    expect(await captureAnswered(answering(CAPTURED), { keys })).toMatchObject(UNVERIFIED);
    expect(await captureAnswered(answering(CAPTURED), { keys: [] })).toMatchObject(UNVERIFIED);
    expect(
      await captureAnswered(answering(CAPTURED), { keys: [...keys, readKey(`1:${APO_PUBLIC_KEY}`)] }),
    ).toMatchObject({
      outcome: 'OK',
    });
  });

  test('with any one bit of it changed', async () => {
    const { evidence } = await captureAnswered(answering(CAPTURED));
    const [sent, received] = [evidence.sent, evidence.received ?? missing()];
    const trust = { clientId: CLIENT_ID, keys: apoKeys };
    expect(verifyEvidence({ sent, received }, trust)).toHaveProperty('verified.clientId', CLIENT_ID);
    const believed = Array.from(CAPTURED, (_, place) => place).filter((place) => {
      const body = Buffer.from(received.body);
      body.writeUInt8((body[place] ?? 0) ^ (1 << (place % 8)), place);
      return !('outcome' in verifyEvidence({ sent, received: { ...received, body } }, trust));
    });
    expect(believed).toEqual([]);
  });

  const UNSIGNED = { outcome: 'UNKNOWN', reason: 'UNSIGNED', result: null };
  test.each([
    ['a success', CAPTURED],
    ['a failure', failed],
    [
      'a failure with a code of the configuration that is always signed',
      '{"result":{"resultStatus":"F","resultCode":"ACCESS_DENIED"}}',
    ],
    ['no JSON', '<html>'],
    ['nothing', ''],
  ])('unsigned: %s', async (_, body) => {
    for (const signature of [null, ''])
      expect(await captureAnswered(answeringWith(body, { signature }))).toMatchObject(UNSIGNED);
  });

  test.each(['INVALID_SIGNATURE', 'KEY_NOT_FOUND', 'CLIENT_INVALID'])(
    'unsigned %s means the configuration, and is no failure of the capture',
    async (resultCode) => {
      const body = JSON.stringify({ result: { resultStatus: 'F', resultCode } });
      const result = await captureAnswered(
        answeringWith(body, { signature: null, 'client-id': null, 'response-time': null }),
      );
      expect(result).toMatchObject({
        outcome: 'UNKNOWN',
        reason: 'CONFIGURATION',
        delay: 'BACK_OFF',
        detail: resultCode,
        result: null,
      });
      expect(await captureAnswered(answering(body))).toMatchObject({ outcome: 'FAILED', failure: 'CONFIGURATION' });
      expect(await captureAnswered(answering(body, { signer: merchant }))).toMatchObject(UNVERIFIED);
    },
  );
});

describe('an answer that APO signed, but that is none to this question', () => {
  test.each([
    ['another capture', { ...captured, captureRequestId: 'C2' }, 'captureRequestId'],
    ['another payment', { ...captured, paymentId: 'P2' }, 'paymentId'],
    ['an id of another type', { ...captured, captureRequestId: 1 }, 'captureRequestId'],
    [
      'a failure of another capture',
      { captureRequestId: 'C2', result: { resultStatus: 'F', resultCode: 'RISK_REJECT' } },
      'captureRequestId',
    ],
  ])('is not taken for it: %s', async (_, body, detail) => {
    expect(await captureAnswered(answering(body))).toMatchObject({ outcome: 'UNKNOWN', reason: 'OTHER_IDS', detail });
  });

  const refund = { refundRequestId: 'F1', paymentId: 'P1', refundAmount: hkd, captureId: 'K1' };
  const refunded = { result: OK, refundRequestId: 'F1', refundId: 'B1', captureId: 'K1', refundAmount: hkdOf('10') };

  test('is not taken for it: a refund of another capture', async () => {
    api.reply(answering(refunded));
    expect(await clientWith().refund(refund)).toMatchObject({ outcome: 'OK' });
    api.reply(answering({ ...refunded, captureId: 'K2' }));
    expect(await clientWith().refund(refund)).toMatchObject({ reason: 'OTHER_IDS', detail: 'captureId' });
  });

  test.each([
    ['value', hkdOf('1')],
    ['currency', { currency: 'USD', value: '10' }],
  ])('is not taken for it: a success of another amount, by its %s', async (_, amount) => {
    const other = { outcome: 'UNKNOWN', reason: 'OTHER_AMOUNT', result: { resultStatus: 'S' } };
    expect(await captureAnswered(answering({ ...captured, captureAmount: amount }))).toMatchObject({
      ...other,
      detail: 'captureAmount',
    });
    api.reply(answering({ ...refunded, refundAmount: amount }));
    expect(await clientWith().refund(refund)).toMatchObject({ ...other, detail: 'refundAmount' });
  });

  const without = (name: string) => ({ ...captured, [name]: undefined });
  test.each([
    ['no JSON', '<html>', 'result'],
    ['nothing', '', 'result'],
    ['a list', '[]', 'result'],
    ['null', 'null', 'result'],
    ['no result', without('result'), 'result'],
    ['a result that is null', { ...captured, result: null }, 'result'],
    ['a result without a status', { ...captured, result: { resultCode: 'SUCCESS' } }, 'result'],
    ['an unknown status', { ...captured, result: { ...OK, resultStatus: 'A' } }, 'result'],
    ['invalid UTF-8', Buffer.from(CAPTURED.replace('success.', 'success\xff'), 'latin1'), 'result'],
    ['a byte order mark', `\ufeff${CAPTURED}`, 'result'],
    ['a success without captureId', without('captureId'), 'captureId'],
    ['a success without captureRequestId', without('captureRequestId'), 'captureRequestId'],
    ['an id of 129 characters', { ...captured, captureId: 'A'.repeat(129) }, 'captureId'],
    [
      'an amount that is none',
      { ...captured, captureAmount: { currency: 'HKD', value: '1.5' } },
      'captureAmount.value',
    ],
    ['an amount as a fraction', { ...captured, captureAmount: { currency: 'HKD', value: 1.5 } }, 'captureAmount.value'],
    ['a negative amount', { ...captured, captureAmount: { currency: 'HKD', value: '-10' } }, 'captureAmount.value'],
  ])('or cannot be read, is UNKNOWN: %s', async (_, body, detail) => {
    const result = await captureAnswered(answering(body));
    expect(result).toMatchObject({ outcome: 'UNKNOWN', reason: 'UNREADABLE', detail });
    expect(result.evidence.verified).not.toBeNull();
  });

  test('a success that names nothing that was asked', async () => {
    const [noIds, noStatus] = [
      { result: OK, paymentStatus: 'SUCCESS' },
      { result: OK, paymentId: 'P1' },
    ];
    api.reply(answering(noIds));
    expect(await clientWith().inquiryPayment({ paymentId: 'P1' })).toMatchObject({
      reason: 'OTHER_IDS',
      detail: 'paymentId',
    });
    expect(await clientWith().cancel({ paymentRequestId: 'R1' })).toMatchObject({
      reason: 'OTHER_IDS',
      detail: 'paymentRequestId',
    });
    for (const answer of [noStatus, { ...noStatus, paymentStatus: '' }]) {
      api.reply(answering(answer));
      expect(await clientWith().inquiryPayment({ paymentId: 'P1' })).toMatchObject({
        reason: 'UNREADABLE',
        detail: 'paymentStatus',
      });
    }
    api.reply(answering({ result: OK, refundRequestId: 'F1', refundStatus: '' }));
    expect(await clientWith().inquiryRefund({ refundRequestId: 'F1' })).toMatchObject({
      reason: 'UNREADABLE',
      detail: 'refundStatus',
    });
  });
});

test('as configured: each client that has a private key calls with its own, and believes its own of APO', async () => {
  const { api: access, keys } = readConfig({
    ANTOM_CLIENT_ID: CLIENT_ID,
    ANTOM_PUBLIC_KEY: `9:${APO_PUBLIC_KEY}`,
    ANTOM_PRIVATE_KEY: MERCHANT_KEY,
    ANTOM_PRIVATE_KEY_VERSION: '4',
    ANTOM_API_URL: api.origin,
  });
  const clients = createAntomClients(access ?? missing(), keys);
  expect([...clients.keys()]).toEqual([CLIENT_ID]);
  api.reply(answering(CAPTURED));
  expect(await clients.get(CLIENT_ID)?.capture(capture)).toMatchObject({ outcome: 'OK' });
  expect(api.seen.at(-1)).toMatchObject({
    isSigned: true,
    headers: { signature: expect.stringContaining('keyVersion=4,') },
  });
});
