import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DemoService, startService } from '../../src/commands/demo-service.ts';
import { SERIES } from '../../src/commands/series.ts';
import type { AttentionCode } from '../../src/order/attention-code.ts';
import type { NextAction } from '../../src/order/next-action.ts';
import type { Order } from '../../src/order/order.ts';
import type { NotificationSummary, Page, UnverifiedSummary } from '../../src/store/store.ts';
import { ACKNOWLEDGEMENT, eventually } from '../support/client.ts';
import { here, json, PRIVATE_KEY_FILE, PUBLIC_KEY, removePlace, spawned } from './support.ts';

const CLIENT = 'SEND_CLIENT';
const directory = mkdtempSync(join(tmpdir(), 'paynotify-send-'));
const env = {
  DATABASE_URL: `sqlite:${join(directory, 'demo.db')}`,
  ANTOM_CLIENT_ID: CLIENT,
  ANTOM_PUBLIC_KEY: PUBLIC_KEY,
};
let service: DemoService;

beforeAll(async () => {
  service = await startService({ directory, clientId: CLIENT, publicKey: PUBLIC_KEY, env: process.env });
});
afterAll(async () => {
  const code = await service.stop();
  await removePlace({ directory });
  expect(code).toBe(0);
});

const send = (...words: readonly string[]): readonly string[] => [
  'send',
  '--url',
  service.notifyUrl.href,
  '--key',
  PRIVATE_KEY_FILE,
  ...words,
];
const order = async (id: string): Promise<Order> => await json<Order>(['orders', id], env);

interface Sent {
  readonly sent: number;
  readonly acknowledged: number;
  readonly items: readonly { readonly body: string; readonly answer: { readonly status: number } }[];
}
const sentAs = async (...words: readonly string[]): Promise<Sent> => await json<Sent>(send(...words), env);
const bodies = ({ items }: Sent): readonly { readonly paymentId: string }[] =>
  items.map(({ body }) => JSON.parse(body) as { paymentId: string });

describe('send', () => {
  test('posts a payment that the service acknowledges and applies', async () => {
    const { code, out, err } = await spawned(
      send('--client', CLIENT, '--payment-id', 'P1', '--payment-request-id', 'R1', '--amount', 'JPY:120'),
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`POST ${service.notifyUrl.href}`);
    expect(out).toContain('{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}');
    expect(await order('R1')).toMatchObject({ status: 'AUTHORIZED', paymentAmount: { currency: 'JPY', value: '120' } });
  });

  test('posts any kind, with the ids and the result that are asked for', async () => {
    await sentAs('--type', 'CAPTURE_RESULT', '--payment-id', 'P2', '--status', 'F', '--result-code', 'AUTH_EXPIRED');
    expect((await order('P2')).captures).toMatchObject([{ status: 'FAILED', result: { resultCode: 'AUTH_EXPIRED' } }]);
    await sentAs('--type', 'PAYMENT_PENDING', '--payment-id', 'P3');
    expect(await order('P3')).toMatchObject({ status: 'PROCESSING' });
    await sentAs('--type', 'UPDATE_AMOUNT_RESULT', '--payment-id', 'P2', '--amount', 'GBP:1600');
    await sentAs('--type', 'REFUND_RESULT', '--payment-id', 'P2', '--refund-request-id', 'G2', '--status', 'F');
    await sentAs('--type', 'DEFENSE_DUE_ALERT', '--payment-id', 'P2', '--dispute-id', 'D2', '--amount', 'GBP:9');
    expect(await order('P2')).toMatchObject({
      refunds: [{ refundRequestId: 'G2', status: 'FAILED' }],
      disputes: [{ disputeId: 'D2', state: 'OPEN', amount: { currency: 'GBP', value: '9' } }],
    });
    expect((await here(send('--type', 'TOMORROWS_RESULT', '--client', CLIENT))).code).toBe(0);
    const { items } = await json<Page<NotificationSummary>>(['notifications', '--limit', '6'], env);
    expect(items.map(({ kind }) => kind)).toEqual([
      'UNKNOWN',
      'DISPUTE',
      'REFUND',
      'UPDATE_AMOUNT',
      'PAYMENT_PENDING',
      'CAPTURE',
    ]);
  });

  test('posts a sample as it is', async () => {
    expect((await here(send('--sample', 'capture'), env)).code).toBe(0);
    expect(await order('20250317194010890100111600255689113')).toMatchObject({
      capturedAmount: { currency: 'JPY', value: '120' },
    });
  });

  test('posts a series in any order, each several times, to the same end', async () => {
    const sent = await sentAs('--series', '4', '--shuffle', '--seed', '3', '--duplicates', '1', '--amount', 'EUR:1000');
    expect(sent).toMatchObject({ clientId: CLIENT, seed: 3, sent: 10, acknowledged: 10 });
    const paymentId = bodies(sent)[0]?.paymentId ?? '';
    expect(await order(paymentId)).toMatchObject({
      status: 'CAPTURED',
      fulfillable: true,
      capturedAmount: { currency: 'EUR', value: '1000' },
    });
    const { items } = await json<Page<NotificationSummary>>(['notifications', '--id', paymentId], env);
    expect(items.map(({ deliveries }) => deliveries)).toEqual([2, 2, 2, 2, 2]);
  });

  test('posts several different ones, one a line', async () => {
    const { code, out } = await here(send('--count', '3', '--sample', 'payment-declined'), env);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^TYPE +PAYMENT ID +OWN ID +AMOUNT +RESULT +ANSWER\n(PAYMENT_RESULT .* F RISK_REJECT +200 SUCCESS \d+ ms\n){3}\n3 of 3 acknowledged\.\n$/,
    );
    expect((await here(send('--count', '2', '--payment-id', 'P', '--payment-request-id', 'R'), env)).code).toBe(64);
  });

  test('posts the bytes of a file as they are', async () => {
    const file = join(directory, 'body');
    writeFileSync(file, Buffer.from([0xff, 0x00]));
    expect((await here(send('--body', file), env)).code).toBe(0);
    const { items } = await json<Page<NotificationSummary>>(['notifications', '--outcome', 'MALFORMED'], env);
    expect((await here(['notifications', items[0]?.id ?? '', '--raw'], env)).bytes).toEqual(Buffer.from([0xff, 0x00]));
  });

  test('breaks a signature on purpose: the request is kept apart and touches no order', async () => {
    const sent = await sentAs('--break-signature', '--payment-id', 'P4');
    expect(sent.items[0]?.answer.status).toBe(200);
    expect((await here(['orders', 'P4'], env)).code).toBe(1);
    const { items } = await json<Page<UnverifiedSummary>>(['unverified', '--reason', 'SIGNATURE_MISMATCH'], env);
    expect(items).toHaveLength(1);
  });

  test('finds it wrong when the answer is no acknowledgement', async () => {
    expect(
      await here(['send', '--url', new URL('/elsewhere', service.notifyUrl).href, '--key', PRIVATE_KEY_FILE], env),
    ).toMatchObject({
      code: 1,
      out: expect.stringContaining('404'),
    });
    expect(
      await here(['send', '--url', 'http://127.0.0.1:1/payNotify', '--key', PRIVATE_KEY_FILE, '--client', CLIENT]),
    ).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^error: http:\/\/127\.0\.0\.1:1\/payNotify gives no answer: .+\n$/),
    });
  });

  test.each([
    ['no key', ['send', '--client', CLIENT]],
    ['no client', ['send', '--key', PRIVATE_KEY_FILE]],
    ['a seed of no order', ['send', '--key', PRIVATE_KEY_FILE, '--seed', '1']],
    ['an amount in words', ['send', '--amount', 'ten']],
    ['a URL that is none', ['send', '--url', 'payNotify']],
    ['bytes and a kind', ['send', '--body', 'file', '--type', 'X']],
    ['a series that there is not', ['send', '--series', 'tomorrow']],
    ['a series of no captures', ['send', '--series', '0']],
    ['a series and a kind', ['send', '--series', 'refund', '--type', 'X']],
    [
      'a result of a dispute',
      ['send', '--key', PRIVATE_KEY_FILE, '--client', CLIENT, '--type', 'DISPUTE_JUDGED', '--status', 'S'],
    ],
  ])('refuses %s as usage, 64', async (_what, words) => {
    expect((await here(words)).code).toBe(64);
  });

  test('--resend sends the same bytes until they are acknowledged', async () => {
    const arrived: string[] = [];
    const receiver = createServer((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => arrived.push(text));
      request.on('end', () => response.end(arrived.length < 3 ? 'not yet' : ACKNOWLEDGEMENT));
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address() as AddressInfo;
    const words = [
      'send',
      '--key',
      PRIVATE_KEY_FILE,
      '--client',
      CLIENT,
      '--url',
      `http://127.0.0.1:${port}/payNotify`,
    ];
    const { code, out } = await here([...words, '--resend', '1000000']);
    expect([code, out]).toEqual([0, expect.stringMatching(/200 in \d+ ms, after 3 sends\n.*success/)]);
    expect(new Set(arrived).size).toBe(1);
    expect(await json([...words, '--resend', '1000000'], {})).toMatchObject({ acknowledged: 1, items: [{ sends: 1 }] });
    receiver.close();
  });

  /** Sends to a server that answers each of them so. */
  const sendTo = async (answer: (response: ServerResponse, nth: number) => void, words: readonly string[]) => {
    let arrived = 0;
    const receiver = createServer((request, response) => {
      request.resume().on('end', () => answer(response, (arrived += 1)));
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address() as AddressInfo;
    const where = ['--key', PRIVATE_KEY_FILE, '--client', CLIENT, '--url', `http://127.0.0.1:${port}/payNotify`];
    const ended = await here(['send', ...where, ...words]);
    receiver.close();
    return ended;
  };

  test('goes on where one of several gets no answer, and finds it wrong', async () => {
    const { code, out } = await sendTo(
      (response, nth) => (nth === 2 ? response.destroy() : response.end(ACKNOWLEDGEMENT)),
      ['--count', '3'],
    );
    expect(code).toBe(1);
    const [, ...lines] = out.split('\n').filter((line) => line !== '');
    expect(lines).toEqual([
      expect.stringMatching(/200 SUCCESS \d+ ms$/),
      expect.not.stringMatching(/200 SUCCESS/),
      expect.stringMatching(/200 SUCCESS \d+ ms$/),
      '2 of 3 acknowledged.',
    ]);
  });

  test.each([
    [401, 0],
    [500, 1],
  ])('a broken signature that is answered %i ends with %i', async (status, code) => {
    const ended = await sendTo((response) => response.writeHead(status).end(), ['--break-signature']);
    expect(ended.code).toBe(code);
  });

  test('a redirect is no acknowledgement, wherever it leads', async () => {
    const receiver = createServer(({ url }, response) => {
      if (url === '/payNotify') response.writeHead(302, { location: '/elsewhere' }).end();
      else response.end(ACKNOWLEDGEMENT);
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address() as AddressInfo;
    const where = ['--key', PRIVATE_KEY_FILE, '--client', CLIENT, '--url', `http://127.0.0.1:${port}/payNotify`];
    const { code, out } = await here(['send', ...where, '--json']);
    receiver.close();
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ acknowledged: 0, items: [{ answer: { status: 302 } }] });
  });

  test('lists the samples and the series', async () => {
    expect((await here(['send', '--list-samples'])).out).toMatch(
      /^SAMPLE .*\npayment-card (.|\n)*\nSERIES .*\nwallet /,
    );
    expect(await json(['send', '--list-samples'], {})).toMatchObject({
      samples: expect.arrayContaining([expect.objectContaining({ name: 'capture' })]),
      series: SERIES.map(({ name, about }) => ({ name, about })),
    });
  });
});

interface Flow {
  readonly series: string;
  /** What the shop says; of a second payment under its id with `-again`. */
  readonly says: readonly (readonly [method: 'PUT' | 'PATCH', said: unknown, again?: '-again'])[];
  readonly status: string;
  readonly nextAction: NextAction;
  readonly attention: readonly AttentionCode[];
}

const hkd = { currency: 'HKD', value: '10000' };
const gbp = (value: string) => ({ currency: 'GBP', value });
const AGREED = { status: 'CAPTURED', nextAction: 'FULFIL', attention: [] } as const;
const FLOWS: readonly Flow[] = [
  { series: 'wallet', says: [], ...AGREED },
  { series: 'wallet-unnamed', says: [], status: 'AUTHORIZED', nextAction: 'WAIT', attention: ['CAPTURE_UNDECIDED'] },
  {
    series: 'wallet-unnamed',
    says: [['PUT', { amount: hkd, paymentMethodType: 'TNG' }]],
    ...AGREED,
  },
  {
    series: 'korean-card',
    says: [['PUT', { amount: { currency: 'KRW', value: '15000' }, captureMode: 'NONE' }]],
    ...AGREED,
  },
  { series: 'partial', says: [], status: 'PARTIALLY_CAPTURED', nextAction: 'WAIT', attention: [] },
  {
    series: 'partial',
    says: [
      ['PUT', { amount: gbp('1523'), captureMode: 'MANUAL' }],
      ['PATCH', { finalAmount: gbp('1014') }],
    ],
    ...AGREED,
  },
  { series: 'incremental', says: [], ...AGREED },
  { series: 'refund', says: [], status: 'CAPTURED', nextAction: 'NONE', attention: ['REFUNDED'] },
  { series: 'dispute', says: [], status: 'CAPTURED', nextAction: 'NONE', attention: ['REFUNDED'] },
  {
    series: 'duplicate',
    says: [
      ['PUT', { amount: gbp('1523'), referenceOrderId: 'order-9' }],
      ['PUT', { amount: gbp('1523'), referenceOrderId: 'order-9' }, '-again'],
    ],
    status: 'CAPTURED',
    nextAction: 'REVIEW',
    attention: ['DUPLICATE_PAYMENT'],
  },
];

describe('a series comes to what it says', () => {
  test.each(FLOWS.map((flow, index) => ({ ...flow, id: `F${index + 1}` })))(
    '$series: $status, $nextAction',
    async ({ series, says, id, status, nextAction, attention }) => {
      await sentAs('--series', series, '--payment-request-id', id, '--shuffle');
      for (const [method, said, again = ''] of says) {
        const response = await fetch(new URL(`/api/orders/${id}${again}`, service.adminUrl), {
          method,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(said),
        });
        expect(response.ok).toBe(true);
      }
      const { attention: held, ...told } = await order(id);
      expect(told).toMatchObject({ status, nextAction, fulfillable: nextAction === 'FULFIL' });
      expect(held.map(({ code }) => code)).toEqual(attention);
    },
  );

  test('each of them is tried', () => {
    expect(new Set(FLOWS.map(({ series }) => series))).toEqual(new Set(SERIES.map(({ name }) => name)));
  });
});

const api = async (path: string): Promise<unknown> => {
  const response = await fetch(new URL(path, service.adminUrl));
  return await response.json();
};

describe('beside the running service', () => {
  test('--json is what the API gives', async () => {
    const { items } = await json<Page<NotificationSummary>>(['notifications'], env);
    const id = items[0]?.id ?? '';
    const { items: unverified } = await eventually(
      'every diagnosis',
      async () => await json<Page<UnverifiedSummary>>(['unverified'], env),
      (page) => page.items.every(({ diagnosis }) => diagnosis !== null),
    );
    expect(await json(['orders', '--limit', '3'], env)).toEqual(await api('/api/orders?limit=3'));
    expect(await json(['orders', 'P1'], env)).toEqual(await api('/api/orders/P1'));
    expect(await json(['notifications', '--limit', '2'], env)).toEqual(await api('/api/notifications?limit=2'));
    expect(await json(['notifications', id], env)).toEqual(await api(`/api/notifications/${id}`));
    expect(await json(['unverified', '--limit', '2'], env)).toEqual(await api('/api/unverified?limit=2'));
    expect(await json(['unverified', unverified[0]?.id ?? ''], env)).toEqual(
      await api(`/api/unverified/${unverified[0]?.id ?? ''}`),
    );
  });

  test('commands that write do not stop it from taking notifications', async () => {
    const sending = sentAs('--count', '30');
    const codes = await Promise.all(
      [
        ['rebuild'],
        ['redrive', '--all'],
        ['unverified', '--purge', 'UNKNOWN_CLIENT', '--yes'],
        ['backup', join(directory, 'copy.db')],
      ].map(async (words) => (await here(words, env)).code),
    );
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(await sending).toMatchObject({ sent: 30, acknowledged: 30 });
  });
});
