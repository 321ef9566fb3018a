import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KEYS, notified, ownPlace, payment, spawned } from './support.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'paynotify-demo-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const start = (
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): { readonly child: ChildProcess; readonly said: (text: string) => Promise<string> } => {
  const child = spawn(process.execPath, [CLI, ...words], {
    cwd: KEYS,
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...env },
  });
  let out = '';
  const gather = (text: Buffer): void => {
    out += text.toString();
  };
  child.stdout.on('data', gather);
  child.stderr.on('data', gather);
  return {
    child,
    said: async (text) => {
      while (!out.includes(text)) {
        if (child.exitCode !== null) throw new Error(`it ended, and never said ${text}: ${out}`);
        await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), once(child, 'exit')]);
      }
      return out;
    },
  };
};

const ended = async (child: ChildProcess): Promise<number | null> => {
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
};

describe('demo --full', () => {
  test('plays a day against the sandbox: in the end the orders say what its ledger says', async () => {
    const { code, out } = await spawned(['demo', '--full', '--payments', '25', '--json'], { TMPDIR: directory });
    const day = JSON.parse(out) as { readonly statuses: object; readonly shipped: number; readonly captured: number };
    expect({ code, ...day }).toMatchObject({ code: 0, payments: 25, wrong: [] });
    expect(Object.keys(day.statuses)).toEqual(['CAPTURED', 'FAILED']);
    expect(day.shipped).toBeGreaterThan(10);
    expect(day.captured).toBeGreaterThan(0);
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('demo', () => {
  test('--exit shows the table, finds all as it should be, and leaves nothing behind', async () => {
    const { code, out, err } = await spawned(['demo', '--exit'], { TMPDIR: directory });
    const lines = out.trimEnd().split('\n');
    const rows = lines.slice(1, -2).map((line) => line.replace(/^\d+ +/, '').split(/ {2,}/));
    const DECLINED = ['FAILED', 'no', 'NEW_PAYMENT_REQUEST', '–'];
    const CAPTURED = ['CAPTURED', 'yes', 'FULFIL', '–'];
    const DUPLICATE = ['CAPTURED', 'no', 'REVIEW', 'DUPLICATE_PAYMENT'];
    expect(rows).toEqual([
      ['card', 'PAYMENT_RESULT S, GBP 1523', 'AUTHORIZED', 'no', 'WAIT', '–'],
      ['card', 'CAPTURE_RESULT S, GBP 1523', ...CAPTURED],
      ['card', 'PAYMENT_RESULT S again: a resend', ...CAPTURED],
      ['card', 'REFUND_RESULT S, GBP 1523', 'CAPTURED', 'no', 'NONE', 'REFUNDED'],
      ['declined', 'PAYMENT_RESULT F: a decline', ...DECLINED],
      ['declined', 'PAYMENT_RESULT S: a forgery', ...DECLINED],
      ['parts', 'CAPTURE_RESULT S, BRL 30000 first', 'PARTIALLY_CAPTURED', 'no', 'WAIT', '–'],
      ['parts', 'PAYMENT_RESULT S, BRL 50000', 'PARTIALLY_CAPTURED', 'no', 'WAIT', '–'],
      ['parts', 'PUT BRL 50000, captureMode MANUAL', 'PARTIALLY_CAPTURED', 'no', 'CAPTURE', '–'],
      ['parts', 'PATCH finalAmount BRL 30000', ...CAPTURED],
      ['parts', 'DISPUTE_CREATED, BRL 30000', 'CAPTURED', 'no', 'REVIEW', 'DISPUTED'],
      ['parts', 'DISPUTE_JUDGED for the merchant', ...CAPTURED],
      ['wallet', 'PUT HKD 10000 for order-7', 'PENDING', 'no', 'WAIT', '–'],
      ['wallet', 'PAYMENT_RESULT S, HKD 10000', ...CAPTURED],
      ['wallet-2', 'PUT HKD 10000 for order-7 again', 'PENDING', 'no', 'WAIT', '–'],
      ['wallet-2', 'PAYMENT_RESULT S: paid twice', ...DUPLICATE],
      ['wallet', 'PAYMENT_RESULT S again: a resend', ...DUPLICATE],
    ]);
    expect({ code, err, end: lines.at(-1) }).toEqual({
      code: 0,
      err: '',
      end: 'Every answer and every order is as it should be. The forgery is kept apart, and touched nothing.',
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  test('fits a screen: 24 lines of 120 columns', async () => {
    const { out } = await spawned(['demo', '--exit'], { TMPDIR: directory });
    const lines = out.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines.filter((line) => Array.from(line).length > 120)).toEqual([]);
  });

  test('stays up until Ctrl-C, and then stops cleanly', async () => {
    const { child, said } = start(['demo'], { TMPDIR: directory });
    const out = await said('--payment-request-id my-order-1');
    const orders = /curl (\S+\/api\/orders)\n/.exec(out)?.[1] ?? '';
    const { items } = (await (await fetch(orders)).json()) as { items: readonly unknown[] };
    expect(items).toHaveLength(5);
    child.kill('SIGINT');
    expect(await ended(child)).toBe(0);
    await expect(fetch(orders)).rejects.toThrow('fetch failed');
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('orders --follow', () => {
  const place = ownPlace();

  test('prints an order when it changes, until it is told to end', async () => {
    const { env, store } = place();
    await store(notified(payment()));
    const { child, said } = start(['orders', '--follow'], env);
    await said('Waiting for orders to change');
    await store(notified(payment({ paymentId: 'P2', paymentRequestId: 'R2' })));
    const out = await said('JPY 120');
    expect(out).toMatch(/\d\d:\d\d:\d\d {2}P2 {2}AUTHORIZED {2}WAIT {2}JPY 120/);
    expect(out).not.toContain('P1');
    child.kill('SIGINT');
    expect(await ended(child)).toBe(0);
  });
});
