import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { notified, ownPlace, payment, spawned } from './support.ts';

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

describe('demo', () => {
  test('--exit shows the table, finds all as it should be, and leaves nothing behind', async () => {
    const { code, out, err } = await spawned(['demo', '--exit'], { TMPDIR: directory });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const lines = out.split('\n');
    const row = (number: number): string => lines[number] ?? '';
    expect(row(1)).toMatch(/^1 +A +PAYMENT_RESULT S, GBP 1523 +200 SUCCESS +AUTHORIZED +no +WAIT +–$/);
    expect(row(2)).toMatch(/^2 +A +CAPTURE_RESULT S, GBP 1523 +200 SUCCESS +CAPTURED +yes +FULFIL +–$/);
    expect(row(4)).toMatch(/^4 +B .*200 SUCCESS +FAILED +no +NEW_PAYMENT_REQUEST +–$/);
    expect(row(5)).toMatch(/^5 +C .*200 SUCCESS +PARTIALLY_CAPTURED +no +WAIT +CAPTURE_WITHOUT_PAYMENT$/);
    expect(row(9)).toMatch(/^9 +D .*200 SUCCESS +CAPTURED +yes +FULFIL +–$/);
    expect(row(10)).toMatch(/^10 +B .*forgery.*200 SUCCESS +FAILED +no +NEW_PAYMENT_REQUEST +–$/);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('stays up until Ctrl-C, and then stops cleanly', async () => {
    const { child, said } = start(['demo'], { TMPDIR: directory });
    const out = await said('--payment-request-id my-order-1');
    const orders = /curl (\S+\/api\/orders)\n/.exec(out)?.[1] ?? '';
    const { items } = (await (await fetch(orders)).json()) as { items: readonly unknown[] };
    expect(items).toHaveLength(4);
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
