import { originOf } from '../antom/origin.ts';
import { type SignedRequest, type Trust, verify } from '../antom/signature.ts';
import { trustDigest } from '../antom/trust-digest.ts';
import type { Handlers } from '../handlers/handler.ts';
import { readNotification } from '../handlers/read.ts';
import type { FailedAgain, Promotion, Store, StoredNotification, StoredUnverified } from '../store/store.ts';

const AT_ONCE = 50;

/** The request that a stored notification came as; null once its bytes are gone. */
export const requestOf = (stored: Pick<StoredNotification, 'clientId' | 'raw'>): SignedRequest | null => {
  if (stored.raw === null) return null;
  const { method, target, requestTime, signature, body } = stored.raw;
  return { method, target, clientIds: [stored.clientId], requestTimes: [requestTime], signatures: [signature], body };
};

/** Whether a stored notification's signature verifies with today's keys; null once its bytes are gone. */
export const verifiesNow = (stored: Pick<StoredNotification, 'clientId' | 'raw'>, trust: Trust): boolean | null => {
  const request = requestOf(stored);
  return request === null ? null : verify(request, trust).verified;
};

interface Judging {
  readonly trust: Trust;
  readonly handlers: Handlers;
}

/**
 * Verifies those stored unverified requests again that failed under other keys, clients or paths. Each that now passes
 * moves to the notifications and is applied; of the others is noted why they fail now. Returns how many moved.
 */
export const verifyUnverifiedAgain = async (
  store: Pick<Store, 'readOutdated' | 'promote' | 'amendUnverified'>,
  { isStopping, ...judging }: Judging & { readonly isStopping: () => boolean },
): Promise<number> => {
  const digest = trustDigest(judging.trust);
  let moved = 0;
  for (let cursor: string | null = null, more = true; more && !isStopping(); more = cursor !== null) {
    const page = await store.readOutdated(digest, { limit: AT_ONCE, cursor });
    const verdicts = page.items.map((stored) => judge(stored, judging));
    const promotions = verdicts.flatMap((verdict) => ('read' in verdict ? [verdict] : []));
    const failures = verdicts.flatMap((verdict) => ('read' in verdict ? [] : [verdict]));
    if (promotions.length > 0) moved += await store.promote(promotions, new Date());
    if (failures.length > 0) await store.amendUnverified(failures);
    cursor = page.next;
  }
  return moved;
};

const judge = ({ id, request }: StoredUnverified, { trust, handlers }: Judging): Promotion | FailedAgain => {
  const verification = verify(request, trust);
  return verification.verified
    ? { id, read: readNotification(verification.notification, handlers) }
    : { id, reason: verification.reason, origin: originOf(request, trust), trust: trustDigest(trust) };
};
