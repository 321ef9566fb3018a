import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createMoves } from '../../../src/moves/moves.ts';
import { MOVE_REFUSALS, type MoveRefusal } from '../../../src/order/move.ts';
import type { Move } from '../../../src/store/store.ts';
import { startAntomApi, type AntomApi } from '../../support/antom-api.ts';
import { captureResult, type Fields, jpy, paymentResult, refundResult } from '../../support/facts.ts';
import { clientTo } from '../../moves/service.ts';
import { registration } from '../../store/support.ts';
import { type Admin, CLIENT, openAdmin, OTHER } from './support.ts';

/* What is refused is not sent: the API that stands behind this must not hear of anything. */

let api: AntomApi;
let admin: Admin;
beforeAll(async () => {
  api = await startAntomApi();
  const { signal } = new AbortController();
  const clients = new Map([[CLIENT, clientTo(api.origin, CLIENT)]]);
  admin = await openAdmin({
    clientIds: () => [CLIENT, OTHER],
    moves: (store) => createMoves({ store, clients, signal }),
  });
});
afterAll(async () => {
  expect(api.seen).toEqual([]);
  await admin.close();
  await api.close();
});

const post = async (path: string, body: Fields) =>
  await request(admin.app)
    .post(`/api/orders/${path}`)
    .send({ clientId: CLIENT, ...body });

/** Not long ago: an authorization of seven days is still good. */
const LATELY = new Date(Date.now() - 3_600_000).toISOString();
const WEEKS_AGO = new Date(Date.now() - 30 * 86_400_000).toISOString();
const payment = (id: string, fields: Fields = {}): Fields =>
  paymentResult('S', {
    paymentId: id,
    paymentRequestId: `${id}-R`,
    paymentAmount: jpy('100'),
    paymentMethodType: 'CARD',
    paymentTime: LATELY,
    ...fields,
  });
const failed = (id: string): Fields => paymentResult('F', { paymentId: id, paymentRequestId: `${id}-R` });
const captured = (id: string): Fields =>
  captureResult('S', {
    paymentId: id,
    captureId: `${id}-C`,
    captureRequestId: `${id}-Q`,
    captureAmount: jpy('60'),
  });

/** One that we have sent before. */
const sent = async (id: string, fields: Partial<Move> = {}): Promise<void> => {
  const now = new Date().toISOString();
  const move: Move = {
    clientId: CLIENT,
    kind: 'capture',
    requestId: `${id}-1`,
    paymentId: id,
    amount: { currency: 'JPY', value: '40' },
    captureId: null,
    isLast: null,
    status: 'PROCESSING',
    attempts: 1,
    resultCode: null,
    reason: null,
    id: null,
    createdAt: now,
    updatedAt: now,
    ...fields,
  };
  await admin.store.importMoves([move], new Date());
};

interface Row {
  readonly reason: MoveRefusal;
  /** Of the payment; else the reason. */
  readonly id?: string;
  readonly facts?: (id: string) => readonly Fields[];
  readonly before?: (id: string) => Promise<unknown>;
  readonly ask: readonly [path: 'captures' | 'cancel' | 'refunds', body: Fields];
  readonly detail: string;
}

const paid = (id: string): readonly Fields[] => [payment(id)];
const paidAndCaptured = (id: string): readonly Fields[] => [payment(id), captured(id)];
const CAPTURE = ['captures', {}] as const;

const ROWS: readonly Row[] = [
  {
    reason: 'NO_PAYMENT',
    facts: () => [],
    before: async (id) => await register(id),
    ask: CAPTURE,
    detail: 'No payment of this paymentRequestId is known yet: wait for its notification, or inquire.',
  },
  {
    reason: 'NOT_AUTHORIZED',
    facts: (id) => [paymentResult('U', { paymentId: id })],
    ask: CAPTURE,
    detail: 'The order is PROCESSING: capture it once it is AUTHORIZED.',
  },
  {
    reason: 'NO_CAPTURE_REQUIRED',
    before: async (id) => await register(`${id}-R`, { captureMode: 'NONE' }),
    ask: CAPTURE,
    detail: 'This payment is not captured: it is paid once it succeeds. To give money back, refund it.',
  },
  {
    reason: 'OVER',
    facts: (id) => [failed(id)],
    ask: CAPTURE,
    detail: 'The payment is FAILED: nothing can be captured. Ask for a new payment under a new paymentRequestId.',
  },
  {
    reason: 'CLOSED',
    before: async (id) => {
      const revision = await admin.revisionOf(id);
      await admin.store.review({ clientId: CLIENT, id, decision: 'CLOSE', revision, note: null }, new Date());
    },
    ask: CAPTURE,
    detail: 'A person has closed this order. Take the review back to capture it, or cancel the payment.',
  },
  {
    reason: 'EXPIRED',
    facts: (id) => [payment(id, { paymentTime: WEEKS_AGO })],
    ask: CAPTURE,
    detail: 'The authorization has expired. Ask for a new payment under a new paymentRequestId.',
  },
  {
    reason: 'BLOCKED',
    facts: (id) => [payment(id), failed(id)],
    ask: CAPTURE,
    detail:
      'A person has to look first: CONTRADICTORY_RESULT. No review lets a capture through: correct what is wrong, or ask APO, or cancel the payment.',
  },
  {
    reason: 'CANCELLING',
    before: async (id) => await sent(id, { kind: 'cancel', requestId: `${id}-c1`, amount: null }),
    ask: CAPTURE,
    detail: 'A cancel of this payment is under way, or has succeeded: nothing is captured any more.',
  },
  {
    reason: 'CAPTURING',
    before: async (id) => await sent(id),
    ask: ['cancel', {}],
    detail:
      'A capture is under way. Once it has failed the payment can be cancelled; once it has succeeded, refund it.',
  },
  {
    reason: 'LAST_CAPTURED',
    before: async (id) => await sent(id, { status: 'SUCCEEDED', isLast: true }),
    ask: ['captures', { amount: jpy('10') }],
    detail:
      'The last capture has been sent: what was left of the authorization is released. If that is all, register what is captured as finalAmount, with the amount if nothing is registered yet.',
  },
  {
    reason: 'CAPTURED',
    facts: paidAndCaptured,
    ask: ['cancel', {}],
    detail: 'Something is captured already, and what is captured cannot be cancelled. Refund it.',
  },
  {
    reason: 'NOT_CAPTURED',
    ask: ['refunds', { amount: jpy('1') }],
    detail: 'Nothing is captured yet, so nothing can be refunded. Cancel the payment.',
  },
  {
    reason: 'OVER',
    id: 'wallet',
    before: async (id) => await register(`${id}-R`, { captureMode: 'NONE', cancelled: true }),
    ask: ['refunds', { amount: jpy('1') }],
    detail:
      'The payment is CANCELLED: APO gives back what it cancelled. If you registered `cancelled`, and APO cancelled nothing, take that back, then refund it.',
  },
  {
    reason: 'CAPTURED',
    id: 'paid-wallet',
    before: async (id) => await register(`${id}-R`, { captureMode: 'NONE', referenceOrderId: null }),
    ask: ['cancel', {}],
    detail: 'The payment is paid already, without a capture. Refund it.',
  },
  {
    reason: 'BLOCKED',
    id: 'part',
    facts: (id) => [payment(id), captured(id), failed(id)],
    ask: CAPTURE,
    detail:
      'A person has to look first: CONTRADICTORY_RESULT. No review lets a capture through: correct what is wrong, or ask APO.',
  },
  {
    reason: 'BLOCKED',
    id: 'unknown',
    facts: (id) => [payment(id), captureResult('S', { paymentId: id, captureId: `${id}-1` })],
    ask: ['refunds', { amount: jpy('1') }],
    detail: 'Nobody knows how much was paid: ask APO before you refund it.',
  },
  {
    reason: 'BLOCKED',
    id: 'wallet-unknown',
    facts: (id) => [payment(id, { paymentAmount: undefined })],
    before: async (id) => await register(`${id}-R`, { captureMode: 'NONE', referenceOrderId: null }),
    ask: ['refunds', { amount: jpy('1') }],
    detail: 'Nobody knows how much was paid: ask APO before you refund it.',
  },
  {
    reason: 'OVER',
    id: 'wallet-refunded',
    facts: (id) => [payment(id), refundResult('S', { paymentId: id, refundId: `${id}-f`, refundAmount: jpy('100') })],
    before: async (id) => await register(`${id}-R`, { captureMode: 'NONE', cancelled: true, referenceOrderId: null }),
    ask: ['refunds', { amount: jpy('1') }],
    detail: 'The payment is CANCELLED: there is nothing to give back.',
  },
  {
    reason: 'BLOCKED',
    id: 'capturing',
    facts: (id) => [
      payment(id),
      failed(id),
      captureResult('U', { paymentId: id, captureRequestId: `${id}-q`, captureAmount: jpy('1') }),
    ],
    ask: CAPTURE,
    detail:
      'A person has to look first: CONTRADICTORY_RESULT. No review lets a capture through: correct what is wrong, or ask APO.',
  },
  {
    reason: 'NOTHING_LEFT',
    id: 'refunded',
    facts: (id) => [
      ...paidAndCaptured(id),
      refundResult('S', { paymentId: id, refundId: `${id}-f`, refundAmount: jpy('60') }),
    ],
    ask: ['refunds', { amount: jpy('1') }],
    detail: 'Nothing is left to refund.',
  },
  {
    reason: 'NOTHING_LEFT',
    before: async (id) => await sent(id, { amount: { currency: 'JPY', value: '100' } }),
    ask: ['captures', { captureRequestId: 'another' }],
    detail: 'Nothing is left to capture: wait for what is under way.',
  },
  {
    reason: 'TOO_MUCH',
    before: async (id) => await sent(id),
    ask: ['captures', { amount: jpy('61'), captureRequestId: 'another' }],
    detail: 'No more than JPY 60 is left to capture.',
  },
  {
    reason: 'CURRENCY',
    ask: ['captures', { amount: { currency: 'EUR', value: '1' } }],
    detail: 'The amount has to be in JPY.',
  },
  {
    reason: 'UNKNOWN_CAPTURE',
    facts: paidAndCaptured,
    ask: ['refunds', { amount: jpy('1'), captureId: 'C9' }],
    detail: 'No successful capture of this order has this captureId. Look at its captures, or leave it out.',
  },
  {
    reason: 'ID_USED',
    facts: paidAndCaptured,
    ask: ['captures', { amount: jpy('1'), captureRequestId: 'ID_USED-Q' }],
    detail: 'Somebody else has sent ID_USED-Q already: look at the order, or name another id.',
  },
  {
    reason: 'REPEATED',
    before: async (id) => await sent(id, { status: 'SUCCEEDED' }),
    ask: ['captures', { amount: jpy('40') }],
    detail: 'The same capture has just succeeded, as REPEATED-1. To make another, name its request id.',
  },
];

const register = async (paymentRequestId: string, fields: Parameters<typeof registration>[0] = {}) =>
  await admin.store.register(registration({ clientId: CLIENT, paymentRequestId, ...fields }), {
    replace: false,
    now: new Date(),
  });

describe('a move that is refused', () => {
  test('every reason is one of these', () => {
    expect([...new Set(ROWS.map(({ reason }) => reason))]).toEqual(MOVE_REFUSALS);
  });

  test.each(ROWS)(
    'says why, and what to do instead: $reason $detail',
    async ({ reason, id = reason, facts = paid, before, ask, detail }) => {
      for (const fields of facts(id)) await admin.notify(fields);
      await before?.(id);
      const { status, type, body } = await post(`${id}/${ask[0]}`, ask[1]);
      expect([status, type]).toEqual([409, 'application/problem+json']);
      expect(body).toMatchObject({ status: 409, code: 'MOVE_REFUSED', reason, detail });
      expect(body.order).toMatchObject(reason === 'NO_PAYMENT' ? { paymentRequestId: id } : { paymentId: id });
    },
  );
});

describe('the routes of moves', () => {
  test('tell one that was written down before, and refuse another one under its id', async () => {
    await admin.notify(payment('P1'));
    await sent('P1', { requestId: 'mine' });
    const same = await post('P1/captures', { amount: jpy('40'), captureRequestId: 'mine' });
    expect([same.status, [same.body]]).toEqual([200, await admin.store.listMoves(CLIENT, 'P1')]);
    expect(same.body).toMatchObject({ kind: 'capture', requestId: 'mine', status: 'PROCESSING', attempts: 1 });
    for (const other of [{ amount: jpy('41') }, { amount: jpy('40'), isLast: true }]) {
      const { status, body } = await post('P1/captures', { captureRequestId: 'mine', ...other });
      expect(status).toBe(409);
      expect(body).toMatchObject({
        code: 'MOVE_CONFLICT',
        detail:
          'Something else was sent under this request id, and APO takes each id once. Repeat exactly that, or name another id.',
        move: same.body,
      });
    }
  });

  test('tell a cancel again, under way or over', async () => {
    for (const status of ['PROCESSING', 'SUCCEEDED'] as const) {
      await admin.notify(payment(status));
      const cancel = { kind: 'cancel', requestId: `${status}-c1`, amount: null } as const;
      await sent(status, { ...cancel, status });
      const again = await post(`${status}/cancel`, {});
      expect([again.status, again.body]).toMatchObject([200, { ...cancel, status }]);
    }
  });

  test('and the timeline tells what was sent, and what became of it', async () => {
    await admin.notify(payment('P4'));
    const [asked, answered] = ['2999-01-01T00:00:00.000Z', '2999-01-01T00:00:02.000Z'];
    const [again, tried] = ['2999-01-01T00:00:03.000Z', '2999-01-01T00:00:05.000Z'];
    await sent('P4', {
      status: 'FAILED',
      resultCode: 'RISK_REJECT',
      reason: 'BUYER',
      createdAt: asked,
      updatedAt: answered,
    });
    await sent('P4', { requestId: 'unsent', attempts: 0, createdAt: answered, updatedAt: answered });
    await sent('P4', { requestId: 'tried', createdAt: again, updatedAt: tried });
    const { body } = await request(admin.app).get('/api/orders/P4/timeline').query({ clientId: CLIENT }).expect(200);
    const move = { type: 'move', kind: 'capture', requestId: 'P4-1', amount: jpy('40'), captureId: null, isLast: null };
    const written = { outcome: null, attempts: 0, resultCode: null, reason: null };
    expect(body.items.filter(({ type }: Fields) => type === 'move')).toMatchObject([
      { ...move, ...written, at: asked, says: { status: 'AUTHORIZED' } },
      { ...move, at: answered, outcome: 'FAILED', attempts: 1, resultCode: 'RISK_REJECT', reason: 'BUYER' },
      { ...move, ...written, requestId: 'unsent', at: answered },
      { ...move, ...written, requestId: 'tried', at: again },
      { ...move, requestId: 'tried', at: tried, outcome: 'PROCESSING', attempts: 1 },
    ]);
  });

  test('want a payment that one id names, of a client that is configured and has a private key', async () => {
    for (const id of ['P2', 'P3']) await admin.notify(payment(id, { paymentRequestId: 'R2' }));
    const ambiguous = await post('R2/captures', {});
    expect(ambiguous.status).toBe(409);
    expect(ambiguous.body).toMatchObject({ code: 'AMBIGUOUS_ORDER', orders: [{}, {}] });
    expect((await post('nobody/captures', {})).body).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect((await post('P2/cancel', { clientId: undefined })).body).toMatchObject({
      status: 400,
      code: 'CLIENT_REQUIRED',
    });
    expect((await post('P2/cancel', { clientId: 'X' })).body).toMatchObject({ status: 400, code: 'UNKNOWN_CLIENT' });
    expect((await post('P2/cancel', { clientId: OTHER })).body).toMatchObject({
      status: 501,
      code: 'NO_PRIVATE_KEY',
      detail: `There is no private key of ${OTHER}, so nothing can be sent. Set ANTOM_PRIVATE_KEY and ANTOM_REGION, or privateKey in ANTOM_CLIENTS_FILE.`,
    });
  });

  test.each([
    ['captures', { captureRequestId: 'x'.repeat(65) }, 'captureRequestId: must have at most 64 characters'],
    ['captures', { isLast: 'yes' }, 'isLast: must be true or false'],
    ['captures', { amount: { currency: 'JPY', value: '0' } }, 'amount'],
    [
      'captures',
      { refundRequestId: 'x' },
      'a name that is not one of ours, which are amount, captureRequestId, isLast, clientId.',
    ],
    ['captures', { captureRequestId: 5 }, 'captureRequestId: must be a string.'],
    ['refunds', {}, 'amount'],
    ['refunds', { amount: { currency: 'JPY', value: '1.5' } }, 'amount'],
    ['cancel', { amount: { currency: 'JPY', value: '1' } }, 'a name that is not one of ours, which are clientId.'],
  ])('do not understand %s of %j', async (path, body, words) => {
    const response = await post(`P1/${path}`, body);
    expect(response.body).toMatchObject({ status: 400, code: 'MALFORMED_REQUEST' });
    expect(response.body.detail).toContain(words);
  });

  test('take no query, and say so', async () => {
    const response = await post('P1/captures?clientId=x', {});
    expect(response.body.detail).toBe('The query is not understood: this path takes none.');
  });
});

test('without any private key nothing is sent', async () => {
  const without = await openAdmin();
  await without.notify(payment('P1'));
  for (const [path, body] of [
    ['captures', {}],
    ['cancel', {}],
    ['refunds', { amount: jpy('1') }],
  ] as const) {
    const response = await request(without.app).post(`/api/orders/P1/${path}`).send(body);
    expect(response.body).toMatchObject({ status: 501, code: 'NO_PRIVATE_KEY' });
  }
  expect(await without.store.listMoves(CLIENT, 'P1')).toEqual([]);
  await without.close();
});
