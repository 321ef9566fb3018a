import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { capture, here, KEYS, notified, ownPlace, payment, spawned } from './support.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const COMMANDS = [
  'serve',
  'demo',
  'send',
  'why',
  'orders',
  'notifications',
  'unverified',
  'refunds',
  'status',
  'register',
  'review',
  'redrive',
  'rebuild',
  'verify',
  'verify-store',
  'migrate',
  'backup',
  'copy',
  'openapi',
  'keygen',
  'sandbox',
];
const place = ownPlace();

describe('the command line', () => {
  test.each(COMMANDS)('%s has --help and --json', async (command) => {
    const { code, out } = await here([command, '--help']);
    expect(code).toBe(0);
    expect(out).toContain('--help');
    expect(out).toContain('--json');
  });

  test.each([
    ['no command', []],
    ['an unknown command', ['frobnicate']],
    ['an unknown option', ['orders', '--frobnicate']],
    ['a sandbox for a live client', ['sandbox', '--client', 'T_5YET942ZTUH303813']],
    ['a sandbox that misbehaves in no known way', ['sandbox', '--misbehave', 'rude=0.5']],
    ['a share above one', ['sandbox', '--misbehave', 'lost=2']],
    ['a word too many', ['orders', 'a', 'b']],
    ['a word too few', ['backup']],
    ['a value outside its set', ['orders', '--status', 'PAID']],
    ['a filter beside an id', ['orders', 'P1', '--reference-order-id', 'S1']],
    ['a page beside an id', ['notifications', 'a'.repeat(64), '--cursor', '1']],
    ['a reason beside an id', ['unverified', 'a'.repeat(64), '--reason', 'UNKNOWN_CLIENT']],
    ['an attention that is none', ['orders', '--attention', 'LATE']],
    ['an action that is none', ['orders', '--action', 'SHIP']],
    ['two actions', ['orders', '--review', '--action', 'WAIT']],
    ['refunds that are joined and are not', ['refunds', '--joined', '--unjoined']],
    ['a review without a decision', ['review', 'P1', '--revision', '1']],
    ['a review without a revision', ['review', 'P1', '--decision', 'CLOSE']],
    ['a decision that is none', ['review', 'P1', '--decision', 'SHIP', '--revision', '1']],
    ['a decision that is taken back', ['review', 'P1', '--withdraw', '--decision', 'CLOSE']],
    ['a registration of nothing', ['register', 'R1', '--client', 'C']],
    ['a registration of zero', ['register', 'R1', '--client', 'C', '--amount', 'JPY:0']],
    ['a change of nothing', ['register', 'R1', '--client', 'C', '--change']],
    [
      'a field given and cleared',
      ['register', 'R1', '--client', 'C', '--change', '--cancelled', '--clear', 'cancelled'],
    ],
    ['a refund with an amount', ['register', 'FR1', '--client', 'C', '--refund-of', 'P1', '--amount', 'JPY:120']],
    ['a limit of nothing', ['orders', '--limit', '0']],
    ['options that exclude each other', ['orders', '--follow', '--status', 'CAPTURED']],
    ['an id where all are meant', ['orders', 'P1', '--follow']],
    ['a number of payments without a day', ['demo', '--payments', '5']],
    ['a purge of one', ['unverified', 'id', '--purge', 'UNKNOWN_CLIENT']],
    ['a redrive of what?', ['redrive']],
    ['raw bytes of what?', ['notifications', '--raw']],
    ['an id that is none', ['notifications', '12']],
    ['an identifier that is not set', ['notifications', '--id', '']],
    ['an order that is not set', ['orders', '']],
    ["a shop's order that is not set", ['orders', '--reference-order-id', '']],
    ['an amount without a value', ['capture', 'P1', '--amount', 'HKD']],
  ])('refuses %s as usage, 64', async (_what, words) => {
    const { code, out, err } = await here(words);
    expect(code).toBe(64);
    expect(out).toBe('');
    expect(err).not.toBe('');
  });

  test('refuses a registration for which no client is known as usage, 64', async () => {
    const { env, store } = place();
    await store();
    expect(await here(['register', 'R1', '--amount', 'JPY:1'], { DATABASE_URL: env['DATABASE_URL'] })).toEqual({
      code: 64,
      out: '',
      err: 'error: --client is needed: no service has started on this database, and no client is configured here\n',
      bytes: Buffer.alloc(0),
    });
  });

  test('says so in the exit code of the process, without a stack trace', async () => {
    const { code, out, err } = await spawned(['orders', '--status', 'PAID']);
    expect({ code, out }).toEqual({ code: 64, out: '' });
    expect(err).toMatch(/^error: option '--status <status>' argument 'PAID' is invalid.*\n$/);
  });

  test('names every problem of the configuration, one a line, 78', async () => {
    const { code, out, err } = await spawned(['verify-store'], {
      DATABASE_URL: 'mysql://nowhere',
      CAPTURE_MODE: 'NONE',
    });
    expect({ code, out }).toEqual({ code: 78, out: '' });
    expect(err.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^DATABASE_URL: /),
      expect.stringMatching(/^CAPTURE_MODE: /),
    ]);
  });

  test('serve runs the service until SIGTERM, with a log of JSON lines', async () => {
    const child = spawn(process.execPath, [CLI, 'serve', '--json'], {
      cwd: KEYS,
      env: { ...place().env, PORT: '0', ADMIN_PORT: '0', HOST: '127.0.0.1' },
    });
    let log = '';
    child.stdout.on('data', (text: Buffer) => {
      // Once: a second signal would end it at once.
      if (!log.includes('"ready"') && text.includes('"ready"')) child.kill('SIGTERM');
      log += text.toString();
    });
    const code = await new Promise((resolve) => {
      child.on('close', resolve);
    });
    expect(code).toBe(0);
    expect(
      log
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { msg: string }).msg),
    ).toContain('listening for notifications');
    expect((await spawned(['serve'])).code).toBe(78);
  });

  test('does not make a database where there is none', async () => {
    const { env, directory } = place();
    const { code, err } = await here(['orders'], env);
    expect(code).toBe(1);
    expect(err).toBe(
      `error: there is no database at ${directory}/paynotify.db: the service makes it when it first starts, and DATABASE_URL says where\n`,
    );
    expect((await here(['orders'], { ...env, DATABASE_URI: 'sqlite:/elsewhere' })).err).toMatch(
      /and DATABASE_URL says where\. DATABASE_URI is none of paynotify's variables and is not read: if DATABASE_URL is meant, rename it\n$/,
    );
  });

  test('is executable, and ends quietly when its reader goes away', async () => {
    accessSync(CLI, constants.X_OK);
    const { env, store } = place();
    await store(
      ...Array.from({ length: 400 }, (_, index) =>
        notified(payment({ paymentId: `P${index}`, paymentRequestId: `R${index}` })),
      ),
    );
    const { code: whole, out } = await spawned(['orders', '--limit', '1'], env);
    expect(whole).toBe(0);
    expect(out).toContain('AUTHORIZED');
    // No colours where nobody looks.
    expect(out).not.toContain('\u001B');

    const child = spawn(process.execPath, [CLI, 'orders', '--json', '--limit', '1000'], { cwd: KEYS, env });
    let err = '';
    child.stderr.on('data', (text: Buffer) => (err += text.toString()));
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => {
      child.on('exit', resolve);
    });
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  test.each([
    ['an id that nobody knows', ['why', 'P-unknown'], 1],
    ['one that is fine', ['why', 'P1'], 0],
    ['a wrong command line', ['orders', '--status', 'PAID'], 64],
  ])('of %s the exit code is the same when its reader has gone away', async (_what, words, expected) => {
    const { env, store } = place();
    await store(notified(payment()), notified(capture()));
    const child = spawn(process.execPath, [CLI, ...words], { cwd: KEYS, env });
    child.stdout.destroy();
    child.stderr.destroy();
    const code = await new Promise((resolve) => {
      child.on('exit', resolve);
    });
    expect(code).toBe(expected);
  });
});
