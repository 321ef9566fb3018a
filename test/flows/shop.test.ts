import { describe, expect, test } from '@jest/globals';
import { amount, type Fields, jpy } from '../support/facts.ts';
import { captured, captureFailed, card, declined, type Names, paid, refunded, twinOf } from './stories.ts';
import { codesOf, messageOf, onBoth } from './support.ts';

const SHIPPED = { status: 'CAPTURED', fulfillable: true, nextAction: 'FULFIL' };
const HELD = { fulfillable: false, nextAction: 'REVIEW' };

const bought = (names: Names): readonly Fields[] => [card(names), captured(names, '120')];
const unreadable = (names: Names): Fields => card(names, { paymentAmount: jpy('12.50') });

onBoth((flows) => {
  const registerBoth = async (names: Names): Promise<void> => {
    for (const one of [names, twinOf(names)]) await flows.register(one, { referenceOrderId: names.shopOrder });
  };

  describe('a shop order', () => {
    test('is paid twice: each order names the other payment, and one is refunded', async () => {
      const { order, names } = await flows.tell({
        said: registerBoth,
        notifications: (one) => [...bought(one), ...bought(twinOf(one))],
      });
      const twin = twinOf(names);
      const other = await flows.look(twin.payment);
      for (const [one, another] of [
        [order, twin],
        [other, names],
      ] as const) {
        expect(one).toMatchObject({ ...HELD, status: 'CAPTURED', referenceOrderId: names.shopOrder });
        expect(codesOf(one)).toEqual(['DUPLICATE_PAYMENT']);
        expect(messageOf(one, 'DUPLICATE_PAYMENT')).toContain(
          `paid or authorized more than once: payment ${another.payment} too`,
        );
        expect(messageOf(one, 'DUPLICATE_PAYMENT')).toMatch(
          /Ship it once, and refund or cancel the other payment, unless each paid a part of it/,
        );
      }
      // As long as nobody says whose refund it is, nothing is known to have gone back.
      await flows.post(refunded(twin, '120'));
      expect(await flows.look(names.payment)).toMatchObject(HELD);
      await flows.registerRefund(twin);
      expect(await flows.look(names.payment)).toMatchObject({ ...SHIPPED, attention: [] });
      expect(await flows.look(twin.payment)).toMatchObject({ fulfillable: false, nextAction: 'NONE' });
    });

    test('that was registered wrongly is not paid twice once that is corrected', async () => {
      const { names } = await flows.tell({
        said: registerBoth,
        notifications: (one) => [...bought(one), ...bought(twinOf(one))],
      });
      await flows.amend(twinOf(names), { referenceOrderId: `another-${names.number}` });
      for (const { payment } of [names, twinOf(names)])
        expect(await flows.look(payment)).toMatchObject({ ...SHIPPED, attention: [] });
    });

    test('is declined, asked for again, and the first payment succeeds after all', async () => {
      const { order, names } = await flows.tell({
        said: registerBoth,
        notifications: (one) => [declined(one), ...bought(twinOf(one)), card(one)],
      });
      expect(order).toMatchObject({ ...HELD, status: 'AUTHORIZED' });
      expect(codesOf(order)).toEqual(['CONTRADICTORY_RESULT', 'DUPLICATE_PAYMENT']);
      expect(messageOf(order, 'CONTRADICTORY_RESULT')).toMatch(/both success and failure of the payment.*Ask APO/);
      const twin = await flows.look(twinOf(names).payment);
      expect(twin).toMatchObject({ ...HELD, status: 'CAPTURED' });
      expect(codesOf(twin)).toEqual(['DUPLICATE_PAYMENT']);
      // The first authorization is let go: the shop says so, and ships the second payment's goods.
      await flows.amend(names, { cancelled: true });
      expect(await flows.look(twinOf(names).payment)).toMatchObject({ ...SHIPPED, attention: [] });
    });

    test('is paid twice under one paymentRequestId', async () => {
      const { order, names } = await flows.tell({
        said: (one) => flows.register(one, { referenceOrderId: one.shopOrder }),
        notifications: (one) => {
          const twin = { ...twinOf(one), request: one.request };
          return [...bought(one), ...bought(twin)];
        },
      });
      for (const one of [order, await flows.look(twinOf(names).payment)]) {
        expect(one).toMatchObject({ ...HELD, status: 'CAPTURED' });
        expect(codesOf(one)).toEqual(['CONTRADICTORY_IDENTITY', 'DUPLICATE_PAYMENT']);
        expect(messageOf(one, 'CONTRADICTORY_IDENTITY')).toContain(names.request);
      }
    });
  });

  describe('a registration', () => {
    test('after the fact', async () => {
      const { order } = await flows.tell({ notifications: bought });
      expect(order).toMatchObject({ ...SHIPPED, expectedAmount: null, referenceOrderId: null });
      const names = flows.names();
      await flows.post(...bought(names));
      await flows.register(names, { referenceOrderId: names.shopOrder });
      expect(await flows.look(names.payment)).toMatchObject({
        ...SHIPPED,
        expectedAmount: jpy('120'),
        referenceOrderId: names.shopOrder,
        replaces: null,
        attention: [],
      });
    });

    test('before the payment is an order that the payment takes the place of', async () => {
      const names = flows.names();
      await flows.register(names);
      const placeholder = await flows.look(names.request);
      expect(placeholder).toMatchObject({ paymentId: null, status: 'PENDING', nextAction: 'WAIT', fulfillable: false });
      await flows.post(...bought(names));
      const order = await flows.look(names.request);
      expect(order).toMatchObject({ ...SHIPPED, paymentId: names.payment, replaces: names.request });
      expect(order.revision).toBeGreaterThan(placeholder.revision);
    });

    test.each<readonly [string, Fields]>([
      ['another amount', jpy('100')],
      ['another currency', amount('USD', '120')],
    ])('of %s: a person decides, or the shop corrects it', async (_, registered) => {
      const { order, names } = await flows.tell({
        said: (one) => flows.register(one, { amount: registered }),
        notifications: bought,
      });
      expect(order).toMatchObject({ ...HELD, status: 'CAPTURED' });
      expect(codesOf(order)).toEqual(['AMOUNT_MISMATCH']);
      const shown = `${String(registered['currency'])} ${String(registered['value'])}`;
      for (const value of ['JPY 120', shown, 'before you ship'])
        expect(messageOf(order, 'AMOUNT_MISMATCH')).toContain(value);
      await flows.amend(names, { amount: jpy('120') });
      expect(await flows.look(names.payment)).toMatchObject({ ...SHIPPED, attention: [] });
    });

    test('under a paymentRequestId with a space', async () => {
      const plain = flows.names();
      const names = { ...plain, request: `order ${plain.number} of today` };
      await flows.register(names, { referenceOrderId: names.shopOrder });
      await flows.post(...bought(names));
      for (const id of [names.request, names.payment])
        expect(await flows.look(id)).toMatchObject({ ...SHIPPED, paymentRequestId: names.request, attention: [] });
      const found = await flows.find(names.request);
      expect(found.orders).toEqual([await flows.look(names.payment)]);
      expect(found.notifications).toMatchObject([{ kind: 'PAYMENT', outcome: 'APPLIED' }]);
    });
  });

  describe('an amount', () => {
    test.each<readonly [string, unknown]>([
      ['as a JSON integer', 120],
      ['with leading zeros', '000120'],
    ])('%s', async (_, value) => {
      const stated = { currency: 'JPY', value };
      const { order } = await flows.tell({
        said: (names) => flows.register(names, { amount: stated }),
        notifications: (names) => [
          card(names, { paymentAmount: stated }),
          captured(names, '120', { captureAmount: stated }),
        ],
      });
      const shown = { paymentAmount: jpy('120'), capturedAmount: jpy('120'), expectedAmount: jpy('120') };
      expect(order).toMatchObject({ ...SHIPPED, ...shown, attention: [] });
    });

    test.each([2 ** 53, 120.5, -120, '120.00', ''])('%s is none: a person looks', async (value) => {
      const { order } = await flows.tell({
        notifications: (names) => [card(names), captured(names, '120', { captureAmount: { currency: 'JPY', value } })],
      });
      expect(order).toMatchObject({ ...HELD, status: 'AUTHORIZED', capturedAmount: null });
      expect(messageOf(order, 'UNREADABLE_NOTIFICATION')).toMatch(/captureAmount\.value must be/);
    });
  });

  describe('a payment that cannot be read', () => {
    test('but is named makes an order that a person looks at', async () => {
      const { order, names } = await flows.tell({ notifications: (one) => [unreadable(one)] });
      expect(order).toMatchObject({ ...HELD, status: 'PENDING', paymentId: names.payment, result: null });
      expect(codesOf(order)).toEqual(['UNREADABLE_NOTIFICATION']);
      const message = messageOf(order, 'UNREADABLE_NOTIFICATION');
      expect(message).toMatch(
        /paymentAmount\.value must be a string of 1 to 64 digits.*Look it up.*decide by a review/,
      );
    });

    test('is followed by one that can: the person says that it is settled', async () => {
      const { order, names } = await flows.tell({
        said: (one) => flows.register(one),
        notifications: (one) => [unreadable(one), ...bought(one)],
      });
      expect(order).toMatchObject({ ...HELD, status: 'CAPTURED', capturedAmount: jpy('120') });
      expect(codesOf(order)).toEqual(['UNREADABLE_NOTIFICATION']);
      expect(await flows.review(names.payment, 'FULFIL')).toMatchObject(SHIPPED);
    });

    test('or a refund that cannot be read, is a matter of the payment that it is registered for', async () => {
      const { order } = await flows.tell({
        said: (one) => flows.registerRefund(one),
        notifications: (one) => [...bought(one), refunded(one, '1.50')],
      });
      expect(order).toMatchObject({ ...HELD, status: 'CAPTURED', refundedAmount: null });
      expect(messageOf(order, 'UNREADABLE_NOTIFICATION')).toMatch(/refundAmount\.value must be/);
    });

    test('of another product is not ours, and nobody has to look', async () => {
      const names = flows.names();
      await flows.post(refunded(names, '1.50', { paymentId: names.payment, refundFromMethod: {} }));
      const found = await flows.find(names.payment);
      expect(found.orders).toEqual([]);
      expect(found.notifications).toMatchObject([{ kind: 'DIRECT_REFUND', outcome: 'UNHANDLED' }]);
    });

    test('and names only its paymentRequestId stops what is registered there', async () => {
      const names = flows.names();
      await flows.register(names);
      await flows.post(card(names, { paymentId: ` ${names.payment}` }));
      const placeholder = await flows.look(names.request);
      expect(placeholder).toMatchObject({ ...HELD, paymentId: null });
      expect(messageOf(placeholder, 'UNREADABLE_NOTIFICATION')).toMatch(/paymentId/);
      await flows.post(...bought(names));
      expect(await flows.look(names.request)).toMatchObject({ ...HELD, status: 'CAPTURED', paymentId: names.payment });
    });
  });

  describe('a review', () => {
    test('FULFIL, and a new contradiction opens the order again', async () => {
      const names = flows.names();
      await flows.post(card(names), captured(names, '121'));
      expect(await flows.look(names.payment)).toMatchObject({ ...HELD, attention: [{ code: 'OVER_CAPTURED' }] });
      const settled = { code: 'OVER_CAPTURED', settled: true };
      expect(await flows.review(names.payment, 'FULFIL')).toMatchObject({ ...SHIPPED, attention: [settled] });
      await flows.post(declined(names));
      const opened = await flows.look(names.payment);
      expect(opened).toMatchObject({ ...HELD, review: { decision: 'FULFIL' } });
      expect(opened.attention).toMatchObject([{ code: 'CONTRADICTORY_RESULT', settled: false }, settled]);
      expect(await flows.review(names.payment, 'FULFIL')).toMatchObject(SHIPPED);
      // The same code with other values is another matter.
      await flows.post(captured(names, '1', names.capture('b')));
      const more = await flows.look(names.payment);
      expect(more).toMatchObject(HELD);
      expect(more.attention).toContainEqual(expect.objectContaining({ code: 'OVER_CAPTURED', settled: false }));
      const path = `orders/${names.payment}/review`;
      await flows.say({ method: 'DELETE', path });
      expect(await flows.look(names.payment)).toMatchObject({ ...HELD, review: null });
    });

    test('CLOSE of a payment that is captured later is void', async () => {
      const names = flows.names();
      await flows.post(card(names), captureFailed(names, 'RISK_REJECT'));
      expect(await flows.look(names.payment)).toMatchObject({ nextAction: 'CONTACT_SUPPORT' });
      expect(await flows.review(names.payment, 'CLOSE')).toMatchObject({ fulfillable: false, nextAction: 'NONE' });
      await flows.post(captured(names, '120', names.capture('b')));
      expect(await flows.look(names.payment)).toMatchObject({ ...SHIPPED, review: null });
    });

    test('FULFIL is refused before the money is there', async () => {
      const names = flows.names();
      await flows.post(card(names));
      const { revision } = await flows.look(names.payment);
      const body = { decision: 'FULFIL', revision };
      const path = `orders/${names.payment}/review`;
      expect(await flows.say({ method: 'PUT', path, body, expected: 409 })).toMatchObject({
        code: 'ORDER_NOT_CAPTURED',
      });
    });
  });

  test('all that is sent again changes nothing, the revision included', async () => {
    const names = flows.names();
    const all = [paid(names), ...bought(names), captureFailed(names, 'PARAM_ILLEGAL', names.capture('b'))];
    await flows.register(names, { referenceOrderId: names.shopOrder });
    await flows.post(...all);
    const before = await flows.look(names.payment);
    await flows.register(names, { referenceOrderId: names.shopOrder });
    await flows.post(...all.toReversed());
    expect(await flows.look(names.payment)).toEqual(before);
  });
});

describe('where registrations are required', () => {
  onBoth(
    (flows) => {
      test('an unregistered payment waits for its registration', async () => {
        const { order, names } = await flows.tell({ notifications: bought });
        expect(order).toMatchObject({ ...HELD, status: 'CAPTURED' });
        expect(codesOf(order)).toEqual(['UNREGISTERED']);
        expect(messageOf(order, 'UNREGISTERED')).toMatch(/Register what the shop expects/);
        await flows.register(names);
        expect(await flows.look(names.payment)).toMatchObject({ ...SHIPPED, attention: [] });
      });
    },
    { REQUIRE_REGISTRATION: 'true' },
  );
});
