import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSigner, get } from '../support/client.ts';
import { type Fields, paymentResult, result } from '../support/facts.ts';
import { environmentOf, type InProcess, makeDirectory, removeDirectories, startReady } from '../support/receiver.ts';

const ACCESS_TOKEN = '28100103_SECRET_ACCESS_TOKEN';
const AUTH_CODE = '281001139639_SECRET_AUTH_CODE';
const CARD_TOKEN = 'ALIPAY_SECRET_CARD_TOKEN';
const SECRET = /SECRET/;

const AUTHORIZATION: Fields = {
  authorizationNotifyType: 'TOKEN_CREATED',
  result: result('S'),
  accessToken: ACCESS_TOKEN,
  authCode: AUTH_CODE,
  authState: 'STATE_1',
  userId: 'U1',
};
const VAULTING: Fields = {
  notifyType: 'VAULTING_RESULT',
  result: result('S'),
  vaultingRequestId: 'V1',
  vaultingStatus: 'SUCCESS',
  paymentMethodDetail: { paymentMethodType: 'CARD', card: { cardToken: CARD_TOKEN } },
};
const HOLDING_SECRETS: readonly (readonly [kind: string, outcome: string, fields: Fields])[] = [
  ['AUTHORIZATION', 'UNHANDLED', AUTHORIZATION],
  ['AUTHORIZATION', 'UNHANDLED', { ...AUTHORIZATION, authorizationNotifyType: 'AUTHCODE_CREATED' }],
  ['AUTHORIZATION', 'UNHANDLED', { ...AUTHORIZATION, authorizationNotifyType: { accessToken: ACCESS_TOKEN } }],
  ['VAULTING', 'UNHANDLED', VAULTING],
  // Spoilt: what is said of them quotes nothing.
  ['UNKNOWN', 'MALFORMED', { ...AUTHORIZATION, notifyType: [ACCESS_TOKEN] }],
  ['UNKNOWN', 'UNHANDLED', { ...VAULTING, vaultingRequestId: null, notifyType: CARD_TOKEN }],
  ['PAYMENT', 'MALFORMED', paymentResult('S', { paymentRequestId: [CARD_TOKEN], paymentAmount: AUTH_CODE })],
  [
    'PAYMENT',
    'APPLIED',
    paymentResult('S', { paymentId: 'P2', accessToken: ACCESS_TOKEN, paymentResultInfo: { cardToken: CARD_TOKEN } }),
  ],
];

const signer = createSigner();
const stranger = createSigner(signer.clientId);
let receiver: InProcess;
beforeAll(async () => {
  const directory = makeDirectory();
  receiver = await startReady(directory, { ...environmentOf(directory, signer), LOG_LEVEL: 'trace' });
  for (const [, , fields] of HOLDING_SECRETS) {
    for (const { sign } of [signer, stranger]) expect((await receiver.post(sign(fields))).status).toBe(200);
  }
});
afterAll(async () => {
  await receiver.stop();
  removeDirectories();
});

describe('the secrets of a notification are in no list, log or feed', () => {
  test('it is stored with its kind, though', async () => {
    const stored = (await receiver.notifications()).map(({ kind, outcome }) => `${kind} ${outcome}`);
    expect(stored.toSorted()).toEqual(HOLDING_SECRETS.map(([kind, outcome]) => `${kind} ${outcome}`).toSorted());
    expect(await receiver.unverified()).toHaveLength(HOLDING_SECRETS.length);
  });

  test.each([
    ['/api/notifications', /"kind":"VAULTING"/],
    ['/api/notifications?kind=AUTHORIZATION', /"kind":"AUTHORIZATION"/],
    ['/api/notifications?after=0&kind=AUTHORIZATION', /"kind":"AUTHORIZATION"/],
    ['/api/notifications?outcome=MALFORMED', /notifyType must be a string/],
    ['/api/unverified', /SIGNATURE_MISMATCH/],
    ['/api/orders', /"paymentId":"P2"/],
    ['/api/orders?after=0', /"paymentId":"P2"/],
    ['/api/orders/P2', /"paymentMethod":"CARD"/],
    ['/api/orders/P1', /UNREADABLE_NOTIFICATION/],
  ])('%s', async (target, says) => {
    const { status, text } = await get(receiver.admin, target);
    expect([status, text]).toEqual([200, expect.stringMatching(says)]);
    expect(text).not.toMatch(SECRET);
  });

  test('the log, at its most talkative', async () => {
    const log = JSON.stringify(await receiver.log());
    expect(log).toMatch(/"kind":"VAULTING"/);
    expect(log).toMatch(/paymentRequestId must be a string/);
    expect(log).toMatch(/SIGNATURE_MISMATCH/);
    expect(log).not.toMatch(SECRET);
  });
});
