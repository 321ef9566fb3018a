import type { Facts } from '../antom/notification.ts';
import type { Statement } from '../order/statement.ts';

/** The facts of one stored notification, with the SHA-256 (lower-case hex) of the body they were read from. */
export interface AppliedNotification {
  readonly facts: Facts;
  readonly bodyDigest: string;
}

/**
 * What one `notifyType` means. Pure and synchronous: both databases call it inside their transaction, and
 * again whenever an order is derived anew. It adds what it states to the order's set of statements, so the
 * order of arrival, repeats and restarts cannot matter.
 */
export interface Handler {
  readonly notifyType: string;
  /** A kind about a capture must name one: without `captureId` and `captureRequestId` it is `MALFORMED`. */
  readonly about: Statement['about'];
  readonly stateOf: (notification: AppliedNotification) => Statement;
}
