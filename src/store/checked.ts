import type { RawNotification } from '../order/reading.ts';

/** What `check` looks at, one after the other: tables, and the database file itself. */
export const CHECKED = [
  'notifications',
  'raw_batches',
  'identifiers',
  'orders',
  'shop_statements',
  'unverified',
  'unverified_totals',
  'settings',
  'file',
] as const;
export type Checked = (typeof CHECKED)[number];

/** What is wrong with a row, and what to do, a sentence each. */
export interface Flaw {
  readonly problem: string;
  readonly remedy: string;
}

export const FROM_BACKUP = 'take the row from a backup';

export const flawed = (isFlawed: boolean, problem: string, remedy: string): readonly Flaw[] =>
  isFlawed ? [{ problem, remedy }] : [];

/** A row that was compared with its own check, or with what it is derived from. */
export interface CheckedRow {
  /** By which a person finds it in its table. */
  readonly key: string;
  readonly flaws: readonly Flaw[];
  /** Of a notification. */
  readonly notification?: {
    readonly clientId: string;
    readonly id: string;
    /** Null once retention has removed it. */
    readonly raw: RawNotification | null;
    /** What is stored cannot be unpacked. */
    readonly unreadable: boolean;
  };
  /** Of an unverified request: as stored, perhaps no reason at all. */
  readonly reason?: string;
}
