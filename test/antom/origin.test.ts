import { describe, expect, test } from '@jest/globals';
import { constants, createHash, privateEncrypt, randomBytes } from 'node:crypto';
import { readKey } from '../../src/antom/keys.ts';
import { originOf } from '../../src/antom/origin.ts';
import { type SignedRequest, stringToSign, type Trust, verify } from '../../src/antom/signature.ts';
import { signedDigest } from '../../src/antom/signed-digest.ts';
import { createForgeSigner, type ForgeMessage, keyFixture } from '../support/forge-signer.ts';

const PRIVATE_KEY = keyFixture('throw-away.private.pkcs8.pem');
const signer = createForgeSigner(PRIVATE_KEY);
const second = createForgeSigner(keyFixture('throw-away-second.private.pkcs8.pem'));
const long = createForgeSigner(keyFixture('throw-away-3072.private.pkcs8.pem'));

const CLIENT = 'T_client';
const message: ForgeMessage = {
  uri: '/payNotify',
  clientId: CLIENT,
  requestTime: '2025-05-17T07:58:06Z',
  body: '{"paymentId":"P1"}',
};
const genuine: SignedRequest = {
  method: 'POST',
  target: message.uri,
  clientIds: [CLIENT],
  requestTimes: [message.requestTime],
  signatures: [signer.sign(message)],
  body: Buffer.from(message.body),
};
const trusting = (...keys: readonly string[]): Trust => ({
  keys: new Map([[CLIENT, keys.map(readKey)]]),
  publicUris: [],
});
const trust = trusting(signer.publicKey);
const header = (signature: Buffer): string =>
  `algorithm=RSA256,keyVersion=1,signature=${encodeURIComponent(signature.toString('base64'))}`;

/** Each starts from the genuine request and fails verification. */
const judge = (change: Partial<SignedRequest>, by: Trust = trust): string => {
  const request = { ...genuine, ...change };
  expect(verify(genuine, trust).verified).toBe(true);
  expect(verify(request, by).verified).toBe(false);
  return originOf(request, by);
};

describe('the origin of a signature that failed', () => {
  test.each<readonly [string, Partial<SignedRequest>]>([
    ['a header is doubled', { clientIds: [CLIENT, CLIENT] }],
    ['a header is missing', { requestTimes: [] }],
    ['the signature is malformed', { signatures: ['algorithm=RSA256,signature=%ZZ'] }],
    ['the algorithm is another', { signatures: [signer.sign(message).replace('RSA256', 'RSA512')] }],
    ['the client is unknown', { clientIds: ['T_other'] }],
    ['its length fits no key', { signatures: [long.sign(message)] }],
  ])('UNKNOWN: %s', (_, change) => {
    expect(judge(change)).toBe('UNKNOWN');
  });

  test.each<readonly [string, Partial<SignedRequest>]>([
    ['another key', { signatures: [second.sign(message)] }],
    ['random bytes', { signatures: [header(Buffer.concat([Buffer.of(0x11), randomBytes(255)]))] }],
    ['zeros', { signatures: [header(Buffer.alloc(256))] }],
    ['a number above the modulus', { signatures: [header(Buffer.alloc(256, 0xff))] }],
  ])('OTHER_KEY: %s', (_, change) => {
    expect(judge(change)).toBe('OTHER_KEY');
  });

  test.each<readonly [string, Partial<SignedRequest>]>([
    ['the body changed', { body: Buffer.from('{"paymentId": "P1"}') }],
    ['the path changed', { target: '/shop/payNotify' }],
    ['the time changed', { requestTimes: ['2025-05-17T07:58:07Z'] }],
    ['another method', { method: 'PUT' }],
    ['cut at another dot', { requestTimes: ['{'] }],
    ['a version that is not configured', { body: Buffer.of(), signatures: [signer.sign(message, '7')] }],
  ])('CONFIGURED_KEY: %s', (_, change) => {
    expect(judge(change)).toBe('CONFIGURED_KEY');
  });

  test('any key of the client counts, and no key of another', () => {
    const changed = { body: Buffer.of() };
    expect(judge(changed, trusting(long.publicKey, `2:${second.publicKey}`, signer.publicKey))).toBe('CONFIGURED_KEY');
    const two = {
      keys: new Map([...trusting(second.publicKey).keys, ['T_other', [readKey(signer.publicKey)]]]),
      publicUris: [],
    };
    expect(judge(changed, two)).toBe('OTHER_KEY');
  });
});

/** A block of the configured key, whatever it holds. */
const raw = (info: string): Buffer =>
  privateEncrypt({ key: PRIVATE_KEY, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(info, 'hex'));

describe('the digest that a key signed', () => {
  const keys = [readKey(signer.publicKey)];
  const SHA256 = '3031300d060960864801650304020105000420';

  test('is that of the text', () => {
    const text = stringToSign({ ...message, method: 'POST', body: genuine.body });
    const digest = createHash('sha256').update(text).digest();
    expect(signedDigest(Buffer.from(signer.signatureOf(message), 'base64'), keys)).toEqual(digest);
    expect(signedDigest(raw(SHA256 + digest.toString('hex')), keys)).toEqual(digest);
  });

  const digest = 'ab'.repeat(32);
  test.each([
    ['SHA-1', `3021300906052b0e03021a05000414${'ab'.repeat(20)}`],
    ['SHA-512', `3051300d060960864801650304020305000440${'ab'.repeat(64)}`],
    ['no DigestInfo', digest],
    ['another name before a digest of that length', `3031300d060960864801650304020305000420${digest}`],
    ['something after it', `${SHA256}${digest}00`],
    ['a digest cut short', `${SHA256}${digest.slice(2)}`],
    ['nothing', ''],
  ])('is null for a block with %s', (_, info) => {
    expect(signedDigest(raw(info), keys)).toBeNull();
  });

  test('is null where there is no key, or the length is wrong', () => {
    expect(signedDigest(raw(SHA256 + digest), [])).toBeNull();
    expect(signedDigest(Buffer.alloc(3), keys)).toBeNull();
    expect(signedDigest(Buffer.alloc(0), keys)).toBeNull();
  });
});
