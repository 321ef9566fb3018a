import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DemoService, startService } from '../../src/commands/demo-service.ts';
import type { Order } from '../../src/order/order.ts';
import type { NotificationSummary, Page, UnverifiedSummary } from '../../src/store/store.ts';
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
    expect((await here(send('--type', 'REFUND_RESULT', '--client', CLIENT))).code).toBe(0);
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
      /^TYPE +PAYMENT ID +CAPTURE ID +AMOUNT +RESULT +ANSWER\n(PAYMENT_RESULT .* F RISK_REJECT +200 SUCCESS \d+ ms\n){3}\n3 of 3 acknowledged\.\n$/,
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
  ])('refuses %s as usage, 64', async (_what, words) => {
    expect((await here(words)).code).toBe(64);
  });

  test('lists the samples', async () => {
    expect((await here(['send', '--list-samples'])).out).toContain('payment-card');
    expect(await json(['send', '--list-samples'], {})).toContainEqual(expect.objectContaining({ name: 'capture' }));
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
    const { items: unverified } = await json<Page<UnverifiedSummary>>(['unverified'], env);
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
        ['unverified', '--purge', 'UNKNOWN_CLIENT'],
        ['backup', join(directory, 'copy.db')],
      ].map(async (words) => (await here(words, env)).code),
    );
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(await sending).toMatchObject({ sent: 30, acknowledged: 30 });
  });
});
