import { describe, expect, test } from '@jest/globals';
import { amount, type Fields, jpy, result } from '../support/facts.ts';
import { amountUpdated, at, captured, captureFailed, card, declined, type Names, refunded, twinOf } from './stories.ts';
import { codesOf, messageOf, onSqlite } from './support.ts';

const SHIPPED = { status: 'CAPTURED', fulfillable: true, nextAction: 'FULFIL', remainingAmount: null, attention: [] };
const HOUR = 3_600_000;
/** So many hours from now. */
const hoursAway = (hours: number): string => new Date(Date.now() + hours * HOUR).toISOString();

/** A capture of USD 1. */
const inUsd = (names: Names, fields: Fields = {}): Fields =>
  captured(names, '1', { captureAmount: amount('USD', '1'), ...fields });

onSqlite((flows) => {
  describe('a card', () => {
    test('is money once it is captured', async () => {
      const { order } = await flows.tell({
        said: (names) => flows.register(names, { referenceOrderId: names.shopOrder }),
        notifications: (names) => [card(names), captured(names, '120')],
      });
      expect(order).toMatchObject({ ...SHIPPED, capturedAmount: jpy('120'), expectedAmount: jpy('120') });
    });

    test('MANUAL in three parts, the last releasing the rest', async () => {
      const names = flows.names();
      await flows.register(names, { captureMode: 'MANUAL' });
      await flows.post(card(names));
      const open = { fulfillable: false, nextAction: 'CAPTURE', attention: [] };
      expect(await flows.look(names.payment)).toMatchObject({
        ...open,
        status: 'AUTHORIZED',
        capturedAmount: null,
        remainingAmount: jpy('120'),
      });
      await flows.post(captured(names, '50'));
      expect(await flows.look(names.payment)).toMatchObject({
        ...open,
        status: 'PARTIALLY_CAPTURED',
        capturedAmount: jpy('50'),
        remainingAmount: jpy('70'),
      });
      await flows.post(captured(names, '40', names.capture('b')));
      expect(await flows.look(names.payment)).toMatchObject({ ...open, remainingAmount: jpy('30') });
      await flows.amend(names, { finalAmount: jpy('110') });
      expect(await flows.look(names.payment)).toMatchObject({ ...open, remainingAmount: jpy('20') });
      await flows.post(captured(names, '20', names.capture('c')));
      expect(await flows.look(names.payment)).toMatchObject({
        ...SHIPPED,
        capturedAmount: jpy('110'),
        finalAmount: jpy('110'),
        paymentAmount: jpy('120'),
      });
    });

    test('three parts arrive in any order, and with a final amount they are all', async () => {
      const { order } = await flows.tell({
        said: (names) => flows.register(names, { captureMode: 'MANUAL', finalAmount: jpy('110') }),
        notifications: (names) => [
          card(names),
          captured(names, '50'),
          captured(names, '40', { ...names.capture('b'), captureTime: at(11) }),
          captured(names, '20', { ...names.capture('c'), captureTime: at(12) }),
        ],
      });
      expect(order).toMatchObject({ ...SHIPPED, capturedAmount: jpy('110') });
    });

    test('is captured twice, because the first answer was lost', async () => {
      const { order, names } = await flows.tell({
        notifications: (one) => [
          card(one),
          captured(one, '120', { result: result('U', 'CAPTURE_IN_PROCESS') }),
          captured(one, '120', one.capture('b')),
          captured(one, '120'),
        ],
      });
      expect(order).toMatchObject({ status: 'CAPTURED', fulfillable: false, nextAction: 'REVIEW' });
      expect(codesOf(order)).toEqual(['OVER_CAPTURED']);
      expect(messageOf(order, 'OVER_CAPTURED')).toMatch(/JPY 240 was captured.*JPY 120 that is due\. Refund the diff/);
      await flows.post(refunded(names, '120', { paymentId: names.payment }));
      expect(await flows.look(names.payment)).toMatchObject({ nextAction: 'REVIEW', refundedAmount: jpy('120') });
      expect(await flows.review(names.payment, 'FULFIL')).toMatchObject({ fulfillable: true, nextAction: 'FULFIL' });
    });
  });

  test('a capture that is told of under one identifier each is one, once a notification names both', async () => {
    const names = flows.names();
    const { captureId, captureRequestId } = names.capture('a');
    await flows.post(
      card(names),
      captured(names, '120', { captureId: null, captureRequestId }),
      captured(names, '120', { captureId, captureRequestId: null }),
    );
    const unclear = await flows.look(names.payment);
    expect(unclear).toMatchObject({ fulfillable: false, nextAction: 'REVIEW', capturedAmount: jpy('240') });
    expect(codesOf(unclear)).toEqual(['CONTRADICTORY_IDENTITY', 'OVER_CAPTURED']);
    expect(messageOf(unclear, 'CONTRADICTORY_IDENTITY')).toMatch(/captureRequestId .*captureId .*one capture.*ask APO/);
    await flows.post(captured(names, '120'));
    expect(await flows.look(names.payment)).toMatchObject({ ...SHIPPED, capturedAmount: jpy('120') });
  });

  describe('F', () => {
    test('then captured again under a new captureRequestId', async () => {
      const names = flows.names();
      const [failure, success] = [
        captureFailed(names, 'PARAM_ILLEGAL'),
        captured(names, '120', { ...names.capture('b'), captureTime: at(11) }),
      ];
      await flows.post(card(names), failure);
      const failed = await flows.look(names.payment);
      expect(failed).toMatchObject({ status: 'AUTHORIZED', fulfillable: false, nextAction: 'RETRY_CAPTURE' });
      expect(codesOf(failed)).toEqual(['CAPTURE_FAILED']);
      expect(messageOf(failed, 'CAPTURE_FAILED')).toMatch(`${names.capture('a').captureId} (PARAM_ILLEGAL)`);
      await flows.post(success);
      expect(await flows.look(names.payment)).toMatchObject({
        ...SHIPPED,
        captures: [{ status: 'FAILED' }, { status: 'SUCCEEDED' }],
      });
    });

    test('of a part, then that part captured again: the rest is the next to capture', async () => {
      const { order } = await flows.tell({
        said: (names) => flows.register(names, { captureMode: 'MANUAL' }),
        notifications: (names) => [
          card(names),
          captureFailed(names, 'PARAM_ILLEGAL', { captureAmount: jpy('50') }),
          captured(names, '50', { ...names.capture('b'), captureTime: at(11) }),
        ],
      });
      expect(order).toMatchObject({ status: 'PARTIALLY_CAPTURED', nextAction: 'CAPTURE', remainingAmount: jpy('70') });
      expect(codesOf(order)).toEqual([]);
    });

    test.each<readonly [string, readonly string[], string]>([
      ['what APO has to look into', ['RISK_REJECT'], 'CONTACT_SUPPORT'],
      ['no more than is left, of which a capture is missing here', ['CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT'], 'INQUIRE'],
      ['a second time', ['PARAM_ILLEGAL', 'PARAM_ILLEGAL'], 'RETRY_CAPTURE'],
      ['a third time', ['PARAM_ILLEGAL', 'PARAM_ILLEGAL', 'PARAM_ILLEGAL'], 'CONTACT_SUPPORT'],
    ])('says what to do: %s', async (_, codes, nextAction) => {
      const { order, names } = await flows.tell({
        notifications: (one) => [
          card(one),
          ...codes.map((code, index) =>
            captureFailed(one, code, { ...one.capture(String(index)), captureTime: at(10 + index) }),
          ),
        ],
      });
      expect(order).toMatchObject({ status: 'AUTHORIZED', fulfillable: false, nextAction });
      for (const index of codes.keys())
        expect(messageOf(order, 'CAPTURE_FAILED')).toContain(names.capture(String(index)).captureId);
    });

    test('of the payment, then a new payment of the same shop order', async () => {
      const first = await flows.tell({
        said: (names) => flows.register(names, { referenceOrderId: names.shopOrder }),
        notifications: (names) => [declined(names)],
      });
      expect(first.order).toMatchObject({ status: 'FAILED', nextAction: 'NEW_PAYMENT_REQUEST', attention: [] });
      const second = flows.names();
      await flows.register(second, { referenceOrderId: first.names.shopOrder });
      expect(await flows.look(first.names.payment)).toMatchObject({ status: 'FAILED', nextAction: 'NONE' });
      await flows.post(card(second), captured(second, '120'));
      expect(await flows.look(second.payment)).toMatchObject(SHIPPED);
      expect(await flows.look(first.names.payment)).toMatchObject({
        status: 'FAILED',
        nextAction: 'NONE',
        attention: [],
      });
    });
  });

  describe('CURRENCY_NOT_SUPPORT', () => {
    test('then captured again in another currency', async () => {
      const failed = await flows.tell({
        notifications: (names) => [card(names), inUsd(names, { result: result('F', 'CURRENCY_NOT_SUPPORT') })],
      });
      expect(failed.order).toMatchObject({ nextAction: 'RETRY_CAPTURE', remainingAmount: jpy('120') });
      const { order } = await flows.tell({
        notifications: (names) => [
          card(names),
          inUsd(names, { result: result('F', 'CURRENCY_NOT_SUPPORT') }),
          captured(names, '120', { ...names.capture('b'), captureTime: at(11) }),
        ],
      });
      expect(order).toMatchObject({ ...SHIPPED, capturedAmount: jpy('120') });
    });

    test('a capture that succeeds in another currency is not counted, and a person decides', async () => {
      const { order } = await flows.tell({ notifications: (names) => [card(names), inUsd(names)] });
      expect(order).toMatchObject({ status: 'PARTIALLY_CAPTURED', fulfillable: false, nextAction: 'REVIEW' });
      expect(order).toMatchObject({ capturedAmount: jpy('0'), remainingAmount: jpy('120') });
      expect(messageOf(order, 'CURRENCY_MISMATCH')).toMatch(/USD 1\b.*JPY\. It is not counted; ask APO/);
    });
  });

  describe('an authorization', () => {
    test('AUTH_EXPIRED: the order is cancelled, and the shop asks for a new payment', async () => {
      const { order } = await flows.tell({
        said: (names) => flows.register(names, { captureMode: 'MANUAL' }),
        notifications: (names) => [card(names), captureFailed(names, 'AUTH_EXPIRED')],
      });
      expect(order).toMatchObject({ status: 'CANCELLED', fulfillable: false, nextAction: 'NEW_PAYMENT_REQUEST' });
      expect(order).toMatchObject({ remainingAmount: null, captures: [{ status: 'FAILED' }] });
      expect(messageOf(order, 'CAPTURE_FAILED')).toContain('(AUTH_EXPIRED)');
    });

    test('AUTH_EXPIRED after a part: a person decides, and a final amount ends it', async () => {
      const { order, names } = await flows.tell({
        said: (one) => flows.register(one, { captureMode: 'MANUAL' }),
        notifications: (one) => [
          card(one),
          captured(one, '50'),
          captureFailed(one, 'AUTH_EXPIRED', { ...one.capture('b'), captureTime: at(11) }),
        ],
      });
      expect(order).toMatchObject({ status: 'PARTIALLY_CAPTURED', fulfillable: false, nextAction: 'REVIEW' });
      expect(codesOf(order)).toEqual(['CAPTURE_FAILED', 'AUTHORIZATION_EXPIRED']);
      expect(messageOf(order, 'AUTHORIZATION_EXPIRED')).toMatch(/JPY 70 not captured\. Ask for a new payment/);
      await flows.amend(names, { finalAmount: jpy('50') });
      expect(await flows.look(names.payment)).toMatchObject(SHIPPED);
    });

    test('that nears its end says when, and what is left', async () => {
      const paymentTime = hoursAway(-6 * 24);
      const { order } = await flows.tell({
        said: (names) => flows.register(names, { captureMode: 'MANUAL' }),
        notifications: (names) => [card(names, { acquirerInfo: null, paymentTime })],
      });
      const end = new Date(Date.parse(paymentTime) + 7 * 24 * HOUR).toISOString();
      expect(order).toMatchObject({ status: 'AUTHORIZED', nextAction: 'CAPTURE', authorizationExpiresAt: end });
      expect(codesOf(order)).toEqual(['AUTHORIZATION_EXPIRING']);
      expect(messageOf(order, 'AUTHORIZATION_EXPIRING')).toMatch(new RegExp(`ends at ${end}: capture the JPY 120`));
    });

    test('that has ended is not to be captured any more', async () => {
      const { order, names } = await flows.tell({
        said: (one) =>
          flows.register(one, { captureMode: 'MANUAL', authExpiryTime: at(10), referenceOrderId: one.shopOrder }),
        notifications: (one) => [card(one)],
      });
      expect(order).toMatchObject({ status: 'AUTHORIZED', fulfillable: false, nextAction: 'WAIT' });
      expect(codesOf(order)).toEqual(['AUTHORIZATION_EXPIRED']);
      expect(messageOf(order, 'AUTHORIZATION_EXPIRED')).toMatch(/ended at 2025-05-17T10:00:00.000Z with JPY 120 not/);
      // As the message advises: registered as cancelled, then paid anew.
      await flows.amend(names, { cancelled: true });
      const twin = twinOf(names);
      await flows.register(twin, { referenceOrderId: names.shopOrder });
      await flows.post(card(twin), captured(twin, '120'));
      expect(await flows.look(twin.payment)).toMatchObject(SHIPPED);
      expect(await flows.look(names.payment)).toMatchObject({ status: 'CANCELLED', nextAction: 'NONE', attention: [] });
    });
  });

  describe('an incremental authorization', () => {
    test.each(['100', '120'])('100 → 120, captured 120, registered %s', async (registered) => {
      const { order } = await flows.tell({
        said: (names) => flows.register(names, { amount: jpy(registered) }),
        notifications: (names) => [
          card(names, { paymentAmount: jpy('100') }),
          amountUpdated(names, '120'),
          captured(names, '120'),
        ],
      });
      expect(order).toMatchObject({ ...SHIPPED, paymentAmount: jpy('120'), capturedAmount: jpy('120') });
    });

    test('100 → 120, captured 100: 20 are left', async () => {
      const { order } = await flows.tell({
        notifications: (names) => [
          card(names, { paymentAmount: jpy('100') }),
          amountUpdated(names, '120'),
          captured(names, '100'),
        ],
      });
      expect(order).toMatchObject({ status: 'PARTIALLY_CAPTURED', remainingAmount: jpy('20'), attention: [] });
    });

    test('that fails changes nothing', async () => {
      const { order } = await flows.tell({
        notifications: (names) => [
          card(names, { paymentAmount: jpy('100') }),
          amountUpdated(names, '120', { result: result('F') }),
          captured(names, '100'),
        ],
      });
      expect(order).toMatchObject({ ...SHIPPED, paymentAmount: jpy('100') });
    });
  });
});
