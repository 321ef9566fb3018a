import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { createChance } from '../../src/sandbox/chance.ts';
import { openLedgerFile } from '../../src/sandbox/ledger-file.ts';
import { ACKNOWLEDGEMENT } from '../support/client.ts';
import type { Fields } from '../support/facts.ts';
import { makeDirectory, removeDirectories } from '../support/receiver.ts';
import { type Called, jpy, type LedgerPayment, listenAsMerchant, payment, type Served, serve } from './support.ts';

afterAll(removeDirectories);

/** All that does not depend on when the merchant acts. */
const EVERYTHING = {
  duplicates: 0.2,
  reordered: 0.2,
  lost: 0.2,
  captureFirst: 0.3,
  wrongAmounts: 0.1,
  pending: 0.2,
  declines: 0.2,
  processing: 0.3,
  failedCaptures: 0.2,
  failing: 0.1,
  unsigned: 0.05,
  badlySigned: 0.05,
};

const AMOUNT = 1_000;
const METHODS = ['CARD', 'CARD', 'CARD', 'PAYPAL', 'GCASH'] as const;

/** As a client does: the same request again until there is an answer that can be believed, and is final. */
const untilFinal = async (sandbox: Served, operation: string, body: Fields): Promise<Called> => {
  for (;;) {
    const called = await sandbox.call(operation, body).then(
      (answer) => answer,
      () => null,
    );
    if (called?.status === 200 && called.signed === 'well' && !called.outcome.startsWith('U')) return called;
    if (called?.outcome.includes('IN_PROCESS')) await sandbox.quiet();
  }
};

/** What the merchant knows from the answers alone. */
interface Account {
  readonly id: string;
  readonly isPaid: boolean;
  captured: number;
  refunded: number;
  isCancelled: boolean;
}

/** One payment, and what a merchant does about it, drawn by its number. */
const trade = async (sandbox: Served, index: number): Promise<Account> => {
  const chance = createChance(11);
  const id = `R${index}`;
  const draw = (what: string): number => chance.draw(what, id);
  const as = METHODS[index % METHODS.length] ?? 'CARD';
  const captureMode = draw('mode') < 0.5 ? 'AUTOMATIC' : 'MANUAL';
  const paid = await untilFinal(sandbox, 'pay', payment(id, { paymentFactor: { captureMode } }, { as }));
  const isPaid = paid.outcome === 'S SUCCESS';
  const account: Account = { id, isPaid, captured: 0, refunded: 0, isCancelled: false };
  const paymentId = paid.json['paymentId'];
  if (as === 'GCASH') account.captured = isPaid ? AMOUNT : 0;
  else if (captureMode === 'AUTOMATIC') account.captured = isPaid ? await askedFor(sandbox, id) : 0;
  if (!isPaid) return account;
  // More than there is, too.
  for (const nth of captureMode === 'MANUAL' ? [0, 1, 2] : []) {
    const value = Math.ceil(draw(`capture ${nth}`) * 700);
    const body = { captureRequestId: `${id}-C${nth}`, paymentId, captureAmount: jpy(value) };
    const { outcome } = await untilFinal(sandbox, 'capture', body);
    if (outcome === 'S SUCCESS') account.captured += value;
  }
  if (draw('cancel') < 0.6) {
    const { outcome } = await untilFinal(sandbox, 'cancel', { paymentId });
    account.isCancelled = outcome === 'S SUCCESS';
  }
  for (let nth = 0; nth < 2; nth += 1) {
    const value = Math.ceil(draw(`refund ${nth}`) * 600);
    const body = { refundRequestId: `${id}-F${nth}`, paymentId, refundAmount: jpy(value) };
    const { outcome } = await untilFinal(sandbox, 'refund', body);
    if (outcome === 'S SUCCESS') account.refunded += value;
  }
  return account;
};

/** What was captured by itself, as the inquiry says. */
const askedFor = async (sandbox: Served, id: string): Promise<number> => {
  await sandbox.quiet();
  const { json } = await untilFinal(sandbox, 'inquiryPayment', { paymentRequestId: id });
  const transactions = (json['transactions'] ?? []) as readonly Fields[];
  const captured = transactions.filter(
    ({ transactionType, transactionStatus }) => transactionType === 'CAPTURE' && transactionStatus === 'SUCCESS',
  );
  return captured.length * AMOUNT;
};

const run = async (): Promise<{ readonly accounts: readonly Account[]; readonly ledger: readonly LedgerPayment[] }> => {
  const merchant = await listenAsMerchant((nth) => ({ status: nth % 5 === 0 ? 503 : 200, body: ACKNOWLEDGEMENT }));
  const sandbox = await serve({ shares: EVERYTHING, seed: 2_026, speed: 5_000, notifyUrl: merchant.url });
  const accounts: Account[] = [];
  for (let index = 0; index < 16; index += 1) accounts.push(await trade(sandbox, index));
  await sandbox.quiet();
  return { accounts, ledger: await sandbox.ledger() };
};

/** What is the same in every run of a seed: all but ids of a date, and times. */
const fateOf = ({ paymentRequestId, result, gone, captures, refunds, moved }: LedgerPayment): Fields => ({
  paymentRequestId,
  result,
  gone: gone?.['by'],
  captures: captures.map(({ captureRequestId, result: of }) => [captureRequestId, of]),
  refunds: refunds.map(({ refundRequestId, result: of }) => [refundRequestId, of]),
  paid: moved.paid,
  returned: moved.returned,
});

describe('the ledger', () => {
  test('says what the merchant was truly told, whatever misbehaved; and a seed repeats it', async () => {
    const { accounts, ledger } = await run();
    expect(ledger).toHaveLength(accounts.length);
    for (const { id, isPaid, captured, refunded, isCancelled } of accounts) {
      const entry = ledger.find(({ paymentRequestId }) => paymentRequestId === id);
      const { authorized, paid, returned, taken, kept } = entry?.moved ?? ({} as LedgerPayment['moved']);
      const isWallet = isCancelled && captured > 0;
      expect({ id, authorized, paid, returned }).toEqual({
        id,
        authorized: isPaid ? '1000' : '0',
        paid: String(captured),
        returned: String(isWallet ? captured : refunded),
      });
      expect(Number(paid)).toBeLessThanOrEqual(AMOUNT);
      expect(Number(kept)).toBe(Number(paid) - Number(returned) - Number(taken));
      expect(Number(returned)).toBeLessThanOrEqual(Number(paid));
    }
    // The run is worth its name.
    const fates = ledger.map(fateOf);
    expect(ledger.filter(({ gone }) => gone !== null).length).toBeGreaterThan(0);
    expect(accounts.filter(({ isPaid }) => !isPaid).length).toBeGreaterThan(0);
    expect(accounts.filter(({ refunded }) => refunded > 0).length).toBeGreaterThan(0);
    const again = await run();
    expect(again.ledger.map(fateOf)).toEqual(fates);
  });
});

describe('its file', () => {
  test('is gone on with: what was answered stays answered, what was under way ends', async () => {
    const file = join(makeDirectory(), 'ledger');
    const before = await serve({ ledgerFile: openLedgerFile(file), speed: 1 });
    const { json } = await before.call('pay', payment('R1'));
    const paymentId = json['paymentId'];
    const capture = { captureRequestId: 'C1', paymentId, captureAmount: jpy(600) };
    const first = await before.call('capture', capture);
    await before.control('POST', '/answers', { operation: 'capture', resultCode: 'CAPTURE_IN_PROCESS' });
    const underWay = { ...capture, captureRequestId: 'C2', captureAmount: jpy(400) };
    await before.call('capture', underWay);
    await before.call('pay', payment('R2', {}, { resultCode: 'PAYMENT_IN_PROCESS' }));
    await before.call('refund', { refundRequestId: 'F1', paymentId, refundAmount: jpy(601) });
    await before.stop();
    // Killed in the middle of a line.
    appendFileSync(file, '{"payment":{"paymentId":"torn');

    const after = await serve({ ledgerFile: openLedgerFile(file) });
    await after.quiet();
    expect((await after.call('capture', capture)).text).toBe(first.text);
    expect((await after.call('capture', underWay)).outcome).toBe('S SUCCESS');
    expect((await after.call('pay', payment('R2', {}, { resultCode: 'PAYMENT_IN_PROCESS' }))).outcome).toBe(
      'S SUCCESS',
    );
    expect((await after.call('inquiryRefund', { refundRequestId: 'F1' })).json['refundStatus']).toBe('FAIL');
    expect((await after.ledger()).map(({ moved }) => moved.paid)).toEqual(['1000', '0']);
    expect(readFileSync(file, 'utf8')).not.toContain('torn');
  });

  test('has to be one', () => {
    const file = join(makeDirectory(), 'ledger');
    writeFileSync(file, 'something else\n');
    expect(() => openLedgerFile(file)).toThrow(SyntaxError);
  });
});
