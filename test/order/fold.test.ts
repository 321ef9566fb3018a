import { expect, test } from '@jest/globals';
import { type Derivation, deriveOrder } from '../../src/order/order.ts';
import { foldCaptures } from '../../src/store/fold.ts';
import type { OrderEvidence } from '../../src/order/evidence.ts';
import type { StoredOrder } from '../../src/store/stored-order.ts';
import { amount, captureResult, type Fields, jpy, result } from '../support/facts.ts';
import { drawn, numbersFrom, oneOf, same } from './comparison.ts';
import { reviewOf } from './reviewed.ts';
import { CONFIGURATIONS, INSTANTS, REGISTRATIONS } from './settings.ts';
import { evidenceOf, type Fact, FACTS, MORE_FACTS, notified } from './table.ts';

/* An order whose captures are folded says what it says unfolded, but for the captures themselves and the wording. */

const CODES = ['PARAM_ILLEGAL', 'AUTH_EXPIRED', 'PROCESS_FAIL'];
const TIMES = [
  undefined,
  '2025-05-17T00:00:00Z',
  '2025-05-18T00:00:00Z',
  '2025-06-01T00:00:00',
  '2025-05-19T00:00:00Z',
];
const AMOUNTS: readonly (Fields | undefined)[] = [jpy('1'), jpy('2'), jpy('3'), jpy('1'), jpy('2'), jpy('0')];

/** A capture, one in so many of which is of a rarer sort. */
const capture = (number: number, next: () => number): Fact => {
  const rarely = (): boolean => next() < 0.05;
  const failed = rarely();
  const fields: Record<string, unknown> = {
    captureId: `M${number}`,
    captureRequestId: `N${rarely() ? number - 1 : number}`,
    captureAmount: rarely() ? amount('USD', '2') : oneOf(AMOUNTS, next),
    captureTime: oneOf(TIMES, next),
    ...(failed ? { result: result('F', oneOf(CODES, next)) } : {}),
  };
  // Some shops' captures are known by one id only; in a few orders by the one and by the other.
  if (next() < 0.3) delete fields['captureRequestId'];
  else if (rarely()) delete fields['captureId'];
  return notified(`capture ${number}`, captureResult(failed ? 'F' : 'S', fields));
};

/** What folding may not change. */
const told = ({ order, dueAt, settleable, captured }: Derivation) => {
  const { captures: _captures, attention, ...rest } = order;
  return { ...rest, attention: attention.map(({ code, settled }) => ({ code, settled })), dueAt, settleable, captured };
};

const folded = (evidence: OrderEvidence): OrderEvidence =>
  foldCaptures({
    clientId: evidence.clientId,
    orderKey: 'P1',
    evidence,
    notifications: [],
    before: null,
    exists: true,
    createdAt: 0,
    replaces: null,
    row: null,
  } satisfies StoredOrder).evidence;

test('1,000 orders of 34 to 60 captures, with a review and without', () => {
  let folds = 0;
  const differing = Array.from({ length: 1000 }, (_, number) => number).flatMap((number) => {
    const next = numbersFrom(`fold ${number}`);
    const captures = Array.from({ length: 34 + Math.floor(next() * 27) }, (_, index) => capture(index, next));
    const facts = drawn(
      [...FACTS, ...MORE_FACTS].filter(({ name }) => name !== 'shared identity'),
      3,
      next,
    );
    const [, rules] = oneOf(CONFIGURATIONS, next);
    const [, registered] = oneOf(REGISTRATIONS, next);
    const before = evidenceOf([...captures.slice(1), ...facts.slice(1)], registered);
    const decision = oneOf(['CLOSE', 'FULFIL'] as const, next);
    const given = next() < 0.5 ? null : reviewOf(deriveOrder(before, rules, INSTANTS[0]!), decision);
    const evidence = { ...evidenceOf([...captures, ...facts], registered), review: given };
    const inFold = folded(evidence);
    folds += Number(inFold.statements.length < evidence.statements.length);
    const now = oneOf(INSTANTS, next);
    const [one, other] = [told(deriveOrder(evidence, rules, now)), told(deriveOrder(inFold, rules, now))];
    return same(one, other) ? [] : [{ number, one, other }];
  });
  expect(differing[0]?.other).toEqual(differing[0]?.one);
  expect(differing.map(({ number }) => number)).toEqual([]);
  // Not all are: fewer than 33 of their captures may be alike enough.
  expect(folds).toBeGreaterThan(500);
});
