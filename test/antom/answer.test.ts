import { sign } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type SignedAnswer, verifyAnswer } from '../../src/antom/answer.ts';
import { readKey } from '../../src/antom/keys.ts';
import { nextKeyPair } from '../support/keys.ts';

const { privateKey, publicKey } = nextKeyPair();
const KEY = readKey(publicKey.export({ format: 'pem', type: 'spki' }));
const KEYS = new Map([['T_client', [KEY]]]);

const PATH = '/ams/api/v1/payments/inquiryPayment';
const TIME = '2025-05-17T07:58:04Z';
const BODY = '{"result":{"resultStatus":"S"},"paymentStatus":"SUCCESS"}';

const headerOver = (text: string): string =>
  `algorithm=RSA256,keyVersion=1,signature=${encodeURIComponent(sign('sha256', Buffer.from(text), privateKey).toString('base64'))}`;

const ACCEPTED: SignedAnswer = {
  path: PATH,
  clientIds: ['T_client'],
  responseTimes: [TIME],
  signatures: [headerOver(`POST ${PATH}\nT_client.${TIME}.${BODY}`)],
  body: Buffer.from(BODY),
};

test('an answer is verified over the path of its request, the client, the time of the response and its bytes', () => {
  expect(verifyAnswer(ACCEPTED, KEYS)).toEqual({
    clientId: 'T_client',
    path: PATH,
    responseTime: TIME,
    signature: ACCEPTED.signatures[0],
    body: ACCEPTED.body,
  });
});

describe('is none', () => {
  test.each<[string, Partial<SignedAnswer>]>([
    ['without a signature', { signatures: [] }],
    ['with an empty one', { signatures: [''] }],
    ['with two', { signatures: [...ACCEPTED.signatures, ...ACCEPTED.signatures] }],
    ['without a time', { responseTimes: [] }],
    ['of another time', { responseTimes: ['2025-05-17T07:58:05Z'] }],
    ['of another client', { clientIds: ['T_other'] }],
    ['of another call', { path: '/ams/api/v1/payments/inquiryRefund' }],
    ['of the sandbox', { path: '/ams/sandbox/api/v1/payments/inquiryPayment' }],
    ['of another body', { body: Buffer.from(`${BODY} `) }],
    ['signed as a notification', { signatures: [headerOver(`POST /payNotify\nT_client.${TIME}.${BODY}`)] }],
    ['signed as the request was', { signatures: [headerOver(`POST ${PATH}\nT_client.1747468684000.${BODY}`)] }],
  ])('%s', (_case, change) => {
    expect(verifyAnswer({ ...ACCEPTED, ...change }, KEYS)).toBeNull();
  });
});
