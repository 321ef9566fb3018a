import { describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/order/order.ts';
import type { ListedRefund, Page } from '../../src/store/store.ts';
import { capture, CLIENT, here, json, notified, ownPlace, payment } from './support.ts';

const place = ownPlace();
const run = async (...words: readonly string[]) => await here(words, place().env);
const said = async (...words: readonly string[]): Promise<unknown> => await json(words, place().env);
const order = async (id: string): Promise<Order> => await json<Order>(['orders', id], place().env);
const refunds = async (...words: readonly string[]) =>
  (await json<Page<ListedRefund>>(['refunds', ...words], place().env)).items.map(
    ({ refundRequestId }) => refundRequestId,
  );

const jpy = (value: string) => ({ currency: 'JPY', value });
const refund = {
  notifyType: 'REFUND_RESULT',
  result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' },
  refundRequestId: 'FR1',
  refundId: 'F1',
  refundAmount: jpy('20'),
};

describe('register', () => {
  test('does what PUT does: new, the same, another, replaced', async () => {
    await place().store();
    const all = ['--reference-order-id', 'order 1', '--capture-mode', 'MANUAL', '--payment-method-type', 'CARD'];
    const words = ['register', 'R1', '--amount', 'JPY:0120', ...all, '--auth-expiry-time', '2026-05-24T07:58:04Z'];
    const first = await run(...words, '--final-amount', 'JPY:100', '--cancelled');
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out).toMatch(/^Registered\.\n\n/);
    const registered = {
      clientId: CLIENT,
      paymentRequestId: 'R1',
      amount: jpy('120'),
      referenceOrderId: 'order 1',
      captureMode: 'MANUAL',
      paymentMethodType: 'CARD',
      authExpiryTime: '2026-05-24T07:58:04Z',
      finalAmount: jpy('100'),
      cancelled: true,
    };
    expect(await said(...words)).toMatchObject(registered);
    expect((await run(...words)).out).toMatch(/^Nothing to change/);

    const other = await run('register', 'R1', '--amount', 'JPY:130', '--capture-mode', 'MANUAL');
    expect(other).toMatchObject({
      code: 1,
      out: '',
      err: 'error: something else is registered already: amount JPY 120, not JPY 130; referenceOrderId order 1, not –; paymentMethodType CARD, not –; authExpiryTime 2026-05-24T07:58:04Z, not –. --replace replaces it, --change changes some fields\n',
    });
    expect(await said('register', 'R1', '--amount', 'JPY:130', '--replace')).toMatchObject({
      amount: jpy('130'),
      referenceOrderId: null,
      finalAmount: jpy('100'),
    });
    expect((await run('register', 'R1', '--amount', 'JPY:90', '--replace')).err).toMatch(/finalAmount JPY 100/);
    expect(await order('R1')).toMatchObject({ expectedAmount: jpy('130'), paymentId: null });
  });

  test('refuses a paymentId, and names the paymentRequestId', async () => {
    await place().store(notified(payment({ paymentId: 'P1', paymentRequestId: 'R 1' })));
    expect(await run('register', 'P1', '--amount', 'JPY:120')).toMatchObject({
      code: 1,
      out: '',
      err: 'error: P1 is a paymentId: register under the paymentRequestId of that payment, R 1\n',
    });
  });

  test('names what only --change changes, and how, where it was given again with another value', async () => {
    await place().store();
    const words = ['register', 'R 1', '--amount', 'JPY:120'];
    await run(...words);
    const again = [...words, '--final-amount', 'JPY:0100', '--cancelled'];
    const hint =
      "Not changed: finalAmount and cancelled, which only --change changes: `paynotify register 'R 1' --change --final-amount JPY:100 --cancelled`.";
    const unchanged = await run(...again);
    expect(unchanged).toMatchObject({ code: 0, err: '' });
    expect(unchanged.out.startsWith(`${hint}\n\n`)).toBe(true);
    expect((await run(...again, '--json')).err).toBe(`note: ${hint}\n`);
    const replaced = await run(...again, '--reference-order-id', 'S1', '--replace', '--client', CLIENT);
    expect(replaced.out).toMatch(
      /^Changed; what stood before stays on record. Not changed: .* --client CLI_CLIENT`\.\n/,
    );
    await run('register', 'R 1', '--change', '--final-amount', 'JPY:100', '--cancelled');
    expect((await run(...again, '--reference-order-id', 'S1')).out).toMatch(/^Nothing to change/);
  });

  test('--change does what PATCH does', async () => {
    await place().store();
    expect(await run('register', 'R1', '--change', '--cancelled')).toMatchObject({
      code: 1,
      err: 'error: nothing is registered for R1: leave --change out, and give its --amount as well\n',
    });
    await run('register', 'R1', '--amount', 'JPY:120', '--reference-order-id', 'order 1', '--cancelled');
    expect(
      await said('register', 'R1', '--change', '--final-amount', 'JPY:100', '--clear', 'cancelled', 'referenceOrderId'),
    ).toMatchObject({ amount: jpy('120'), finalAmount: jpy('100'), cancelled: false, referenceOrderId: null });
    const above = await run('register', 'R1', '--change', '--final-amount', 'JPY:121');
    expect(above).toMatchObject({ code: 1, err: 'error: finalAmount 121 is above the amount 120\n' });
    expect(await order('R1')).toMatchObject({ finalAmount: jpy('100') });
  });

  test('refuses as usage, 64, what cannot be meant', async () => {
    await place().store();
    const above = await run('register', 'R1', '--amount', 'JPY:120', '--final-amount', 'JPY:121');
    expect(above).toMatchObject({ code: 64, err: expect.stringContaining('finalAmount 121 is above the amount 120') });
    const cleared = await run('register', 'R1', '--amount', 'JPY:120', '--clear', 'cancelled');
    expect(cleared).toMatchObject({ code: 64, err: expect.stringContaining('--clear goes with --change') });
  });

  test('refuses a client that is not configured', async () => {
    await place().store();
    expect((await run('register', 'R1', '--amount', 'JPY:120', '--client', 'OTHER')).code).toBe(64);
    expect((await run('register', 'R1', '--amount', 'JPY:120', '--client', CLIENT)).code).toBe(0);
  });
});

describe('register --refund-of, and refunds', () => {
  test('a page of one client holds as many as it may, whoever else has some between', async () => {
    await place().store(
      ...[1, 2, 3, 4, 5, 6].map((number) =>
        notified(
          { ...refund, refundId: `F${number}`, refundRequestId: `FR${number}` },
          number % 4 === 2 ? 'OTHER' : CLIENT,
        ),
      ),
    );
    const page = async (...words: readonly string[]) =>
      await json<Page<ListedRefund>>(['refunds', '--client', CLIENT, '--limit', '2', ...words], place().env);
    const [first, second] = [await page(), await page('--cursor', (await page()).next ?? '')];
    const requestIds = [first, second].map(({ items }) => items.map(({ refundRequestId }) => refundRequestId));
    expect(requestIds).toEqual([
      ['FR5', 'FR4'],
      ['FR3', 'FR1'],
    ]);
  });

  test('names the client of each where there are several', async () => {
    await place().store(notified(refund), notified({ ...refund, refundId: 'F2' }, 'OTHER'));
    const { out } = await run('refunds');
    expect(out).toMatch(/^CLIENT +REFUND ID /);
    expect(out).toMatch(/^OTHER +F2 /m);
    expect(out).toMatch(new RegExp(`^${CLIENT} +F1 `, 'm'));
  });

  test('joins a refund to its payment', async () => {
    await place().store(notified(payment()), notified(capture()), notified(refund));
    expect(await refunds('--unjoined')).toEqual(['FR1']);
    expect((await run('refunds')).out).toMatch(/^REFUND ID +REFUND REQUEST ID .*\nF1 +FR1 +SUCCEEDED +JPY 20 +– +– /);

    expect(await said('register', 'FR1', '--refund-of', 'P1')).toMatchObject({
      paymentId: 'P1',
      paymentRequestId: null,
    });
    expect(await refunds('--unjoined')).toEqual([]);
    expect(await refunds('--joined', '--client', CLIENT)).toEqual(['FR1']);
    expect(await refunds('--client', 'OTHER')).toEqual([]);
    expect(await order('P1')).toMatchObject({ refundedAmount: jpy('20') });

    expect((await run('register', 'FR1', '--refund-of', 'P1')).out).toMatch(/^Nothing to change/);
    const other = await run('register', 'FR1', '--refund-of-request', 'R9');
    expect(other).toMatchObject({
      code: 1,
      err: 'error: this refund is registered for P1 already: --replace replaces it\n',
    });
    expect((await run('register', 'FR1', '--refund-of-request', 'R9', '--replace')).code).toBe(0);
    expect(await order('P1')).toMatchObject({ refundedAmount: null });
  });

  test('leaves a refund alone that was sent for another payment', async () => {
    await place().store(notified(payment()), notified(capture()));
    const asked = { kind: 'refund', amount: jpy('20'), requestId: 'FR1', captureId: null, isLast: null } as const;
    const store = await place().opened();
    await store.beginMove({ clientId: CLIENT, id: 'P1', ...asked, nextAttemptAt: Date.now() }, new Date());
    expect(await run('register', 'FR1', '--refund-of', 'P2', '--replace')).toMatchObject({
      code: 1,
      err: 'error: paynotify has sent this refund to APO for P1: it is of no other payment\n',
    });
  });

  test('says when there are none, and when none are like that', async () => {
    await place().store();
    expect((await run('refunds')).out).toBe('No refunds yet.\n');
    expect((await run('refunds', '--unjoined')).out).toBe('No refunds like that.\n');
  });
});

describe('review', () => {
  const overCaptured = capture({ captureAmount: jpy('121') });

  test('settles the order that the person saw, and takes that back', async () => {
    await place().store(notified(payment()), notified(overCaptured));
    const { revision, nextAction } = await order('P1');
    expect(nextAction).toBe('REVIEW');
    expect((await run('orders', 'P1')).out).toMatch(new RegExp(`^revision +${revision}$`, 'm'));

    const old = await run('review', 'P1', '--decision', 'FULFIL', '--revision', String(revision - 1));
    expect(old).toMatchObject({ code: 1, out: '' });
    expect(old.err).toContain(`its revision is ${revision} now`);

    const decided = await run(
      'review',
      'R1',
      '--decision',
      'FULFIL',
      '--revision',
      String(revision),
      '--note',
      'a yen',
    );
    expect(decided).toMatchObject({ code: 0, err: '' });
    expect(decided.out).toContain('(settled)');
    expect(await order('P1')).toMatchObject({ fulfillable: true, review: { decision: 'FULFIL', note: 'a yen' } });

    expect(await said('review', 'P1', '--withdraw')).toMatchObject({ fulfillable: false, review: null });
    expect(await run('review', 'P1', '--withdraw')).toMatchObject({
      code: 1,
      err: 'error: there is no review of P1\n',
    });
  });

  test('FULFIL needs an order that is CAPTURED', async () => {
    await place().store(notified(payment()));
    const { revision } = await order('P1');
    const refused = await run('review', 'P1', '--decision', 'FULFIL', '--revision', String(revision));
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('this one is AUTHORIZED');
    expect(await said('review', 'P1', '--decision', 'CLOSE', '--revision', String(revision))).toMatchObject({
      nextAction: 'NONE',
    });
  });

  test('says which orders an id may mean, and when there is none', async () => {
    await place().store(notified(payment()), notified(payment({ paymentId: 'P2' })));
    const words = ['--decision', 'CLOSE', '--revision', '1'];
    expect((await run('review', 'R1', ...words)).err).toMatch(/ask for one of (P1, P2|P2, P1)\n$/);
    expect((await run('review', 'P9', ...words)).err).toBe('error: there is no order P9\n');
  });
});
