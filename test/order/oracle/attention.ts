import type { AttentionCode } from '../../../src/order/attention-code.ts';
import type { OrderEvidence } from '../../../src/order/evidence.ts';
import type { Result } from '../../../src/order/statement.ts';
import {
  countsAsPaid,
  describe,
  type Facts,
  factsOf,
  GONE_CODES,
  says,
  saysClosed,
  succeeded,
  tookMoney,
} from './facts.ts';
import type { Captured, Disputed, Refunded } from './movements.ts';
import { distinctNames, largestOf, nameOf, stated } from './spoken.ts';

/* order.md, *Attention*: the table, line by line. */

export interface Noted {
  readonly code: AttentionCode;
  readonly blocks: boolean;
  readonly review: boolean;
  /** What decides it: amounts, and identifiers with their state. */
  readonly values: string;
}

export const HOUR = 3_600_000;
export const WARNING = 48 * HOUR;

/** What decides a code: null where it does not hold. */
type Decided = string | null;

const when = (holds: boolean, ...values: readonly unknown[]): Decided => (holds ? values.join(', ') : null);

const lines = (found: readonly string[]): Decided => when(found.length > 0, ...found);

/** Amounts alone decide here, for there may be thousands of captures; one without an amount is AMOUNT_UNKNOWN. */
const amountsOf = (moved: readonly (Captured | Refunded)[]): string =>
  moved
    .flatMap(({ amount, spoken }) => (amount === null ? [] : [`${spoken[0]?.about} ${nameOf(amount)}`]))
    .sort()
    .join(' ');

/** A failure has a state of its own for each reason. */
const failureCodesOf = (spoken: readonly { readonly result: Result }[]): string =>
  [...new Set(spoken.flatMap(({ result }) => (result.resultStatus === 'F' ? [String(result.resultCode)] : [])))]
    .sort()
    .join(' ');

/** While it is in doubt what was paid, each further refund asks again. */
const inDoubt = ({ refunds }: Facts, found: readonly string[]): Decided => {
  const refunded = amountsOf(refunds.filter(({ verdict }) => verdict === 'S'));
  return found.length === 0 || refunded === '' ? lines(found) : lines([...found, `refunded ${refunded}`]);
};

const contradictoryResult = (facts: Facts): Decided => {
  const { results, cancelled, captures, refunds } = facts;
  const failures = results.filter(({ result }) => result.resultStatus === 'F');
  const isExcused = cancelled && failures.every(saysClosed);
  const inTwo = [...captures, ...refunds].filter(({ spoken }) =>
    (['S', 'F'] as const).every((status) => spoken.some(({ result }) => result.resultStatus === status)),
  );
  const why = failureCodesOf(failures);
  return inDoubt(facts, [
    ...(says(results, 'S') && failures.length > 0 && !isExcused ? [`payment ${why}`] : []),
    ...inTwo.map(({ ids, requestIds, spoken }) => [...ids, '/', ...requestIds, failureCodesOf(spoken)].join('+')),
    ...(failures.length > 0 && succeeded(captures).length > 0
      ? [`captured ${amountsOf(succeeded(captures))} ${why}`]
      : []),
  ]);
};

const contradictoryAmount = (facts: Facts): Decided => {
  const { resultAmounts, updates, need, captures, refunds } = facts;
  const raised = need.required ? updates.map(nameOf) : [];
  const ofPayment = distinctNames(resultAmounts).filter((name) => !raised.includes(name));
  const ofMoved = [...captures, ...refunds].map((one) => {
    const names = distinctNames(stated(one.spoken.filter(({ result }) => result.resultStatus === 'S')));
    return names.length > 1 ? `${one.ids.join('+')}/${one.requestIds.join('+')}: ${names.join(' ')}` : null;
  });
  return inDoubt(facts, [
    ...(ofPayment.length > 1 ? [`payment: ${ofPayment.join(' ')}`] : []),
    ...ofMoved.filter((one) => one !== null),
  ]);
};

const contradictoryIdentity = (facts: Facts): Decided => {
  const { evidence, payments, captures, refunds, registration } = facts;
  const requests = [...new Set(payments.flatMap(({ paymentRequestId }) => paymentRequestId ?? []))].sort();
  const several = [...captures, ...refunds].filter(({ ids, requestIds }) => ids.length > 1 || requestIds.length > 1);
  const byId = succeeded(captures).filter(({ requestIds }) => requestIds.length === 0);
  const byRequestId = succeeded(captures).filter(({ ids }) => ids.length === 0);
  const elsewhere = refunds.flatMap(({ spoken }) =>
    spoken.flatMap(({ paymentId }) => (paymentId === undefined || paymentId === evidence.paymentId ? [] : [paymentId])),
  );
  return inDoubt(facts, [
    ...[...new Set(evidence.sharedIdentities)].sort(),
    ...(requests.length > 1 ? [...requests, `for ${registration?.referenceOrderId}`] : []),
    ...several.map(({ ids, requestIds }) => [...ids, '/', ...requestIds].join('+')),
    ...(byId.length > 0 && byRequestId.length > 0 ? [...byId, ...byRequestId].map(describe) : []),
    ...[...new Set(elsewhere)].sort(),
  ]);
};

const amountMismatch = ({ paymentAmount, expected, resultAmounts, updates }: Facts): Decided => {
  if (paymentAmount === null || expected === null) return null;
  const raised = new Set(updates.map(nameOf));
  const before = largestOf(resultAmounts.filter((one) => !raised.has(nameOf(one))));
  const matches = [nameOf(paymentAmount), ...(before === null ? [] : [nameOf(before)])].includes(nameOf(expected));
  return when(!matches, nameOf(expected), nameOf(paymentAmount));
};

const currencyMismatch = ({ currency, captures, refunds, updates }: Facts): Decided => {
  if (currency === null) return null;
  const foreign = [...captures, ...refunds].filter(
    ({ verdict, amount }) => verdict === 'S' && amount !== null && amount.currency !== currency,
  );
  return lines([
    ...(foreign.length > 0 ? [amountsOf(foreign)] : []),
    ...distinctNames(updates.filter((one) => one.currency !== currency)).map((name) => `update ${name}`),
  ]);
};

/** What is expected decides too where no payment's amount is known, and what was refunded: more of it leaves less. */
const amountUnknown = ({ results, captures, refunds, paymentAmount, expected }: Facts): Decided => {
  const successes = results.filter(({ result }) => result.resultStatus === 'S');
  const isUnknown = successes.length > 0 && !stated(successes).some(({ value }) => value > 0n);
  const refunded = refunds.filter(({ verdict }) => verdict === 'S');
  const unknown = [
    ...(isUnknown ? ['payment'] : []),
    ...[...succeeded(captures), ...refunded]
      .filter(({ amount }) => amount === null || amount.value === 0n)
      .map(describe),
  ];
  if (unknown.length === 0) return null;
  return lines([
    ...unknown,
    ...(paymentAmount === null && expected !== null ? [`expected ${nameOf(expected)}`] : []),
    ...(amountsOf(refunded) === '' ? [] : [`refunded ${amountsOf(refunded)}`]),
  ]);
};

const duplicates = (facts: Facts): Decided => {
  if (!countsAsPaid(facts)) return null;
  return lines(paidSiblings(facts).map(({ paymentId, review }) => `${paymentId} ${review?.decision === 'FULFIL'}`));
};

/** Other payments of the shop order that count as in DUPLICATE_PAYMENT. */
export const paidSiblings = ({ evidence, rules }: Facts): readonly OrderEvidence[] =>
  evidence.siblings.payments
    .filter((sibling) => countsAsPaid(factsOf(sibling, rules, sibling.review)))
    .sort((a, b) => ((a.paymentId ?? '') < (b.paymentId ?? '') ? -1 : 1));

const named = ({ shown, state, judged, largest }: Disputed): string =>
  `${shown.disputeId} ${state} ${tookMoney(state) ? nameOf(judged) : ''} ${nameOf(largest)}`;

const disputed = (facts: Facts): Decided =>
  inDoubt(
    facts,
    facts.disputes
      .filter(
        ({ state, isRequest }) =>
          !isRequest && (state === 'OPEN' || state === 'DEFENDED' || (tookMoney(state) && !facts.allGone)),
      )
      .map(named),
  );

/** What took the money, each by all of its names. */
const takers = ({ refunds, disputes }: Facts): readonly string[] => [
  ...refunds
    .filter(({ verdict }) => verdict === 'S')
    .map(({ ids, requestIds }) => [...ids, '/', ...requestIds].join('+')),
  ...disputes.filter(({ state }) => tookMoney(state)).map(named),
];

const refundFailed = ({ refunds, allGone }: Facts): boolean => {
  const successes = refunds.filter(({ verdict }) => verdict === 'S').map(({ amount }) => amount);
  const isMadeUp = (name: string) => successes.some((amount) => amount !== null && nameOf(amount) === name);
  return refunds.some(({ verdict, amount }) => verdict === 'F' && !isMadeUp(nameOf(amount))) && !allGone;
};

const isExpired = ({ status, remaining, expiresAt, failed }: Facts, now: number): boolean => {
  if (remaining === null || remaining.value === 0n) return false;
  const isLapsed = expiresAt !== null && now >= expiresAt;
  return isLapsed || (status === 'PARTIALLY_CAPTURED' && GONE_CODES.has(failed[0]?.code ?? ''));
};

const isExpiring = ({ remaining, expiresAt }: Facts, now: number): boolean =>
  expiresAt !== null && now >= expiresAt - WARNING && now < expiresAt && remaining !== null && remaining.value > 0n;

/** What attention an order asks for at one instant, in the table's order. */
export const attentionAt = (facts: Facts, now: number): readonly Noted[] => {
  const { evidence, rules, registration, status, captures, paid, gone, currency, allGone, due, captured, disputes } =
    facts;
  const noted: Noted[] = [];
  const note = (code: AttentionCode, values: Decided, marks: Partial<Noted> = {}): void => {
    if (values !== null) noted.push({ code, values, blocks: false, review: false, ...marks });
  };
  const BOTH = { blocks: true, review: true };
  const ONCE_CAPTURED = { blocks: true, review: status === 'CAPTURED' };
  const isOver = due !== null && due.value > 0n && captured !== null && captured.value > due.value;
  const isCancelledButCaptured =
    (registration?.cancelled === true || facts.inquiredCancelled) &&
    succeeded(captures).length > 0 &&
    !(allGone && !facts.isFulfilledThough);
  const cancelledBy = [registration?.cancelled === true, facts.inquiredCancelled];
  const isKnown = says(facts.results, 'S') || captures.length > 0;
  note('CONTRADICTORY_RESULT', contradictoryResult(facts), BOTH);
  note('CONTRADICTORY_AMOUNT', contradictoryAmount(facts), BOTH);
  note('CONTRADICTORY_IDENTITY', contradictoryIdentity(facts), BOTH);
  note('AMOUNT_MISMATCH', amountMismatch(facts), BOTH);
  note('CURRENCY_MISMATCH', currencyMismatch(facts), BOTH);
  note('OVER_CAPTURED', when(isOver, currency, captured?.value, due?.value), BOTH);
  note('AMOUNT_UNKNOWN', amountUnknown(facts), ONCE_CAPTURED);
  note('UNREADABLE_NOTIFICATION', lines(evidence.problems.map(({ digest }) => digest).sort()), BOTH);
  note('DUPLICATE_PAYMENT', duplicates(facts), BOTH);
  note('CANCELLED_BUT_CAPTURED', when(isCancelledButCaptured, nameOf(captured), ...cancelledBy), BOTH);
  note('OVER_REFUNDED', when(isKnown && gone > paid, currency, gone, paid), BOTH);
  note('DISPUTED', disputed(facts), BOTH);
  note('UNREGISTERED', when(rules.requireRegistration && registration === null), ONCE_CAPTURED);
  note('SANDBOX', when(rules.production && evidence.clientId.startsWith('SANDBOX_')), { blocks: true });
  note('REFUNDED', when(allGone, currency, gone, ...takers(facts)), { blocks: true });
  note('PARTIALLY_REFUNDED', when(gone > 0n && !allGone));
  note('REFUND_FAILED', when(refundFailed(facts)));
  note('DOCUMENTS_REQUESTED', when(disputes.some(({ state, isRequest }) => isRequest && state === 'OPEN')));
  note('CAPTURE_FAILED', when(facts.failed.length > 0 && status !== 'CAPTURED'));
  note('CAPTURE_UNDECIDED', when(facts.need.rule === 6 && status === 'AUTHORIZED'), {
    review: now >= evidence.newestAt + HOUR,
  });
  note('CAPTURE_UNEXPECTED', when(facts.need.unexpected));
  note('AUTHORIZATION_EXPIRING', when(isExpiring(facts, now) && !isExpired(facts, now)));
  note('AUTHORIZATION_EXPIRED', when(isExpired(facts, now), facts.remaining?.value), {
    review: status === 'PARTIALLY_CAPTURED',
  });
  return noted;
};
