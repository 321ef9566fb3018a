import type { Registration } from './registration.ts';
import type { Review } from './review.ts';
import type { Sourced, Statement } from './statement.ts';

/** A registration as it stands, and when it was first made (epoch milliseconds). */
export interface RegistrationFact extends Registration {
  readonly createdAt: number;
}

/** The registration that counts, of those that a payment names. */
export const countedRegistration = (registrations: readonly RegistrationFact[]): RegistrationFact | null =>
  registrations.reduce<RegistrationFact | null>(
    (best, one) => (best === null || one.paymentRequestId < best.paymentRequestId ? one : best),
    null,
  );

/** A stored notification that could not be read or applied. */
export interface Problem {
  /** SHA-256 of its body, lower-case hex. */
  readonly digest: string;
  /** What is wrong with it: one sentence. */
  readonly text: string;
}

/** The sentences, each once. */
export const problemTexts = (problems: readonly Problem[]): readonly string[] =>
  [...new Set(problems.map(({ text }) => text))].sort();

/** Everything that decides what an order says: a set, so nothing in it depends on the order of arrival. */
export interface OrderEvidence {
  readonly clientId: string;
  /** Null for a registration that no payment has named yet. */
  readonly paymentId: string | null;
  /** Of the notifications that join this order; all statements of a refund where one of them does. */
  readonly statements: readonly Sourced<Statement>[];
  /** The registrations under any `paymentRequestId` that its payment statements name. */
  readonly registrations: readonly RegistrationFact[];
  /** What is wrong with each stored notification that joins this order and could not be read or applied. */
  readonly problems: readonly Problem[];
  /** Identifiers of this payment that stand for another payment too: `captureId C1 also names payment P2`. */
  readonly sharedIdentities: readonly string[];
  /** What stands for other payments of the same shop order, by `referenceOrderId`. */
  readonly siblings: Siblings;
  /** When the newest notification, else the registration, was first received: epoch milliseconds. */
  readonly newestAt: number;
  readonly review: Review | null;
}

/** Other payments and registrations with the same `referenceOrderId`. */
export interface Siblings {
  /** The other payments of the smallest `paymentId`s, at most 50; their own siblings are empty. */
  readonly payments: readonly OrderEvidence[];
  /** A registration of the shop order was made later than this one's. */
  readonly hasLaterRegistration: boolean;
}

export const NO_SIBLINGS: Siblings = { payments: [], hasLaterRegistration: false };
