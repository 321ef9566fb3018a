import { describe, expect, test } from '@jest/globals';
import { amount, captureResult, CLIENT, jpy, paymentPending, paymentResult, result } from '../support/facts.ts';
import { type StoredNotification, StoreRejectedError } from '../../src/store/store.ts';
import { failingHandlers } from './failing-handlers.ts';
import {
  AMPLE,
  codes,
  delivery,
  follow,
  type Ground,
  later,
  notificationsOf,
  notified,
  order,
  outcomesOf,
  readAgain,
  record,
  recordBy,
  registration,
  rebuildAll,
  T0,
} from './support.ts';

export const describeRecording = (ground: () => Ground): void => {
  describe('recording', () => {
    test.each([
      ['APPLIED', 'PAYMENT', 'P1', paymentResult('S')],
      ['APPLIED', 'PAYMENT_PENDING', 'P1', paymentPending()],
      ['APPLIED', 'CAPTURE', 'P1', captureResult('S', { captureId: 'C1' })],
      ['APPLIED', 'REFUND', null, { notifyType: 'REFUND_RESULT', refundRequestId: 'X', result: result('S') }],
      ['UNHANDLED', 'TRANSFER', null, { transferRequestId: 'X', result: result('S') }],
      ['UNHANDLED', 'AUTHORIZATION', 'P1', { authorizationNotifyType: 'TOKEN_CREATED', paymentId: 'P1' }],
      ['MALFORMED', 'UNKNOWN', null, '[]'],
      ['MALFORMED', 'UNKNOWN', null, Buffer.from([0xff, 0xfe, 0x00])],
      ['MALFORMED', 'UNKNOWN', null, { notifyType: 7 }],
      ['MALFORMED', 'PAYMENT', null, paymentResult('S', { paymentId: '' })],
      ['MALFORMED', 'CAPTURE', 'P1', captureResult('S', {})],
    ])('answers %s for %s of %s, and keeps it', async (...[outcome, kind, paymentId, body]) => {
      const store = await ground().empty();
      const { results, failed, unverifiedRoom } = await record(store, body);
      const problem = outcome === 'MALFORMED' ? expect.stringMatching(/^.+\.$/) : null;
      const reading = { outcome, kind, paymentId, problem };
      expect(results).toEqual([{ kind: 'notification', reading, deliveries: 1 }]);
      expect({ failed, unverifiedRoom }).toEqual({ failed: [], unverifiedRoom: [] });
      expect(await notificationsOf(store)).toMatchObject([
        { ...reading, deliveries: 1, clientId: CLIENT, firstReceivedAt: T0.toISOString() },
      ]);
    });

    test('stores nothing where an order cannot be written, and says so', async () => {
      const store = await ground().empty();
      await ground().sql(ground().rejectOrders);
      try {
        await expect(record(store, paymentResult('S'))).rejects.toThrow(StoreRejectedError);
        await expect(store.register(registration(), { replace: false, now: T0 })).rejects.toThrow(StoreRejectedError);
      } finally {
        await ground().sql(ground().acceptOrders);
      }
      expect(await notificationsOf(store)).toEqual([]);
      const { results } = await record(store, paymentResult('S'));
      expect(results).toMatchObject([{ kind: 'notification', deliveries: 1 }]);
      expect((await store.register(registration(), { replace: false, now: T0 })).kind).toBe('created');
      expect(await order(store, 'P1')).toMatchObject({ status: 'AUTHORIZED' });
    });

    test('counts a resend on the first one, and applies nothing twice', async () => {
      const store = await ground().empty();
      const body = captureResult('S', { captureId: 'C1', captureAmount: jpy('70') });
      await store.record([delivery(body, { at: later(60) })], AMPLE);
      const before = await order(store, 'P1');
      const again = await store.record([delivery(body, { at: later(5) }), delivery(body, { at: later(90) })], AMPLE);
      expect(again.results.map((one) => notified(one).deliveries)).toEqual([2, 3]);
      expect(await notificationsOf(store)).toMatchObject([
        { deliveries: 3, firstReceivedAt: later(5).toISOString(), lastReceivedAt: later(90).toISOString() },
      ]);
      // It was there earlier than we knew, and nothing else is new.
      const { revision, updatedAt } = await order(store, 'P1');
      expect(await order(store, 'P1')).toEqual({ ...before, createdAt: later(5).toISOString(), revision, updatedAt });
    });

    test('counts repeats within one batch one after the other', async () => {
      const store = await ground().empty();
      const { results } = await record(
        store,
        paymentResult('S'),
        paymentResult('F'),
        paymentResult('S'),
        paymentResult('S'),
      );
      expect(results.map((one) => notified(one).deliveries)).toEqual([1, 1, 2, 3]);
      expect(await notificationsOf(store)).toHaveLength(2);
    });

    test('of one batch, was first received when the earliest of it was', async () => {
      const store = await ground().empty();
      const received = [5, 1, 9, 3].map((second) => delivery(paymentResult('S'), { at: later(second) }));
      await store.record(received, AMPLE);
      expect(await notificationsOf(store)).toMatchObject([
        { deliveries: 4, firstReceivedAt: later(1).toISOString(), lastReceivedAt: later(9).toISOString() },
      ]);
    });

    test('knows a notification that one program handles and another does not', async () => {
      const store = await ground().empty();
      const handled = delivery(captureResult('S', { captureId: 'C1' }), { at: later(1) });
      const unhandled = delivery(captureResult('S', { captureId: 'C1' }), { at: later(1), handlers: [] });
      const other = delivery(captureResult('S', { captureId: 'C2' }));
      for (const [one, outcome] of [
        [unhandled, 'UNHANDLED'],
        [handled, 'UNHANDLED'],
        [unhandled, 'UNHANDLED'],
      ] as const) {
        expect(outcomesOf(await store.record([one, other], AMPLE))).toEqual([outcome, 'APPLIED']);
      }
      const stored = (await notificationsOf(store)).find(({ outcome }) => outcome === 'UNHANDLED');
      expect(stored).toMatchObject({ paymentId: 'P1', deliveries: 3 });
      expect(await store.reapply([readAgain(stored as StoredNotification)], later(2))).toEqual(['APPLIED']);
      expect(outcomesOf(await store.record([unhandled], AMPLE))).toEqual(['APPLIED']);
      expect(await notificationsOf(store)).toMatchObject([
        { paymentId: 'P1', deliveries: 4 },
        { paymentId: 'P1', deliveries: 3 },
      ]);
      const applied = (await notificationsOf(store))[0] as StoredNotification;
      expect(await store.reapply([readAgain(applied, [])], later(3))).toEqual(['UNHANDLED']);
      expect((await order(store, 'P1')).captures.map(({ captureId }) => captureId)).toEqual(['C2']);
      expect(await notificationsOf(store)).toHaveLength(2);
    });

    test('keeps the same body of two clients apart', async () => {
      const store = await ground().empty();
      await store.record([delivery(paymentResult('S')), delivery(paymentResult('S'), { clientId: 'T_other' })], AMPLE);
      expect(await notificationsOf(store)).toHaveLength(2);
      expect(codes(await order(store, 'P1'))).not.toContain('CONTRADICTORY_IDENTITY');
      expect(await order(store, 'P1', 'T_other')).toMatchObject({ clientId: 'T_other', status: 'AUTHORIZED' });
    });

    test('gives back byte for byte what was received', async () => {
      const store = await ground().empty();
      const bytes = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256));
      const sent = delivery(bytes);
      await store.record([sent], AMPLE);
      const [stored] = await notificationsOf(store);
      const { method, target, requestTime, signature } = sent.read.raw;
      expect(stored?.raw).toMatchObject({ method, target, requestTime, signature });
      expect(Buffer.from(stored?.raw?.body ?? []).equals(bytes)).toBe(true);
      expect(await store.findNotification({ clientId: CLIENT, id: stored?.id ?? '' })).toEqual(stored);
      expect(await store.findNotification({ clientId: 'T_other', id: stored?.id ?? '' })).toBeNull();
    });

    test('finds each of thousands by its id', async () => {
      const store = await ground().empty();
      await store.record(
        Array.from({ length: 2_100 }, (_, index) => delivery({ notifyType: `KIND_${index % 7}`, index })),
        AMPLE,
      );
      const all = await notificationsOf(store);
      for (const index of [0, 1_022, 1_023, 1_024, 1_025, 2_047, 2_048, 2_099]) {
        const { clientId, id } = all[index] as StoredNotification;
        expect(await store.findNotification({ clientId, id })).toEqual(all[index]);
      }
      expect(
        await store.findNotification({ clientId: CLIENT, id: `${all[0]?.id.slice(0, 8)}${'0'.repeat(56)}` }),
      ).toBeNull();
      expect(await store.reapply([readAgain(all[5] as StoredNotification)], later(1))).toEqual(['UNHANDLED']);
    });

    test('takes texts with U+0000, lone surrogates, quotes and backslashes', async () => {
      const store = await ground().empty();
      const text = String.raw`a\u0000b\ud800c`;
      const body = `{"notifyType":"PAYMENT_RESULT","paymentId":"P1","result":{"resultStatus":"S","resultCode":"${text}","resultMessage":"{\\"NULL\\",\\\\}"},
        "paymentTime":"${text}","acquirerReferenceNo":"NULL","acquirerInfo":{"${text}":["${text}"]}}`;
      const flat = paymentResult('S', { paymentId: 'P2', acquirerInfo: { 'a\0b': 'a\0b', c: '\ud800' } });
      expect(outcomesOf(await record(store, body, { notifyType: 'a\0b' }, flat))).toEqual([
        'APPLIED',
        'UNHANDLED',
        'APPLIED',
      ]);
      const cleaned = 'a\ufffdb\ufffdc';
      expect(await order(store, 'P1')).toMatchObject({
        result: { resultCode: cleaned, resultMessage: '{"NULL",\\}' },
        paymentTime: cleaned,
        acquirerReferenceNo: 'NULL',
        acquirerInfo: { [cleaned]: [cleaned] },
      });
      expect((await notificationsOf(store))[1]).toMatchObject({ kind: 'UNKNOWN', paymentId: null });
      expect(await order(store, 'P2')).toMatchObject({ acquirerInfo: { 'a\ufffdb': 'a\ufffdb', c: '\ufffd' } });
    });

    test('takes identifiers of any printable character', async () => {
      const store = await ground().empty();
      const id = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';
      await record(
        store,
        paymentResult('S', { paymentId: id, paymentRequestId: `${id}R` }),
        captureResult('S', { paymentId: id, captureId: id }),
      );
      expect(await order(store, id)).toMatchObject({ paymentId: id, captures: [{ captureId: id }] });
      expect(await order(store, `${id}R`)).toMatchObject({ paymentId: id });
    });

    test('reckons with amounts of 64 digits exactly', async () => {
      const store = await ground().empty();
      const nines = '9'.repeat(64);
      await record(
        store,
        paymentResult('S', { paymentAmount: jpy(nines) }),
        captureResult('S', { captureId: 'C1', captureAmount: jpy(nines) }),
        captureResult('S', { captureId: 'C2', captureAmount: jpy('0'.repeat(63) + '1') }),
      );
      expect(await order(store, 'P1')).toMatchObject({
        paymentAmount: jpy(nines),
        capturedAmount: jpy(`1${'0'.repeat(64)}`),
      });
      expect(codes(await order(store, 'P1'))).toEqual(['OVER_CAPTURED']);
    });

    test.each(['0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z', '9999999999999', '0001-01-01T00:00:00+14:00'])(
      'takes a payment at %s, however far that is',
      async (paymentTime) => {
        const store = await ground().empty();
        expect(outcomesOf(await record(store, paymentResult('S', { paymentTime })))).toEqual(['APPLIED']);
        expect(await order(store, 'P1')).toMatchObject({ paymentTime, status: 'AUTHORIZED' });
        expect(await rebuildAll(store)).toEqual({ orders: 1, changed: 0 });
      },
    );

    test('takes a batch of 300 with repeats, kinds and payments mixed', async () => {
      const store = await ground().empty();
      const bodies = Array.from({ length: 100 }, (_, index) => [
        paymentResult('S', {
          paymentId: `P${index % 60}`,
          paymentRequestId: `R${index % 60}`,
          paymentAmount: amount('EUR', '100'),
        }),
        captureResult('S', { paymentId: `P${index}`, captureId: `C${index}`, captureAmount: amount('EUR', '100') }),
        { notifyType: `KIND_${index}` },
      ]).flat();
      const { results } = await record(store, ...bodies);
      expect(results).toHaveLength(300);
      expect(notified(results[299])).toMatchObject({ reading: { outcome: 'UNHANDLED', kind: 'UNKNOWN' } });
      expect(await notificationsOf(store)).toHaveLength(260);
      const { orders } = await follow(store, { limit: 40 });
      expect(orders).toHaveLength(100);
      expect(orders.filter(({ fulfillable }) => fulfillable)).toHaveLength(60);
    });
  });

  const faulty = paymentResult('S', { result: result('S', 'FAULT'), paymentAmount: jpy('100') });

  describe('a fault of ours', () => {
    test('fails its own notification, and no other of the batch', async () => {
      const store = await ground().empty();
      const batch = await recordBy(
        store,
        failingHandlers,
        faulty,
        captureResult('S', { captureId: 'C1', captureAmount: jpy('100') }),
        paymentResult('S', { paymentId: 'P2' }),
      );
      expect(outcomesOf(batch)).toEqual(['FAILED', 'APPLIED', 'APPLIED']);
      const [{ id } = { id: '' }] = await notificationsOf(store);
      expect(notified(batch.results[0]).reading.problem).toContain('TypeError');
      expect(await store.findNotification({ clientId: CLIENT, id })).toMatchObject({ outcome: 'FAILED' });
      expect(codes(await order(store, 'P1'))).toContain('UNREADABLE_NOTIFICATION');
      expect((await order(store, 'P1')).fulfillable).toBe(false);
    });

    test('is applied by a resend, once it is mended', async () => {
      const store = await ground().empty();
      const capture = captureResult('S', { captureId: 'C1', captureAmount: jpy('100') });
      expect(outcomesOf(await recordBy(store, failingHandlers, faulty, capture))).toContain('FAILED');
      const { results, failed } = await record(store, faulty);
      expect(results).toMatchObject([{ reading: { outcome: 'APPLIED' }, deliveries: 2 }]);
      expect(failed).toEqual([]);
      expect(await order(store, 'P1')).toMatchObject({ status: 'CAPTURED', fulfillable: true, attention: [] });
    });

    test('leaves an order that was there, to be looked at', async () => {
      const store = await ground().empty();
      await record(store, faulty);
      const [{ id } = { id: '' }] = await notificationsOf(store);
      // What no version of this program writes: deriving from it throws.
      await ground().sql(`update notifications set statements = '[{"about":"payment"}]'`);
      const { failed } = await record(
        store,
        { notifyType: 'CAPTURE_RESULT', paymentId: 'P1', result: {} },
        paymentResult('U'),
      );
      expect(failed).toContainEqual({ clientId: CLIENT, id });
      expect(await order(store, 'P1')).toMatchObject({ fulfillable: false, nextAction: 'REVIEW' });
      expect(codes(await order(store, 'P1'))).toEqual(['UNREADABLE_NOTIFICATION']);
      expect(await rebuildAll(store)).toMatchObject({ changed: 0 });
    });

    test('keeps what the database itself refused to apply, as FAILED', async () => {
      const store = await ground().empty();
      const { results } = await store.record([{ ...delivery(faulty), inapplicable: true }], AMPLE);
      expect(results).toMatchObject([{ reading: { outcome: 'FAILED', paymentId: 'P1' }, deliveries: 1 }]);
      expect(await order(store, 'P1')).toMatchObject({ status: 'PENDING', nextAction: 'REVIEW' });
      expect(outcomesOf(await record(store, faulty))).toEqual(['APPLIED']);
      expect(await order(store, 'P1')).toMatchObject({ status: 'AUTHORIZED' });
    });

    test('is applied by a later resend also where its payment is all that it names', async () => {
      const store = await ground().empty();
      const capture = captureResult('S', { captureId: 'C1', captureAmount: jpy('100') });
      await store.record([{ ...delivery(capture), inapplicable: true }], AMPLE);
      const { next } = await follow(store);
      expect(outcomesOf(await store.record([delivery(capture, { at: later(60) })], AMPLE))).toEqual(['APPLIED']);
      expect((await follow(store, { from: next })).orders).toMatchObject([{ captures: [{ captureId: 'C1' }] }]);
    });

    test('takes of one batch the one that the database did not refuse', async () => {
      const store = await ground().empty();
      const batch = await store.record([{ ...delivery(faulty), inapplicable: true }, delivery(faulty)], AMPLE);
      expect(outcomesOf(batch)).toEqual(['APPLIED', 'APPLIED']);
      expect(await order(store, 'P1')).toMatchObject({ status: 'AUTHORIZED' });
    });
  });
};
