import { describe, expect, test } from '@jest/globals';
import { SENT_AFTER } from '../../src/sandbox/courier.ts';
import { ACKNOWLEDGEMENT, eventually } from '../support/client.ts';
import { FASTEST, jpy, listenAsMerchant, payment, serve } from './support.ts';

const FINE = { status: 200, body: ACKNOWLEDGEMENT };

describe('a notification', () => {
  test('is signed for the path, in the fields of the documents, payment before capture', async () => {
    const merchant = await listenAsMerchant();
    const sandbox = await serve({ notifyUrl: merchant.url });
    await sandbox.call('pay', payment('R1', { paymentFactor: { captureMode: 'AUTOMATIC' } }));
    await sandbox.quiet();
    expect(merchant.names()).toEqual(['PAYMENT_RESULT S', 'CAPTURE_RESULT S']);
    const [paid, captured] = merchant.received;
    expect(merchant.received.map(({ verifies, path }) => [verifies, path])).toEqual([
      [true, '/payNotify?from=apo'],
      [true, '/payNotify?from=apo'],
    ]);
    expect(paid?.headers).toMatchObject({
      'content-type': 'application/json; charset=UTF-8',
      signature: expect.stringMatching(/^algorithm=RSA256,keyVersion=1,signature=/),
    });
    const { paymentId } = paid?.json ?? {};
    expect(paid?.json).toMatchObject({ paymentRequestId: 'R1', paymentAmount: jpy(1_000), paymentResultInfo: {} });
    expect(captured?.json).toMatchObject({ paymentId, captureRequestId: 'R1', captureAmount: jpy(1_000) });
    expect(captured?.json).not.toHaveProperty('paymentRequestId');
  });

  test('goes where its payment says, a refund where the refund says, a dispute to the dashboard', async () => {
    const [dashboard, ofPayment, ofRefund] = [
      await listenAsMerchant(),
      await listenAsMerchant(),
      await listenAsMerchant(),
    ];
    const sandbox = await serve({ notifyUrl: dashboard.url });
    const { json } = await sandbox.call('pay', payment('R1', { paymentNotifyUrl: ofPayment.url }));
    const { paymentId } = json;
    await sandbox.call('capture', { captureRequestId: 'C1', paymentId, captureAmount: jpy(1_000) });
    const refund = { refundRequestId: 'F1', paymentId, refundAmount: jpy(400) };
    await sandbox.call('refund', { ...refund, refundNotifyUrl: ofRefund.url });
    await sandbox.call('refund', { ...refund, refundRequestId: 'F2' });
    const step = { payment: 'R1', type: 'DISPUTE_CREATED', amount: jpy(200) };
    const { dispute } = await sandbox.control('POST', '/disputes', step);
    const { disputeId } = dispute as { readonly disputeId: string };
    await sandbox.control('POST', '/disputes', { payment: 'R1', type: 'DISPUTE_JUDGED', disputeId });
    await sandbox.quiet();
    expect(ofPayment.names()).toEqual(['PAYMENT_RESULT S', 'CAPTURE_RESULT S']);
    expect(ofRefund.names()).toEqual(['REFUND_RESULT S']);
    expect(dashboard.names()).toEqual(['REFUND_RESULT S', 'DISPUTE_CREATED', 'DISPUTE_JUDGED']);
    expect(dashboard.received[0]?.json).not.toHaveProperty('paymentId');
    expect(dashboard.received[2]?.json).toMatchObject({
      disputeId,
      disputeAmount: jpy(200),
      disputeJudgedResult: 'ACCEPT_BY_MERCHANT',
      disputeJudgedAmount: jpy(200),
    });
    expect(
      await sandbox.control('POST', '/disputes', { payment: 'R1', type: 'DISPUTE_CREATED', disputeId: 'none' }),
    ).toMatchObject({
      status: 409,
    });
    const [entry] = await sandbox.ledger();
    expect(entry?.moved).toMatchObject({ paid: '1000', returned: '800', taken: '200', kept: '0' });
  });
});

describe('the acknowledgement', () => {
  const almost: readonly (readonly [string, { readonly status: number; readonly body: string }])[] = [
    ['a line break at its end', { ...FINE, body: `${ACKNOWLEDGEMENT}\n` }],
    ['a space within', { ...FINE, body: ACKNOWLEDGEMENT.replace(',', ', ') }],
    ['a capital letter', { ...FINE, body: ACKNOWLEDGEMENT.replace('"success"', '"Success"') }],
    ['its last byte missing', { ...FINE, body: ACKNOWLEDGEMENT.slice(0, -1) }],
    ['another field', { ...FINE, body: ACKNOWLEDGEMENT.replace('}}', '},"more":1}') }],
    ['the failure status', { ...FINE, body: ACKNOWLEDGEMENT.replace('"S"', '"F"') }],
    ['no body', { ...FINE, body: '' }],
    ['another HTTP status', { ...FINE, status: 201 }],
    ['an outage', { ...FINE, status: 503 }],
    ['a redirect', { ...FINE, status: 307 }],
  ];

  test('is believed at once', async () => {
    const merchant = await listenAsMerchant();
    const sandbox = await serve({ notifyUrl: merchant.url });
    await sandbox.call('pay', payment('R1'));
    await sandbox.quiet();
    expect(merchant.received).toHaveLength(1);
  });

  test.each(almost)('with %s is none: it is sent again', async (_what, first) => {
    const merchant = await listenAsMerchant((nth) => (nth === 1 ? first : FINE));
    const sandbox = await serve({ notifyUrl: merchant.url });
    await sandbox.call('pay', payment('R1'));
    await sandbox.quiet();
    const [one, two, ...more] = merchant.received;
    expect(more).toEqual([]);
    expect(two?.body.equals(one?.body ?? Buffer.alloc(0))).toBe(true);
    expect((await sandbox.deliveries())[0]).toMatchObject({
      state: 'ACKNOWLEDGED',
      sends: [{ acknowledged: false, status: first.status }, { acknowledged: true }],
    });
  });
});

describe('the schedule', () => {
  test('takes 24 hours and 22 minutes, as the documents say', () => {
    expect(SENT_AFTER.map((seconds) => seconds / 60)).toEqual([0, 2, 10, 10, 60, 120, 360, 900]);
    expect(SENT_AFTER.reduce<number>((sum, seconds) => sum + seconds, 0)).toBe((24 * 60 + 22) * 60);
  });

  test('is eight sends, and then it is given up', async () => {
    const merchant = await listenAsMerchant(() => ({ status: 500, body: 'no' }));
    const sandbox = await serve({ notifyUrl: merchant.url, speed: FASTEST });
    await sandbox.call('pay', payment('R1'));
    await sandbox.quiet();
    expect(merchant.received).toHaveLength(8);
    expect((await sandbox.deliveries()).map(({ state }) => state)).toEqual(['GIVEN_UP']);
  });

  test('holds where nobody listens', async () => {
    const merchant = await listenAsMerchant();
    merchant.stop();
    const sandbox = await serve({ notifyUrl: merchant.url, speed: FASTEST });
    await sandbox.call('pay', payment('R1'));
    await sandbox.quiet();
    const [delivery] = await sandbox.deliveries();
    expect(delivery?.sends).toHaveLength(8);
    expect(delivery?.sends[0]).toMatchObject({ status: null, problem: expect.stringContaining('ECONNREFUSED') });
  });

  test('waits in truth: the second send comes two minutes after the first, divided by the speed', async () => {
    const merchant = await listenAsMerchant(() => ({ status: 500, body: 'no' }));
    const slow = await serve({ notifyUrl: merchant.url, speed: 1 });
    await slow.call('pay', payment('R1'));
    await eventually('the first send', slow.deliveries, ([one]) => one?.sends.length === 1);
    // What waits already keeps its pace.
    expect(await slow.control('PATCH', '', { speed: FASTEST })).toMatchObject({ status: 200, speed: FASTEST });
    await slow.call('pay', payment('R2'));
    await eventually('the second payment given up', slow.deliveries, ([, two]) => two?.state === 'GIVEN_UP');
    expect((await slow.deliveries()).map(({ state, sends }) => [state, sends.length])).toEqual([
      ['WAITING', 1],
      ['GIVEN_UP', 8],
    ]);
  });
});
