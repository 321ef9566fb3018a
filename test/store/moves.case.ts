import { describe, expect, test } from '@jest/globals';
import type { AmountText } from '../../src/order/amount.ts';
import { finalIn, isUnderWayIn, type MoveAsked } from '../../src/order/move.ts';
import type { Asked } from '../../src/order/asked.ts';
import type { Order } from '../../src/order/order.ts';
import type {
  BeginMoveResult,
  Move,
  MoveOutcome,
  OrderName,
  RefundRegistration,
  Store,
} from '../../src/store/store.ts';
import {
  answerTo,
  captureResult,
  CLIENT,
  type Fields,
  jpy,
  paymentAnswer,
  paymentResult,
  refundResult,
  result,
} from '../support/facts.ts';
import { AMPLE, codes, delivery, follow, type Ground, order, rebuildAll, record, registration, T0 } from './support.ts';

/** Not long ago: an authorization of seven days is still good. */
const LATELY = new Date(Date.now() - 3_600_000).toISOString();
const PAID = paymentResult('S', { paymentAmount: jpy('100'), paymentMethodType: 'CARD', paymentTime: LATELY });
const captured = (value: string, id = 'C1'): Fields =>
  captureResult('S', { captureId: id, captureRequestId: `${id}-request`, captureAmount: jpy(value) });
const yen = (value: string) => ({ currency: 'JPY', value });

const begin = async (
  store: Store,
  asked: Partial<MoveAsked & OrderName> & Pick<MoveAsked, 'kind'>,
): Promise<BeginMoveResult> =>
  await store.beginMove(
    {
      clientId: CLIENT,
      id: 'P1',
      amount: null,
      requestId: null,
      captureId: null,
      isLast: null,
      ...asked,
      nextAttemptAt: 1_000,
    },
    new Date(),
  );

/** What it came to, in two words. */
const saidOf = (begun: BeginMoveResult): string => {
  switch (begun.kind) {
    case 'refused':
      return begun.refused.reason;
    case 'begun':
    case 'same':
    case 'conflict':
      return `${begun.kind} ${begun.move.requestId}${begun.move.amount === null ? '' : ` ${begun.move.amount.value}`}`;
    case 'unknown':
    case 'ambiguous':
      return begun.kind;
  }
};

const moveOf = (begun: BeginMoveResult): Move => {
  if (begun.kind !== 'begun') throw new Error(`not begun: ${saidOf(begun)}`);
  return begun.move;
};

const begunOf = (all: readonly BeginMoveResult[]): readonly Move[] =>
  all.filter(({ kind }) => kind === 'begun').map(moveOf);

const requestIds = (moves: readonly Move[]): readonly string[] => moves.map(({ requestId }) => requestId);

const outcome = (status: Move['status'], fields: Partial<MoveOutcome> = {}): MoveOutcome => ({
  status,
  resultCode: null,
  reason: null,
  id: null,
  sent: true,
  nextAttemptAt: 2_000,
  ...fields,
});

/** A capture of what is asked, final. */
const made = async (store: Store, status: 'SUCCEEDED' | 'FAILED', asked: Partial<MoveAsked> = {}): Promise<Move> =>
  await store.keepMove(moveOf(await begin(store, { kind: 'capture', ...asked })), outcome(status), new Date());

const inquired = async (store: Store, asked: Asked, answer: Fields) =>
  await store.recordInquiry({ read: answerTo(asked, JSON.stringify(answer)), receivedAt: new Date() });

type Refusal = readonly [
  what: string,
  facts: readonly Fields[],
  asked: Partial<MoveAsked> & Pick<MoveAsked, 'kind'>,
  said: string,
];
const WEEKS_AGO = new Date(Date.now() - 30 * 86_400_000).toISOString();

const refundOf = (status: 'S' | 'U', refundAmount?: AmountText): Fields =>
  refundResult(status, { paymentId: 'P1', refundId: 'F1', ...(refundAmount === undefined ? {} : { refundAmount }) });
const OF_P1: Fields = { paymentId: 'P1' };
const lost = (value?: string): Fields => ({
  paymentId: 'P1',
  paymentRequestId: 'R1',
  disputeId: 'D1',
  disputeNotificationType: 'DISPUTE_JUDGED',
  disputeJudgedResult: 'ACCEPT_BY_MERCHANT',
  ...(value === undefined ? {} : { disputeAmount: jpy(value) }),
});

const REFUSALS: readonly Refusal[] = [
  ['a capture before the payment succeeds', [paymentResult('U')], { kind: 'capture' }, 'NOT_AUTHORIZED'],
  ['a capture of a failed payment', [paymentResult('F')], { kind: 'capture' }, 'OVER'],
  ['a capture once all is captured', [PAID, captured('100')], { kind: 'capture' }, 'CAPTURED'],
  ['a capture of more than is left', [PAID, captured('60')], { kind: 'capture', amount: yen('41') }, 'TOO_MUCH'],
  ['a capture in another currency', [PAID], { kind: 'capture', amount: { currency: 'EUR', value: '1' } }, 'CURRENCY'],
  ['a capture of a blocked order', [PAID, paymentResult('F')], { kind: 'capture' }, 'BLOCKED'],
  ['a capture too late', [{ ...PAID, paymentTime: WEEKS_AGO }], { kind: 'capture' }, 'EXPIRED'],
  [
    'a capture while another one is under way elsewhere',
    [PAID, captureResult('U', { captureRequestId: 'Q', captureAmount: jpy('100') })],
    { kind: 'capture' },
    'NOTHING_LEFT',
  ],
  [
    'a capture while another one of unknown amount is under way',
    [PAID, captureResult('U', { captureRequestId: 'Q' })],
    { kind: 'capture' },
    'BLOCKED',
  ],
  [
    'a capture under an id that was used',
    [PAID, captured('60')],
    { kind: 'capture', requestId: 'C1-request' },
    'ID_USED',
  ],
  [
    'a refund under an id that was used',
    [
      PAID,
      captured('60'),
      refundResult('S', { ...OF_P1, refundId: 'F1', refundRequestId: 'F1-request', refundAmount: jpy('10') }),
    ],
    { kind: 'refund', amount: yen('1'), requestId: 'F1-request' },
    'ID_USED',
  ],
  ['a cancel of what is captured', [PAID, captured('60')], { kind: 'cancel' }, 'CAPTURED'],
  ['a cancel of a failed payment', [paymentResult('F')], { kind: 'cancel' }, 'OVER'],
  [
    'a cancel while a capture is under way',
    [PAID, captureResult('U', { captureRequestId: 'Q', captureAmount: jpy('100') })],
    { kind: 'cancel' },
    'CAPTURING',
  ],
  ['a refund before anything is captured', [PAID], { kind: 'refund', amount: yen('1') }, 'NOT_CAPTURED'],
  ['a refund of a failed payment', [paymentResult('F')], { kind: 'refund', amount: yen('1') }, 'OVER'],
  ['a refund of what a dispute took', [PAID, captured('60'), lost('60')], { kind: 'refund' }, 'NOTHING_LEFT'],
  ['a refund of what a dispute may have taken', [PAID, captured('60'), lost()], { kind: 'refund' }, 'NOTHING_LEFT'],
  [
    'a refund beside one in another currency',
    [PAID, captured('60'), refundOf('S', { currency: 'USD', value: '60' })],
    { kind: 'refund' },
    'BLOCKED',
  ],
  [
    'a refund beside one under way of an unknown amount',
    [PAID, captured('60'), refundOf('U')],
    { kind: 'refund' },
    'BLOCKED',
  ],
  [
    'a refund beside one of an unknown amount',
    [PAID, captured('60'), refundOf('S')],
    { kind: 'refund', amount: yen('1') },
    'BLOCKED',
  ],
  ['a refund of more than is captured', [PAID, captured('60')], { kind: 'refund', amount: yen('61') }, 'TOO_MUCH'],
  [
    'a refund of a capture that is none',
    [PAID, captured('60')],
    { kind: 'refund', amount: yen('1'), captureId: 'C9' },
    'UNKNOWN_CAPTURE',
  ],
];

export const describeMoves = (ground: () => Ground): void => {
  describe('a move', () => {
    test.each(REFUSALS)('refuses %s', async (...[, facts, asked, said]) => {
      const store = await ground().empty();
      await record(store, ...facts);
      expect(saidOf(await begin(store, asked))).toBe(said);
      expect(await store.listMoves(CLIENT, 'P1')).toEqual([]);
    });

    test('is of an order that is there, and has a payment', async () => {
      const store = await ground().empty();
      expect(saidOf(await begin(store, { kind: 'capture' }))).toBe('unknown');
      await store.register(registration({ paymentRequestId: 'P1' }), { replace: false, now: T0 });
      expect(saidOf(await begin(store, { kind: 'capture' }))).toBe('NO_PAYMENT');
    });

    test('of a payment that is not captured is a refund alone', async () => {
      const store = await ground().empty();
      await store.register(registration({ captureMode: 'NONE' }), { replace: false, now: T0 });
      await record(store, PAID);
      expect(saidOf(await begin(store, { kind: 'capture' }))).toBe('NO_CAPTURE_REQUIRED');
      expect(saidOf(await begin(store, { kind: 'cancel' }))).toBe('CAPTURED');
      expect(saidOf(await begin(store, { kind: 'refund', amount: yen('101') }))).toBe('TOO_MUCH');
      expect(saidOf(await begin(store, { kind: 'refund', amount: yen('100') }))).toBe('begun P1-r1 100');
    });

    test('is refused once a person has closed the order', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      const { revision } = await order(store, 'P1');
      await store.review({ clientId: CLIENT, id: 'P1', decision: 'CLOSE', revision, note: null }, new Date());
      expect(saidOf(await begin(store, { kind: 'capture' }))).toBe('CLOSED');
      expect(saidOf(await begin(store, { kind: 'cancel' }))).toBe('begun P1-c1');
      expect(saidOf(await begin(store, { kind: 'cancel' }))).toBe('same P1-c1');
    });

    test('asked for twice is one, and with another content is refused', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      expect(saidOf(await begin(store, { kind: 'capture' }))).toBe('begun P1-1 100');
      expect(saidOf(await begin(store, { kind: 'capture' }))).toBe('same P1-1 100');
      expect(saidOf(await begin(store, { kind: 'capture', amount: yen('0100') }))).toBe('same P1-1 100');
      expect(saidOf(await begin(store, { kind: 'capture', amount: yen('40') }))).toBe('conflict P1-1 100');
      expect(saidOf(await begin(store, { kind: 'capture', requestId: 'other' }))).toBe('NOTHING_LEFT');
      expect(saidOf(await begin(store, { kind: 'cancel' }))).toBe('CAPTURING');
    });

    test('has its request id for itself, whatever payment it is of; one of another kind may have the same', async () => {
      const store = await ground().empty();
      await record(store, PAID, { ...PAID, paymentId: 'P2', paymentRequestId: 'R2' });
      expect(saidOf(await begin(store, { kind: 'capture', requestId: 'Q' }))).toBe('begun Q 100');
      const asked = { id: 'P2', requestId: 'Q' };
      expect(saidOf(await begin(store, { kind: 'capture', ...asked }))).toBe('conflict Q 100');
      expect(saidOf(await begin(store, { kind: 'cancel', ...asked }))).toBe('begun Q');
    });

    test('may have the request id that somebody else gave one of another kind', async () => {
      const store = await ground().empty();
      const refund = { ...OF_P1, refundId: 'F1', refundRequestId: 'F1-request', refundAmount: jpy('10') };
      await record(store, PAID, captured('60'), refundResult('S', refund));
      expect(saidOf(await begin(store, { kind: 'capture', requestId: 'F1-request' }))).toBe('begun F1-request 40');
      const asked = { amount: yen('1'), requestId: 'C1-request' };
      expect(saidOf(await begin(store, { kind: 'refund', ...asked }))).toBe('begun C1-request 1');
    });

    test('counts what is under way, and what has succeeded before the order says so', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      await made(store, 'SUCCEEDED', { amount: yen('30'), requestId: 'Q1' });
      await made(store, 'FAILED', { amount: yen('50'), requestId: 'Q2' });
      expect(saidOf(await begin(store, { kind: 'capture', amount: yen('60'), requestId: 'Q3' }))).toBe('begun Q3 60');
      expect(saidOf(await begin(store, { kind: 'capture', amount: yen('11') }))).toBe('TOO_MUCH');
      // The order learns of the first: it counts once.
      await record(store, captureResult('S', { captureId: 'A1', captureRequestId: 'Q1', captureAmount: jpy('30') }));
      expect(saidOf(await begin(store, { kind: 'capture' }))).toBe('begun P1-3 10');
    });

    test('follows a last capture no more, and a failed one under another id', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      const failed = await made(store, 'FAILED');
      expect(failed).toMatchObject({ requestId: 'P1-1', status: 'FAILED', attempts: 1 });
      await made(store, 'SUCCEEDED', { amount: yen('60'), isLast: true });
      expect(saidOf(await begin(store, { kind: 'capture', requestId: 'more' }))).toBe('LAST_CAPTURED');
    });

    test('of two at the same moment is within what is left', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      const asked = ['Q1', 'Q2', 'Q3', 'Q4'].map(
        async (requestId) => await begin(store, { kind: 'capture', amount: yen('60'), requestId }),
      );
      const said = (await Promise.all(asked)).map((one) => one.kind);
      expect(said.toSorted()).toEqual(['begun', 'refused', 'refused', 'refused']);
    });

    test('of many at once through two replicas is never of more than is left', async () => {
      const store = await ground().empty();
      const replicas = [store, await ground().open({})];
      const atOnce = async (asked: readonly (Partial<MoveAsked> & Pick<MoveAsked, 'kind'>)[]) =>
        await Promise.all(asked.map(async (one, index) => await begin(replicas[index % 2] ?? store, one)));
      const numbers = Array.from({ length: 12 }, (_, index) => index);
      await record(store, PAID);

      // Asked for without an id it is one, whoever is asked.
      const same = await atOnce(numbers.map(() => ({ kind: 'capture', amount: yen('30') })));
      expect(new Set(same.map(saidOf))).toEqual(new Set(['begun P1-1 30', 'same P1-1 30']));
      expect(begunOf(same)).toHaveLength(1);

      const captures = await atOnce(
        numbers.map((number) => ({ kind: 'capture', amount: yen('30'), requestId: `Q${number % 6}` })),
      );
      expect(begunOf(captures)).toHaveLength(2);
      expect(new Set(captures.map((one) => saidOf(one).split(' ')[0]))).toEqual(new Set(['begun', 'same', 'TOO_MUCH']));

      await record(store, captured('60'));
      const refunds = await atOnce(
        numbers.map((number) => ({ kind: 'refund', amount: yen('25'), requestId: `F${number}` })),
      );
      expect(begunOf(refunds)).toHaveLength(2);
      expect(refunds.filter((one) => saidOf(one) === 'TOO_MUCH')).toHaveLength(10);
    });

    test('of a capture and a cancel at once is one of the two', async () => {
      const store = await ground().empty();
      const other = await ground().open({});
      await record(store, PAID);
      const asked = [0, 1, 2, 3, 4, 5].map(
        async (number) =>
          await begin(number < 3 ? store : other, {
            kind: number % 2 === 0 ? 'capture' : 'cancel',
            requestId: number % 2 === 0 ? `Q${number}` : null,
          }),
      );
      expect(begunOf(await Promise.all(asked))).toHaveLength(1);
    });

    test('of a cancel is final where the payment has failed: nothing is left to cancel', async () => {
      const store = await ground().empty();
      await record(store, paymentResult('U'));
      const move = moveOf(await begin(store, { kind: 'cancel' }));
      expect(finalIn(await order(store, 'P1'), move)).toBeNull();
      await record(store, paymentResult('F'));
      expect(finalIn(await order(store, 'P1'), move)).toMatchObject({ status: 'SUCCEEDED' });
    });

    test('of a refund of everything stops no shipping before it has succeeded, unless a person closes the order', async () => {
      const store = await ground().empty();
      await record(store, PAID, captured('100'));
      const { revision } = await order(store, 'P1');
      const closing = { clientId: CLIENT, id: 'P1', decision: 'CLOSE', revision, note: null } as const;
      expect(await store.review(closing, new Date())).toMatchObject({ order: { fulfillable: false } });
      expect(saidOf(await begin(store, { kind: 'refund', amount: yen('100') }))).toBe('begun P1-r1 100');
      const refunds = [{ refundRequestId: 'P1-r1', status: 'PROCESSING', amount: jpy('100') }];
      expect(await order(store, 'P1')).toMatchObject({ fulfillable: false, nextAction: 'NONE', refunds });
      await store.withdrawReview({ clientId: CLIENT, id: 'P1' }, new Date());
      expect(await order(store, 'P1')).toMatchObject({ fulfillable: true, nextAction: 'FULFIL', refunds });
    });

    test('of a refund that names no capture is within all of them', async () => {
      const store = await ground().empty();
      const parts = ['Q1', 'Q2'].map((captureRequestId) =>
        captureResult('S', { captureRequestId, captureAmount: jpy('50') }),
      );
      await record(store, PAID, ...parts);
      expect(saidOf(await begin(store, { kind: 'refund', amount: yen('100') }))).toBe('begun P1-r1 100');
    });

    test('of a refund that names its capture is within what is left of that one', async () => {
      const store = await ground().empty();
      await record(store, PAID, captured('60'), captureResult('S', { captureId: 'C2', captureAmount: jpy('40') }));
      const refund = async (captureId: string, value: string, requestId: string) =>
        saidOf(await begin(store, { kind: 'refund', amount: yen(value), captureId, requestId }));
      await record(store, refundResult('S', { ...OF_P1, refundId: 'F0', captureId: 'C1', refundAmount: jpy('10') }));
      await record(store, refundResult('F', { ...OF_P1, refundId: 'F9', captureId: 'C1', refundAmount: jpy('50') }));
      expect(await refund('C1', '51', 'G1')).toBe('TOO_MUCH');
      expect(await refund('C1', '20', 'G1')).toBe('begun G1 20');
      expect(await refund('C1', '31', 'G2')).toBe('TOO_MUCH');
      // APO's word on it does not name the capture.
      await record(
        store,
        refundResult('S', { ...OF_P1, refundRequestId: 'G1', refundId: 'F1', refundAmount: jpy('20') }),
      );
      expect(await refund('C1', '31', 'G2')).toBe('TOO_MUCH');
      const last = await begin(store, { kind: 'refund', amount: yen('30'), captureId: 'C1', requestId: 'G2' });
      expect(saidOf(last)).toBe('begun G2 30');
      expect(await refund('C1', '1', 'G3')).toBe('NOTHING_LEFT');
      // The order knows that it failed before its move does.
      await record(store, refundResult('F', { ...OF_P1, refundRequestId: 'G2', refundAmount: jpy('30') }));
      expect(await refund('C1', '30', 'G3')).toBe('begun G3 30');
      await store.keepMove(moveOf(last), outcome('FAILED', { reason: 'TOLD' }), new Date());
      expect(await refund('C1', '1', 'G5')).toBe('NOTHING_LEFT');
      expect(await refund('C2', '40', 'G4')).toBe('begun G4 40');
    });

    test('of a refund is within what is captured, and joins its notification without a registration', async () => {
      const store = await ground().empty();
      await record(store, PAID, captured('60'));
      expect(saidOf(await begin(store, { kind: 'refund', amount: yen('50'), captureId: 'C1' }))).toBe('begun P1-r1 50');
      expect(saidOf(await begin(store, { kind: 'refund', amount: yen('11'), requestId: 'F2' }))).toBe('TOO_MUCH');
      await record(
        store,
        refundResult('S', {
          refundStatus: 'SUCCESS',
          refundRequestId: 'P1-r1',
          refundId: 'F1',
          refundAmount: jpy('50'),
        }),
      );
      const refunded = await order(store, 'P1');
      expect(refunded).toMatchObject({ refundedAmount: { value: '50' }, refunds: [{ refundRequestId: 'P1-r1' }] });
      expect(codes(refunded)).toContain('PARTIALLY_REFUNDED');
      await store.registerRefund(
        { clientId: CLIENT, refundRequestId: 'F3', paymentId: 'P9', paymentRequestId: null },
        { replace: false, now: T0 },
      );
      expect(saidOf(await begin(store, { kind: 'refund', amount: yen('1'), requestId: 'F3' }))).toBe('ID_USED');
      expect(saidOf(await begin(store, { kind: 'capture', requestId: 'F3' }))).toBe('begun F3 40');
    });

    test('of a refund is of its payment, whatever is registered later, unless it has failed', async () => {
      const store = await ground().empty();
      await record(store, PAID, captured('60'));
      const move = moveOf(await begin(store, { kind: 'refund', amount: yen('50') }));
      const another = { clientId: CLIENT, refundRequestId: move.requestId, paymentId: 'P9', paymentRequestId: null };
      const register = async (one: RefundRegistration): Promise<string> =>
        (await store.registerRefund(one, { replace: true, now: new Date() })).kind;
      expect(await register(another)).toBe('sent');
      expect(await register({ ...another, paymentId: null, paymentRequestId: 'R9' })).toBe('sent');
      expect(await register({ ...another, paymentId: null, paymentRequestId: 'R1' })).toBe('replaced');
      expect(await register({ ...another, paymentId: 'P1' })).toBe('replaced');
      await store.keepMove(move, outcome('FAILED', { reason: 'REFUSED' }), new Date());
      expect(await register(another)).toBe('replaced');
    });

    test('counts in its order as not decided, until APO has answered', async () => {
      const store = await ground().empty();
      // Nothing has come for two hours: but for the capture APO would have to be asked.
      await store.record([delivery(PAID, { at: new Date(Date.now() - 7_200_000) })], AMPLE);
      await store.register(registration({ captureMode: 'MANUAL' }), { replace: false, now: new Date() });
      const before = await order(store, 'P1');
      expect(before).toMatchObject({ captures: [], nextAction: 'CAPTURE' });
      const move = moveOf(await begin(store, { kind: 'capture', amount: yen('40') }));
      const { orders } = await follow(store, { limit: 10 });
      expect(orders).toMatchObject([
        {
          nextAction: 'WAIT',
          capturedAmount: null,
          remainingAmount: { value: '100' },
          captures: [{ captureId: null, captureRequestId: 'P1-1', status: 'PROCESSING', amount: { value: '40' } }],
        },
      ]);
      expect(orders[0]?.revision).toBeGreaterThan(before.revision);
      await store.keepMove(move, outcome('PROCESSING', { reason: 'TIMEOUT' }), new Date());
      expect((await follow(store, { limit: 10 })).orders).toEqual(orders);
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
      await store.keepMove(move, outcome('FAILED', { reason: 'TOLD' }), new Date());
      expect((await follow(store, { limit: 10 })).orders).toMatchObject([{ captures: [], nextAction: 'CAPTURE' }]);

      await begin(store, { kind: 'capture', amount: yen('60') });
      // APO's word on it comes first, under whichever of its names.
      await record(store, captureResult('S', { captureRequestId: 'P1-2', captureId: 'C2', captureAmount: jpy('60') }));
      await begin(store, { kind: 'refund', amount: yen('50') });
      expect((await follow(store, { limit: 10 })).orders).toMatchObject([
        {
          status: 'PARTIALLY_CAPTURED',
          captures: [{ captureId: 'C2', captureRequestId: 'P1-2', status: 'SUCCEEDED' }],
          refundedAmount: null,
          refunds: [{ refundId: null, refundRequestId: 'P1-r1', status: 'PROCESSING', amount: { value: '50' } }],
        },
      ]);
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
      const timeline = await store.timeline({ clientId: CLIENT, paymentId: 'P1', paymentRequestId: null });
      const moved = timeline?.items.filter(({ type }) => type === 'move') ?? [];
      // What APO said of the second one is dated before all of them.
      const actions = ['WAIT', 'CAPTURE', 'CAPTURE', 'CAPTURE'];
      expect(moved.map(({ says }) => says?.nextAction)).toEqual(actions);
    });

    test('that APO works on shows the id that APO gave it at once', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      const move = moveOf(await begin(store, { kind: 'capture' }));
      await store.keepMove(move, outcome('PROCESSING', { id: 'A1' }), new Date());
      const captures = [{ captureId: 'A1', captureRequestId: 'P1-1', status: 'PROCESSING' }];
      expect(await order(store, 'P1')).toMatchObject({ captures });
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
    });

    test('that APO works on is known from one that nobody has answered, by its request id alone', async () => {
      const store = await ground().empty();
      await record(store, PAID, captured('60'));
      const capture = moveOf(await begin(store, { kind: 'capture' }));
      const refund = moveOf(await begin(store, { kind: 'refund', amount: yen('10') }));
      const atApo = async () => [capture, refund].map((one) => isUnderWayIn(shown, one));
      let shown = await order(store, 'P1');
      expect(await atApo()).toEqual([false, false]);
      await inquired(
        store,
        { operation: 'inquiryPayment', paymentId: 'P1' },
        paymentAnswer('SUCCESS', {
          paymentAmount: jpy('100'),
          transactions: [
            {
              transactionType: 'CAPTURE',
              transactionStatus: 'PROCESSING',
              transactionRequestId: capture.requestId,
              transactionAmount: jpy('40'),
            },
          ],
        }),
      );
      await inquired(
        store,
        { operation: 'inquiryRefund', refundRequestId: refund.requestId },
        { result: result('S'), refundRequestId: refund.requestId, refundStatus: 'PROCESSING', refundAmount: jpy('10') },
      );
      shown = await order(store, 'P1');
      expect(await atApo()).toEqual([true, true]);
      expect([shown.captures.length, shown.refunds.length]).toEqual([2, 1]);
    });

    test('that has succeeded is the one that APO tells by its own id alone, before and after it is told', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      const move = moveOf(await begin(store, { kind: 'capture', amount: yen('60') }));
      await store.keepMove(move, outcome('SUCCEEDED', { resultCode: 'SUCCESS', id: 'C1' }), new Date());
      const answered = { captureId: 'C1', captureRequestId: 'P1-1', status: 'SUCCEEDED', amount: { value: '60' } };
      expect(await order(store, 'P1')).toMatchObject({ status: 'PARTIALLY_CAPTURED', captures: [answered] });
      await record(store, captureResult('S', { captureId: 'C1', captureAmount: jpy('60') }));
      const [shown] = (await follow(store, { limit: 10 })).orders;
      expect(shown).toMatchObject({ remainingAmount: { value: '40' }, captures: [answered] });
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
      expect(saidOf(await begin(store, { kind: 'capture' }))).toBe('begun P1-2 40');
    });

    test('that has succeeded says so in its order by itself: a cancel, a refund of everything', async () => {
      const store = await ground().empty();
      await record(
        store,
        PAID,
        paymentResult('S', { paymentId: 'P2', paymentRequestId: 'R2', paymentAmount: jpy('7') }),
      );
      const cancel = moveOf(await begin(store, { kind: 'cancel' }));
      await store.keepMove(cancel, outcome('PROCESSING', { reason: 'TIMEOUT' }), new Date());
      expect(await order(store, 'P1')).toMatchObject({ status: 'AUTHORIZED' });
      await store.keepMove(cancel, outcome('SUCCEEDED', { resultCode: 'SUCCESS' }), new Date());
      expect(await order(store, 'P1')).toMatchObject({ status: 'CANCELLED', fulfillable: false });
      await record(store, captureResult('S', { paymentId: 'P2', captureId: 'C2', captureAmount: jpy('7') }));
      const refund = moveOf(await begin(store, { kind: 'refund', id: 'P2', amount: yen('7') }));
      await store.keepMove(refund, outcome('SUCCEEDED', { resultCode: 'SUCCESS', id: 'F2' }), new Date());
      const refunded = await order(store, 'P2');
      expect(refunded).toMatchObject({ fulfillable: false, refunds: [{ refundId: 'F2', status: 'SUCCEEDED' }] });
      expect(codes(refunded)).toContain('REFUNDED');
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
    });

    test('of a cancel that nobody has answered says nothing: the payment has failed', async () => {
      const store = await ground().empty();
      await record(store, paymentResult('U'));
      const cancel = moveOf(await begin(store, { kind: 'cancel' }));
      await record(store, paymentResult('F'));
      await store.keepMove(cancel, outcome('SUCCEEDED'), new Date());
      expect(await order(store, 'P1')).toMatchObject({ status: 'FAILED' });
    });

    test('that has failed by its answer counts where APO works on it all the same', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      const move = moveOf(await begin(store, { kind: 'capture' }));
      await store.keepMove(move, outcome('FAILED', { reason: 'PERSON' }), new Date());
      await record(store, captureResult('U', { captureRequestId: move.requestId, captureAmount: jpy('100') }));
      expect(saidOf(await begin(store, { kind: 'capture' }))).toBe('NOTHING_LEFT');
    });

    test('of a refund goes by the registration of the paymentRequestId as well', async () => {
      const store = await ground().empty();
      await record(store, PAID, captured('100'));
      const said = { clientId: CLIENT, refundRequestId: 'F3', paymentId: null, paymentRequestId: 'R1' };
      await store.registerRefund(said, { replace: false, now: T0 });
      expect(saidOf(await begin(store, { kind: 'refund', amount: yen('1'), requestId: 'F3' }))).toBe('begun F3 1');
      expect(await store.registerRefund(said, { replace: false, now: T0 })).toMatchObject({ kind: 'unchanged' });
    });

    test('that APO refuses has failed in its order, too', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      await store.register(registration({ captureMode: 'MANUAL' }), { replace: false, now: new Date() });
      const tried = async (fields: Partial<MoveOutcome>, again = 0): Promise<Order | undefined> => {
        const move = moveOf(await begin(store, { kind: 'capture', requestId: `Q-${fields.resultCode}` }));
        for (let times = 0; times < again; times += 1)
          await store.keepMove(move, outcome('PROCESSING', { reason: 'TIMEOUT' }), new Date());
        await store.keepMove(move, outcome('FAILED', fields), new Date());
        expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
        return (await follow(store, { limit: 10 })).orders[0];
      };
      // Of these nobody knows whether they say anything of this capture.
      for (const fields of [
        { resultCode: 'REPEAT_REQ_INCONSISTENT', reason: 'USED_ID' },
        { resultCode: null, reason: 'TOLD' },
      ])
        expect(await tried(fields)).toMatchObject({ captures: [], nextAction: 'CAPTURE' });
      const refused = { resultCode: 'USER_AMOUNT_EXCEED_LIMIT', reason: 'NEW_ID' };
      // Whether at once or once it was sent again: F is final for its id.
      expect(await tried(refused, 1)).toMatchObject({
        nextAction: 'RETRY_CAPTURE',
        captures: [
          {
            captureRequestId: 'Q-USER_AMOUNT_EXCEED_LIMIT',
            status: 'FAILED',
            amount: { value: '100' },
            result: { resultStatus: 'F', resultCode: 'USER_AMOUNT_EXCEED_LIMIT' },
            furtherAction: expect.stringContaining('Create a new capture'),
          },
        ],
      });
      const gone = await tried({ resultCode: 'AUTH_EXPIRED', reason: 'AUTHORIZATION_GONE' });
      expect(gone).toMatchObject({ status: 'CANCELLED', nextAction: 'NEW_PAYMENT_REQUEST' });
      expect(codes(gone as Order)).toContain('CAPTURE_FAILED');
    });

    test('of an order with many captures is one of them, also where APO has said so already', async () => {
      const store = await ground().empty();
      const many = Array.from({ length: 40 }, (_, index) => captured('1', `C${index + 1}`));
      await record(store, PAID, ...many);
      const capturesOf = async () => {
        const [shown] = (await follow(store, { limit: 10 })).orders;
        expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
        return shown?.captures ?? [];
      };
      const processing = (all: Awaited<ReturnType<typeof capturesOf>>) =>
        all.filter(({ status }) => status === 'PROCESSING').map(({ captureRequestId }) => captureRequestId);
      const move = moveOf(await begin(store, { kind: 'capture', amount: yen('60'), requestId: 'last' }));
      expect(processing(await capturesOf())).toEqual(['last']);
      await store.importMoves([{ ...move, requestId: 'C7-request', amount: yen('1') }], new Date());
      const imported = await capturesOf();
      expect([imported.length, processing(imported)]).toEqual([41, ['last']]);
      await record(store, captureResult('S', { captureRequestId: 'last', captureId: 'C0', captureAmount: jpy('60') }));
      const told = await capturesOf();
      expect([told.length, processing(told)]).toEqual([41, []]);
      await record(store, captured('1', 'C7'));
      expect(await capturesOf()).toEqual(told);
      await store.keepMove(move, outcome('SUCCEEDED', { id: 'C0' }), new Date());
      expect(await capturesOf()).toEqual(told);
    });

    test('that is under way in two stores is as the later word says', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      const move = moveOf(await begin(store, { kind: 'capture' }));
      const at = Date.parse(move.updatedAt);
      const kept = await store.keepMove(move, outcome('PROCESSING', { reason: 'TIMEOUT' }), new Date(at + 10));
      await store.importMoves([{ ...move, reason: 'earlier', updatedAt: new Date(at + 9).toISOString() }], new Date());
      expect(await store.listMoves(CLIENT, 'P1')).toEqual([kept]);
      const word = { ...move, reason: 'later', updatedAt: new Date(at + 11).toISOString() };
      await store.importMoves([word], new Date());
      expect(await store.listMoves(CLIENT, 'P1')).toEqual([word]);
    });

    test('is of its client and its kind alone, whatever the ids', async () => {
      const store = await ground().empty();
      await record(store, PAID, captured('60'));
      await store.record([delivery(PAID, { clientId: 'T_other' })], AMPLE);
      const named = { requestId: 'Q', amount: yen('10') };
      const capture = moveOf(await begin(store, { kind: 'capture', ...named }));
      const refund = moveOf(await begin(store, { kind: 'refund', ...named }));
      const theirs = moveOf(await begin(store, { clientId: 'T_other', kind: 'capture', ...named }));
      await store.keepMove(theirs, outcome('FAILED', { resultCode: 'REFUSED', reason: 'PERSON' }), new Date());
      await store.keepMove(refund, outcome('PROCESSING', { reason: 'TIMEOUT' }), new Date());
      expect(await store.listMoves(CLIENT, 'P1')).toMatchObject([
        capture,
        { ...refund, reason: 'TIMEOUT', attempts: 1, updatedAt: expect.any(String) },
      ]);
      expect(await store.listMoves('T_other', 'P1')).toMatchObject([{ clientId: 'T_other', status: 'FAILED' }]);
    });

    test('is listed after older ones, and due before those that are due later; what was not sent is no attempt', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      const first = moveOf(await begin(store, { kind: 'capture', amount: yen('10'), requestId: 'Q2' }));
      const at = (seconds: number): string => new Date(Date.parse(first.createdAt) + seconds * 1_000).toISOString();
      await store.importMoves([{ ...first, requestId: 'Q1', createdAt: at(1) }], new Date());
      await store.importMoves([{ ...first, requestId: 'Q3', createdAt: at(1) }], new Date());
      expect(requestIds(await store.listMoves(CLIENT, 'P1'))).toEqual(['Q2', 'Q1', 'Q3']);
      const untold = outcome('PROCESSING', { sent: false, reason: 'TIMEOUT' });
      for (const [requestId, nextAttemptAt] of [
        ['Q1', 3_000],
        ['Q2', 4_000],
        ['Q3', 2_000],
      ] as const)
        await store.keepMove({ ...first, requestId }, { ...untold, nextAttemptAt }, new Date(1_500));
      const due = await store.dueMoves(4_000, 9);
      expect(requestIds(due)).toEqual(['Q3', 'Q1', 'Q2']);
      expect(await store.dueMoves(4_000, 2)).toEqual(due.slice(0, 2));
      expect(due).toMatchObject([{ attempts: 0 }, { attempts: 0 }, { attempts: 0 }]);
      const { moves } = await store.measure(AMPLE);
      expect(moves).toEqual({ underWay: 3, since: first.createdAt });
      await store.keepMove({ ...first, requestId: 'Q2' }, outcome('FAILED'), new Date());
      expect((await store.measure(AMPLE)).moves).toEqual({ underWay: 2, since: at(1) });
    });

    test('is due until it is final, and what is final stays; another store takes it in', async () => {
      const store = await ground().empty();
      await record(store, PAID);
      const move = moveOf(await begin(store, { kind: 'capture' }));
      // A clock that was ahead has put it off, and has been set back.
      expect(await store.dueMoves(999, 9)).toEqual([move]);
      await ground().sql('update moves set updated_at = 300999');
      expect(await store.dueMoves(999, 9)).toEqual([]);
      expect(await store.dueMoves(1_000, 9)).toMatchObject([{ requestId: move.requestId }]);
      await store.keepMove(move, outcome('PROCESSING', { reason: 'TIMEOUT' }), new Date(1_500));
      expect(await store.dueMoves(1_999, 9)).toEqual([]);
      expect(await store.dueMoves(2_000, 9)).toMatchObject([{ attempts: 1, reason: 'TIMEOUT' }]);
      // The same key, and something else was asked for.
      await store.importMoves([{ ...move, amount: yen('7'), status: 'FAILED', reason: 'another' }], new Date());
      await store.importMoves([{ ...move, paymentId: 'P9', status: 'FAILED', reason: 'another' }], new Date());
      expect(await store.listMoves(CLIENT, 'P1')).toMatchObject([{ status: 'PROCESSING', reason: 'TIMEOUT' }]);
      await store.importMoves([{ ...move, status: 'SUCCEEDED', id: 'A1' }], new Date());
      await store.keepMove(move, outcome('FAILED'), new Date());
      await store.importMoves([move], new Date());
      const { items } = await store.readMoves({ limit: 1, cursor: null });
      expect(items).toMatchObject([{ status: 'SUCCEEDED', id: 'A1' }]);
      expect(await store.listMoves(CLIENT, 'P1')).toEqual(items);
      expect(await store.dueMoves(9_999, 9)).toEqual([]);
    });
  });
};
