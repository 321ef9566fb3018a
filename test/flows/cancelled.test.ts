import { describe, expect, test } from '@jest/globals';
import { jpy } from '../support/facts.ts';
import { captured, card, declined, paid, pending, refunded } from './stories.ts';
import { codesOf, messageOf, onSqlite } from './support.ts';

const SHIPPED = { status: 'CAPTURED', fulfillable: true, nextAction: 'FULFIL', attention: [] };
const HELD = { fulfillable: false, nextAction: 'REVIEW' };

onSqlite((flows) => {
  describe('a cancelled wallet', () => {
    test('stays cancelled when its success arrives later', async () => {
      const { order } = await flows.tell({
        said: (names) => flows.register(names, { cancelled: true }),
        notifications: (names) => [pending(names), paid(names, { paymentMethodType: 'GCASH' })],
      });
      expect(order).toMatchObject({ status: 'CANCELLED', fulfillable: false, nextAction: 'NONE', attention: [] });
    });

    test('is money again once the shop takes its cancellation back', async () => {
      const names = flows.names();
      await flows.register(names);
      await flows.amend(names, { cancelled: true });
      expect(await flows.look(names.request)).toMatchObject({
        paymentId: null,
        status: 'CANCELLED',
        nextAction: 'NONE',
      });
      await flows.post(paid(names, { paymentMethodType: 'GCASH' }));
      expect(await flows.look(names.request)).toMatchObject({ paymentId: names.payment, status: 'CANCELLED' });
      await flows.amend(names, { cancelled: null });
      expect(await flows.look(names.payment)).toMatchObject({ ...SHIPPED, replaces: names.request });
    });
  });

  describe('a card that APO cancels', () => {
    test.each(['ORDER_IS_CLOSED', 'ORDER_IS_CANCELED'])('%s beside its success is no contradiction', async (code) => {
      const { order } = await flows.tell({ notifications: (names) => [card(names), declined(names, code)] });
      expect(order).toMatchObject({ status: 'CANCELLED', fulfillable: false, nextAction: 'NEW_PAYMENT_REQUEST' });
      expect(codesOf(order)).toEqual([]);
    });

    test('of a wallet, the same two results are a contradiction: the money may be there', async () => {
      const { order } = await flows.tell({
        notifications: (names) => [paid(names, { paymentMethodType: 'GCASH' }), declined(names, 'ORDER_IS_CLOSED')],
      });
      expect(order).toMatchObject({ ...HELD, status: 'CAPTURED' });
      expect(codesOf(order)).toEqual(['CONTRADICTORY_RESULT']);
    });
  });

  describe('a card that the shop cancels', () => {
    test('and that is captured all the same: the money goes back', async () => {
      const { order, names } = await flows.tell({
        said: (one) => flows.register(one, { cancelled: true }),
        notifications: (one) => [card(one), captured(one, '120')],
      });
      expect(order).toMatchObject({ ...HELD, status: 'CAPTURED' });
      expect(codesOf(order)).toEqual(['CANCELLED_BUT_CAPTURED']);
      expect(messageOf(order, 'CANCELLED_BUT_CAPTURED')).toMatch(/JPY 120 was captured all the same\. Refund it/);
      await flows.post(refunded(names, '120'));
      await flows.registerRefund(names);
      const after = await flows.look(names.payment);
      expect(after).toMatchObject({ fulfillable: false, nextAction: 'NONE', refundedAmount: jpy('120') });
      expect(codesOf(after)).toEqual(['REFUNDED']);
    });

    test('asks for no new payment, and for one again once that is taken back', async () => {
      const { order, names } = await flows.tell({
        said: (one) => flows.register(one, { cancelled: true }),
        notifications: (one) => [declined(one)],
      });
      expect(order).toMatchObject({ status: 'CANCELLED', nextAction: 'NONE', attention: [] });
      await flows.amend(names, { cancelled: false });
      expect(await flows.look(names.payment)).toMatchObject({ status: 'FAILED', nextAction: 'NEW_PAYMENT_REQUEST' });
    });
  });

  describe('an abandoned checkout', () => {
    test('that a person closed is paid after all: its review ends with the placeholder', async () => {
      const names = flows.names();
      await flows.register(names, { referenceOrderId: names.shopOrder });
      expect(await flows.review(names.request, 'CLOSE')).toMatchObject({ paymentId: null, nextAction: 'NONE' });
      await flows.post(card(names), captured(names, '120'));
      const order = await flows.look(names.payment);
      expect(order).toMatchObject({ ...SHIPPED, review: null, replaces: names.request });
    });
  });
});
