import { ACKNOWLEDGEMENT } from './antom/acknowledgement.ts';
import { type SignedRequest, type Trust, type UnverifiedReason, verify } from './antom/signature.ts';
import type { Handlers } from './handlers/handler.ts';
import { readNotification } from './handlers/read.ts';
import type { Inbox } from './inbox/inbox.ts';
import { type NotStored, notStored } from './inbox/not-stored.ts';
import type { Delivery, Recorded } from './store/store.ts';

/** A request that was stored, and how it is acknowledged. `reason` is null where it is a verified notification. */
export interface Receipt {
  readonly kind: 'acknowledged';
  readonly recorded: Recorded;
  readonly acknowledgement: string;
  readonly reason: UnverifiedReason | null;
}

/** `verified` is absent where that is not known: the request was refused before its signature was looked at. */
export type NotAcknowledged = NotStored & { readonly reason: UnverifiedReason | null; readonly verified?: true };

/** What became of a request. */
export type PayNotifyResult = Receipt | NotAcknowledged;

export interface PayNotifyOptions {
  /** Asked for each request: the keys may have been read again. */
  readonly trust: () => Trust;
  readonly handlers: Handlers;
  /** Null while the store is not open yet. */
  readonly inbox: () => Inbox | null;
}

/** Takes a request at the last byte of its body; resolves once it is durable, or is not stored. */
export type PayNotify = (request: SignedRequest) => Promise<PayNotifyResult>;

/**
 * The fixed acknowledgement. It takes the proof that its notification is stored: acknowledging first does not compile.
 */
export const acknowledge = (_recorded: Recorded): string => ACKNOWLEDGEMENT;

/**
 * The whole story: verify, record, acknowledge. Nothing is interpreted before it verified; nothing is acknowledged
 * before it is durable; what failed verification is kept apart, acknowledged, and touches no order.
 */
export const createPayNotify =
  ({ trust, handlers, inbox }: PayNotifyOptions): PayNotify =>
  async (request) => {
    const receivedAt = new Date();
    const place = (await inbox()?.admit(request.body.length)) ?? notStored('STORE_UNAVAILABLE');
    if (place.kind === 'not stored') return { ...place, reason: null };

    const verification = verify(request, trust());
    const reason = verification.verified ? null : verification.reason;
    const delivery: Delivery = verification.verified
      ? { kind: 'notification', read: readNotification(verification.notification, handlers), receivedAt }
      : { kind: 'unverified', request, reason: verification.reason, receivedAt };

    const recorded = await place.record(delivery);
    if (recorded.kind === 'not stored') return { ...recorded, reason, ...(reason === null && { verified: true }) };

    return { kind: 'acknowledged', recorded, acknowledgement: acknowledge(recorded), reason };
  };
