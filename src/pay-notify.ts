import { ACKNOWLEDGEMENT } from './antom/acknowledgement.ts';
import { originOf } from './antom/origin.ts';
import { readHead, type SignedRequest, type Trust, type UnverifiedReason, verify } from './antom/signature.ts';
import { trustDigest } from './antom/trust-digest.ts';
import type { Handlers } from './handlers/handler.ts';
import { readNotification } from './handlers/read.ts';
import type { Inbox } from './inbox/inbox.ts';
import { type NotStored, notStored } from './inbox/not-stored.ts';
import type { Recorded } from './store/store.ts';

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
    const opened = inbox();
    if (opened === null) return { ...notStored('STORE_UNAVAILABLE'), reason: null };
    const refused = refuseByHead(request, trust, opened);
    if (refused !== null) return refused;
    const place = await opened.admit(request.body.length);
    if (place.kind === 'not stored') return { ...place, reason: null };

    const by = trust();
    const verification = verify(request, by);
    const reason = verification.verified ? null : verification.reason;
    const recorded = verification.verified
      ? await place.record({
          kind: 'notification',
          read: readNotification(verification.notification, handlers),
          receivedAt,
        })
      : await place.recordUnverified(() => ({
          kind: 'unverified',
          request,
          failure: { reason: verification.reason, origin: originOf(request, by), trust: trustDigest(by) },
          receivedAt,
        }));
    if (recorded.kind === 'not stored') return { ...recorded, reason, ...(reason === null && { verified: true }) };

    return { kind: 'acknowledged', recorded, acknowledgement: acknowledge(recorded), reason };
  };

/** While no more of the unverified are stored, a request whose headers alone fail does not queue with the others. */
const refuseByHead = (request: SignedRequest, trust: () => Trust, inbox: Inbox): PayNotifyResult | null => {
  const refusal = inbox.refusesUnverified(request.body.length);
  if (refusal === null) return null;
  const head = readHead(request, trust());
  return typeof head === 'string' ? { ...refusal, reason: head } : null;
};
