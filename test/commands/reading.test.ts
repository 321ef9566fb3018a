import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/order/order.ts';
import type { NotificationSummary, Page, UnverifiedSummary } from '../../src/store/store.ts';
import {
  capture,
  CLIENT,
  here,
  idOf,
  json,
  makePlace,
  notified,
  OTHER_PUBLIC_KEY,
  ownPlace,
  payment,
  type Place,
  removePlace,
  unverified,
} from './support.ts';

const LONG = 'P'.repeat(64);
const BINARY = Buffer.from([0x7b, 0xff, 0x00, 0x0a, 0x7d]);
/** What JSON leaves as it is: CSI of some terminals, what turns the direction of text, a line break, a tag. */
const STEERING_TARGET = '/payNotify?\u001B[2J\u007F\u009B31m\u202E\u2066\u2028\u{E0001}';
const STEERING = JSON.stringify({ notifyType: 'RED\u001B[31m\u202E' });

let place: Place;
let empty: Place;
let env: Readonly<Record<string, string>>;
/** As on a machine that knows the database and no keys. */
let storeOnly: Readonly<Record<string, string>>;

beforeAll(async () => {
  [place, empty] = [makePlace(), makePlace()];
  ({ env } = place);
  storeOnly = { DATABASE_URL: env['DATABASE_URL'] ?? '' };
  await empty.store();
  await place.store(
    notified(payment()),
    notified(capture({ result: { resultStatus: 'F', resultCode: 'AUTH_EXPIRED' } })),
    notified(payment(), 'OTHER'),
    notified(payment({ paymentId: 'P3', paymentRequestId: 'TWICE' })),
    notified(payment({ paymentId: 'P4', paymentRequestId: 'TWICE' })),
    notified(capture({ paymentId: 'P5', captureId: 'C5' })),
    notified(BINARY),
    notified(STEERING),
    unverified('{"a":1}'),
    unverified('{"b":1}', { clientIds: [], target: STEERING_TARGET }),
  );
  await place.store(notified(payment({ paymentId: LONG, paymentRequestId: 'R6' })));
});
afterAll(async () => {
  await removePlace(place);
  await removePlace(empty);
});

const paymentIds = async (...words: readonly string[]): Promise<readonly (string | null)[]> =>
  (await json<Page<Order>>(['orders', ...words], env)).items.map(({ paymentId }) => paymentId);

describe('orders', () => {
  test('says when there are none, and when none are like that', async () => {
    expect(await here(['orders'], empty.env)).toMatchObject({ code: 0, out: 'No orders yet.\n', err: '' });
    expect(await here(['orders', '--status', 'FAILED'], empty.env)).toMatchObject({
      code: 0,
      out: 'No orders like that.\n',
    });
    expect(await json(['orders'], empty.env)).toEqual({ items: [], next: null });
  });

  test('lists them newest change first, in aligned columns with whole ids', async () => {
    const lines = (await here(['orders'], env)).out.trimEnd().split('\n');
    const [header = '', first = ''] = lines;
    expect(lines).toHaveLength(7);
    expect(first.startsWith(`${CLIENT}  ${LONG}  R6`)).toBe(true);
    expect(first.indexOf('AUTHORIZED')).toBe(header.indexOf('STATUS'));
    expect(first.indexOf('JPY 120')).toBe(header.indexOf('AMOUNT'));
    expect(
      new Set(lines.slice(1).map((line) => line.slice(header.indexOf('STATUS') - 2, header.indexOf('STATUS')))),
    ).toEqual(new Set(['  ']));
  });

  test('gives pages, of one client too', async () => {
    const first = await json<Page<Order>>(['orders', '--limit', '4', '--client', CLIENT], env);
    const second = await json<Page<Order>>(
      ['orders', '--limit', '4', '--client', CLIENT, '--cursor', first.next ?? ''],
      env,
    );
    expect(second.next).toBeNull();
    expect(first.items).toHaveLength(4);
    expect(new Set([...first.items, ...second.items].map(({ paymentId }) => paymentId))).toEqual(
      new Set(['P1', 'P3', 'P4', 'P5', LONG]),
    );
    const { out } = await here(['orders', '--limit', '2'], env);
    expect(out).toMatch(/\n\nThere may be more: --cursor \d+\n$/);
  });

  test('filters by status, attention and action', async () => {
    expect(await paymentIds('--status', 'PARTIALLY_CAPTURED')).toEqual(['P5']);
    expect(await paymentIds('--status', 'CANCELLED', '--attention', 'CAPTURE_FAILED')).toEqual(['P1']);
    expect(await paymentIds('--attention', 'CAPTURE_FAILED')).toEqual(['P1']);
    const inReview = await paymentIds('--review');
    expect(new Set(inReview)).toEqual(new Set(['P3', 'P4']));
    expect(await paymentIds('--action', 'REVIEW')).toEqual(inReview);
    expect(await paymentIds('--reference-order-id', 'nobody')).toEqual([]);
  });

  test('refuses a cursor that no page has given', async () => {
    for (const list of ['orders', 'notifications', 'unverified', 'refunds'])
      expect(await here([list, '--cursor', 'nowhere'], env)).toMatchObject({
        code: 64,
        out: '',
        err: 'error: --cursor is not the `next` of an earlier page of this list\n',
      });
  });

  test('finds one by either id and shows all of it', async () => {
    const order = await json<Order>(['orders', 'R1'], env);
    expect(order).toMatchObject({
      clientId: CLIENT,
      paymentId: 'P1',
      status: 'CANCELLED',
      nextAction: 'NEW_PAYMENT_REQUEST',
    });
    const { out } = await here(['orders', 'P1'], env);
    expect(out).toMatch(/^status +CANCELLED$/m);
    expect(out).toContain('CAPTURE_FAILED');
    expect(out).toContain("APO's general advice: Use a new paymentRequestId to initiate a payment.");
  });

  test('asks which client is meant, naming them, where an id exists under several', async () => {
    const asked = await here(['orders', 'P1'], storeOnly);
    expect(asked.code).toBe(1);
    expect(asked.err).toMatch(
      /several clients: choose with --client (CLI_CLIENT or --client OTHER|OTHER or --client CLI_CLIENT)\n$/,
    );
    expect(await json(['orders', 'P1', '--client', 'OTHER'], storeOnly)).toMatchObject({ clientId: 'OTHER' });
  });

  test('says which are meant where one paymentRequestId names several payments, and when there is none', async () => {
    const { code, err } = await here(['orders', 'TWICE'], env);
    expect(code).toBe(1);
    expect(err).toMatch(/ask for one of (P3, P4|P4, P3)\n$/);
    expect(await here(['orders', 'P9'], env)).toMatchObject({ code: 1, out: '', err: 'error: there is no order P9\n' });
  });
});

const idsOf = async (...words: readonly string[]): Promise<readonly string[]> =>
  (await json<Page<NotificationSummary>>(['notifications', ...words], env)).items.map(({ id }) => id);

describe('notifications', () => {
  test('lists them, filtered', async () => {
    expect(await idsOf('--kind', 'CAPTURE')).toHaveLength(2);
    expect(await idsOf('--id', 'C5')).toHaveLength(1);
    expect(await idsOf('--id', 'P1')).toHaveLength(3);
    expect(await idsOf('--id', 'nobody')).toEqual([]);
    expect(await idsOf('--outcome', 'MALFORMED')).toEqual([idOf(BINARY)]);
    expect(await idsOf('--id', 'P1', '--client', CLIENT)).toHaveLength(2);
    expect((await here(['notifications'], empty.env)).out).toBe('No notifications yet.\n');
  });

  test('shows one with its headers and body, and gives its bytes back as they came', async () => {
    expect(await json(['notifications', idOf(BINARY)], env)).toMatchObject({
      id: idOf(BINARY),
      outcome: 'MALFORMED',
      problem: 'The body is not UTF-8.',
      method: 'POST',
      target: '/payNotify',
      headers: { 'client-id': CLIENT, signature: expect.stringMatching(/^algorithm=RSA256,/) },
      body: BINARY.toString('base64'),
      signatureVerifies: true,
    });
    const raw = await here(['notifications', idOf(BINARY), '--raw'], env);
    expect(raw.bytes).toEqual(BINARY);
    expect(raw.out).toBe('');
  });

  test('keeps what a sender wrote from steering the terminal', async () => {
    const list = await here(['notifications'], env);
    const one = await here(['notifications', idOf(STEERING)], storeOnly);
    expect(one.out).toContain('unknown: no keys are configured here');
    expect(one.out).toContain(String.raw`RED\u001b[31m\u{202e}`);
    for (const { out } of [list, one]) {
      expect(out).not.toContain('\u001B');
      expect(out).not.toContain('\u202E');
    }
  });
});

describe('where something is wrong', () => {
  const own = ownPlace();

  test('orders --review tells of a FAILED notification beside', async () => {
    await own().store(notified(payment()));
    expect((await here(['orders', '--review'], own().env)).out).not.toContain('FAILED');
    await own().store({ ...notified(capture()), inapplicable: true });
    expect((await here(['orders', '--review'], own().env)).out).toMatch(
      /\nNotifications have FAILED as well: paynotify notifications --outcome FAILED\n$/,
    );
    expect((await here(['orders'], own().env)).out).not.toContain('have FAILED');
  });

  test('a notification that no configured key verifies any more says no', async () => {
    await own().store(notified(payment()));
    const words = ['notifications', idOf(JSON.stringify(payment()))];
    expect((await here(words, own().env)).out).toMatch(/^verifies now +yes$/m);
    const others = { ...own().env, ANTOM_PUBLIC_KEY: OTHER_PUBLIC_KEY };
    expect((await here(words, others)).out).toMatch(/^verifies now +no$/m);
  });
});

describe('unverified', () => {
  test('says with --json what a sender wrote, and keeps it from steering the terminal', async () => {
    const { items } = await json<Page<UnverifiedSummary>>(['unverified', '--reason', 'MISSING_HEADER'], env);
    const { out } = await here(['unverified', items[0]?.id ?? '', '--json'], env);
    expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    expect(out).toContain(String.raw`\u001b[2J\u007f\u009b31m\u202e\u2066\u2028\udb40\udc01"`);
    expect(JSON.parse(out)).toMatchObject({ target: STEERING_TARGET });
  });

  test('lists, shows and purges', async () => {
    const { items } = await json<Page<UnverifiedSummary>>(['unverified'], env);
    expect(items.map(({ reason }) => reason)).toEqual(['MISSING_HEADER', 'UNKNOWN_CLIENT']);
    const id = items[0]?.id ?? '';
    expect(await json(['unverified', id], env)).toMatchObject({
      ...items[0],
      diagnosis: { code: 'MISSING_HEADER', message: expect.stringContaining('no client-id') },
      headers: { 'client-id': [], 'request-time': [expect.any(String)] },
      body: Buffer.from('{"b":1}').toString('base64'),
    });
    const { out } = await here(['unverified', id], env);
    expect(out).toContain(String.raw`POST /payNotify?\u{1b}[2J`);
    expect(out).toMatch(/^diagnosis +MISSING_HEADER$/m);
    expect(out).toContain('Make the proxy pass every header on.');
    const { DATABASE_URL } = env;
    expect((await here(['unverified', id], { DATABASE_URL })).out).toContain('It has no diagnosis yet');
    expect((await here(['unverified', id, '--raw'], env)).bytes.toString()).toBe('{"b":1}');

    expect(await json(['unverified', '--purge', 'MISSING_HEADER', '--yes'], env)).toEqual({
      reason: 'MISSING_HEADER',
      purged: 1,
    });
    expect((await here(['unverified', '--reason', 'MISSING_HEADER'], env)).out).toBe(
      'No unverified requests like that.\n',
    );
    expect((await here(['unverified'], env)).out).toMatch(
      /^ID +REASON +DIAGNOSIS +DELIVERIES .*\n[0-9a-f]{64} +UNKNOWN_CLIENT +– +1 .*\n$/,
    );
    expect((await here(['unverified', id], env)).code).toBe(1);
  });
});
