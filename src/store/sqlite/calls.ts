import type { OrderRules } from '../../order/rules.ts';
import type { Writes } from '../operations.ts';
import type { BatchResult, StoreReads, UnverifiedBounds } from '../store.ts';
import type { Failure } from './failure.ts';
import type { PackedBatch } from './message.ts';

/** What the thread is started with. `copier` reads a database that this program has not migrated. */
export interface WorkerOptions {
  readonly role: 'writer' | 'reader' | 'copier';
  readonly file: string;
  readonly rules: OrderRules;
}

export interface WorkerRequest {
  readonly id: number;
  readonly method: string;
  readonly values: readonly unknown[];
}

/** What a thread can be asked for. */
export interface Calls extends StoreReads, Writes {
  readonly recordPacked: (batch: PackedBatch, bounds: UnverifiedBounds) => Promise<BatchResult>;
  /** Copies the database into a file, checked and synced. */
  readonly backup: (file: string) => Promise<{ readonly bytes: number }>;
  /**
   * After a DatabaseLostError: looks whether the files are back, or opens what is there instead. Nobody else in this
   * process may have them open. Resolves with what a person has to know about them.
   */
  readonly recover: () => Promise<string | null>;
  /** Writes down that all was written; the last call before `close`. */
  readonly finish: () => Promise<void>;
}

export type WorkerResponse =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: Failure; readonly message: string };
