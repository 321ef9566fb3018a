import { createHash, hash } from 'node:crypto';
import type { UnverifiedReason } from '../antom/signature.ts';
import type { CaptureMode } from '../order/registration.ts';
import type { Outcome, Page, PageRequest, RawNotification, Store } from './store.ts';

/** What is carried from one database to another, in this order: what orders are derived from comes before them. */
export const KINDS = ['notifications', 'registrations', 'replaced registrations', 'unverified', 'orders'] as const;
export type Kind = (typeof KINDS)[number];

/** The table of each, in either database. */
export const TABLES: Readonly<Record<Kind, string>> = {
  notifications: 'notifications',
  registrations: 'registrations',
  'replaced registrations': 'replaced_registrations',
  unverified: 'unverified',
  orders: 'orders',
};

/** One row of each kind, the same whichever database it is in. Times are epoch milliseconds, digests lower-case hex. */
export interface Rows {
  readonly notifications: NotificationRow;
  readonly registrations: RegistrationRow;
  readonly 'replaced registrations': ReplacedRow;
  readonly unverified: UnverifiedRow;
  readonly orders: OrderRow;
}

export interface NotificationRow {
  readonly clientId: string;
  /** Of the body. */
  readonly digest: string;
  readonly notifyType: string | null;
  readonly paymentId: string | null;
  readonly paymentRequestId: string | null;
  readonly captureId: string | null;
  readonly outcome: Outcome;
  readonly deliveries: number;
  readonly firstReceivedAt: number;
  readonly lastReceivedAt: number;
  /** JSON, to the letter. */
  readonly facts: string | null;
  /** Null once retention has removed it. */
  readonly raw: RawNotification | null;
}

export interface RegistrationRow {
  readonly clientId: string;
  readonly paymentRequestId: string;
  readonly currency: string;
  readonly value: string;
  readonly referenceOrderId: string | null;
  readonly captureMode: CaptureMode | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ReplacedRow extends RegistrationRow {
  readonly replacedAt: number;
}

export interface UnverifiedRow {
  readonly digest: string;
  readonly reason: UnverifiedReason;
  readonly deliveries: number;
  readonly bytes: number;
  readonly firstReceivedAt: number;
  readonly lastReceivedAt: number;
  readonly method: string;
  readonly target: string;
  /** JSON, to the letter. */
  readonly headers: string;
  readonly body: Uint8Array;
}

/** An order is derived anew where it arrives; what cannot be derived are its two times. */
export interface OrderRow {
  readonly clientId: string;
  /** The paymentId or, while no payment names a registration, a space and its paymentRequestId. */
  readonly orderKey: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Of all its fields, as it was derived last. */
  readonly digest: string;
}

/** A database that is copied from: it is only read. */
export interface TransferSource {
  /** What the database is known by: its URL in one spelling, without user or password. */
  readonly name: string;
  readonly count: (kind: Kind) => Promise<number>;
  /** In the order of arrival, which lists and feeds show. */
  readonly exportRows: <K extends Kind>(kind: K, page: PageRequest) => Promise<Page<Rows[K]>>;
  readonly recall: Store['recall'];
  readonly close: () => Promise<void>;
}

/** A database that is copied into. */
export interface TransferTarget extends TransferSource {
  /**
   * Brings rows in and remembers how far the copy has come, not before they are durable. A row that is there already is
   * brought up to date, and a count or a time never goes back: importing twice is importing once. Orders are derived
   * from what was imported before. Returns how many rows were not there.
   */
  readonly importRows: <K extends Kind>(kind: K, rows: readonly Rows[K][], progress: Progress) => Promise<number>;
  /** Unverified requests come and go: those that are gone at the source must not stay here. */
  readonly clearUnverified: () => Promise<void>;
  readonly rebuild: Store['rebuild'];
  readonly remember: Store['remember'];
}

/** A setting. */
export interface Progress {
  readonly name: string;
  readonly value: string;
}

/** What two databases must agree in: every column that both have. */
const CANONICAL: { readonly [K in Kind]: (row: Rows[K]) => readonly unknown[] } = {
  notifications: (row) => [
    row.clientId,
    row.digest,
    row.notifyType,
    row.paymentId,
    row.paymentRequestId,
    row.captureId,
    row.outcome,
    row.deliveries,
    row.firstReceivedAt,
    row.lastReceivedAt,
    row.facts,
    row.raw === null ? null : canonicalRaw(row.raw),
  ],
  registrations: (row) => canonicalRegistration(row),
  'replaced registrations': (row) => [...canonicalRegistration(row), row.replacedAt],
  unverified: (row) => [
    row.digest,
    row.reason,
    row.deliveries,
    row.bytes,
    row.firstReceivedAt,
    row.lastReceivedAt,
    row.method,
    row.target,
    row.headers,
    hash('sha256', row.body),
  ],
  orders: (row) => [row.clientId, row.orderKey, row.createdAt, row.updatedAt, row.digest],
};

const canonicalRaw = ({ method, target, requestTime, signature, body }: RawNotification): readonly string[] => [
  method,
  target,
  requestTime,
  signature,
  hash('sha256', body),
];

const canonicalRegistration = (row: RegistrationRow): readonly unknown[] => [
  row.clientId,
  row.paymentRequestId,
  row.currency,
  row.value,
  row.referenceOrderId,
  row.captureMode,
  row.createdAt,
  row.updatedAt,
];

export interface Fingerprint {
  readonly count: number;
  /** 256 bits in hex. */
  readonly digest: string;
}

const MODULUS = 2n ** 256n;

/**
 * Adds rows up to a fingerprint that does not depend on their order: the SHA-256 of each, summed modulo 2^256. One
 * hash over all rows sorted by their keys was tried and left: keys are digests and lie anywhere, so that SQLite unpacks
 * a whole batch of raw notifications for each single one (batches of 200: 1.9 ms a row, against 4 µs in the order of
 * arrival, in which each batch is unpacked once).
 */
export const openFingerprint = <K extends Kind>(
  kind: K,
): { readonly add: (row: Rows[K]) => void; readonly total: () => Fingerprint } => {
  let count = 0;
  let sum = 0n;
  return {
    add: (row) => {
      count += 1;
      sum += BigInt(
        `0x${createHash('sha256')
          .update(JSON.stringify(CANONICAL[kind](row)))
          .digest('hex')}`,
      );
    },
    total: () => ({ count, digest: (sum % MODULUS).toString(16).padStart(64, '0') }),
  };
};
