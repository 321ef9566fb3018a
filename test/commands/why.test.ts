import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Lately, meaningsOf, type Sought } from '../../src/commands/lately.ts';
import type { Why } from '../../src/commands/why-view.ts';
import { UNVERIFIED_REASONS } from '../../src/antom/signature.ts';
import { flawOf } from '../../src/commands/unverified-said.ts';
import {
  capture,
  CLIENT,
  here,
  json,
  makePlace,
  notified,
  payment,
  type Place,
  removePlace,
  unverified,
} from './support.ts';

let place: Place;
let empty: Place;

const refund = {
  notifyType: 'REFUND_RESULT',
  refundId: 'F-0001',
  refundRequestId: 'FR-0001',
  refundAmount: { currency: 'JPY', value: '20' },
  result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' },
};

beforeAll(async () => {
  [place, empty] = [makePlace(), makePlace()];
  await empty.store();
  await place.store(
    notified(payment({ paymentId: 'P-0001', paymentRequestId: 'R-0001', paymentMethodType: 'CARD' })),
    notified(capture({ paymentId: 'P-0001', captureId: 'C-0001', captureRequestId: 'CR-0001' })),
    notified({ disputeNotificationType: 'DISPUTE_CANCELLED', disputeId: 'D-0001', paymentId: 'P-0001' }),
    notified(refund),
    notified(payment({ paymentId: 'P-0002', paymentRequestId: 'R-0002', paymentMethodType: 'GCASH' }), 'OTHER'),
    unverified('{"paymentId":"P-0009"}'),
    unverified('{"paymentId":"short"}'),
    ...Array.from({ length: 6 }, (_, index) =>
      notified(payment({ paymentId: `P-many-${index}`, paymentRequestId: 'R-many' })),
    ),
  );
});
afterAll(async () => {
  await removePlace(place);
  await removePlace(empty);
});

const why = async (...words: readonly string[]) => await here(['why', ...words], place.env);

describe('paynotify why', () => {
  test.each(['P-0001', 'R-0001', 'C-0001', 'CR-0001', 'D-0001'])('finds a payment by %s', async (id) => {
    const { out, code, err } = await why(id);
    expect(out).toMatch(/^CAPTURED, fulfillable, FULFIL\npayment P-0001, request R-0001, client CLI_CLIENT\n/);
    expect([code, err]).toEqual([0, '']);
  });

  test('by a refund that joins it, and of one that joins nothing what to do', async () => {
    for (const id of ['F-0001', 'FR-0001']) {
      const { out, code } = await why(id);
      expect(out).toContain('FR-0001 SUCCEEDED: REFUND_RESULT names no payment.');
      expect(out).toContain('paynotify register FR-0001 --refund-of PAYMENT_ID');
      expect(code).toBe(1);
    }
    await here(['register', 'FR-0001', '--refund-of', 'P-0001'], place.env);
    for (const id of ['F-0001', 'FR-0001'])
      expect((await why(id)).out).toMatch(/^CAPTURED, fulfillable, FULFIL\npayment P-0001/);
  });

  test('by a refund that is only registered: the order of its payment, and that no notification of it has come', async () => {
    await here(['register', 'FR-0002', '--refund-of', 'P-0001', '--client', CLIENT], place.env);
    const { out, code } = await why('FR-0002');
    expect(out).toMatch(/^CAPTURED, fulfillable, FULFIL\npayment P-0001/);
    expect(out).toContain('FR-0002 is registered for payment P-0001, and no notification of it has verified. Ask APO');
    expect(out).toContain('(inquiryRefund');
    expect(out).not.toContain('Nothing that verified');
    expect(code).toBe(0);
  });

  test('by a refund that is registered for a payment of which nothing is known', async () => {
    await here(['register', 'FR-0003', '--refund-of', 'P-0404', '--client', CLIENT], place.env);
    for (const words of [[], ['--client', CLIENT]]) {
      const { out, code } = await why('FR-0003', ...words);
      expect(out).toMatch(/^Refunds that are only registered\n {2}FR-0003 is registered for payment P-0404/);
      expect(out).toContain('Nothing is known of payment P-0404 yet.');
      expect(out).toContain('No notification of FR-0003 has verified. What that can mean');
      expect(out).toMatch(/Never sent: .*\(inquiryRefund, /);
      expect(out).not.toMatch(/inquiryPayment|Wrong client/);
      expect(code).toBe(1);
    }
    expect((await why('FR-0003', '--client', 'OTHER')).out).toContain(`Wrong client: it is known of ${CLIENT}`);
    expect((await json<Why>(['why', 'FR-0003'], place.env)).refundRegistrations).toMatchObject([
      { refundRequestId: 'FR-0003', paymentId: 'P-0404' },
    ]);
    await place.store(notified({ ...refund, refundId: 'F-0003', refundRequestId: 'FR-0003' }));
    expect((await why('F-0003')).out).toContain(
      'FR-0003 SUCCEEDED: it is registered for payment P-0404, of which no notification has come.',
    );
  });

  test('of a registration that no payment names it says what is waited for, unless the shop cancelled it', async () => {
    const own = makePlace();
    await own.store();
    const said = async () => await here(['why', 'R-0003'], own.env);
    await here(['register', 'R-0003', '--amount', 'JPY:120'], own.env);
    expect((await said()).out).toContain('What is waited for has not come');
    await here(['register', 'R-0003', '--change', '--cancelled'], own.env);
    const { out, code } = await said();
    expect(out).toMatch(/^CANCELLED, not fulfillable, NONE\n/);
    expect(out).not.toContain('What is waited for');
    expect(code).toBe(0);
    await removePlace(own);
  });

  test('shows the table of what happened, with other payments as such', async () => {
    const { out } = await why('P-many-0');
    expect(out).toMatch(/PAYMENT +S SUCCESS JPY 120 of payment P-many-1/);
    expect(out.match(/PAYMENT +S SUCCESS JPY 120(?! of payment)/g)).toHaveLength(1);
  });

  test('of many orders the first are shown, the others counted', async () => {
    const { out, code } = await why('R-many');
    expect(out.match(/^AUTHORIZED, not fulfillable, REVIEW$/gm)).toHaveLength(5);
    expect(out).toContain('Not shown: 1 order more of R-many. Ask by a paymentId.');
    expect(code).toBe(1);
  });

  test('of an id that another client has it says which', async () => {
    expect((await why('P-0002')).code).toBe(0);
    const { out, code } = await why('P-0002', '--client', CLIENT);
    expect(out).toContain('Wrong client: it is known of OTHER: say --client OTHER.');
    expect(code).toBe(1);
    expect((await why('P-0001', '--client', 'NOBODY')).out).toMatch(/Wrong client: it is known of CLI_CLIENT/);
    expect((await why('P-9999', '--client', 'NOBODY')).out).toContain(
      'Wrong client: nothing is stored of NOBODY, only of CLI_CLIENT, OTHER.',
    );
  });

  test('of what failed verification it shows what is wrong, and guesses nothing', async () => {
    const { out, code } = await why('P-0009');
    expect(out).toMatch(/^Failed verification, and holds P-0009/);
    expect(out).toContain('The client-id is STRANGER; configured: CLI_CLIENT.');
    expect(out).not.toContain('Never sent');
    expect(code).toBe(1);
  });

  test('of a short id unverified requests are not searched, which is said', async () => {
    const { out } = await why('short');
    expect(out).toContain('The unverified requests were not searched: the id has fewer than 6 characters.');
  });

  test('of a store with nothing in it', async () => {
    const { out, code } = await here(['why', 'P-0001'], empty.env);
    expect(out).toMatch(/^Nothing that verified names P-0001. What that can mean\n {2}Nothing is stored yet/);
    expect(out).toContain('no notification has ever verified here');
    expect(code).toBe(1);
  });

  test('gives all of it as JSON', async () => {
    const said = await json<Why>(['why', 'P-0001'], place.env);
    expect(said).toMatchObject({ id: 'P-0001', moreOrders: 0, unverified: [], notSearched: null, lately: null });
    expect(said.orders.map(({ order, why: because }) => [order.paymentId, because.isWrong])).toEqual([
      ['P-0001', false],
    ]);
    const unknown = await json<Why>(['why', 'P-9999'], place.env);
    expect(unknown.lately?.unverified).toEqual([
      { reason: 'UNKNOWN_CLIENT', diagnosis: null, count: 2, lastReceivedAt: expect.any(String) },
    ]);
  });

  test.each(['', ' P-0001', 'x'.repeat(129)])('refuses %j as usage', async (id) => {
    expect(await why(id)).toMatchObject({ code: 64, out: '' });
  });
});

const LATELY: Lately = {
  verifiedAt: '2025-11-25T10:45:03.123Z',
  unverified: [],
  misdirected: null,
  clients: ['T_1'],
};
const SOUGHT: Sought = {
  client: null,
  elsewhere: [],
  isInUnverified: false,
  notSearched: null,
  inquiry: 'inquiryPayment',
};

describe('what it can mean that nobody knows an id', () => {
  test.each<[string, Partial<Lately>, Partial<Sought>, readonly RegExp[]]>([
    [
      'others verify',
      {},
      {},
      [
        /^Never sent: .* the last at 2025-11-25 10:45:03 UTC/,
        /^Another URL: no POST/,
        /^Unverified: no stored request/,
      ],
    ],
    ['none has ever verified', { verifiedAt: null }, {}, [/no notification has ever verified/, /./, /./]],
    [
      'another path',
      {
        misdirected: {
          count: 3,
          firstAt: '2025-11-24T10:00:00.000Z',
          lastAt: '2025-11-25T10:00:00.000Z',
          path: '/payNotify/',
          configured: ['/payNotify', '/other'],
        },
      },
      {},
      [
        /./,
        /3 POSTs .* the last at 2025-11-25 10:00:00 UTC to \/payNotify\/, while \/payNotify, \/other was configured/,
        /./,
      ],
    ],
    [
      'some failed verification',
      {
        unverified: [
          {
            reason: 'SIGNATURE_MISMATCH',
            diagnosis: 'OTHER_KEY',
            count: 7,
            lastReceivedAt: '2025-11-25T09:00:00.000Z',
          },
          { reason: 'MISSING_HEADER', diagnosis: null, count: 1, lastReceivedAt: '2025-11-25T09:00:00.000Z' },
        ],
      },
      {},
      [
        /./,
        /./,
        /^Unverified: 7 OTHER_KEY, the last at 2025-11-25 09:00:00 UTC; 1 MISSING_HEADER, .* None of them holds the id/,
      ],
    ],
    ['it failed verification', {}, { isInUnverified: true }, []],
    ['of another client', {}, { client: 'T_1', elsewhere: ['T_2'] }, [/^Wrong client: .*--client T_2/, /./, /./, /./]],
  ])('%s', (...[, lately, sought, words]) => {
    const meanings = meaningsOf({ ...LATELY, ...lately }, { ...SOUGHT, ...sought });
    expect(meanings).toHaveLength(words.length);
    for (const [index, word] of words.entries()) expect(meanings[index]).toMatch(word);
  });

  test('each reason of an unverified request has its own words, and a diagnosis stands for them', () => {
    const diagnosis = { code: 'OTHER_KEY', message: 'Another key.' } as const;
    expect(flawOf({ reason: 'SIGNATURE_MISMATCH', diagnosis })).toBe('Another key.');
    expect(new Set(UNVERIFIED_REASONS.map((reason) => flawOf({ reason, diagnosis: null }))).size).toBe(
      UNVERIFIED_REASONS.length,
    );
  });
});
