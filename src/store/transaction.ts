import type { Feed } from './lists.ts';
import type { Lock } from './lock.ts';
import type { OrderKey, Touched } from './order-key.ts';
import type { NotificationRow, UnverifiedRow } from './row.ts';
import type { NumberedRules } from './setting.ts';
import type { GatheredOrder } from './stored-order.ts';
import type { Outcome, RawNotification } from '../order/reading.ts';

/** A count or a time, as a number or as its text. */
export type Count = number | string;

export type Value = string | number | Uint8Array | null;

/**
 * One statement in the SQL that both databases understand: values are `$1`, `$2` …; a count comes back as a `Count`. A
 * row has the shape that the caller wrote the SQL for.
 */
export type Query = <Row extends object>(sql: string, values?: readonly Value[]) => Promise<readonly Row[]>;

interface FeedDialect {
  /** No position of the feed below this one is still to come. */
  readonly horizon: string;
  /** The column of `starts` that holds the last position of the feed that was stored then. */
  readonly began: string;
}

/** Where the two databases spell the same thing differently. */
export interface Dialect {
  /** After a select: holds its rows until COMMIT, and passes over those that somebody else holds. */
  readonly skipLocked: string;
  readonly feeds: Readonly<Record<Feed, FeedDialect>>;
  /** Selects who keeps a horizon back as `holder`, in words; null where nobody can. */
  readonly horizonHolder: string | null;
  /** Every position of an order that was given out is below this one. */
  readonly nextPosition: string;
  /** The name in `settings` by which positions go on. */
  readonly positionSetting: string;
  /** The key of `identifiers` in the order of its columns, and `$2` to `$5` (client, position, name, value) like it. */
  readonly identifierKey: { readonly columns: string; readonly after: string };
  /** Rows of a value that is a JSON array of objects, to select from; columns are text. */
  readonly recordset: (value: string, columns: readonly string[]) => string;
  /** Selects what is wrong with the file as `problem`, `ok` where nothing is; null where there is no such check. */
  readonly integrityCheck: string | null;
  /** Assignments that remove what came over the wire from a row of `notifications`. */
  readonly withoutRaw: string;
  /** It has not been removed. */
  readonly hasRaw: string;
  /** A column of `unverified` holds a value: bytes the body, text the others. */
  readonly holds: (column: 'body' | 'target' | 'headers', value: string) => string;
  /** How many orders there are, and the bytes of the database. */
  readonly orderTotal: string;
  readonly databaseBytes: string;
  /** The time by the clock of the database, epoch milliseconds. */
  readonly clock: string;
  /** One service at a time works on it: a lease that another one left behind is free when this one starts. */
  readonly hasOneService: boolean;
}

/** What stands in `notifications` for one of the rows that were put there. */
export interface PutNotification {
  readonly position: string;
  /** It was not there before. */
  readonly isNew: boolean;
  readonly outcome: Outcome;
  readonly deliveries: number;
  /** Of all its deliveries, epoch milliseconds. */
  readonly firstReceivedAt: number;
}

/** An order as it is to stand in `orders`. */
export interface OrderRow extends OrderKey {
  /** Where it changes. */
  readonly revision: number;
  readonly status: string;
  readonly nextAction: string;
  /** Codes, each between spaces; empty for none. */
  readonly attention: string;
  readonly referenceOrderId: string | null;
  /** When the clock may change it, epoch milliseconds; null where it never does. By itself it is no change. */
  readonly dueAt: number | null;
  /** As it stands in the row. */
  readonly dueBefore: number | null;
  /** JSON: an `OrderContent`, without the captures that are folded. */
  readonly content: string;
  /** JSON: a `Fold`; null for an ordinary order. */
  readonly fold: string | null;
}

/** Which notifications of each order are read: all; none of an order with a fold; those at the positions of its key. */
export type Extent = 'all' | 'unless folded' | 'given';

/** A request of the unverified store, and how often it was received more. */
export interface UnverifiedRepeat {
  /** SHA-256 over the request, lower-case hex. */
  readonly id: string;
  readonly times: number;
  /** Epoch milliseconds. */
  readonly last: number;
}

/** A row that holds what came over the wire of several notifications, but not of as many as name it. */
export interface StrayRaw {
  readonly batch: number;
  readonly holds: number;
  readonly named: number;
}

/** Reads as of one moment. */
export interface Snapshot {
  readonly dialect: Dialect;
  readonly query: Query;
  /** The rules that are stored; null for none. */
  readonly rules: () => Promise<NumberedRules | null>;
  /**
   * What is stored of the touched orders and of those that the links lead to, whether or not there is a row. Links are
   * not of refunds: those lead further (joined.ts).
   */
  readonly evidence: (touched: Touched, extent: Extent) => Promise<readonly GatheredOrder[]>;
  /** What came over the wire, for each position; null once retention has removed it. */
  readonly raws: (positions: readonly string[]) => Promise<readonly (RawNotification | null)[]>;
  /** Where what came over the wire stands apart: what holds more of it than there are notifications that name it. */
  readonly strayRaws: () => Promise<readonly StrayRaw[]>;
  /** Where a notification stands; null where it is not stored. */
  readonly positionOf: (clientId: string, digest: Uint8Array) => Promise<string | null>;
}

/**
 * What the algorithms of this folder ask of a database inside one transaction. Work may run more than once: it has no
 * effect but through its transaction, and awaits nothing else.
 */
export interface Transaction extends Snapshot {
  /** Makes sure that these locks are held; otherwise everything is rolled back and starts over with them as well. */
  readonly need: (locks: Iterable<Lock>) => void;
  /**
   * Stores notifications with their identifiers; one that is stored already is only counted. No two rows are the same
   * notification.
   */
  readonly putNotifications: (rows: readonly NotificationRow[]) => Promise<readonly PutNotification[]>;
  /** Stores what came over the wire of a notification that has lost it; received at, epoch milliseconds. */
  readonly putRaw: (position: string, raw: RawNotification, receivedAt: number) => Promise<void>;
  /**
   * Requests that a service received (`NOTE_IN_USE`): counts those that are stored; resolves with how often each of
   * them had been received before, by id.
   */
  readonly countUnverified: (repeats: readonly UnverifiedRepeat[]) => Promise<ReadonlyMap<string, number>>;
  /** Stores requests that are not stored. */
  readonly insertUnverified: (rows: readonly UnverifiedRow[]) => Promise<void>;
  /**
   * Writes what differs, with the next positions of the feed, and removes what is gone. Resolves with how many orders
   * changed. Nothing has to wait for it: COMMIT fails where this does.
   */
  readonly writeOrders: (kept: readonly OrderRow[], gone: readonly OrderKey[], now: number) => Promise<number>;
  /**
   * Removes what came over the wire of some notifications first received before (epoch milliseconds), oldest first, but
   * not of FAILED ones; about `limit` of them. Resolves with how many, 0 when none is left.
   */
  readonly removeRaw: (before: number, limit: number) => Promise<number>;
}

/** A database as the algorithms use it. */
export interface Database {
  readonly dialect: Dialect;
  /** One statement by itself. */
  readonly query: Query;
  readonly snapshot: <T>(work: (snapshot: Snapshot) => Promise<T>) => Promise<T>;
  /** One transaction, which holds the locks from its beginning; durable when the promise resolves. */
  readonly transact: <T>(locks: Iterable<Lock>, work: (transaction: Transaction) => Promise<T>) => Promise<T>;
  /** The work in one go or, where the database cannot hold the locks of all of it, in parts one after the other. */
  readonly inParts: <In, Out>(
    items: readonly In[],
    work: (part: readonly In[]) => Promise<Out>,
  ) => Promise<readonly Out[]>;
}
