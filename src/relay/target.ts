import { hash } from 'node:crypto';
import type { CallbackDestination } from '../store/store.ts';

/** Where callbacks of one client are posted, and what they are signed with. Neither URL nor secret is ever shown. */
export interface CallbackTarget extends CallbackDestination {
  readonly href: string;
  /** At least one. */
  readonly secrets: readonly Uint8Array[];
}

export const toTarget = (
  clientId: string,
  { url, secrets }: { readonly url: URL; readonly secrets: readonly Uint8Array[] },
): CallbackTarget => ({
  clientId,
  url: hash('sha256', url.href, 'hex'),
  origin: url.origin,
  href: url.href,
  secrets,
});

/** Without href and secrets: it may cross to the database's thread. */
export const toDestination = ({ clientId, url, origin }: CallbackTarget): CallbackDestination => ({
  clientId,
  url,
  origin,
});
