import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';

/** Names that reach only this machine. `127.999.999.999` is no address but a name like any other. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));

/** Any port; a name that a foreign site could make point here (DNS rebinding) is none of these. */
const leadsToLoopback = (host: string): boolean => {
  const [, name = ''] = /^(.*?)(:\d{1,5})?$/.exec(host.toLowerCase()) ?? [];
  // An IPv6 address stands in brackets there.
  return name !== '::1' && isLoopback(name);
};

/**
 * A foreign web page could use the browser of somebody on this machine against a listener that asks for no token. The
 * header that tells such a page; null where none does.
 */
export const foreignHeader = ({
  host: hosts = [],
  origin: origins = [],
}: IncomingMessage['headersDistinct']): 'Host' | 'Origin' | null => {
  const [host = ''] = hosts;
  if (hosts.length !== 1 || !leadsToLoopback(host)) return 'Host';
  const own = `http://${host.toLowerCase()}`;
  return origins.every((origin) => origin.toLowerCase() === own) ? null : 'Origin';
};
