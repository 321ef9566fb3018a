import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from '@jest/globals';
import { readKey } from '../../src/antom/keys.ts';
import type { Order } from '../../src/order/order.ts';
import { DERIVATION, nameOfRules } from '../../src/order/rules.ts';
import { writeRules } from '../../src/store/setting.ts';
import type { NotificationDelivery, Page, Store } from '../../src/store/store.ts';
import { storedClientsOf, rememberService } from '../../src/upkeep/in-force.ts';
import { failingHandlers } from '../store/failing-handlers.ts';
import { readAgain } from '../store/support.ts';
import { RULES } from '../support/rules.ts';
import {
  capture,
  CLIENT,
  here,
  idOf,
  json,
  notified,
  OTHER_PUBLIC_KEY,
  ownPlace,
  payment,
  type Place,
  runHere,
} from './support.ts';

const place = ownPlace();

/** One that the database itself refused to apply. */
const failedCapture = (): NotificationDelivery => ({ ...notified(capture()), inapplicable: true });

const PAYMENT = idOf(JSON.stringify(payment()));
const CAPTURE = idOf(JSON.stringify(capture()));

const sql = ({ directory }: Place, statement: string): void => {
  const db = new DatabaseSync(join(directory, 'paynotify.db'));
  db.exec(statement);
  db.close();
};

/** In the last raw notification on disk that holds `from`. */
const changeOneByte = ({ directory }: Place, from: string, to: string): void => {
  const db = new DatabaseSync(join(directory, 'paynotify.db'));
  const rows = db.prepare('select raw_batch, packed from raw_batches order by raw_batch desc').all() as {
    raw_batch: number;
    packed: Uint8Array;
  }[];
  const row = rows.find(({ packed }) => Buffer.from(packed).includes(from));
  if (row === undefined) throw new Error(`nothing on disk holds ${from}`);
  const packed = Buffer.from(row.packed);
  packed.write(to, packed.lastIndexOf(from));
  db.prepare('update raw_batches set packed = ? where raw_batch = ?').run(packed, row.raw_batch);
  db.close();
};

describe('rebuild', () => {
  test('puts right what was tampered with, and says how many', async () => {
    const { env, store } = place();
    await store(notified(payment()), notified(payment({ paymentId: 'P2', paymentRequestId: 'R2' })));
    sql(place(), "update orders set status = 'CAPTURED', content = '{}' where order_key = 'P1'");
    expect((await json<Page<Order>>(['orders', '--status', 'AUTHORIZED'], env)).items).toHaveLength(1);
    expect(await json(['rebuild'], env)).toEqual({ orders: 2, changed: 1 });
    expect((await here(['rebuild'], env)).out).toBe('Derived 2 orders again; none changed.\n');
    expect((await json<Page<Order>>(['orders', '--status', 'AUTHORIZED'], env)).items).toHaveLength(2);
  });
});

describe('redrive', () => {
  test('applies again: those of an outcome, one, or all, also when applied before', async () => {
    const { env, store } = place();
    await store(notified(payment()), failedCapture());
    expect(await json(['orders', 'P1'], env)).toMatchObject({ status: 'AUTHORIZED', fulfillable: false });
    expect(await json(['redrive', '--outcome', 'FAILED'], env)).toEqual({
      redriven: 1,
      outcomes: { APPLIED: 1, UNHANDLED: 0, MALFORMED: 0, FAILED: 0 },
      withoutBytes: 0,
      held: 0,
    });
    expect(await json(['orders', 'P1'], env)).toMatchObject({ status: 'CAPTURED', fulfillable: true });
    expect(await json(['redrive', '--id', PAYMENT], env)).toEqual({ outcome: 'APPLIED' });
    expect((await here(['redrive', '--all'], env)).out).toBe('Applied 2 notifications again.\nAPPLIED  2\n');
    expect(await here(['redrive', '--id', 'f'.repeat(64)], env)).toMatchObject({ code: 1, out: '' });
  });

  test('refuses a client without an id as usage, 64', async () => {
    await place().store();
    expect(await here(['redrive', '--all', '--client', CLIENT], place().env)).toMatchObject({
      code: 64,
      err: expect.stringContaining('--client goes with --id'),
    });
  });

  test('exits with 1 where one FAILED, be it asked for by its id', async () => {
    const { env, store, opened } = place();
    const fault = { resultStatus: 'S', resultCode: 'FAULT', resultMessage: '' };
    await store(notified(payment({ result: fault })));
    const own = await opened();
    /** As a program would whose handlers have a bug. */
    const reapply: Store['reapply'] = async (all, now) =>
      await own.reapply(
        all.map(({ stored }) => readAgain(stored, failingHandlers)),
        now,
      );
    const openStore = async (): Promise<Store> => ({ ...own, reapply, close: async () => undefined });
    for (const words of [['--id', idOf(JSON.stringify(payment({ result: fault })))], ['--all']]) {
      const { code, out } = await runHere(['redrive', ...words], { env, ask: null, openStore });
      expect([code, out]).toEqual([1, expect.stringMatching(/FAILED/)]);
    }
  });

  test('passes over what has no bytes any more, and says so', async () => {
    const { env, store } = place();
    await store(notified(payment()));
    sql(place(), 'delete from raw_batches');
    expect(await here(['redrive', '--id', PAYMENT], env)).toMatchObject({
      code: 1,
      err: expect.stringContaining('have been removed'),
    });
    expect((await here(['redrive', '--all'], env)).out).toContain('1 notification passed over');
    expect((await here(['notifications', PAYMENT, '--raw'], env)).code).toBe(1);
    expect((await here(['verify-store'], env)).out).toContain('1 notification passed over');
  });
});

describe('verify-store', () => {
  test('counts a notification whose bytes cannot be read as failed', async () => {
    const { env, store } = place();
    await store(notified(payment()));
    sql(place(), "update raw_batches set packed = x'00'");
    const { code, out } = await here(['verify-store', '--json'], env);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      verified: 0,
      failed: [{ clientId: CLIENT, id: PAYMENT, reason: null }],
      withoutBytes: 0,
      flaws: [{ problem: expect.stringContaining('cannot be unpacked') }],
    });
  });

  test('verifies every notification with the keys of today, and finds one byte that changed on disk', async () => {
    const { env, store } = place();
    await store(notified(payment()), notified(capture()));
    expect(await here(['verify-store'], env)).toMatchObject({
      code: 0,
      out: '2 notifications verified; none failed.\n6 rows checked; nothing wrong.\n',
    });
    const underAnother = await here(['verify-store', '--json'], { ...env, ANTOM_PUBLIC_KEY: OTHER_PUBLIC_KEY });
    expect(underAnother.code).toBe(1);
    expect(JSON.parse(underAnother.out)).toMatchObject({
      verified: 0,
      failed: [
        { clientId: CLIENT, id: PAYMENT, reason: 'SIGNATURE_MISMATCH' },
        { clientId: CLIENT, id: CAPTURE, reason: 'SIGNATURE_MISMATCH' },
      ],
      withoutBytes: 0,
      flaws: [],
    });
    changeOneByte(place(), '"120"', '"121"');
    expect(await here(['verify-store'], env)).toMatchObject({
      code: 1,
      out: expect.stringMatching(
        new RegExp(
          `${CLIENT} +${CAPTURE} +SIGNATURE_MISMATCH\n\n` +
            'What to do: .*\n\n' +
            `notifications: position 2, client_id ${CLIENT}, digest ${CAPTURE}\n` +
            '  the body is not the one of its digest\n  What to do: take the row from a backup.*\n\n' +
            '1 notification verified; 1 failed\\.\n6 rows checked; 1 wrong\\.\n$',
        ),
      ),
    });
  });

  test.each([
    ['another key', `2:${OTHER_PUBLIC_KEY}`, CLIENT, 'UNKNOWN_KEY_VERSION'],
    ['another client', OTHER_PUBLIC_KEY, 'T_new', 'UNKNOWN_CLIENT'],
  ])('says why nothing verifies under %s, and verifies by the old key too where it is given', async (_, ...now) => {
    const [key, clientId, reason] = now;
    const { env, store, opened } = place();
    await store(notified(payment()));
    const keys = new Map([[clientId, [readKey(key)]]]);
    const rest = { version: '', node: '', startedAt: '', notifyPaths: [], publicUris: [], configuration: {} };
    await rememberService(await opened(), { ...rest, clients: storedClientsOf(keys) });
    const { DATABASE_URL } = env;
    const { code, out } = await here(['verify-store'], { DATABASE_URL });
    expect(code).toBe(1);
    expect(out).toMatch(new RegExp(`^CLIENT +DOES NOT VERIFY +WHY\\n${CLIENT} +${PAYMENT} +${reason}\\n`));
    expect(out).toContain('What to do: where a key');
    expect(await here(['verify-store'], env)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^1 notification v/),
    });
  });

  test.each([
    ['a statement', `update notifications set statements = replace(statements, '120', '130')`],
    ['a statement that is no JSON any more', `update notifications set statements = replace(statements, '{', '[')`],
    ['an identifier', `update identifiers set value = 'R2' where value = 'R1'`],
    ['an order', `update orders set attention = ' AMOUNT_UNKNOWN '`],
  ])('says what to do about %s, and that puts it right', async (_, change) => {
    const { env, store } = place();
    await store(notified(payment()), notified(capture()));
    sql(place(), change);
    const { code, out } = await here(['verify-store'], env);
    expect(code).toBe(1);
    for (const [, position] of out.matchAll(/set statements to null where position = (\d+)/g))
      sql(place(), `update notifications set statements = null where position = ${position}`);
    const commands = new Set([...out.matchAll(/run `paynotify ([^`]+)`/g)].map(([, words = '']) => words));
    expect(commands.size).toBeGreaterThan(0);
    for (const words of commands) expect(await here(words.split(' '), env)).toMatchObject({ code: 0 });
    expect(await here(['verify-store'], env)).toMatchObject({ code: 0 });
    expect(await json(['orders', 'P1'], env)).toMatchObject({ status: 'CAPTURED', capturedAmount: { value: '120' } });
  });

  test('passes the orders over while the service has not derived all of them by its rules, and says so', async () => {
    const { env, store } = place();
    await store(notified(payment()));
    sql(
      place(),
      `insert into settings values ('rules', '${writeRules({ number: 1, derivation: DERIVATION, rules: RULES })}')`,
    );
    const { code, out } = await here(['verify-store'], env);
    expect(code).toBe(0);
    expect(out).toContain('has not derived all of them by the rules in force yet');
    sql(place(), `insert into settings values ('derived', '${nameOfRules(RULES)}')`);
    // By other rules than those by which they were stored.
    expect((await here(['verify-store'], env)).code).toBe(1);
    expect(await here(['rebuild'], env)).toMatchObject({ code: 0, out: 'Derived 1 order again; 1 changed.\n' });
    expect((await here(['verify-store'], env)).code).toBe(0);
  });
});

describe('backup', () => {
  test('makes a database that reads as the original does, for its owner alone, and overwrites nothing', async () => {
    const { env, store, directory } = place();
    await store(notified(payment()), notified(capture()));
    const file = join(directory, 'copy.db');
    const { bytes } = await json<{ bytes: number }>(['backup', file], env);
    expect(statSync(file).size).toBe(bytes);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const copy = { ...env, DATABASE_URL: `sqlite:${file}` };
    expect(await json(['orders'], copy)).toEqual(await json(['orders'], env));
    expect((await here(['verify-store'], copy)).code).toBe(0);

    const precious = join(directory, 'precious');
    writeFileSync(precious, 'precious');
    expect(await here(['backup', precious], env)).toMatchObject({
      code: 1,
      err: `error: ${precious} exists, and is not overwritten\n`,
    });
    expect(statSync(precious).size).toBe(8);
    expect(await here(['backup', join(directory, 'no', 'where')], env)).toMatchObject({
      code: 1,
      err: expect.stringContaining('cannot be written: ENOENT'),
    });
  });
});
