import { describe, expect, test } from '@jest/globals';
import { type Fields, jpy, result } from '../support/facts.ts';
import { at, captured, card, disputed, type Names, paid, refunded } from './stories.ts';
import { codesOf, type Flows, messageOf, onBoth } from './support.ts';

const SHIPPED = { status: 'CAPTURED', fulfillable: true, nextAction: 'FULFIL' };
const GONE = { status: 'CAPTURED', fulfillable: false, nextAction: 'NONE' };
const UNTOUCHED = { ...SHIPPED, refundedAmount: null, refunds: [], attention: [] };

/** What lists of refunds say of this one. */
const listed = async (flows: Flows, names: Names, query: string): Promise<readonly (readonly string[])[]> =>
  (await flows.refunds(query))
    .filter(({ refundId }) => refundId === names.refund('a').refundId)
    .map(({ paymentIds }) => paymentIds);

const bought = (names: Names): readonly Fields[] => [card(names), captured(names, '120')];

onBoth((flows) => {
  describe('a refund', () => {
    test('of everything: nothing is to be shipped any more', async () => {
      const { order, names } = await flows.tell({
        said: (one) => flows.registerRefund(one),
        notifications: (one) => [...bought(one), refunded(one, '120')],
      });
      expect(order).toMatchObject({ ...GONE, refundedAmount: jpy('120'), capturedAmount: jpy('120') });
      expect(order.refunds).toMatchObject([{ ...names.refund('a'), status: 'SUCCEEDED', refundTime: at(11) }]);
      expect(codesOf(order)).toEqual(['REFUNDED']);
      expect(messageOf(order, 'REFUNDED')).toMatch(/JPY 120\. Ship nothing/);
      expect(await listed(flows, names, 'joined=true')).toEqual([[names.payment]]);
      expect(await listed(flows, names, 'joined=false')).toEqual([]);
    });

    test('of a wallet: likewise', async () => {
      const { order } = await flows.tell({
        said: (names) => flows.registerRefund(names),
        notifications: (names) => [paid(names, { paymentMethodType: 'GCASH' }), refunded(names, '120')],
      });
      expect(order).toMatchObject({ ...GONE, refundedAmount: jpy('120'), captureRequired: false });
    });

    test('of a part: the rest is still to be shipped', async () => {
      const { order } = await flows.tell({
        said: (names) => flows.registerRefund(names),
        notifications: (names) => [...bought(names), refunded(names, '20')],
      });
      expect(order).toMatchObject({ ...SHIPPED, refundedAmount: jpy('20') });
      expect(codesOf(order)).toEqual(['PARTIALLY_REFUNDED']);
      expect(messageOf(order, 'PARTIALLY_REFUNDED')).toMatch(
        /JPY 20 of JPY 120 was refunded.* Ship only what is still paid for/,
      );
    });

    test('in two parts that are everything', async () => {
      const { order } = await flows.tell({
        said: async (names) => {
          await flows.registerRefund(names);
          await flows.registerRefund(names, 'b');
        },
        notifications: (names) => [...bought(names), refunded(names, '20'), refunded(names, '100', names.refund('b'))],
      });
      expect(order).toMatchObject({ ...GONE, refundedAmount: jpy('120') });
    });

    test('before its registration: it takes nothing until the shop says whose it is', async () => {
      const names = flows.names();
      await flows.post(...bought(names), refunded(names, '120'));
      expect(await flows.look(names.payment)).toMatchObject(UNTOUCHED);
      expect(await listed(flows, names, 'joined=false')).toEqual([[]]);
      await flows.registerRefund(names);
      expect(await flows.look(names.payment)).toMatchObject({ ...GONE, refundedAmount: jpy('120') });
      expect(await listed(flows, names, 'joined=false')).toEqual([]);
      expect(await listed(flows, names, 'joined=true')).toEqual([[names.payment]]);
    });

    test('registered by the paymentRequestId, before anything is known of the payment', async () => {
      const names = flows.names();
      const path = `refunds/${names.refund('a').refundRequestId}`;
      await flows.say({ method: 'PUT', path, body: { paymentRequestId: names.request } });
      await flows.post(refunded(names, '120'));
      expect(await listed(flows, names, 'joined=false')).toEqual([[]]);
      await flows.post(...bought(names));
      expect(await flows.look(names.payment)).toMatchObject({ ...GONE, refundedAmount: jpy('120') });
      expect(await listed(flows, names, 'joined=false')).toEqual([]);
    });

    test('of a dashboard: unjoined, listed, and it takes nothing', async () => {
      const { order, names } = await flows.tell({
        notifications: (one) => [...bought(one), refunded(one, '120', { refundRequestId: null })],
      });
      expect(order).toMatchObject(UNTOUCHED);
      for (const query of ['joined=false', '']) expect(await listed(flows, names, query)).toEqual([[]]);
      expect(await listed(flows, names, 'joined=true')).toEqual([]);
    });

    test('that names its payment joins it by itself', async () => {
      const { order } = await flows.tell({
        notifications: (names) => [...bought(names), refunded(names, '120', { paymentId: names.payment })],
      });
      expect(order).toMatchObject({ ...GONE, refundedAmount: jpy('120') });
    });

    test('registered for another payment than it names: a person decides on both orders', async () => {
      const [names, other] = [flows.names(), flows.names()];
      await flows.post(...bought(names), ...bought(other));
      await flows.post(refunded(names, '20', { paymentId: other.payment }));
      await flows.registerRefund(names);
      for (const { payment } of [names, other]) {
        const order = await flows.look(payment);
        expect(order).toMatchObject({ fulfillable: false, nextAction: 'REVIEW' });
        const message = messageOf(order, 'CONTRADICTORY_IDENTITY');
        for (const one of [names.refund('a').refundId, names.payment, other.payment]) expect(message).toContain(one);
      }
      expect(await flows.look(names.payment)).toMatchObject({ refundedAmount: null });
      expect(await flows.look(other.payment)).toMatchObject({ refundedAmount: jpy('20') });
    });

    test('fails, and again under a new refundRequestId', async () => {
      const names = flows.names();
      await flows.registerRefund(names);
      const failure = { result: result('F', 'MERCHANT_BALANCE_NOT_ENOUGH'), refundStatus: 'FAIL', refundTime: null };
      await flows.post(...bought(names), refunded(names, '20', failure));
      const failed = await flows.look(names.payment);
      expect(failed).toMatchObject({ ...SHIPPED, refundedAmount: null, refunds: [{ status: 'FAILED' }] });
      expect(codesOf(failed)).toEqual(['REFUND_FAILED']);
      expect(messageOf(failed, 'REFUND_FAILED')).toMatch(/\(MERCHANT_BALANCE_NOT_ENOUGH\)\. Refund again under a new/);
      await flows.registerRefund(names, 'b');
      await flows.post(refunded(names, '20', names.refund('b')));
      const again = await flows.look(names.payment);
      expect([again.refundedAmount, codesOf(again)]).toEqual([jpy('20'), ['PARTIALLY_REFUNDED']]);
    });

    test('of more than was paid: a person decides', async () => {
      const { order } = await flows.tell({
        said: (names) => flows.registerRefund(names),
        notifications: (names) => [...bought(names), refunded(names, '130')],
      });
      expect(order).toMatchObject({ fulfillable: false, nextAction: 'REVIEW', refundedAmount: jpy('130') });
      expect(codesOf(order)).toEqual(['OVER_REFUNDED', 'REFUNDED']);
      expect(messageOf(order, 'OVER_REFUNDED')).toMatch(/JPY 130 .*JPY 120 was paid\. Ask APO/);
    });

    test('of a part, and the rest is charged back: everything is gone', async () => {
      const { order } = await flows.tell({
        said: (names) => flows.registerRefund(names),
        notifications: (names) => [
          ...bought(names),
          refunded(names, '20'),
          disputed(names, 'DISPUTE_CREATED', { disputeAmount: jpy('100') }),
          disputed(names, 'DISPUTE_ACCEPTED', { disputeAmount: jpy('100') }),
        ],
      });
      expect(order).toMatchObject({ ...GONE, refundedAmount: jpy('20') });
      expect(codesOf(order)).toEqual(['REFUNDED']);
    });
  });
});
