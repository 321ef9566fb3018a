import type { AttentionCode } from '../../../src/order/attention-code.ts';
import type { Order } from '../../../src/order/order.ts';
import type { PaymentEntry } from '../../../src/sandbox/ledger.ts';
import { type Left, type Move, nameOf } from './acting.ts';
import type { Told } from './apo.ts';

/** What has to be true in the end, worked out from the sandbox's ledger by sums of its own. */

type Amounted = { readonly amount: { readonly value: string } };
const sum = (items: readonly Amounted[]): number => items.reduce((all, { amount }) => all + Number(amount.value), 0);

type Result = PaymentEntry['result'];
const succeeded = <T extends { readonly result: Result }>(items: readonly T[]): readonly T[] =>
  items.filter(({ result }) => result.resultStatus === 'S');
const STATES = { S: 'SUCCEEDED', F: 'FAILED', U: 'PROCESSING' } as const;

/** The state of each dispute by what was told: an inquiry does not show them. */
const disputesOf = (told: readonly Told[]): ReadonlyMap<string, string> => {
  const states = new Map<string, string>();
  const bodies = told
    .filter(({ state }) => state !== 'LOST')
    .map(({ body }) => JSON.parse(body) as Readonly<Record<string, string>>);
  const rank = ['OPEN', 'CANCELLED', 'ACCEPTED', 'WON', 'LOST'];
  for (const { disputeNotificationType: type, disputeId = '', disputeJudgedResult: judged } of bodies) {
    if (type === undefined) continue;
    const judgedState = judged === 'ACCEPT_BY_CUSTOMER' ? 'WON' : 'LOST';
    const state = type === 'DISPUTE_JUDGED' ? judgedState : type === 'DISPUTE_CREATED' ? 'OPEN' : type.slice(8);
    const before = states.get(disputeId) ?? 'OPEN';
    states.set(disputeId, rank.indexOf(state) > rank.indexOf(before) ? state : before);
  }
  return states;
};

const statusOf = ({ result, gone, captureMode, amount }: PaymentEntry, captured: number): string => {
  if (gone !== null) return 'CANCELLED';
  if (result.resultStatus === 'F') return 'FAILED';
  if (captureMode === 'NONE' || captured === Number(amount.value)) return 'CAPTURED';
  return captured > 0 ? 'PARTIALLY_CAPTURED' : 'AUTHORIZED';
};

type Shown = Readonly<Record<string, unknown>>;

/** What the order of a payment has to say. */
const expectedOf = (payment: PaymentEntry, told: readonly Told[]): Shown => {
  const captured = sum(succeeded(payment.captures));
  const refunded = sum(succeeded(payment.refunds));
  const paid = payment.captureMode === 'NONE' ? Number(payment.amount.value) : captured;
  const disputes = disputesOf(told);
  const taken = payment.disputes.filter(({ disputeId }) => /ACCEPTED|LOST/.test(disputes.get(disputeId) ?? ''));
  const isHeld = taken.length > 0 || [...disputes.values()].includes('OPEN');
  const status = statusOf(payment, captured);
  return {
    paymentId: payment.paymentId,
    status,
    fulfillable: status === 'CAPTURED' && !isHeld && refunded < paid,
    captured,
    refunded,
    captures: payment.captures
      .map((one) => `${one.captureId} ${one.captureRequestId} ${STATES[one.result.resultStatus]}`)
      .sort(),
    refunds: payment.refunds
      .map((one) => `${one.refundId} ${one.refundRequestId} ${STATES[one.result.resultStatus]}`)
      .sort(),
    disputes: [...disputes].map(([id, state]) => `${id} ${state}`).sort(),
  };
};

const saidBy = (order: Order): Shown => ({
  paymentId: order.paymentId,
  status: order.status,
  fulfillable: order.fulfillable,
  captured: Number(order.capturedAmount?.value ?? 0),
  refunded: Number(order.refundedAmount?.value ?? 0),
  captures: order.captures.map((one) => `${one.captureId} ${one.captureRequestId} ${one.status}`).sort(),
  refunds: order.refunds.map((one) => `${one.refundId} ${one.refundRequestId} ${one.status}`).sort(),
  disputes: order.disputes.map(({ disputeId, state }) => `${disputeId} ${state}`).sort(),
});

/** Nothing here gives a reason for it. */
const NEVER: ReadonlySet<AttentionCode> = new Set<AttentionCode>([
  'CONTRADICTORY_RESULT',
  'CONTRADICTORY_AMOUNT',
  'CONTRADICTORY_IDENTITY',
  'AMOUNT_MISMATCH',
  'CURRENCY_MISMATCH',
  'OVER_CAPTURED',
  'AMOUNT_UNKNOWN',
  'UNREADABLE_NOTIFICATION',
  'DUPLICATE_PAYMENT',
  'CANCELLED_BUT_CAPTURED',
]);

export interface End {
  readonly ledger: readonly PaymentEntry[];
  readonly told: readonly Told[];
  readonly orders: readonly Order[];
  /** By paymentRequestId. */
  readonly registered: ReadonlySet<string>;
}

/** Where an order says something else than the ledger. */
export const orderBreaches = ({ ledger, told, orders, registered }: End): readonly string[] => {
  const byRequest = new Map(orders.map((order) => [order.paymentRequestId, order]));
  const toldOf = Map.groupBy(told, ({ paymentId }) => paymentId);
  const unknown = orders.length - new Set(ledger.map((one) => byRequest.get(one.paymentRequestId))).size;
  return ledger
    .flatMap((payment): readonly string[] => {
      const of = toldOf.get(payment.paymentId) ?? [];
      const order = byRequest.get(payment.paymentRequestId);
      const name = payment.paymentRequestId;
      if (order === undefined) {
        // Nobody has ever said anything of it.
        const isUnheard = !registered.has(name) && of.every(({ state }) => state === 'LOST');
        return isUnheard ? [] : [`${name} has no order`];
      }
      const [says, should] = [JSON.stringify(saidBy(order)), JSON.stringify(expectedOf(payment, of))];
      const odd = order.attention.filter(({ code }) => NEVER.has(code)).map(({ message }) => `${name}: ${message}`);
      return says === should ? odd : [...odd, `${name} says ${says}, and the ledger ${should}`];
    })
    .concat(unknown > 0 ? [`${unknown} orders that the ledger does not have`] : []);
};

/** When the whole price had reached the merchant, epoch milliseconds; Infinity for never. */
const paidAt = ({ amount, captureMode, paymentTime, captures }: PaymentEntry): number => {
  if (paymentTime === null) return Infinity;
  if (captureMode === 'NONE') return Date.parse(paymentTime);
  const times = succeeded(captures)
    .toSorted((a, b) => Date.parse(a.time ?? '') - Date.parse(b.time ?? ''))
    .reduce(
      ({ left, at }, one) =>
        left > 0 ? { left: left - Number(one.amount.value), at: Date.parse(one.time ?? '') } : { left, at },
      { left: Number(amount.value), at: Date.parse(paymentTime) },
    );
  return times.left > 0 ? Infinity : times.at;
};

/**
 * Of all that was ever shown, what was fulfillable before the whole price was there. A revision is the epoch millisecond of
 * its commit, or a little more; `updatedAt` may be that of a commit that had to wait. Both clocks are the machine's.
 */
export const earlyBreaches = (shown: readonly Order[], ledger: readonly PaymentEntry[]): readonly string[] => {
  const byId = new Map(ledger.map((payment) => [payment.paymentId, payment]));
  return shown
    .filter(({ fulfillable }) => fulfillable)
    .flatMap(({ paymentId, revision }) => {
      const payment = byId.get(paymentId ?? '');
      const at = payment === undefined ? Infinity : paidAt(payment);
      const paid = at === Infinity ? 'never' : new Date(at).toISOString();
      return revision >= at ? [] : [`${paymentId} was fulfillable in ${revision}, and the price was there ${paid}`];
    });
};

/** A move as the database has it. */
export type MoveRow = Move & { readonly status: string; readonly resultCode: string | null };

interface Moved {
  readonly ledger: readonly PaymentEntry[];
  readonly rows: readonly MoveRow[];
  /** Those that were answered for. */
  readonly made: ReadonlyMap<string, Move>;
}

/** Captures, cancels and refunds that were forgotten, made twice or by nobody, or of which the end is not known. */
export const moveBreaches = ({ ledger, rows, made }: Moved): readonly string[] => {
  const byName = new Map(rows.map((row) => [nameOf(row), row]));
  const forgotten = [...made.keys()].filter((name) => !byName.has(name)).map((name) => `${name} was forgotten`);
  const entries = ledger.flatMap((payment) => entriesOf(payment));
  const counts = Map.groupBy(entries, ({ name }) => name);
  const twice = [...counts].filter(([, same]) => same.length > 1).map(([name]) => `${name} is in the ledger twice`);
  const strange = [...counts.keys()].filter((name) => !byName.has(name)).map((name) => `nobody asked for ${name}`);
  const unlike = rows
    .filter(({ kind }) => kind !== 'cancel')
    .flatMap((row) => {
      const says = `${row.status} ${row.paymentId} ${row.amount?.value ?? ''}`;
      const should = counts.get(nameOf(row))?.[0]?.says ?? 'nothing of it';
      return says === should ? [] : [`${nameOf(row)} is ${says}, and the ledger says ${should}`];
    });
  const cancels = Map.groupBy(
    rows.filter(({ kind }) => kind === 'cancel'),
    ({ paymentId }) => paymentId,
  );
  const uncancelled = ledger.flatMap(({ paymentId, gone }) => {
    const ends = (cancels.get(paymentId) ?? []).map(({ status }) => status);
    const hasSucceeded = ends.includes('SUCCEEDED');
    const isFine = ends.every(isEnd) && (hasSucceeded ? gone !== null : gone?.by !== 'CANCEL');
    return isFine ? [] : [`the cancels of ${paymentId} are ${ends.join(', ')}, and the ledger says ${gone?.by}`];
  });
  return [...forgotten, ...twice, ...strange, ...unlike, ...uncancelled, ...ledger.flatMap(greedyBreaches)];
};

const isEnd = (status: string): boolean => status !== 'PROCESSING';

interface Entry {
  readonly name: string;
  readonly says: string;
}

/** Those that we have asked for: APO captures AUTOMATIC payments by itself. */
const entriesOf = ({ paymentId, captureMode, captures, refunds }: PaymentEntry): readonly Entry[] => {
  const entry = (
    kind: Move['kind'],
    requestId: string,
    { result, amount }: Pick<PaymentEntry, 'result' | 'amount'>,
  ): Entry => ({
    name: nameOf({ kind, requestId }),
    says: `${STATES[result.resultStatus]} ${paymentId} ${amount.value}`,
  });
  return [
    ...(captureMode === 'MANUAL' ? captures : []).map((one) => entry('capture', one.captureRequestId, one)),
    ...refunds.map((one) => entry('refund', one.refundRequestId, one)),
  ];
};

/** What APO refused because there was no more, or because an id stood for something else: neither is ever sent. */
const GREEDY =
  /^(CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT|MULTI_CAPTURE_NOT_SUPPORTED|REPEAT_REQ_INCONSISTENT|PARAM_ILLEGAL|REFUND_AMOUNT_EXCEED)$/;

const greedyBreaches = ({ captures, refunds, disputes }: PaymentEntry): readonly string[] =>
  [...captures, ...(disputes.length > 0 ? [] : refunds)]
    .filter(({ result }) => GREEDY.test(result.resultCode))
    .map((one) => `APO had to refuse ${JSON.stringify(one)}`);

/** What could not be done, although the payment is such that it could be. */
export const wishBreaches = ({
  ledger,
  orders,
  left,
}: Pick<End, 'ledger' | 'orders'> & { readonly left: readonly Left[] }) => {
  const known = new Set(orders.map(({ paymentRequestId }) => paymentRequestId));
  const byRequest = new Map(ledger.map((payment) => [payment.paymentRequestId, payment]));
  return left
    .filter(({ story: { request }, reason }) => {
      const payment = byRequest.get(request);
      if (payment === undefined || payment.gone !== null || payment.result.resultStatus !== 'S') return false;
      if (reason === 'NOT_FOUND') return known.has(request);
      return reason !== 'NOT_CAPTURED' || payment.captureMode === 'NONE' || succeeded(payment.captures).length > 0;
    })
    .map(({ story: { request }, groups, reason }) => `${request} ${JSON.stringify(groups)} was refused: ${reason}`);
};
