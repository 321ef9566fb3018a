import { isIPv4 } from 'node:net';

/** Names that reach only this machine. `127.999.999.999` is no address but a name like any other. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
