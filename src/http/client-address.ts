import { isIP } from 'node:net';

export interface Hops {
  /** The address of the socket: the last proxy's, or the client's own. */
  readonly socket: string | undefined;
  /** `X-Forwarded-For`, every occurrence. */
  readonly forwardedFor: readonly string[];
  /** How many proxies in front are ours; 0 believes nobody. */
  readonly trusted: number;
}

/**
 * The client's address. Each proxy appends the address that called it, so the entries of our own proxies stand at the
 * end of the list. The client may have sent the entries before them, and may claim anything.
 */
export const clientAddress = ({ socket, forwardedFor, trusted }: Hops): string | undefined => {
  if (trusted === 0 || forwardedFor.length === 0) return socket;
  return addressIn(forwardedFor.join(',').split(',').at(-trusted)?.trim() ?? '') ?? socket;
};

/**
 * `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`; null for anything else. A zone
 * (`fe80::1%eth0`) names an interface of another machine, and may be of any length.
 */
const addressIn = (entry: string): string | null => {
  if (entry.includes('%')) return null;
  if (isIP(entry) !== 0) return entry;
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(entry) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? bracketed : null;
  return plain !== undefined && isIP(plain) !== 0 ? plain : null;
};
