import { readAsked } from '../order/asked.ts';
import { explain } from '../order/explain.ts';
import type { OrderRules } from '../order/rules.ts';
import { type Happened, type Moment, shortly, tellTimeline } from '../order/timeline.ts';
import { isoTime } from '../order/time.ts';
import { rulesIn } from './around.ts';
import { callbacksOf } from './callback-lists.ts';
import { evidenceAt, type History, readOrderHistory } from './history.ts';
import { findInquiry } from './inquiries.ts';
import { complete } from './joined.ts';
import type { Move } from './move.ts';
import { type OrderKey, orderKeyOf, paymentIdOf, requestIdOf } from './order-key.ts';
import { toOrder } from './orders.ts';
import { toRegistration } from './register.ts';
import { toReview } from './review.ts';
import { placesOf } from './row.ts';
import type { ShopStatement } from './shop.ts';
import type { EvidenceRow } from './stored-order.ts';
import { LONGEST_TIMELINE, type OrderIds, type Timeline } from './timeline-shown.ts';
import type { Count, Database, Query } from './transaction.ts';

/** Deriving an order takes as long as it has statements: so many are looked at for a timeline. */
const LOOKED_AT = 20_000;

/** Null where there is no such order. */
export const readTimeline = async (
  database: Database,
  ids: OrderIds,
  otherwise: OrderRules,
): Promise<Timeline | null> =>
  await database.snapshot(async (snapshot) => {
    const { query } = snapshot;
    const key: OrderKey = { clientId: ids.clientId, orderKey: orderKeyOf(ids) };
    const [completed] = await complete(snapshot, await snapshot.evidence({ keys: [key], links: [] }, 'all'));
    if (completed === undefined) return null;
    const { order: stored } = completed;
    if (stored.row === null) return null;
    const now = Date.now();
    const rules = await rulesIn(snapshot, otherwise);
    const history = await readOrderHistory(snapshot, completed);
    const { moments, omitted } = await momentsOf(query, [...factsOf(history), ...history.moves.flatMap(movedBy)]);
    const latest = moments.at(-1)?.at ?? 0;
    const { statements } = stored.evidence;
    return {
      order: toOrder(stored, stored.row, { rules, now }),
      why: explain(stored.evidence, rules, now),
      items: tellTimeline(moments, {
        // By then all is there: it is as it is.
        evidenceAt: (at) => (at >= latest ? stored.evidence : evidenceAt(history, at)),
        rules,
        now,
        derived: Math.max(1, Math.floor(LOOKED_AT / (statements.length + 1))),
      }),
      callbacks: await callbacksOf(query, key),
      inquiry: await findInquiry(query, key),
      omitted,
    };
  });

/** Something that happened, before what it is called in full is looked up. */
interface Fact {
  readonly at: number;
  readonly happened: Happened | EvidenceRow;
}

const momentsOf = async (
  query: Query,
  unsorted: readonly Fact[],
): Promise<{ readonly moments: readonly Moment[]; readonly omitted: number }> => {
  const facts = unsorted.toSorted((a, b) => a.at - b.at);
  const shown = facts.slice(-LONGEST_TIMELINE);
  const details = await detailsOf(
    query,
    shown.flatMap(({ happened }) => ('position' in happened ? [happened.position] : [])),
  );
  const moments = new Map<number, Happened[]>();
  for (const { at, happened } of shown) {
    const one = 'position' in happened ? toNotification(happened, details) : happened;
    const same = moments.get(at);
    if (same === undefined) moments.set(at, [one]);
    else same.push(one);
  }
  return {
    moments: [...moments].map(([at, happened]) => ({ at, happened })),
    omitted: facts.length - shown.length,
  };
};

/** In the order in which they are told where they have one time: what the shop said before what APO did. */
const factsOf = (history: History): readonly Fact[] => {
  const { completed, others } = history;
  const { order } = completed;
  // Of another payment's answer an order may have a part: the last one of the same place stands.
  const rows = [
    ...history.unanswered,
    ...history.unhandled,
    ...history.sharing.map(({ row }) => row),
    ...others.flatMap(({ notifications }) => notifications),
    ...order.notifications,
  ];
  const received = [...new Map(rows.map((row) => [row.position, row])).values()];
  return [
    ...[...history.registrations.values()].flat().map((said) => ({ at: timeOf(said), happened: registered(said) })),
    ...[...history.refunds.values()].flat().map((said) => ({ at: timeOf(said), happened: refundRegistered(said) })),
    ...received
      .toSorted((a, b) => (BigInt(a.position) < BigInt(b.position) ? -1 : 1))
      .map((row) => ({ at: row.firstReceivedAt, happened: row })),
    ...reviewsOf(history.reviews),
  ];
};

const timeOf = ({ updatedAt }: ShopStatement): number => Date.parse(updatedAt);

const registered = (said: ShopStatement): Happened => {
  const { clientId: _client, ...registration } = toRegistration(said);
  return { type: 'registration', at: said.updatedAt, ...registration };
};

const refundRegistered = ({ id, target, updatedAt }: ShopStatement): Happened => ({
  type: 'refund registration',
  at: updatedAt,
  refundRequestId: id,
  paymentId: paymentIdOf(target),
  paymentRequestId: requestIdOf(target),
});

/** Once where it was written down, and once where something has become of it. */
const movedBy = (move: Move): readonly Fact[] => {
  const { kind, requestId, amount, captureId, isLast, status, attempts, resultCode, reason } = move;
  const asked = { type: 'move', kind, requestId, amount, captureId, isLast } as const;
  const writtenDown: Fact = {
    at: Date.parse(move.createdAt),
    happened: { ...asked, at: move.createdAt, outcome: null, attempts: 0, resultCode: null, reason: null },
  };
  const isAsWritten = status === 'PROCESSING' && attempts === 0 && reason === null;
  const become: Fact = {
    at: Date.parse(move.updatedAt),
    happened: { ...asked, at: move.updatedAt, outcome: status, attempts, resultCode, reason },
  };
  return isAsWritten ? [writtenDown] : [writtenDown, become];
};

/** Each, and where one was taken back without another in its place. */
const reviewsOf = (versions: readonly ShopStatement[]): readonly Fact[] =>
  versions.flatMap((said, index) => {
    const { decision, note } = toReview(said.said, 0);
    const decided: Fact = {
      at: timeOf(said),
      happened: { type: 'review', at: said.updatedAt, decision, note },
    };
    const { replacedAt } = said;
    const next = versions[index + 1];
    const isTakenBack = replacedAt !== null && (next === undefined || timeOf(next) > Date.parse(replacedAt));
    return isTakenBack
      ? [
          decided,
          { at: Date.parse(replacedAt), happened: { type: 'review', at: replacedAt, decision: null, note: null } },
        ]
      : [decided];
  });

interface Details {
  readonly position: Count;
  readonly asked: string | null;
  readonly payment_id: string;
  readonly deliveries: Count;
  readonly last_received_at: Count;
}

/** What a list of notifications shows besides, by position. */
const detailsOf = async (query: Query, positions: readonly string[]): Promise<ReadonlyMap<string, Details>> => {
  if (positions.length === 0) return new Map();
  const places = placesOf(positions);
  const rows = await query<Details>(
    `select position, asked, payment_id, deliveries, last_received_at from notifications where position in (${places})`,
    positions,
  );
  return new Map(rows.map((row) => [String(row.position), row]));
};

const toNotification = (row: EvidenceRow, details: ReadonlyMap<string, Details>): Happened => {
  const found = details.get(row.position);
  const asked = found?.asked ?? null;
  const happened = {
    at: isoTime(row.firstReceivedAt),
    id: row.digest,
    outcome: row.outcome,
    problem: row.problem,
    paymentId: found?.payment_id || null,
    deliveries: Number(found?.deliveries ?? 1),
    lastReceivedAt: isoTime(found?.last_received_at ?? row.firstReceivedAt),
    states: row.statements.map(shortly),
  };
  return asked === null
    ? { type: 'notification', ...happened, kind: row.kind }
    : { type: 'inquiry', ...happened, asked: readAsked(asked) };
};
