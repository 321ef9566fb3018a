import type { OrderEvidence, Problem, RegistrationFact, Siblings } from '../order/evidence.ts';
import type { Kind, Outcome } from '../order/reading.ts';
import type { Review } from '../order/review.ts';
import type { CaptureStatement, Sourced, Statement } from '../order/statement.ts';
import type { Moving } from './moving.ts';
import { type OrderKey, paymentIdOf } from './order-key.ts';

/** One stored notification, or answer to an inquiry, as far as its order is concerned. */
export interface EvidenceRow {
  readonly position: string;
  /** Its id, lower-case hex. */
  readonly digest: string;
  readonly kind: Kind;
  readonly outcome: Outcome;
  readonly problem: string | null;
  /** What it states; nothing where it was not applied. */
  readonly statements: readonly Sourced<Statement>[];
  readonly firstReceivedAt: number;
}

/** The captures of an order that are not read one by one (fold.ts). */
export interface Fold {
  /** By the rules of which it was made: another one is made again from all that is stored. */
  readonly derivation: number;
  /** How many captures. */
  readonly count: number;
  /** One for all that are alike. */
  readonly statements: readonly Sourced<CaptureStatement>[];
  /** Sum of the digests of the captures as the order shows them, hexadecimal. */
  readonly shown: string;
  /** When the oldest and the newest notification of them was first received, epoch milliseconds. */
  readonly oldestAt: number;
  readonly newestAt: number;
  /** Positions of the order's notifications that are not folded. */
  readonly loose: readonly string[];
}

/** What stands in `orders`. Times are epoch milliseconds. */
export interface StandingRow {
  readonly revision: number;
  readonly updatedAt: number;
  readonly referenceOrderId: string | null;
  readonly dueAt: number | null;
  readonly fold: string | null;
}

/** What else is stored that may concern an order; looked up only where it is there (joined.ts). */
interface Hints {
  /** It has a notification of a refund, or a refund is registered for it. */
  readonly refunds: boolean;
  /** A notification that could not be read names one of its `paymentRequestId`s. */
  readonly unreadable: boolean;
  /** Another registration, or another payment, is of the same shop order. */
  readonly siblings: boolean;
  /** Another payment names one of its links. */
  readonly shared: boolean;
  /** A capture, cancel or refund of it was sent, and has not succeeded. */
  readonly moving: boolean;
}

/** What a database reads about one order. */
export interface GatheredOrder extends OrderKey {
  /** `OF_ORDERS`, of this payment. */
  readonly notifications: readonly EvidenceRow[];
  /** Under the `paymentRequestId`s that its notifications name. */
  readonly registrations: readonly RegistrationFact[];
  readonly review: Review | null;
  readonly hints: Hints;
  /** A registration that a payment names: it has no order of its own. */
  readonly isNamed: boolean;
  /** What of its captures was not read, being folded; null where all was read. */
  readonly before: Fold | null;
  /** Null while there is none. */
  readonly row: StandingRow | null;
}

/** All that is stored about one order. */
export interface StoredOrder extends OrderKey {
  readonly evidence: OrderEvidence;
  /** The notifications that were read, those among them that join it by something else than its payment. */
  readonly notifications: readonly EvidenceRow[];
  readonly before: Fold | null;
  /** Something makes it an order: a notification of a handled kind, or a registration that no payment names. */
  readonly exists: boolean;
  /** The earliest first receipt, and creation of a registration. */
  readonly createdAt: number;
  /** The `paymentRequestId` of the placeholder in whose place it came. */
  readonly replaces: string | null;
  readonly row: StandingRow | null;
}

/** What joins an order by something else than its payment. */
export interface Joined {
  readonly notifications: readonly EvidenceRow[];
  readonly moving: readonly Moving[];
  /** In words: which identifier stands for what else. */
  readonly sharedIdentities: readonly string[];
  readonly siblings: Siblings;
  readonly replaces: string | null;
}

/** What a stored notification states, of its JSON. */
export const readStatements = (
  statements: string | null,
  { outcome, digest }: Pick<EvidenceRow, 'outcome' | 'digest'>,
): readonly Sourced<Statement>[] => {
  if (outcome !== 'APPLIED' || statements === null) return [];
  // Written by toReadingColumns; completed in place, for it was parsed just now.
  const parsed = JSON.parse(statements) as readonly Statement[];
  return parsed.map((statement, place) => Object.assign(statement, { digest, place }));
};

/** What these notifications state. */
export const statementsOf = (notifications: readonly EvidenceRow[]): readonly Sourced<Statement>[] =>
  notifications.flatMap(({ statements }) => statements);

/** Each once: an answer may say several things that join an order each by itself. */
export const together = (own: readonly EvidenceRow[], joined: readonly EvidenceRow[]): readonly EvidenceRow[] => {
  if (joined.length === 0) return own;
  const rows = new Map(own.map((row) => [row.position, row]));
  for (const row of joined) {
    const same = rows.get(row.position);
    if (same === undefined) rows.set(row.position, row);
    else {
      const places = new Set(same.statements.map(({ place }) => place));
      const added = row.statements.filter(({ place }) => !places.has(place));
      if (added.length > 0) rows.set(row.position, { ...same, statements: [...same.statements, ...added] });
    }
  }
  return [...rows.values()];
};

/** What could not be read or applied of these. */
export const problemsOf = (rows: readonly EvidenceRow[]): readonly Problem[] =>
  rows.flatMap(({ outcome, digest, problem }) =>
    outcome === 'APPLIED' ? [] : [{ digest, text: problem ?? OUR_FAULT }],
  );

export const toStoredOrder = (gathered: GatheredOrder, joined: Joined): StoredOrder => {
  const { clientId, orderKey, registrations, isNamed } = gathered;
  const paymentId = paymentIdOf(orderKey);
  const notifications = together(gathered.notifications, joined.notifications);
  const received = notifications.map(({ firstReceivedAt }) => firstReceivedAt);
  const registered = registrations.map(({ createdAt }) => createdAt);
  return {
    clientId,
    orderKey,
    evidence: {
      clientId,
      paymentId,
      statements: [...statementsOf(notifications), ...joined.moving.map(({ statement }) => statement)],
      registrations,
      problems: problemsOf(notifications),
      sharedIdentities: joined.sharedIdentities,
      siblings: joined.siblings,
      newestAt: newestOf(newestIn(notifications, { registered, before: gathered.before }), joined.moving),
      review: gathered.review,
    },
    notifications,
    before: gathered.before,
    exists: paymentId === null ? registrations.length > 0 && !isNamed : gathered.notifications.length > 0,
    createdAt: earliest([...received, ...registered, ...(gathered.before === null ? [] : [gathered.before.oldestAt])]),
    replaces: joined.replaces,
    row: gathered.row,
  };
};

/** A capture that was sent since is waited for from then on. */
export const newestOf = (newestAt: number, moving: readonly Moving[]): number =>
  newest([newestAt, ...moving.flatMap(({ waitsSince }) => waitsSince ?? [])]);

interface Besides {
  /** When registrations were made. */
  readonly registered: readonly number[];
  readonly before: Fold | null;
}

/**
 * When the newest notification was first received. Inquiries do not count: that we asked is no sign that anything
 * comes. Without a notification it is since the registration that something is waited for, else since the first
 * inquiry.
 */
export const newestIn = (rows: readonly EvidenceRow[], { registered, before }: Besides): number => {
  const notified = rows.filter(({ kind }) => kind !== 'INQUIRY').map(({ firstReceivedAt }) => firstReceivedAt);
  if (before !== null) return newest([...notified, before.newestAt]);
  if (notified.length > 0) return newest(notified);
  return registered.length > 0 ? newest(registered) : earliest(rows.map(({ firstReceivedAt }) => firstReceivedAt));
};

const OUR_FAULT = 'A fault of paynotify kept it from being applied.';

/** The epoch where there is none: a row that nothing stands for, until a rebuild removes it. */
export const earliest = (times: readonly number[]): number =>
  times.length === 0 ? 0 : times.reduce((a, b) => Math.min(a, b));

export const newest = (times: readonly number[]): number => times.reduce((a, b) => Math.max(a, b), 0);
