import { describe, expect, test } from '@jest/globals';
import { readStored } from '../../src/handlers/read-stored.ts';
import type { Asked } from '../../src/order/asked.ts';
import type { InquiryKey, InquiryPlan, RecordedInquiry, Store } from '../../src/store/store.ts';
import { createRedriving } from '../../src/upkeep/redrive.ts';
import { handlers } from '../../src/handlers/index.ts';
import { verifyStore } from '../../src/upkeep/verify-store.ts';
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
  TRUST,
} from '../support/facts.ts';
import {
  AMPLE,
  codes,
  delivery,
  follow,
  type Ground,
  later,
  notificationsOf,
  order,
  rebuildAll,
  record,
  registration,
  T0,
} from './support.ts';

const ABOUT_P1: Asked = { operation: 'inquiryPayment', paymentId: 'P1' };
const ABOUT_P3: Asked = { operation: 'inquiryPayment', paymentId: 'P3' };
const ABOUT_R1: Asked = { operation: 'inquiryPayment', paymentRequestId: 'R1' };

const answered = async (
  store: Store,
  body: Fields,
  ...[asked = ABOUT_P1, at = T0]: readonly [asked?: Asked, at?: Date]
): Promise<RecordedInquiry> =>
  await store.recordInquiry({ read: answerTo(asked, JSON.stringify(body)), receivedAt: at });

const captureOf = (value: string, id = 'C1'): Fields =>
  transaction('CAPTURE', 'S', { transactionId: id, transactionAmount: jpy(value) });
const refundOf = (value: string, fields: Fields): Fields =>
  transaction('REFUND', 'S', { transactionAmount: jpy(value), ...fields });
const PAID = paymentAnswer('SUCCESS', { paymentAmount: jpy('100'), paymentMethodType: 'CARD' });
const CAPTURED = { ...PAID, transactions: [captureOf('100')] };
const UNKNOWN = { result: result('F', 'ORDER_NOT_EXIST') };

const refunded = (refundRequestId: string, value: string): Fields =>
  refundResult('S', { refundRequestId, refundAmount: jpy(value) });

const unjoined = async (store: Store): Promise<readonly (string | null)[]> =>
  (await store.listRefunds({ joined: false }, { limit: 10, cursor: null })).items.map((one) => one.refundRequestId);

const KEY: InquiryKey = { clientId: CLIENT, about: 'order', id: 'P1' };
const THEIRS: InquiryKey = { ...KEY, clientId: 'T_other' };
const ANOTHER: InquiryPlan = { key: { ...KEY, id: 'P9' }, position: '1', why: 'processing', dueAt: 9_000 };
const ONE = { clientId: CLIENT, owner: 'one', leaseMs: 60_000, everyMs: 0, now: 0, key: KEY };
const LONG = { now: Number.MAX_SAFE_INTEGER, limit: 9 };

/** Captured, and it is not said that it was paid. */
const undecided = (paymentId: string): readonly Fields[] => [
  paymentResult('U', { paymentId, paymentRequestId: `R-${paymentId}`, paymentAmount: jpy('100') }),
  captureResult('S', { paymentId, captureId: `C-${paymentId}`, captureAmount: jpy('100') }),
];

const plannedOf = async (store: Store): Promise<unknown> =>
  (await store.dueInquiries([CLIENT], LONG)).find(({ id }) => id === KEY.id);

/** Whoever claimed it writes down what came of it. */
const wasAsked = async (store: Store, outcome: string, dueAt: number | null): Promise<void> => {
  expect(await store.claimInquiry(ONE)).toMatchObject({ kind: 'claimed' });
  const kept = { key: KEY, owner: ONE.owner, why: 'processing', attempts: 1, askedAt: 1, tookTurn: true };
  expect(await store.keepInquiry({ ...kept, outcome, next: { dueAt } })).toBe(true);
};

export const describeInquiries = (ground: () => Ground): void => {
  describe('inquiries', () => {
    test('are to be planned of what was captured and waits for its payment, and of all that is to be inquired', async () => {
      const store = await ground().empty();
      await record(store, ...undecided('P1'));
      const fresh = { at: new Date() };
      await store.record(
        undecided('P2').map((body) => delivery(body, fresh)),
        AMPLE,
      );
      await answered(store, { ...CAPTURED, paymentId: 'P3', paymentRequestId: 'R3' }, ABOUT_P3);
      expect(await order(store, 'P1')).toMatchObject({ status: 'CAPTURED', nextAction: 'INQUIRE' });
      expect(await order(store, 'P2')).toMatchObject({ status: 'CAPTURED', nextAction: 'WAIT' });
      expect(await order(store, 'P3')).toMatchObject({ status: 'CAPTURED', nextAction: 'FULFIL' });
      const unplanned = await store.unplannedOrders([CLIENT], { before: Number.MAX_SAFE_INTEGER, limit: 9 });
      expect(unplanned.map(({ key }) => key.id).toSorted()).toEqual(['P1', 'P2']);
    });

    test('are due earlier by a change before the first one, and for another reason begin again', async () => {
      const store = await ground().empty();
      let position = 0;
      const plan = async (why: string, dueAt: number): Promise<unknown> => {
        position += 1;
        await store.planInquiries([{ key: KEY, position: String(position), why, dueAt }]);
        return await plannedOf(store);
      };
      expect(await plan('processing', 2_000)).toMatchObject({ dueAt: 2_000 });
      expect(await plan('processing', 3_000)).toMatchObject({ dueAt: 2_000 });
      expect(await plan('processing', 1_000)).toMatchObject({ dueAt: 1_000, attempts: 0 });
      await wasAsked(store, 'UNKNOWN PAYMENT_IN_PROCESS', 4_000);
      expect(await plan('processing', 500)).toMatchObject({ dueAt: 4_000, attempts: 1 });
      expect(await plan('authorized', 5_000)).toMatchObject({ dueAt: 5_000, attempts: 0 });
    });

    test('that were stopped are not counted any more once their order is finished', async () => {
      const store = await ground().empty();
      const stopped = async (): Promise<unknown> => (await store.inquiryBacklog(0))[0]?.stopped;
      await record(store, paymentResult('U'));
      const [found] = await store.unplannedOrders([CLIENT], { before: Number.MAX_SAFE_INTEGER, limit: 9 });
      await store.planInquiries([{ key: KEY, position: found?.position ?? '', why: 'processing', dueAt: 0 }]);
      await wasAsked(store, 'FAILED PROCESS_FAIL', null);
      await store.planInquiries([ANOTHER]);
      expect(await stopped()).toBe(1);
      await answered(store, CAPTURED);
      await store.planInquiries([ANOTHER]);
      expect(await stopped()).toBe(0);
    });

    test('are settled by their owner alone', async () => {
      const store = await ground().empty();
      await store.planInquiries([{ key: KEY, position: '1', why: 'processing', dueAt: 0 }]);
      expect(await store.claimInquiry(ONE)).toMatchObject({ kind: 'claimed' });
      const settled = { key: KEY, why: 'processing', attempts: 1, outcome: 'OK', askedAt: 1, tookTurn: true } as const;
      expect(await store.keepInquiry({ ...settled, owner: 'another', next: 'settled' })).toBe(false);
      expect(await plannedOf(store)).toMatchObject({ dueAt: 0 });
      expect(await store.keepInquiry({ ...settled, owner: 'one', next: 'settled' })).toBe(true);
      expect(await plannedOf(store)).toBeUndefined();
    });

    test('are held by one at a time, who alone writes down what came of them', async () => {
      const store = await ground().empty();
      const two = { ...ONE, owner: 'two' };
      await store.planInquiries([{ key: KEY, position: '1', why: 'processing', dueAt: 0 }]);
      expect(await store.claimInquiry(ONE)).toMatchObject({ kind: 'claimed' });
      expect(await store.claimInquiry(two)).toEqual({ kind: 'none' });
      const kept = {
        key: KEY,
        why: 'processing',
        attempts: 1,
        outcome: 'UNKNOWN',
        askedAt: 1,
        tookTurn: true,
      } as const;
      expect(await store.keepInquiry({ ...kept, owner: 'two', next: { dueAt: 7_000 } })).toBe(false);
      expect(await plannedOf(store)).toMatchObject({ dueAt: 0, attempts: 0 });
      expect(await store.keepInquiry({ ...kept, owner: 'one', next: { dueAt: 7_000 } })).toBe(true);
      expect(await store.claimInquiry(two)).toMatchObject({ kind: 'claimed', inquiry: { dueAt: 7_000, attempts: 1 } });
    });

    test('of a client take turns, and one that was not made gives its turn back', async () => {
      const store = await ground().empty();
      const slow = { ...ONE, everyMs: 60_000 };
      const notMade = { key: KEY, why: '', attempts: 0, outcome: null, askedAt: null, tookTurn: false } as const;
      const giveBack = async (owner: string): Promise<boolean> =>
        await store.keepInquiry({ ...notMade, owner, next: { dueAt: 0 } });
      expect(await store.claimInquiry(slow)).toMatchObject({ kind: 'claimed' });
      expect(await store.claimInquiry({ ...slow, key: ANOTHER.key })).toMatchObject({ kind: 'early' });
      await giveBack('two');
      expect(await store.claimInquiry({ ...slow, key: ANOTHER.key })).toMatchObject({ kind: 'early' });
      expect(await giveBack('one')).toBe(true);
      expect(await store.claimInquiry({ ...slow, key: ANOTHER.key })).toMatchObject({ kind: 'claimed' });
    });

    test('wait for no turn that a clock wrote which was set back since', async () => {
      const store = await ground().empty();
      const slow = { ...ONE, everyMs: 60_000 };
      const next = { ...slow, key: ANOTHER.key };
      expect(await store.claimInquiry(slow)).toMatchObject({ kind: 'claimed' });
      // The clocks of two services differ by so much.
      await ground().sql('update leases set until = until + 50000');
      expect(await store.claimInquiry(next)).toMatchObject({ kind: 'early' });
      await ground().sql('update leases set until = until + 3600000');
      expect(await store.claimInquiry(next)).toMatchObject({ kind: 'claimed' });
    });

    test('of two clients with an order of one id are apart, and so are their turns', async () => {
      const store = await ground().empty();
      const clientIds = [CLIENT, THEIRS.clientId];
      for (const clientId of clientIds) await store.record([delivery(paymentResult('U'), { clientId })], AMPLE);
      const page = { before: Number.MAX_SAFE_INTEGER, limit: 9 };
      const unplanned = await store.unplannedOrders(clientIds, page);
      expect(unplanned.map(({ key }) => key)).toEqual([KEY, THEIRS]);
      await store.planInquiries(unplanned.map(({ key, position }) => ({ key, position, why: 'processing', dueAt: 5 })));
      expect(await store.unplannedOrders(clientIds, page)).toEqual([]);
      const next = { ...ONE, everyMs: 60_000, now: 5, key: null };
      expect(await store.claimInquiry(next)).toMatchObject({ kind: 'claimed', inquiry: KEY });
      expect(await store.claimInquiry(next)).toEqual({ kind: 'none' });
      const theirs = { ...next, clientId: THEIRS.clientId };
      expect(await store.claimInquiry(theirs)).toMatchObject({ kind: 'claimed', inquiry: THEIRS });
    });

    test('are made when they are due, the longest due first, and hurried without losing their place', async () => {
      const store = await ground().empty();
      const times = { P1: 3_000, P2: 1_000, P3: 2_000 };
      await store.planInquiries(
        Object.entries(times).map(([id, dueAt]) => ({ key: { ...KEY, id }, position: '1', why: 'processing', dueAt })),
      );
      const ids = async (now: number) => (await store.dueInquiries([CLIENT], { now, limit: 9 })).map(({ id }) => id);
      expect(await ids(999)).toEqual([]);
      expect(await ids(2_000)).toEqual(['P2', 'P3']);
      expect(await store.inquiryBacklog(2_000)).toMatchObject([
        { due: 2, dueSince: 1_000, planned: 1, nextAt: 3_000, stopped: 0 },
      ]);
      await store.hurryInquiries([CLIENT], 2_500);
      expect(await store.dueInquiries([CLIENT], LONG)).toMatchObject([
        { id: 'P2', dueAt: 1_000 },
        { id: 'P3', dueAt: 2_000 },
        { id: 'P1', dueAt: 2_500 },
      ]);
      expect(await store.claimInquiry({ ...ONE, now: 2_500, key: null })).toMatchObject({ inquiry: { id: 'P2' } });
    });
  });

  describe('answers to inquiries', () => {
    test('make the order that no notification has told of', async () => {
      const store = await ground().empty();
      await store.register(registration(), { replace: false, now: T0 });
      expect(await answered(store, CAPTURED, ABOUT_R1)).toMatchObject({
        clientId: CLIENT,
        reading: { kind: 'INQUIRY', outcome: 'APPLIED', paymentId: 'P1' },
        deliveries: 1,
        failed: [],
      });
      expect(await order(store, 'P1')).toMatchObject({ status: 'CAPTURED', fulfillable: true, replaces: 'R1' });
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
    });

    test('say the same once, and something else beside it', async () => {
      const store = await ground().empty();
      const first = await answered(store, CAPTURED);
      const { next } = await follow(store);
      expect(await answered(store, CAPTURED, ABOUT_P1, later(60))).toMatchObject({ id: first.id, deliveries: 2 });
      expect((await follow(store, { from: next })).orders).toEqual([]);
      // The same bytes to another question, and other bytes to the same one.
      expect((await answered(store, CAPTURED, ABOUT_R1)).id).not.toBe(first.id);
      expect((await answered(store, { ...CAPTURED, paymentCreateTime: 'T' })).id).not.toBe(first.id);
      expect(await notificationsOf(store)).toMatchObject([
        { id: first.id, asked: ABOUT_P1, deliveries: 2, lastReceivedAt: later(60).toISOString() },
        { asked: ABOUT_R1, deliveries: 1 },
        { asked: ABOUT_P1, deliveries: 1 },
      ]);
      expect(await order(store, 'P1')).toMatchObject({
        status: 'CAPTURED',
        capturedAmount: { value: '100' },
        attention: [],
      });
    });

    test('are no notifications, whatever their bytes; and no notification is an answer', async () => {
      const store = await ground().empty();
      await record(store, CAPTURED);
      expect(await store.findOrders({ clientId: CLIENT, id: 'P1' })).toEqual([]);
      await answered(store, CAPTURED);
      await answered(store, paymentResult('S'), { operation: 'inquiryPayment', paymentId: 'P2' });
      await record(store, CAPTURED);
      expect(await notificationsOf(store)).toMatchObject([
        { kind: 'UNKNOWN', outcome: 'UNHANDLED', asked: null, deliveries: 2 },
        { kind: 'INQUIRY', outcome: 'APPLIED', asked: ABOUT_P1, deliveries: 1 },
        { kind: 'INQUIRY', outcome: 'MALFORMED' },
      ]);
      expect(await order(store, 'P1')).toMatchObject({ result: { resultStatus: 'S' }, status: 'CAPTURED' });
      // When a notification was received last says nothing of answers.
      expect(await store.lastVerifiedAt()).toBe(T0.toISOString());
    });

    test('that tell nothing make no order, and are found at those that were asked about', async () => {
      const store = await ground().empty();
      await store.register(registration(), { replace: false, now: T0 });
      const ids = [await answered(store, UNKNOWN), await answered(store, UNKNOWN, ABOUT_R1, later(5))].map(
        ({ id }) => id,
      );
      expect(new Set(ids).size).toBe(2);
      expect(await store.findOrders({ clientId: CLIENT, id: 'P1' })).toEqual([]);
      const timeline = await store.timeline({ clientId: CLIENT, paymentId: null, paymentRequestId: 'R1' });
      expect(timeline?.items).toMatchObject([
        { type: 'registration' },
        { type: 'inquiry', id: ids[1], asked: ABOUT_R1, states: ['F ORDER_NOT_EXIST'], paymentId: null },
        { type: 'clock' },
      ]);
    });

    test('join the refunds that name no payment, in any order', async () => {
      const steps: readonly ((store: Store) => Promise<unknown>)[] = [
        async (store) => await record(store, refunded('G1', '30'), refunded('G2', '20'), refunded('G3', '9')),
        async (store) =>
          await answered(store, {
            ...CAPTURED,
            transactions: [
              captureOf('100'),
              refundOf('30', { transactionRequestId: 'G1', transactionId: 'F1' }),
              refundOf('20', { transactionRequestId: 'G2' }),
            ],
          }),
        // Known by the id that the inquiry alone ties to the request.
        async (store) =>
          await record(store, { ...refunded('', '30'), refundId: 'F1', refundTime: '2025-05-18T00:00:00Z' }),
        async (store) => await record(store, captureResult('S', { captureId: 'C1', captureAmount: jpy('100') })),
      ];
      const told: unknown[] = [];
      for (const some of [steps, steps.toReversed()]) {
        const store = await ground().empty();
        for (const step of some) await step(store);
        const shown = await order(store, 'P1');
        expect(shown).toMatchObject({
          refundedAmount: { value: '50' },
          refunds: [
            { refundId: null, refundRequestId: 'G2' },
            { refundId: 'F1', refundRequestId: 'G1', refundTime: '2025-05-18T00:00:00Z' },
          ],
        });
        expect(codes(shown)).toEqual(['PARTIALLY_REFUNDED']);
        expect(await unjoined(store)).toEqual(['G3']);
        const all = await store.listRefunds({ joined: true }, { limit: 9, cursor: null });
        expect(new Set(all.items.map((one) => one.refundRequestId))).toEqual(new Set(['G1', 'G2']));
        expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
        told.push(shown.refunds);
      }
      expect(told[1]).toEqual(told[0]);
    });

    test('about a refund state it, and where it is of another payment than was registered both say so', async () => {
      const store = await ground().empty();
      await record(store, paymentResult('S', { paymentAmount: jpy('100') }));
      await store.registerRefund(
        { clientId: CLIENT, refundRequestId: 'G1', paymentId: 'P1', paymentRequestId: null },
        { replace: false, now: T0 },
      );
      const about: Asked = { operation: 'inquiryRefund', refundRequestId: 'G1' };
      await answered(
        store,
        { result: result('S'), refundStatus: 'SUCCESS', refundRequestId: 'G1', refundAmount: jpy('7') },
        about,
      );
      expect(await order(store, 'P1')).toMatchObject({ refundedAmount: { value: '7' } });
      const transactions = [
        refundOf('7', { transactionRequestId: 'G1' }),
        refundOf('8', { transactionRequestId: 'G2' }),
      ];
      const shown = { ...PAID, paymentId: 'P2', paymentRequestId: 'R2', transactions };
      await answered(store, shown, { operation: 'inquiryPayment', paymentId: 'P2' });
      for (const [id, value] of [
        ['P1', '7'],
        ['P2', '15'],
      ] as const) {
        const one = await order(store, id);
        expect(codes(one)).toContain('CONTRADICTORY_IDENTITY');
        // Of the other payment's answer nothing but this refund.
        expect(one).toMatchObject({ paymentId: id, refundedAmount: { value } });
      }
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
    });

    test('do not make waiting any shorter or longer', async () => {
      const store = await ground().empty();
      const waiting = async () => (await order(store, 'P1')).nextAction;
      const now = Date.now();
      const [old, fresh] = [new Date(now - 3_700_000), new Date(now)];
      await answered(store, PAID, ABOUT_P1, old);
      await answered(store, { ...PAID, paymentCreateTime: 'T' }, ABOUT_P1, fresh);
      expect(await waiting()).toBe('INQUIRE');
      await record(store, paymentResult('U'));
      await answered(store, { ...PAID, paymentCreateTime: 'U' }, ABOUT_P1, fresh);
      expect(await waiting()).toBe('INQUIRE');
      await store.record([delivery(paymentResult('S', { paymentMethodType: 'CARD' }), { at: fresh })], AMPLE);
      expect(await waiting()).toBe('WAIT');
    });

    test('stand beside captures that are folded', async () => {
      const store = await ground().empty();
      const captures = Array.from({ length: 40 }, (_, index) =>
        captureResult('S', { captureId: `C${index}`, captureRequestId: `Q${index}`, captureAmount: jpy('10') }),
      );
      await record(store, paymentResult('S', { paymentAmount: jpy('400'), paymentMethodType: 'CARD' }), ...captures);
      expect(await order(store, 'P1')).toMatchObject({ status: 'CAPTURED', fulfillable: true });
      const paid = { ...PAID, paymentAmount: jpy('400') };
      const byRequest = transaction('CAPTURE', 'F', { transactionRequestId: 'Q7' });
      await answered(store, { ...paid, transactions: [captureOf('10', 'C3'), byRequest] });
      const shown = await order(store, 'P1');
      expect(shown.captures).toHaveLength(40);
      expect(codes(shown)).toEqual(['CONTRADICTORY_RESULT']);
      await record(store, captureResult('S', { captureId: 'C3', captureAmount: jpy('11') }));
      expect(codes(await order(store, 'P1'))).toEqual(['CONTRADICTORY_RESULT', 'CONTRADICTORY_AMOUNT']);
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
    });

    test('that cannot be read block the order that they name, and are read again', async () => {
      const store = await ground().empty();
      await record(store, paymentResult('S', { paymentAmount: jpy('100'), paymentMethodType: 'TNG' }));
      expect(await order(store, 'P1')).toMatchObject({ status: 'AUTHORIZED' });
      const { id } = await answered(store, { ...CAPTURED, transactions: [{ transactionType: 'CAPTURE' }] });
      expect(codes(await order(store, 'P1'))).toEqual(['UNREADABLE_NOTIFICATION']);
      const redriving = createRedriving(store, handlers);
      expect(await redriving.redriveOne({ clientId: CLIENT, id })).toEqual({ kind: 'redriven', outcome: 'MALFORMED' });
      expect(await redriving.redriveAll(null)).toMatchObject({ redriven: 2, outcomes: { APPLIED: 1, MALFORMED: 1 } });
      expect(await verifyStore(store, TRUST)).toMatchObject({ verified: 2, failed: [], flaws: [] });
      for (const stored of await notificationsOf(store)) {
        const { asked, raw } = stored;
        expect(readStored({ asked, body: raw?.body ?? Buffer.alloc(0) }).outcome).toBe(stored.outcome);
      }
      await store.removeRaw(later(1e9), 100);
      expect(await verifyStore(store, TRUST)).toMatchObject({ verified: 0, withoutBytes: 2, failed: [], flaws: [] });
      expect(await store.findNotification({ clientId: CLIENT, id })).toMatchObject({ asked: ABOUT_P1, raw: null });
    });

    test('whose provenance somebody changed are found', async () => {
      const store = await ground().empty();
      await answered(store, PAID);
      await ground().sql(`update notifications set asked = '{"operation":"inquiryPayment","paymentId":"P2"}'`);
      const { flaws } = await verifyStore(store, TRUST);
      expect(flaws.map(({ problem }) => problem)).toContainEqual(expect.stringContaining('asked'));
    });

    test('that the database refused to apply are kept, and applied again', async () => {
      const store = await ground().empty();
      const read = answerTo(ABOUT_P1, JSON.stringify(PAID));
      const refused = await store.recordInquiry({ read, receivedAt: T0, inapplicable: true });
      expect(refused).toMatchObject({ reading: { outcome: 'FAILED' }, deliveries: 1 });
      expect(await order(store, 'P1')).toMatchObject({ status: 'PENDING', nextAction: 'REVIEW' });
      expect(await answered(store, PAID)).toMatchObject({
        id: refused.id,
        reading: { outcome: 'APPLIED' },
        deliveries: 2,
      });
      expect(await order(store, 'P1')).toMatchObject({ status: 'AUTHORIZED', attention: [] });
    });
  });
};
