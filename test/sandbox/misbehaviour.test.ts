import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { MISBEHAVIOURS, readShares } from '../../src/sandbox/misbehaviour.ts';
import { eventually } from '../support/client.ts';
import { fakeTimers } from '../support/clock.ts';
import type { Fields } from '../support/facts.ts';
import { nextKeyPair } from '../support/keys.ts';
import { FASTEST, isSignedBy, jpy, listenAsMerchant, type Misbehaving, payment, serve } from './support.ts';

afterEach(() => void jest.useRealTimers());

const AUTOMATIC = { paymentFactor: { captureMode: 'AUTOMATIC' } };

/** A sandbox that misbehaves so, and a merchant that listens. */
const misbehaving = async (shares: Misbehaving['shares'], more: Misbehaving = {}) => {
  const merchant = await listenAsMerchant();
  return { merchant, sandbox: await serve({ ...more, notifyUrl: merchant.url, shares: shares ?? {} }) };
};

describe('notifications', () => {
  test('duplicates: all come twice', async () => {
    const { merchant, sandbox } = await misbehaving({ duplicates: 1 });
    for (const id of ['R1', 'R2', 'R3', 'R4']) await sandbox.call('pay', payment(id));
    await eventually(
      'eight',
      () => merchant.received.length,
      (count) => count === 8,
    );
    const ids = merchant.received.map(({ json }) => String(json['paymentRequestId'])).sort();
    expect(ids).toEqual(['R1', 'R1', 'R2', 'R2', 'R3', 'R3', 'R4', 'R4']);
  });

  test('lost: none comes, and the ledger knows better', async () => {
    const { merchant, sandbox } = await misbehaving({ lost: 1 });
    await sandbox.call('pay', payment('R1', AUTOMATIC));
    await sandbox.quiet();
    expect(merchant.received).toEqual([]);
    expect((await sandbox.deliveries()).map(({ state }) => state)).toEqual(['LOST', 'LOST']);
    expect((await sandbox.ledger())[0]?.moved.paid).toBe('1000');
  });

  test.each(['reordered', 'late'] as const)('%s: overtaken by what follows, and comes in the end', async (name) => {
    const { merchant, sandbox } = await misbehaving({ [name]: 1 }, { speed: 1 });
    const { json } = await sandbox.call('pay', payment('R1'));
    await sandbox.control('PATCH', '', { shares: { [name]: 0 } });
    await sandbox.call('capture', { captureRequestId: 'C1', paymentId: json['paymentId'], captureAmount: jpy(1) });
    await eventually('the capture', merchant.names, ({ length }) => length === 1);
    expect(merchant.names()).toEqual(['CAPTURE_RESULT S']);
    expect(await sandbox.deliveries()).toMatchObject([{ name: 'PAYMENT_RESULT S', state: 'WAITING', sends: [] }, {}]);
    // The first one really waits, for a minute or more.
    await sandbox.control('PATCH', '', { shares: { [name]: 1 }, speed: FASTEST });
    await sandbox.call('pay', payment('R2'));
    await eventually('the second payment', merchant.names, ({ length }) => length === 2);
    expect(merchant.received[1]?.json).toMatchObject({ notifyType: 'PAYMENT_RESULT', paymentRequestId: 'R2' });
  });

  test('captureFirst: the capture before its payment', async () => {
    const { merchant, sandbox } = await misbehaving({ captureFirst: 1 });
    await sandbox.call('pay', payment('R1', AUTOMATIC));
    await sandbox.quiet();
    expect(merchant.names()).toEqual(['CAPTURE_RESULT S', 'PAYMENT_RESULT S']);
  });

  test('wrongAmounts: stated otherwise than they are', async () => {
    const { merchant, sandbox } = await misbehaving({ wrongAmounts: 1 });
    await sandbox.call('pay', payment('R1', AUTOMATIC));
    await sandbox.quiet();
    expect(merchant.received.map(({ json }) => json['paymentAmount'] ?? json['captureAmount'])).toEqual([
      jpy(1_001),
      jpy(1_001),
    ]);
    expect((await sandbox.call('inquiryPayment', { paymentRequestId: 'R1' })).json).toMatchObject({
      paymentAmount: jpy(1_000),
      transactions: [{ transactionAmount: jpy(1_000) }],
    });
  });

  test('the key changes in mid-flight: what waits is signed with the new one', async () => {
    const merchant = await listenAsMerchant((nth) => ({ status: nth === 1 ? 503 : 200, body: '' }));
    const sandbox = await serve({ notifyUrl: merchant.url, rotateAfter: 1, speed: 600 });
    const { keys } = await sandbox.control('GET', '');
    const { next } = keys as { readonly next: { readonly version: string; readonly publicKey: string } };
    await sandbox.call('pay', payment('R1'));
    await eventually(
      'two',
      () => merchant.received.length,
      (count) => count >= 2,
    );
    const [before, after] = merchant.received;
    expect([before?.verifies, after?.verifies]).toEqual([true, false]);
    expect(after?.headers['signature']).toContain('keyVersion=2,');
    const time = String(after?.headers['request-time']);
    expect(
      isSignedBy(after ?? { headers: {}, body: Buffer.alloc(0) }, '/payNotify', { time, key: next.publicKey }),
    ).toBe(true);
    const { answer, signed } = await sandbox.call('inquiryPayment', { paymentRequestId: 'R1' });
    expect(signed).toBe('badly');
    const responseTime = String(answer.headers['response-time']);
    const uri = '/ams/sandbox/api/v1/payments/inquiryPayment';
    expect(isSignedBy(answer, uri, { time: responseTime, key: next.publicKey })).toBe(true);
  });
});

describe('payments', () => {
  test('pending: under way first, and told so', async () => {
    const { merchant, sandbox } = await misbehaving({ pending: 1 });
    expect((await sandbox.call('pay', payment('R1'))).outcome).toBe('U PAYMENT_IN_PROCESS');
    await sandbox.quiet();
    expect(merchant.names()).toEqual(['PAYMENT_PENDING S', 'PAYMENT_RESULT S']);
    expect(merchant.received[0]?.json).not.toHaveProperty('paymentTime');
  });

  test('pending: inquired meanwhile, and cancelled, it never succeeds', async () => {
    // What is under way ends when the test says so.
    fakeTimers('setTimeout', 'clearTimeout');
    const { merchant, sandbox } = await misbehaving({ pending: 1 });
    await sandbox.call('pay', payment('R1'));
    await sandbox.call('pay', payment('R2', {}, { as: 'GCASH' }));
    const statusOf = async (id: string): Promise<unknown> =>
      (await sandbox.call('inquiryPayment', { paymentRequestId: id })).json['paymentStatus'];
    expect([await statusOf('R1'), await statusOf('R2')]).toEqual(['PROCESSING', 'PENDING']);
    await sandbox.call('cancel', { paymentRequestId: 'R1' });
    await sandbox.call('cancel', { paymentRequestId: 'R2' });
    jest.runOnlyPendingTimers();
    await sandbox.quiet();
    expect([await statusOf('R1'), await statusOf('R2')]).toEqual(['CANCELLED', 'CANCELLED']);
    expect(merchant.names()).toEqual(['PAYMENT_PENDING S', 'PAYMENT_PENDING S']);
  });

  test('declines: by several codes, told without an amount', async () => {
    const { merchant, sandbox } = await misbehaving({ declines: 1 });
    const ids = Array.from({ length: 12 }, (_, index) => `R${index}`);
    const outcomes = new Set<string>();
    for (const id of ids) outcomes.add((await sandbox.call('pay', payment(id))).outcome);
    await sandbox.quiet();
    expect(outcomes.size).toBeGreaterThan(1);
    expect([...outcomes].filter((outcome) => !outcome.startsWith('F '))).toEqual([]);
    expect(new Set(merchant.names())).toEqual(new Set(['PAYMENT_RESULT F']));
    expect(merchant.received[0]?.json).not.toHaveProperty('paymentAmount');
  });

  test('processing: captures and refunds are U first, and told once they are final', async () => {
    const { merchant, sandbox } = await misbehaving({ processing: 1 });
    const { json } = await sandbox.call('pay', payment('R1'));
    const capture = { captureRequestId: 'C1', paymentId: json['paymentId'], captureAmount: jpy(1_000) };
    expect((await sandbox.call('capture', capture)).outcome).toBe('U CAPTURE_IN_PROCESS');
    await sandbox.quiet();
    const refund = { refundRequestId: 'F1', paymentId: json['paymentId'], refundAmount: jpy(1_000) };
    expect((await sandbox.call('refund', refund)).outcome).toBe('U REFUND_IN_PROCESS');
    await sandbox.quiet();
    expect(merchant.names()).toEqual(['PAYMENT_RESULT S', 'CAPTURE_RESULT S', 'REFUND_RESULT S']);
  });

  test('failedCaptures: told, and nothing is paid', async () => {
    const { merchant, sandbox } = await misbehaving({ failedCaptures: 1 });
    await sandbox.call('pay', payment('R1', AUTOMATIC));
    await sandbox.quiet();
    expect(merchant.names()).toEqual(['PAYMENT_RESULT S', 'CAPTURE_RESULT F']);
    expect((await sandbox.ledger())[0]?.moved.paid).toBe('0');
  });

  test('lapses: the authorization ends, and nobody is told', async () => {
    const { merchant, sandbox } = await misbehaving({ lapses: 1 });
    await sandbox.call('pay', payment('R1'));
    await sandbox.quiet();
    expect(merchant.names()).toEqual(['PAYMENT_RESULT S']);
    expect((await sandbox.call('inquiryPayment', { paymentRequestId: 'R1' })).json['paymentStatus']).toBe('CANCELLED');
  });

  test('disputes: opened, and ended one way or another', async () => {
    const { merchant, sandbox } = await misbehaving({ disputes: 1 });
    for (const id of ['R1', 'R2', 'R3', 'R4', 'R5', 'R6']) await sandbox.call('pay', payment(id, AUTOMATIC));
    await sandbox.quiet();
    expect(merchant.names().filter((name) => name === 'DISPUTE_CREATED')).toHaveLength(6);
    const ledger = await sandbox.ledger();
    const ends = ledger
      .flatMap(({ disputes }) => disputes)
      .map(({ type, judged }) => `${String(type)} ${String(judged)}`);
    expect(new Set(ends).size).toBeGreaterThan(1);
    for (const { disputes, moved } of ledger) {
      const [{ type, judged } = {}] = disputes;
      const isTaken = type === 'DISPUTE_ACCEPTED' || judged === 'ACCEPT_BY_MERCHANT';
      expect(moved.taken).toBe(isTaken ? '1000' : '0');
    }
  });
});

describe('calls', () => {
  test.each([
    ['unsigned', 'not'],
    ['badlySigned', 'badly'],
  ] as const)('%s: right in all but the signature', async (name, signed) => {
    const sandbox = await serve({ shares: { [name]: 1 } });
    expect(await sandbox.call('pay', payment('R1'))).toMatchObject({ status: 200, outcome: 'S SUCCESS', signed });
  });

  test('slow: answered all the same', async () => {
    const sandbox = await serve({ shares: { slow: 1 }, slowMs: 50 });
    expect((await sandbox.call('pay', payment('R1'))).outcome).toBe('S SUCCESS');
  });

  test('failing: in each way, before and after it was carried out; asked again it moves nothing twice', async () => {
    const sandbox = await serve({ shares: { failing: 1 }, seed: 7 });
    const seen = new Set<string>();
    for (let index = 0; index < 40; index += 1) {
      const asked = payment(`R${index}`);
      const how = await sandbox.call('pay', asked).then(
        ({ status, outcome }) => (status === 200 ? outcome : `HTTP ${status}`),
        () => 'connection cut',
      );
      const isDone = (await sandbox.ledger()).some(({ paymentRequestId }) => paymentRequestId === `R${index}`);
      seen.add(`${how}, ${isDone ? 'done' : 'not done'}`);
    }
    expect([...seen].sort()).toEqual(
      ['HTTP 500', 'U UNKNOWN_EXCEPTION', 'connection cut'].flatMap((how) => [`${how}, done`, `${how}, not done`]),
    );
    await sandbox.control('PATCH', '', { shares: { failing: 0 } });
    for (let index = 0; index < 40; index += 1)
      expect((await sandbox.call('pay', payment(`R${index}`))).outcome).toBe('S SUCCESS');
    expect(await sandbox.ledger()).toHaveLength(40);
  });

  test('a call that failed may succeed the next time', async () => {
    const sandbox = await serve({ shares: { failing: 0.5 }, seed: 3 });
    const asked = payment('R1');
    await eventually(
      'a success',
      async () =>
        await sandbox.call('pay', asked).then(
          ({ outcome }) => outcome,
          () => 'cut',
        ),
      (outcome) => outcome === 'S SUCCESS',
    );
    expect(await sandbox.ledger()).toHaveLength(1);
  });

  test('by another key are refused whatever else happens', async () => {
    const { privateKey } = nextKeyPair();
    const sandbox = await serve({ shares: { failing: 1 } });
    expect((await sandbox.call('pay', payment('R1'), { key: privateKey })).outcome).toBe('F INVALID_SIGNATURE');
  });
});

describe('what is told', () => {
  test('is read from text: a name alone is always', () => {
    expect(readShares('lost=0.2, duplicates')).toEqual({ lost: 0.2, duplicates: 1 });
    expect(readShares('lost=1.5')).toEqual({ problem: 'lost=1.5' });
    expect(readShares('rude')).toEqual({ problem: 'rude' });
  });

  test('as JSON has to be right', async () => {
    const sandbox = await serve();
    const refused: readonly (readonly [string, string, unknown])[] = [
      ['PATCH', '', { shares: { rude: 1 } }],
      ['PATCH', '', { shares: { lost: 2 } }],
      ['PATCH', '', { speed: 0 }],
      ['POST', '/answers', { operation: 'payout', resultCode: 'F' }],
      ['POST', '/payments', { amount: { currency: 'JPY', value: 120 } }],
    ];
    for (const [method, path, body] of refused)
      expect(await sandbox.control(method, path, body)).toMatchObject({ status: 400, error: expect.any(String) });
    expect(await sandbox.control('POST', '/lapses', { payment: 'R1' })).toMatchObject({ status: 409 });
    // A page of somebody else's can send a form, and no more.
    const form = await fetch(`${sandbox.url}/control/payments`, { method: 'POST', body: '{"amount":{}}' });
    expect(form.status).toBe(415);
    expect(await sandbox.ledger()).toEqual([]);
  });

  test('is in force from then on, and all of it shows', async () => {
    const sandbox = await serve();
    const names = Object.keys(MISBEHAVIOURS);
    const shares: Fields = Object.fromEntries(names.map((name, index) => [name, index / 100]));
    await sandbox.control('PATCH', '', { shares, slowMs: 5, rotateAfter: 1_000, speed: 60 });
    expect(await sandbox.control('GET', '')).toMatchObject({ shares, slowMs: 5, rotateAfter: 1_000, speed: 60 });
  });

  test('a refund in the dashboard and a new key show where they should', async () => {
    const sandbox = await serve();
    const made = await sandbox.control('POST', '/payments', { paymentRequestId: 'R1', amount: jpy(500), as: 'GCASH' });
    expect(made).toMatchObject({ status: 200, result: { resultStatus: 'S' }, payment: { captureMode: 'NONE' } });
    const refund = { payment: 'R1', refundRequestId: 'F1', amount: jpy(200) };
    expect(await sandbox.control('POST', '/refunds', refund)).toMatchObject({
      result: { resultStatus: 'S' },
      payment: { moved: { paid: '500', returned: '200', kept: '300' } },
    });
    const { json } = await sandbox.call('inquiryPayment', { paymentRequestId: 'R1' });
    expect(json['transactions']).toEqual([expect.objectContaining({ transactionRequestId: 'F1' })]);
    const { keys } = await sandbox.control('GET', '');
    const { status, ...key } = await sandbox.control('POST', '/keys');
    expect({ status, key }).toEqual({ status: 200, key: (keys as Fields)['next'] });
    expect((await sandbox.call('inquiryPayment', { paymentRequestId: 'R1' })).answer.headers['signature']).toContain(
      'keyVersion=2,',
    );
  });
});
