import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { paymentsOfRefund } from '../../src/reconcile/payments-of-refund.ts';
import { openStore } from '../../src/store/open.ts';
import type { InquiryPlan, Store } from '../../src/store/store.ts';
import { captureResult, CLIENT, type Fields, jpy, paymentResult, refundResult } from '../support/facts.ts';
import { makeDirectory, removeDirectories } from '../support/receiver.ts';
import { record, RULES, T0 } from '../store/support.ts';

const NOW = 1_000;
const BY_METHOD = { ...RULES, captureRequired: 'methods' } as const;
const refunded = (refundRequestId: string, value: string): Fields =>
  refundResult('S', { refundRequestId, refundId: `F-${refundRequestId}`, refundAmount: jpy(value) });
/** By a wallet: no capture follows. */
const paid = (paymentId: string, paymentAmount: Fields, resultStatus: 'S' | 'U' = 'S'): Fields =>
  paymentResult(resultStatus, {
    paymentId,
    paymentRequestId: `R-${paymentId}`,
    paymentMethodType: 'ALIPAY_CN',
    paymentAmount,
  });
const OTHERS = Array.from({ length: 20 }, (_, index) => `P${index}`);

let store: Store;
beforeAll(async () => {
  const databaseUrl = `sqlite:${join(makeDirectory(), 'paynotify.db')}`;
  store = (await openStore({ databaseUrl, rules: BY_METHOD, allowUnsafeDatabase: false })).own;
  const joined = { clientId: CLIENT, refundRequestId: 'G-joined', paymentId: 'P-rest', paymentRequestId: null };
  await store.registerRefund(joined, { replace: false, now: T0 });
  await record(
    store,
    // The newest are listed first: without a rank these would be the last.
    paid('P-exact', jpy('30')),
    paid('P-rest', jpy('50')),
    refunded('G-joined', '20'),
    paid('P-less', jpy('29')),
    paid('P-other', { currency: 'HKD', value: '30' }),
    paid('P-undecided', jpy('100'), 'U'),
    captureResult('S', { paymentId: 'P-undecided', captureId: 'C-undecided', captureAmount: jpy('100') }),
  );
  await record(store, ...OTHERS.map((id) => paid(id, jpy('100'))), refunded('G1', '30'));
});
afterAll(async () => {
  await store.close();
  removeDirectories();
});

const plansOf = async (id: string, round = 1): Promise<readonly InquiryPlan[]> =>
  await paymentsOfRefund(store, { clientId: CLIENT, id }, { round, now: NOW });
const idsOf = (plans: readonly InquiryPlan[]): readonly string[] => plans.map(({ key }) => key.id);

test('the payments are asked of which its very amount is left, then 20 a round of those of which more is', async () => {
  const captured = { clientId: CLIENT, status: 'CAPTURED', nextAction: null, attention: null } as const;
  const listed = await store.listOrders({ ...captured, referenceOrderId: null }, { limit: 99, cursor: null });
  expect(listed.items).toHaveLength(25);
  const [first, second] = [await plansOf('G1', 1), await plansOf('G1', 2)];
  expect(first).toHaveLength(20);
  expect(idsOf(first).slice(0, 2).toSorted()).toEqual(['P-exact', 'P-rest']);
  // Not what has less left or another currency, nor what is asked about for a reason of its own.
  expect([...idsOf(first), ...idsOf(second)].toSorted()).toEqual(['P-exact', 'P-rest', ...OTHERS].toSorted());
  expect(await plansOf('G1', 3)).toEqual([]);
  expect(second[0]).toEqual({
    key: { clientId: CLIENT, about: 'order', id: expect.any(String) },
    position: '0',
    why: 'refund of it',
    dueAt: NOW,
  });
});

test('no payment is asked about a refund that has found its own', async () => {
  expect(await plansOf('G-joined')).toEqual([]);
});
