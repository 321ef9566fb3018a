import { describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/order/order.ts';
import type { Says, TimelineEntry } from '../../src/order/timeline.ts';
import type { Registration } from '../../src/order/registration.ts';
import { LONGEST_TIMELINE, type Store, type Timeline } from '../../src/store/store.ts';
import type { Asked } from '../../src/order/asked.ts';
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
  transaction,
} from '../support/facts.ts';
import { AMPLE, delivery, type Ground, unverified } from './support.ts';

/** One step of a story: something is stored at this time. */
type Step = (store: Store, now: Date) => Promise<unknown>;

const notify =
  (body: Fields | string): Step =>
  async (store, at) =>
    await store.record([delivery(body, { at })], AMPLE);

const answer =
  (body: Fields, asked: Asked = { operation: 'inquiryPayment', paymentId: 'P1' }): Step =>
  async (store, receivedAt) =>
    await store.recordInquiry({ read: answerTo(asked, JSON.stringify(body)), receivedAt });

const register =
  (paymentRequestId: string, fields: Partial<Registration> = {}): Step =>
  async (store, now) =>
    await store.register(
      {
        clientId: CLIENT,
        paymentRequestId,
        amount: { currency: 'JPY', value: '120' },
        referenceOrderId: null,
        captureMode: null,
        paymentMethodType: null,
        authExpiryTime: null,
        finalAmount: null,
        cancelled: false,
        ...fields,
      },
      { replace: true, now },
    );

const amend =
  (paymentRequestId: string, changes: Partial<Registration>): Step =>
  async (store, now) =>
    await store.amend({ clientId: CLIENT, paymentRequestId, changes }, now);

const refundOf =
  (refundRequestId: string, paymentId: string | null, paymentRequestId: string | null = null): Step =>
  async (store, now) =>
    await store.registerRefund(
      { clientId: CLIENT, refundRequestId, paymentId, paymentRequestId },
      { replace: true, now },
    );

const review =
  (id: string, decision: 'FULFIL' | 'CLOSE'): Step =>
  async (store, now) => {
    const [order] = await store.findOrders({ clientId: CLIENT, id });
    const decided = await store.review(
      { clientId: CLIENT, id, decision, revision: order?.revision ?? 0, note: null },
      now,
    );
    expect(decided.kind).toBe('reviewed');
  };

const withdraw =
  (id: string): Step =>
  async (store, now) =>
    await store.withdrawReview({ clientId: CLIENT, id }, now);

const card = (fields: Fields = {}): Fields =>
  paymentResult('S', {
    paymentAmount: jpy('120'),
    paymentMethodType: 'CARD',
    acquirerInfo: { acquirerName: 'X' },
    ...fields,
  });
const captured = (value: string, id = 'C1', fields: Fields = {}): Fields =>
  captureResult('S', { captureId: id, captureAmount: jpy(value), ...fields });
const refunded = (id: string, value: string): Fields =>
  refundResult('S', { refundRequestId: id, refundAmount: jpy(value) });

const asked = (fields: Fields): Fields =>
  paymentAnswer('SUCCESS', { paymentAmount: jpy('120'), paymentMethodType: 'CARD', ...fields });
const capture = transaction('CAPTURE', 'S', { transactionId: 'C1', transactionAmount: jpy('120') });
const refundOfCard = transaction('REFUND', 'S', { transactionRequestId: 'F1', transactionAmount: jpy('20') });

/** Told of P1, or of the registration R1 while no payment names it. */
const STORIES: Readonly<Record<string, readonly Step[]>> = {
  'a card, registered, captured in parts': [
    register('R1', { captureMode: 'MANUAL', referenceOrderId: 'order-1' }),
    notify(card()),
    notify(captured('50')),
    amend('R1', { finalAmount: { currency: 'JPY', value: '100' } }),
    notify(captured('50', 'C2')),
    notify(card({ extra: 'a resend with other bytes' })),
  ],
  'a capture before its payment, and the registration last': [
    notify(captured('120')),
    notify(card()),
    register('R1', { amount: { currency: 'JPY', value: '100' } }),
    amend('R1', { amount: { currency: 'JPY', value: '120' } }),
  ],
  'a refund that is registered late, and moved to another payment': [
    notify(card()),
    notify(captured('120')),
    notify(refunded('F1', '120')),
    refundOf('F1', 'P1'),
    refundOf('F1', 'P2'),
    refundOf('F1', null, 'R1'),
  ],
  'a refund that is registered for the request before anything came': [
    refundOf('F1', null, 'R1'),
    notify(refunded('F1', '20')),
    notify(card()),
    notify(captured('120')),
  ],
  'what a person decided, and took back': [
    register('R1', { amount: { currency: 'JPY', value: '100' } }),
    notify(card()),
    notify(captured('120')),
    review('P1', 'FULFIL'),
    withdraw('P1'),
    review('P1', 'CLOSE'),
    review('P1', 'FULFIL'),
  ],
  'what could not be read': [
    notify(card({ result: { resultStatus: 'X' } })),
    notify(card()),
    register('R1'),
    notify({ notifyType: 'PAYMENT_RESULT', paymentRequestId: 'R1', result: { resultStatus: 'S' } }),
  ],
  'what could not be read, and whose request the payment names only later': [
    notify({ notifyType: 'PAYMENT_RESULT', paymentRequestId: 'R1', result: { resultStatus: 'S' } }),
    notify(captured('120')),
    notify(card()),
  ],
  'what could not be read is all that there is of a payment that is registered': [
    register('R1'),
    notify(card({ result: { resultStatus: 'X' } })),
    amend('R1', { captureMode: 'MANUAL' }),
  ],
  'a registration that no payment names, and another one of its shop order': [
    register('R2', { referenceOrderId: 'order-1', cancelled: true }),
    register('R1', { referenceOrderId: 'order-1' }),
    amend('R1', { captureMode: 'MANUAL' }),
    answer({ result: result('F', 'ORDER_NOT_EXIST') }, { operation: 'inquiryPayment', paymentRequestId: 'R1' }),
  ],
  'a capture that comes before the payment names its registration, which is cancelled': [
    register('R1', { amount: { currency: 'JPY', value: '100' }, cancelled: true }),
    notify(captured('120')),
    answer({ result: result('F', 'ORDER_NOT_EXIST') }),
    notify(card()),
    notify(captured('1', 'C2')),
  ],
  'refunds that were registered for the payment or its request, and are for another payment now': [
    notify(card()),
    refundOf('F1', null, 'R1'),
    refundOf('F2', 'P1'),
    refundOf('F1', 'P2'),
    refundOf('F2', 'P2'),
  ],
  'a refund that states its payment, and is registered for another one': [
    notify(card()),
    notify(captured('120')),
    notify(refundResult('S', { refundRequestId: 'F1', refundAmount: jpy('20'), paymentId: 'P1' })),
    refundOf('F1', 'P2'),
    notify(captured('1', 'C2')),
  ],
  'a later registration of the same shop order, which is of another one then': [
    register('R1', { referenceOrderId: 'order-1' }),
    notify(paymentResult('F', { result: result('F', 'RISK_REJECT') })),
    register('R2', { referenceOrderId: 'order-1' }),
    amend('R1', { captureMode: 'MANUAL' }),
    register('R2', { referenceOrderId: 'order-2' }),
    amend('R1', { captureMode: 'AUTOMATIC' }),
  ],
  'another payment under the same request': [
    notify(card()),
    notify(captured('120')),
    notify(card({ paymentId: 'P2' })),
  ],
  'another payment under the same request, which is registered for a shop order': [
    register('R1', { referenceOrderId: 'order-1' }),
    notify(card()),
    notify(card({ paymentId: 'P2' })),
  ],
  'another payment of the same shop order': [
    register('R1', { referenceOrderId: 'order-1' }),
    notify(paymentResult('F', { result: result('F', 'RISK_REJECT') })),
    register('R2', { referenceOrderId: 'order-1' }),
    notify(card({ paymentId: 'P2', paymentRequestId: 'R2' })),
    notify(card({ result: result('S', 'LATE') })),
  ],
  'another payment of the same shop order, until one of them is of another': [
    register('R1', { referenceOrderId: 'order-1' }),
    notify(card()),
    notify(captured('120')),
    register('R2', { referenceOrderId: 'order-1' }),
    notify(card({ paymentId: 'P2', paymentRequestId: 'R2' })),
    register('R2', { referenceOrderId: 'order-2' }),
    register('R1', { referenceOrderId: 'order-2' }),
    register('R1', { referenceOrderId: 'order-3' }),
    register('R1', { referenceOrderId: null }),
    register('R2', { referenceOrderId: null }),
    register('R1', { referenceOrderId: 'order-3' }),
  ],
  'APO was asked: not known, under way, authorized, captured and refunded; the notifications come late': [
    register('R1', { captureMode: 'MANUAL' }),
    answer({ result: result('F', 'ORDER_NOT_EXIST') }, { operation: 'inquiryPayment', paymentRequestId: 'R1' }),
    answer(paymentAnswer('PROCESSING')),
    answer(asked({})),
    answer(asked({ transactions: [capture] })),
    notify(refunded('F1', '20')),
    answer(asked({ transactions: [capture, refundOfCard] })),
    notify(card()),
    notify(captured('120')),
  ],
  'APO was asked, and says it is cancelled; then a capture comes': [
    notify(card()),
    answer(paymentAnswer('CANCELLED')),
    notify(captured('120')),
  ],
  'cancelled, and captured all the same': [
    register('R1'),
    notify(card()),
    amend('R1', { cancelled: true }),
    notify(captured('120')),
    amend('R1', { cancelled: false }),
  ],
};

const says = ({ status, fulfillable, nextAction, attention }: Order): Says => ({
  status,
  fulfillable,
  nextAction,
  attention: attention.flatMap(({ code, settled }) => (settled ? [] : [code])),
});

const orderOf = async (store: Store): Promise<Order | null> => {
  const [byPayment] = await store.findOrders({ clientId: CLIENT, id: 'P1' });
  return byPayment ?? (await store.findOrders({ clientId: CLIENT, id: 'R1' }))[0] ?? null;
};

const timelineOf = async (store: Store): Promise<Timeline> => {
  const order = await orderOf(store);
  const timeline = order && (await store.timeline(order));
  if (timeline === null) throw new Error('there is no such order');
  return timeline;
};

const aMinuteAgo = (plus: number): Date => new Date(Date.now() - 60_000 + plus * 1_000);

const atOf = ({ items }: Timeline) => new Map(items.map((one) => [one.at, one]));

export const describeTimeline = (ground: () => Ground): void => {
  describe('the timeline of an order', () => {
    test.each(Object.entries(STORIES))('%s: says at each step what the order said then', async (_, steps) => {
      const store = await ground().empty();
      const begin = Date.now() - 60_000;
      const told = new Map<string, Says>();
      for (const [index, step] of steps.entries()) {
        const now = new Date(begin + index * 1_000);
        await step(store, now);
        const order = await orderOf(store);
        if (order !== null) told.set(now.toISOString(), says(order));
      }
      const timeline = await timelineOf(store);
      expect(timeline.omitted).toBe(0);
      const shown = atOf(timeline);
      const compared = [...told.keys()].map((at) => [at, shown.get(at)?.says ?? null] as const);
      expect(compared).toEqual([...told]);
      // Each is told once.
      expect(timeline.items).toHaveLength(steps.length);
      expect(timeline.items.at(-1)?.says).toEqual(says(timeline.order));
      expect(timeline.order).toEqual(await orderOf(store));
    });

    test('what the clock changed stands in between, up to now', async () => {
      const store = await ground().empty();
      const day = 86_400_000;
      const from = Date.now() - 20 * day;
      const paymentTime = new Date(from).toISOString();
      await store.record([delivery(card({ paymentTime, acquirerInfo: undefined }), { at: new Date(from) })], AMPLE);
      const timeline = await timelineOf(store);
      expect(timeline.items.map(({ type, at, says: said }) => [type, Date.parse(at) - from, said?.attention])).toEqual([
        ['notification', 0, []],
        ['clock', 3_600_000, []],
        ['clock', 5 * day, ['AUTHORIZATION_EXPIRING']],
        ['clock', 7 * day, ['AUTHORIZATION_EXPIRED']],
      ]);
      expect(timeline.items.map((one) => one.says?.nextAction)).toEqual(['WAIT', 'INQUIRE', 'INQUIRE', 'INQUIRE']);
      expect(timeline.items.at(-1)?.says).toEqual(says(timeline.order));
    });

    test('of two registrations of one time the one of the greater id is the later', async () => {
      const store = await ground().empty();
      const at = aMinuteAgo(0);
      for (const id of ['R1', 'R2']) await register(id, { referenceOrderId: 'order-1' })(store, at);
      await notify(paymentResult('F'))(store, aMinuteAgo(1));
      await notify(paymentResult('F', { extra: 'a resend with other bytes' }))(store, aMinuteAgo(2));
      const { items } = await timelineOf(store);
      expect(items.slice(-2).map(({ says: said }) => said?.nextAction)).toEqual(['NONE', 'NONE']);
    });

    test('tells each kind of entry with what it says', async () => {
      const store = await ground().empty();
      await register('R1', { referenceOrderId: 'order-1' })(store, aMinuteAgo(0));
      await notify(card())(store, aMinuteAgo(1));
      const lastReceivedAt = aMinuteAgo(2);
      await notify(card())(store, lastReceivedAt);
      await refundOf('F1', 'P1')(store, aMinuteAgo(3));
      await answer(asked({ transactions: [capture, refundOfCard] }))(store, aMinuteAgo(4));
      await refundOf('F2', null, 'R1')(store, aMinuteAgo(5));
      await answer({ result: result('F', 'ORDER_NOT_EXIST') })(store, aMinuteAgo(6));
      const { items } = await timelineOf(store);
      const without = items.map(({ says: _says, at: _at, ...one }) => one);
      expect(without.slice(-2)).toMatchObject([
        { type: 'refund registration', refundRequestId: 'F2', paymentId: null, paymentRequestId: 'R1' },
        { type: 'inquiry', paymentId: null },
      ]);
      expect(without.slice(0, -2)).toEqual([
        {
          type: 'registration',
          paymentRequestId: 'R1',
          amount: jpy('120'),
          referenceOrderId: 'order-1',
          captureMode: null,
          paymentMethodType: null,
          authExpiryTime: null,
          finalAmount: null,
          cancelled: false,
        },
        {
          type: 'notification',
          id: expect.stringMatching(/^[0-9a-f]{64}$/),
          kind: 'PAYMENT',
          outcome: 'APPLIED',
          problem: null,
          paymentId: 'P1',
          deliveries: 2,
          lastReceivedAt: lastReceivedAt.toISOString(),
          states: ['S SUCCESS JPY 120 CARD'],
        },
        { type: 'refund registration', refundRequestId: 'F1', paymentId: 'P1', paymentRequestId: null },
        {
          type: 'inquiry',
          id: expect.stringMatching(/^[0-9a-f]{64}$/),
          asked: { operation: 'inquiryPayment', paymentId: 'P1' },
          outcome: 'APPLIED',
          problem: null,
          paymentId: 'P1',
          deliveries: 1,
          lastReceivedAt: expect.any(String),
          states: ['S JPY 120 CARD', 'S SUCCESS JPY 120 C1', 'S SUCCESS JPY 20 F1'],
        },
      ]);
    });

    test('of an order with hundreds of captures the latest entries are told', async () => {
      const store = await ground().empty();
      const begin = Date.now() - 3_000_000;
      const captures = 300;
      const deliveries = Array.from({ length: captures }, (_, index) =>
        delivery(captured('1', `C${index}`), { at: new Date(begin + index) }),
      );
      await store.record([delivery(card({ paymentAmount: jpy('9000') }), { at: new Date(begin - 1) })], AMPLE);
      await store.record(deliveries, AMPLE);
      const { items, omitted, order } = await timelineOf(store);
      expect([items.length, omitted]).toEqual([LONGEST_TIMELINE, captures + 1 - LONGEST_TIMELINE]);
      expect(items.at(-1)?.at).toBe(new Date(begin + captures - 1).toISOString());
      const derived = items.filter((one: TimelineEntry) => one.says !== null);
      expect(derived.length).toBeGreaterThan(1);
      expect(derived.length).toBeLessThan(LONGEST_TIMELINE);
      expect(items.at(-1)?.says).toEqual(says(order));
    });

    test('a review that was taken back is told as no decision', async () => {
      const store = await ground().empty();
      await notify(card())(store, aMinuteAgo(0));
      await review('P1', 'CLOSE')(store, aMinuteAgo(1));
      await withdraw('P1')(store, aMinuteAgo(2));
      const { items } = await timelineOf(store);
      expect(items.slice(1)).toMatchObject([{ decision: 'CLOSE' }, { type: 'review', decision: null }]);
    });

    test('what came at one time is told in the order in which it came', async () => {
      const store = await ground().empty();
      const [at, ids] = [aMinuteAgo(0), ['C3', 'C1', 'C2']];
      for (const id of ids) await notify(captured('1', id))(store, at);
      const { items } = await timelineOf(store);
      expect(items).toMatchObject(ids.map((id) => ({ states: [`S SUCCESS JPY 1 ${id}`] })));
    });

    test('of an answer about another payment is told what is of this one', async () => {
      const store = await ground().empty();
      await register('R1', { referenceOrderId: 'order-1' })(store, aMinuteAgo(0));
      await register('R2', { referenceOrderId: 'order-1' })(store, aMinuteAgo(1));
      await notify(card())(store, aMinuteAgo(2));
      await notify(card({ paymentId: 'P2', paymentRequestId: 'R2' }))(store, aMinuteAgo(3));
      const refund = refundResult('S', { refundRequestId: 'F1', refundAmount: jpy('20'), paymentId: 'P1' });
      await notify(refund)(store, aMinuteAgo(4));
      const ofAnother = { operation: 'inquiryPayment', paymentId: 'P2' } as const;
      const other = { paymentId: 'P2', paymentRequestId: 'R2', transactions: [capture, refundOfCard] };
      await answer(asked(other), ofAnother)(store, aMinuteAgo(5));
      const { items } = await timelineOf(store);
      expect(items.at(-1)).toMatchObject({ type: 'inquiry', asked: ofAnother, states: ['S SUCCESS JPY 20 F1'] });
    });

    test('what nobody handles is told, and changes nothing', async () => {
      const store = await ground().empty();
      await notify(card())(store, aMinuteAgo(0));
      await notify({ notifyType: 'A_NEW_KIND', paymentId: 'P1' })(store, aMinuteAgo(1));
      const { items } = await timelineOf(store);
      expect(items[1]).toMatchObject({ type: 'notification', kind: 'UNKNOWN', outcome: 'UNHANDLED', states: [] });
      expect(items[1]?.says).toEqual(items[0]?.says);
    });

    test('of what another client was told under the same ids nothing is told', async () => {
      const store = await ground().empty();
      await register('R1')(store, aMinuteAgo(0));
      await notify(card())(store, aMinuteAgo(1));
      const { items } = await timelineOf(store);
      const theirs = { clientId: 'T_other' };
      const unknown = JSON.stringify({ result: result('F', 'ORDER_NOT_EXIST') });
      for (const question of [{ paymentRequestId: 'R1' }, { paymentId: 'P1' }]) {
        const read = answerTo({ operation: 'inquiryPayment', ...question }, unknown, 'T_other');
        await store.recordInquiry({ read, receivedAt: aMinuteAgo(2) });
      }
      await store.record([delivery({ notifyType: 'A_NEW_KIND', paymentId: 'P1' }, theirs)], AMPLE);
      await register('R1', theirs)(store, aMinuteAgo(3));
      expect((await timelineOf(store)).items).toEqual(items);
    });

    test('there is none of what is unknown', async () => {
      const store = await ground().empty();
      expect(await store.timeline({ clientId: CLIENT, paymentId: 'P9', paymentRequestId: null })).toBeNull();
    });
  });

  test('unverified requests are found by their target and headers too', async () => {
    const store = await ground().empty();
    const strange = { target: '/payNotify?id=P-target', clientIds: ['P-"header'], body: Buffer.from('P-body\u00E9') };
    await store.record([unverified(strange), unverified()], AMPLE);
    for (const text of ['P-target', 'P-"header', 'P-body\u00E9'])
      expect([text, (await store.findInUnverified([text], 20)).length]).toEqual([text, 1]);
    expect(await store.findInUnverified(['P-nothing', 'P-target'], 20)).toHaveLength(1);
    expect(await store.findInUnverified([], 20)).toEqual([]);
    expect(await store.countUnverified()).toEqual([
      { reason: 'SIGNATURE_MISMATCH', diagnosis: null, count: 2, lastReceivedAt: expect.any(String) },
    ]);
  });
};
