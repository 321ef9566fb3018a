import { acknowledge } from './antom/acknowledgement.ts';
import { type Kinds, parseNotification } from './antom/notification.ts';
import { type SignedRequest, type Trust, type UnverifiedReason, type Verification, verify } from './antom/signature.ts';
import type { Inbox, NotStored, NotStoredReason } from './inbox.ts';
import type { Delivery, Recorded } from './store/store.ts';

/** What a notification came to: the acknowledgement, or why there is none. */
export type Receipt =
  | {
      readonly kind: 'acknowledged';
      readonly recorded: Recorded;
      readonly acknowledgement: string;
      readonly reason: UnverifiedReason | null;
    }
  | { readonly kind: 'not stored'; readonly because: NotStoredReason; readonly reason: UnverifiedReason | null };

export interface PayNotifyOptions {
  /** Asked for each turn: the keys may have been read again. */
  readonly trust: () => Trust;
  readonly kinds: Kinds;
  /** Null while the store is not open yet. */
  readonly inbox: () => Inbox | null;
}

/** Takes a request as it was read, and says what it came to once that is durable. */
export type PayNotify = (request: SignedRequest) => Promise<Receipt>;

/** What is not signed by a known key is kept only up to this size. */
const UNVERIFIED_BODY_BYTES = 32_768;

/** So many in a row, or this share of those that wait; then others get their turn, a database's answers above all. */
const TOGETHER = 64;
const SHARE = 4;
/** While sockets always have more to read, the event loop does not come to the end of its turn: it is ended after so long. */
const TURN_MS = 10;
/**
 * Where one waits longer than this to be verified, and with it more than are verified in one go, more come than can be:
 * who comes now is told to come again. Fewer only met a moment in which the process stood still.
 */
const PATIENCE_MS = 100;

interface Arrival {
  readonly request: SignedRequest;
  readonly receivedAt: Date;
  /** On the monotonic clock. */
  readonly at: number;
  readonly inbox: Inbox;
  readonly resolve: (receipt: Receipt | Promise<Receipt>) => void;
  readonly reject: (fault: unknown) => void;
}

/**
 * The whole story: verify, record, acknowledge. Nothing is interpreted before it verified; nothing is
 * acknowledged before it is durable; what failed verification is kept apart, acknowledged, and touches no order.
 *
 * What arrives while each turn of the event loop brings more is verified in a row, then read in a row: each step runs on
 * a processor that still knows it, which halves what verifying costs among other work (README, Decisions), and what
 * was verified in a row is stored in one transaction.
 */
export const createPayNotify = ({ trust, kinds, inbox: currentInbox }: PayNotifyOptions): PayNotify => {
  const arrivals: Arrival[] = [];
  /** How many waited when the last turn ended. */
  let before = 0;

  const finishTurn = (): void => {
    const isGrowing = arrivals.length > before;
    before = arrivals.length;
    if (!isGrowing || before >= TOGETHER) verifySome();
    if (arrivals.length > 0) setImmediate(finishTurn);
  };

  const verifySome = (): void => {
    before = 0;
    const all = arrivals.splice(0, Math.max(TOGETHER, Math.ceil(arrivals.length / SHARE)));
    try {
      const current = trust();
      const verifications = all.map(({ request }) => verify(request, current));
      const deliveries = all.map((arrival, index) => toDelivery(arrival, verifications[index] as Verification, kinds));
      all.forEach(({ inbox, resolve }, index) => resolve(submit(inbox, deliveries[index] as Delivery)));
    } catch (fault) {
      for (const { reject } of all) reject(fault);
    }
  };

  return (request) =>
    new Promise((resolve, reject) => {
      const inbox = currentInbox();
      if (inbox === null) return resolve({ kind: 'not stored', because: 'STORE_UNAVAILABLE', reason: null });
      // Told before the signature is looked at: under a flood that is what costs.
      const at = performance.now();
      const waiting = at - (arrivals[0]?.at ?? at);
      if (waiting > TURN_MS) verifySome();
      const isFlooded = waiting > PATIENCE_MS && arrivals.length >= TOGETHER;
      if (isFlooded || inbox.isStanding() || inbox.isFull())
        return resolve({ kind: 'not stored', because: 'QUEUE_FULL', reason: null });
      if (arrivals.length === 0) setImmediate(finishTurn);
      arrivals.push({ request, receivedAt: new Date(), at, inbox, resolve, reject });
    });
};

const toDelivery = ({ request, receivedAt }: Arrival, verification: Verification, kinds: Kinds): Delivery =>
  verification.verified
    ? { kind: 'notification', parsed: parseNotification(verification.notification, kinds), receivedAt }
    : { kind: 'unverified', request, reason: verification.reason, receivedAt };

const submit = async (inbox: Inbox, delivery: Delivery): Promise<Receipt> => {
  const reason = delivery.kind === 'unverified' ? delivery.reason : null;
  const recorded = isTooLarge(delivery) ? UNVERIFIED_FULL : await inbox.submit(delivery);
  if (recorded.kind === 'not stored') return { ...recorded, reason };
  return { kind: 'acknowledged', recorded, acknowledgement: acknowledge(recorded), reason };
};

const UNVERIFIED_FULL: NotStored = { kind: 'not stored', because: 'UNVERIFIED_FULL' };

const isTooLarge = (delivery: Delivery): boolean =>
  delivery.kind === 'unverified' && delivery.request.body.length > UNVERIFIED_BODY_BYTES;
