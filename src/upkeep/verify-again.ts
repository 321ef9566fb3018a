import { type SignedRequest, type Trust, verify } from '../antom/signature.ts';
import type { Handlers } from '../handlers/handler.ts';
import { readNotification } from '../handlers/read.ts';
import type { Store, StoredNotification } from '../store/store.ts';

const AT_ONCE = 50;

/** The request that a stored notification came as; null once its bytes are gone. */
export const requestOf = (stored: StoredNotification): SignedRequest | null => {
  if (stored.raw === null) return null;
  const { method, target, requestTime, signature, body } = stored.raw;
  return { method, target, clientIds: [stored.clientId], requestTimes: [requestTime], signatures: [signature], body };
};

/** Whether a stored notification's signature verifies with today's keys; null once its bytes are gone. */
export const verifiesNow = (stored: StoredNotification, trust: Trust): boolean | null => {
  const request = requestOf(stored);
  return request === null ? null : verify(request, trust).verified;
};

/**
 * Verifies every stored unverified request again, after keys, clients or paths changed. Each that now passes
 * moves to the notifications and is applied; of the others the reason is brought up to date. Returns how many moved.
 */
export const verifyUnverifiedAgain = async (
  store: Store,
  {
    trust,
    handlers,
    isStopping,
  }: { readonly trust: Trust; readonly handlers: Handlers; readonly isStopping: () => boolean },
): Promise<number> => {
  let moved = 0;
  for (let cursor: string | null = null, more = true; more && !isStopping(); more = cursor !== null) {
    const page = await store.readUnverified({ limit: AT_ONCE, cursor });
    const verdicts = page.items.map(({ id, reason, request }) => ({ id, reason, verdict: verify(request, trust) }));
    const promotions = verdicts.flatMap(({ id, verdict }) =>
      verdict.verified ? [{ id, read: readNotification(verdict.notification, handlers) }] : [],
    );
    const changes = verdicts.flatMap(({ id, reason, verdict }) =>
      verdict.verified || verdict.reason === reason ? [] : [{ id, reason: verdict.reason }],
    );
    if (promotions.length > 0) moved += await store.promote(promotions, new Date());
    if (changes.length > 0) await store.changeReasons(changes);
    cursor = page.next;
  }
  return moved;
};

export interface StoreVerification {
  readonly verified: number;
  readonly failed: readonly { readonly clientId: string; readonly id: string }[];
  readonly withoutBytes: number;
}

/** Verifies every stored notification again with today's keys; changes nothing. */
export const verifyStore = async (store: Store, trust: Trust): Promise<StoreVerification> => {
  const failed: { clientId: string; id: string }[] = [];
  const counts = { verified: 0, withoutBytes: 0 };
  for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
    const page = await store.readNotifications(
      { kind: null, outcome: null, paymentId: null },
      { limit: AT_ONCE, cursor },
    );
    for (const stored of page.items) {
      const verifies = verifiesNow(stored, trust);
      if (verifies === null) counts.withoutBytes += 1;
      else if (verifies) counts.verified += 1;
      else failed.push({ clientId: stored.clientId, id: stored.id });
    }
    cursor = page.next;
  }
  return { ...counts, failed };
};
