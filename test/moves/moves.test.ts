import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { send } from '../../src/moves/attempt.ts';
import { captureByRegistration } from '../../src/moves/auto-capture.ts';
import { createMoves } from '../../src/moves/moves.ts';
import { startMoveWorker } from '../../src/moves/worker.ts';
import type { MoveKind } from '../../src/order/move.ts';
import { inquire } from '../../src/reconcile/inquire.ts';
import type { Order } from '../../src/order/order.ts';
import type { Move } from '../../src/store/store.ts';
import { CLIENT, keepUp } from '../sandbox/support.ts';
import { eventually } from '../support/client.ts';
import { jpy, paymentResult } from '../support/facts.ts';
import { removeDirectories } from '../support/receiver.ts';
import { AMPLE, delivery, registration } from '../store/support.ts';
import { asking, begun, type Ground, layGround, made } from './support.ts';

keepUp();
let ground: Ground;
beforeAll(async () => {
  ground = await layGround();
});
afterAll(async () => {
  await ground.stop();
  removeDirectories();
});

const { signal } = new AbortController();
const isCaptured = ({ status }: { readonly status: string }): boolean => status === 'CAPTURED';
const yen = (value: string) => ({ currency: 'JPY', value });
const ASKED = {
  capture: { kind: 'capture' },
  cancel: { kind: 'cancel' },
  refund: { kind: 'refund', amount: yen('400') },
} as const;

/** A payment of which this can be done. */
const ready = async (kind: MoveKind): Promise<string> => {
  const paymentId = await ground.authorized();
  if (kind === 'refund') await made(ground, paymentId, { kind: 'capture' });
  return paymentId;
};

/** What APO has done, and what the order says, once it was done once. */
const DONE = {
  capture: [
    { paid: '1000', returned: '0' },
    { status: 'CAPTURED', capturedAmount: yen('1000') },
  ],
  cancel: [{ paid: '0', returned: '0' }, { status: 'CANCELLED' }],
  refund: [
    { paid: '1000', returned: '400' },
    { status: 'CAPTURED', refundedAmount: yen('400') },
  ],
} as const;

const isDoneOnce = async (kind: MoveKind, paymentId: string): Promise<void> => {
  const [moved, said] = DONE[kind];
  const entry = await ground.ledger(paymentId);
  expect(entry).toMatchObject({ moved });
  expect(entry.captures).toHaveLength(kind === 'cancel' ? 0 : 1);
  expect(entry.refunds).toHaveLength(kind === 'refund' ? 1 : 0);
  expect(entry.gone === null).toBe(kind !== 'cancel');
  expect(await ground.order(paymentId)).toMatchObject(said);
};

/** Where the process dies; what it has done until then. */
const CRASHES: readonly (readonly [point: string, until: (kind: MoveKind, id: string) => Promise<Move | null>])[] = [
  ['before it is written', async () => null],
  ['after it is written', async (kind, id) => await begun(ground, id, ASKED[kind])],
  [
    'after it is sent, and the call is lost',
    async (kind, id) => {
      const move = await begun(ground, id, ASKED[kind]);
      ground.way.faults.push('lost on the way');
      expect(await send(ground.client, move, signal)).toMatchObject({ outcome: 'UNKNOWN' });
      return move;
    },
  ],
  [
    'after it is sent, and the answer is lost',
    async (kind, id) => {
      const move = await begun(ground, id, ASKED[kind]);
      ground.way.faults.push('answer lost');
      expect(await send(ground.client, move, signal)).toMatchObject({ outcome: 'UNKNOWN' });
      return move;
    },
  ],
  [
    'after the answer, before it is stored',
    async (kind, id) => {
      const move = await begun(ground, id, ASKED[kind]);
      expect(await send(ground.client, move, signal)).toMatchObject({ outcome: 'OK' });
      return move;
    },
  ],
  [
    'after a silence is stored that came before the call',
    async (kind, id) => {
      ground.way.faults.push('lost on the way');
      return await made(ground, id, ASKED[kind]);
    },
  ],
  [
    'after a silence is stored that came after the call',
    async (kind, id) => {
      ground.way.faults.push('answer lost');
      return await made(ground, id, ASKED[kind]);
    },
  ],
  [
    'after its answer is stored, before the inquiry',
    async (kind, id) => {
      const move = await begun(ground, id, ASKED[kind]);
      const { outcome } = await send(ground.client, move, signal);
      expect(outcome).toBe('OK');
      // What the order says is not read from the answer: the inquiry is lost.
      return move;
    },
  ],
];

describe.each(['capture', 'cancel', 'refund'] as const)('a %s', (kind) => {
  test.each(CRASHES)('that dies %s is one in the end', async (_, until) => {
    const id = await ready(kind);
    const left = await until(kind, id);
    if (left !== null) expect(left.status).toBe('PROCESSING');
    // The shop asks again, and so does whoever looks after it, more than once and while APO is away.
    const again = await made(ground, id, ASKED[kind]);
    if (left !== null) expect(again).toMatchObject({ requestId: left.requestId });
    ground.way.faults.push('lost on the way');
    const one = (await ground.store.listMoves(CLIENT, id)).find((move) => move.status === 'PROCESSING');
    if (one !== undefined) {
      await ground.moves.takeUp(one);
      expect((await ground.moves.takeUp(one)).move).toMatchObject({ status: 'SUCCEEDED', requestId: one.requestId });
    }
    ground.way.faults.length = 0;
    await isDoneOnce(kind, id);
    expect((await ground.store.listMoves(CLIENT, id)).filter((move) => move.kind === kind)).toMatchObject([
      { status: 'SUCCEEDED' },
    ]);
  });

  test('that succeeded is so in its order at once, and never sent again, whatever the inquiry shows', async () => {
    for (const resultCode of ['UNKNOWN_EXCEPTION', 'ACCESS_DENIED']) {
      const id = await ready(kind);
      const inquiry = kind === 'refund' ? { operation: 'inquiryRefund' } : { operation: 'inquiryPayment', payment: id };
      await ground.sandbox.control('POST', '/answers', { ...inquiry, resultCode });
      const move = await made(ground, id, ASKED[kind]);
      expect(move).toMatchObject({ status: 'SUCCEEDED', reason: null, resultCode: 'SUCCESS', attempts: 1 });
      await isDoneOnce(kind, id);
      expect(await ground.store.dueMoves(Number.MAX_SAFE_INTEGER, 9)).toEqual([]);
    }
  });

  test('of which APO says nothing final is sent again with the same id', async () => {
    const id = await ready(kind);
    const told = { operation: kind, resultCode: 'UNKNOWN_EXCEPTION', payment: id };
    await ground.sandbox.control('POST', '/answers', told);
    const move = await made(ground, id, ASKED[kind]);
    expect(move).toMatchObject({ status: 'PROCESSING', reason: 'UNDECIDED', resultCode: 'UNKNOWN_EXCEPTION' });
    expect((await ground.moves.takeUp(move)).move).toMatchObject({ status: 'SUCCEEDED', attempts: 2 });
    await isDoneOnce(kind, id);
  });
});

describe('a failure', () => {
  test.each([
    ['capture', 'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT', 'FAILED', 'NEW_ID'],
    ['capture', 'PARAM_ILLEGAL', 'FAILED', 'NEW_ID'],
    ['capture', 'AUTH_EXPIRED', 'FAILED', 'AUTHORIZATION_GONE'],
    ['capture', 'MULTI_CAPTURE_NOT_SUPPORTED', 'FAILED', 'NO_MORE_CAPTURES'],
    ['capture', 'RISK_REJECT', 'FAILED', 'BUYER'],
    ['capture', 'PROCESS_FAIL', 'FAILED', 'PERSON'],
    ['capture', 'ACCESS_DENIED', 'FAILED', 'PERSON'],
    ['capture', 'REPEAT_REQ_INCONSISTENT', 'FAILED', 'USED_ID'],
    ['capture', 'MERCHANT_NOT_REGISTERED', 'PROCESSING', 'CONFIGURATION'],
    ['capture', 'KEY_NOT_FOUND', 'PROCESSING', 'CONFIGURATION'],
    ['capture', 'REQUEST_TRAFFIC_EXCEED_LIMIT', 'PROCESSING', 'UNDECIDED'],
    ['cancel', 'CANCEL_WINDOW_EXCEED', 'FAILED', 'REFUND_INSTEAD'],
    ['cancel', 'MERCHANT_BALANCE_NOT_ENOUGH', 'FAILED', 'LATER'],
    ['cancel', 'PAYMENT_METHOD_NOT_SUPPORTED', 'FAILED', 'NEVER'],
    ['cancel', 'ORDER_NOT_EXIST', 'PROCESSING', 'NOT_FOUND'],
    ['refund', 'REFUND_AMOUNT_EXCEED', 'FAILED', 'NEW_ID'],
    ['refund', 'PARAM_ILLEGAL', 'FAILED', 'OUR_FAULT'],
    ['refund', 'REFUND_WINDOW_EXCEED', 'FAILED', 'NEVER'],
    ['refund', 'SYSTEM_ERROR', 'FAILED', 'PERSON'],
    ['refund', 'ACCESS_DENIED', 'PROCESSING', 'CONFIGURATION'],
  ] as const)('of a %s with %s is %s: %s', async (...[kind, resultCode, status, reason]) => {
    const id = await ready(kind);
    await ground.sandbox.control('POST', '/answers', { operation: kind, resultCode, payment: id });
    const move = await made(ground, id, ASKED[kind]);
    // Nothing is taken from an answer without a signature, but the advice.
    const code = resultCode === 'KEY_NOT_FOUND' ? null : resultCode;
    expect(move).toMatchObject({ status, reason, resultCode: code });
  });

  test.each(['MERCHANT_NOT_REGISTERED', 'ACCESS_DENIED'])(
    'with %s of what may have been carried out is not final',
    async (resultCode) => {
      const id = await ready('capture');
      ground.way.faults.push('answer lost');
      const move = await made(ground, id, ASKED.capture);
      await ground.sandbox.control('POST', '/answers', {
        operation: 'inquiryPayment',
        resultCode: 'UNKNOWN_EXCEPTION',
        payment: id,
      });
      await ground.sandbox.control('POST', '/answers', {
        operation: 'capture',
        resultCode,
        payment: id,
      });
      expect((await ground.moves.takeUp(move)).move).toMatchObject({ status: 'PROCESSING', reason: 'CONFIGURATION' });
      expect((await ground.moves.takeUp(move)).move).toMatchObject({ status: 'SUCCEEDED' });
      await isDoneOnce('capture', id);
    },
  );

  test('of a cancel leaves the payment to be captured', async () => {
    const id = await ready('cancel');
    await ground.sandbox.control('POST', '/answers', {
      operation: 'cancel',
      resultCode: 'MERCHANT_BALANCE_NOT_ENOUGH',
      payment: id,
    });
    await made(ground, id, ASKED.cancel);
    expect(await made(ground, id, ASKED.capture)).toMatchObject({ status: 'SUCCEEDED' });
  });
});

describe('what is under way', () => {
  test('at APO is not sent again: it is asked about', async () => {
    for (const [kind, resultCode] of [
      ['capture', 'CAPTURE_IN_PROCESS'],
      ['refund', 'REFUND_IN_PROCESS'],
    ] as const) {
      const id = await ready(kind);
      await ground.sandbox.control('POST', '/answers', { operation: kind, resultCode, payment: id });
      const move = await made(ground, id, ASKED[kind]);
      expect(move).toMatchObject({ status: 'PROCESSING', resultCode, attempts: 1 });
      const asItStands = async (): Promise<Move> =>
        (await ground.store.listMoves(CLIENT, id)).find(({ requestId }) => requestId === move.requestId) ?? move;
      const final = await eventually(
        `the ${kind}`,
        async () => (await ground.moves.takeUp(await asItStands())).move,
        ({ status }) => status === 'SUCCEEDED',
      );
      expect(final).toMatchObject({ attempts: 1, id: expect.any(String) });
      await isDoneOnce(kind, id);
    }
  });

  test('is done once APO has told, also where there is no key any more', async () => {
    const id = await ready('capture');
    const move = await begun(ground, id, ASKED.capture);
    const keyless = createMoves({ ...ground, clients: new Map(), signal });
    expect((await keyless.takeUp(move)).move).toMatchObject({ status: 'PROCESSING', reason: 'NO_KEY' });
    await ground.moves.takeUp(move);
    const other = await ready('capture');
    const waiting = await begun(ground, other, ASKED.capture);
    await send(ground.client, waiting, signal);
    await inquire(ground.store, { client: ground.client, asked: { operation: 'inquiryPayment', paymentId: other } });
    expect((await keyless.takeUp(waiting)).move).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('is no capture by itself of what is being cancelled, and nobody is told to capture it', async () => {
    const id = await ready('cancel');
    const { paymentRequestId } = await ground.ledger(id);
    const said = { clientId: CLIENT, paymentRequestId, amount: yen('1000'), captureMode: 'MANUAL' } as const;
    await ground.store.register(registration(said), { replace: false, now: new Date() });
    const move = await begun(ground, id, ASKED.cancel);
    const notCaptured: string[] = [];
    const onNotCaptured = ({ paymentId }: Order): void => void notCaptured.push(String(paymentId));
    await captureByRegistration({ ...ground, isStopping: () => false, onNotCaptured });
    expect(notCaptured).not.toContain(id);
    await ground.moves.takeUp(move);
    expect(await ground.order(id)).toMatchObject({ status: 'CANCELLED' });
  });

  test('is taken up at once by who starts, whenever it is due; and MANUAL orders are captured by registration', async () => {
    const forgotten = await ready('capture');
    const due = Date.now() + 3_600_000;
    await ground.store.beginMove({ ...asking(forgotten, ASKED.capture), nextAttemptAt: due }, new Date());
    const unregistered = await ready('capture');
    const registered = await ready('capture');
    const { paymentRequestId } = await ground.ledger(registered);
    await ground.store.register(
      {
        clientId: CLIENT,
        paymentRequestId,
        amount: yen('1000'),
        referenceOrderId: null,
        captureMode: 'MANUAL',
        paymentMethodType: null,
        authExpiryTime: null,
        finalAmount: yen('700'),
        cancelled: false,
      },
      { replace: false, now: new Date() },
    );
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const notCaptured: string[] = [];
    const onNotCaptured = ({ paymentId }: Order, reason: string): void =>
      void notCaptured.push(`${paymentId} ${reason}`);
    // No request id can be made of it.
    const long = 'P'.repeat(64);
    const paid = paymentResult('S', {
      paymentId: long,
      paymentRequestId: 'R-long',
      paymentAmount: jpy('1000'),
      paymentMethodType: 'CARD',
      paymentTime: new Date().toISOString(),
    });
    await ground.store.record([delivery(paid, { clientId: CLIENT })], AMPLE);
    await ground.store.register(
      registration({ paymentRequestId: 'R-long', clientId: CLIENT, amount: yen('1000'), captureMode: 'MANUAL' }),
      { replace: false, now: new Date() },
    );
    for (const starts of [1, 2]) {
      const worker = startMoveWorker({ ...ground, autoCapture: true, report: { onError, onNotCaptured } });
      await eventually('what was forgotten', async () => await ground.order(forgotten), isCaptured);
      await eventually('what was registered', async () => await ground.order(registered), isCaptured);
      await eventually(
        'that one cannot be captured',
        () => notCaptured.filter((told) => told === `${long} ID_USED`),
        ({ length }) => length >= starts,
      );
      await worker.stop();
    }
    expect(errors).toEqual([]);
    expect(await ground.ledger(registered)).toMatchObject({ moved: { paid: '700' } });
    expect(await ground.order(unregistered)).toMatchObject({ nextAction: 'CAPTURE' });
    expect((await ground.ledger(forgotten)).captures).toHaveLength(1);
  });
});

/** A capture that was written down so long ago. */
const begunAgo = async (id: string, agoMs: number): Promise<Move> => {
  const asked = { ...asking(id, ASKED.capture), nextAttemptAt: 0 };
  const result = await ground.store.beginMove(asked, new Date(Date.now() - agoMs));
  if (result.kind !== 'begun') throw new Error(`not begun: ${result.kind}`);
  return result.move;
};

describe('a move', () => {
  test('that is the last capture says so to APO, and one before it does not', async () => {
    const id = await ready('capture');
    await made(ground, id, { kind: 'capture', amount: yen('300') });
    await made(ground, id, { kind: 'capture', amount: yen('400'), isLast: true });
    expect(await ground.ledger(id)).toMatchObject({ captures: [{ isLast: false }, { isLast: true }] });
  });

  test('that is a refund of one capture names it to APO', async () => {
    const id = await ready('capture');
    await made(ground, id, { kind: 'capture', amount: yen('300') });
    const { id: captureId } = await made(ground, id, { kind: 'capture', amount: yen('400') });
    await made(ground, id, { kind: 'refund', amount: yen('100'), captureId });
    expect(await ground.ledger(id)).toMatchObject({ refunds: [{ captureId }] });
  });

  test('that has succeeded has its time in the order at once, which only the inquiry shows', async () => {
    const id = await ready('capture');
    await made(ground, id, ASKED.capture);
    expect(await ground.order(id)).toMatchObject({ captures: [{ captureTime: expect.any(String) }] });
  });

  test.each([
    { minutes: 10, status: 'PROCESSING', reason: 'CONFIGURATION', resultCode: 'ACCESS_DENIED' },
    { minutes: 61, status: 'FAILED', reason: 'PERSON', resultCode: 'ACCESS_DENIED' },
    { minutes: 10, status: 'PROCESSING', reason: 'USED_ID', resultCode: 'REPEAT_REQ_INCONSISTENT' },
    { minutes: 61, status: 'FAILED', reason: 'USED_ID', resultCode: 'REPEAT_REQ_INCONSISTENT' },
  ])(
    'that was sent $minutes minutes ago, and does not show, is $status ($reason) where APO answers $resultCode',
    async ({ minutes, status, reason, resultCode }) => {
      const id = await ready('capture');
      const move = await begunAgo(id, minutes * 60_000);
      ground.way.faults.push('lost on the way');
      await send(ground.client, move, signal);
      // The inquiry before it is answered, and shows no capture: after an hour there is none.
      await ground.sandbox.control('POST', '/answers', {
        operation: 'capture',
        resultCode,
        payment: id,
      });
      expect((await ground.moves.takeUp(move)).move).toMatchObject({ status, reason, resultCode });
    },
  );

  test('that is 30 days old is tried again within six hours', async () => {
    const move = await begunAgo(await ready('capture'), 30 * 86_400_000);
    await ground.moves.putOff(move);
    const dueIn = async (hours: number): Promise<readonly string[]> =>
      (await ground.store.dueMoves(Date.now() + hours * 3_600_000, 99)).map(({ requestId }) => requestId);
    expect(await dueIn(5.9)).not.toContain(move.requestId);
    expect(await dueIn(6)).toContain(move.requestId);
  });
});
