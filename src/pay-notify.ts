import { acknowledge } from './antom/acknowledgement.ts';
import { type Kinds, parseNotification } from './antom/notification.ts';
import { type SignedRequest, type Trust, type UnverifiedReason, verify } from './antom/signature.ts';
import type { Inbox, NotStoredReason } from './inbox.ts';
import type { Recorded } from './store/store.ts';

/** What a notification came to: the acknowledgement, or why there is none. */
export type Receipt =
  | { readonly kind: 'acknowledged'; readonly recorded: Recorded; readonly acknowledgement: string; readonly reason: UnverifiedReason | null }
  | { readonly kind: 'not stored'; readonly because: NotStoredReason; readonly reason: UnverifiedReason | null };

export interface PayNotifyOptions {
  /** Asked for each request: the keys may have been read again. */
  readonly trust: () => Trust;
  readonly kinds: Kinds;
  /** Null while the store is not open yet. */
  readonly inbox: () => Inbox | null;
}

/** What is not signed by a known key is kept only up to this size. */
const UNVERIFIED_BODY_BYTES = 32_768;

/**
 * The whole story: verify, record, acknowledge. Nothing is interpreted before it verified; nothing is
 * acknowledged before it is durable; what failed verification is kept apart, acknowledged, and touches no order.
 */
export const createPayNotify =
  ({ trust, kinds, inbox: currentInbox }: PayNotifyOptions) =>
  async (request: SignedRequest): Promise<Receipt> => {
    const inbox = currentInbox();
    const receivedAt = new Date();
    if (inbox === null) return { kind: 'not stored', because: 'STORE_UNAVAILABLE', reason: null };
    // Told before the signature is looked at: under a flood that is what costs.
    if (inbox.isFull()) return { kind: 'not stored', because: 'QUEUE_FULL', reason: null };

    const verification = verify(request, trust());
    const reason = verification.verified ? null : verification.reason;
    if (!verification.verified && request.body.length > UNVERIFIED_BODY_BYTES) {
      return { kind: 'not stored', because: 'UNVERIFIED_FULL', reason };
    }

    const recorded = await inbox.submit(
      verification.verified
        ? { kind: 'notification', parsed: parseNotification(verification.notification, kinds), receivedAt }
        : { kind: 'unverified', request, reason: verification.reason, receivedAt },
    );
    if (recorded.kind === 'not stored') return { ...recorded, reason };
    return { kind: 'acknowledged', recorded, acknowledgement: acknowledge(recorded), reason };
  };

export type PayNotify = ReturnType<typeof createPayNotify>;
