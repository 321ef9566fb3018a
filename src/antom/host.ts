/** Where Antom's API is called, by the region of the merchant's contract (spec: wire, §3.1). */
export const HOSTS = {
  ASIA: 'https://open-sea-global.alipay.com',
  NA: 'https://open-na-global.alipay.com',
  EU: 'https://open-de-global.alipay.com',
  US: 'https://open.antglobal-us.com',
} as const;
export type Region = keyof typeof HOSTS;

/** A client of Antom's sandbox: no money is behind its payments. */
export const isSandbox = (clientId: string): boolean => clientId.startsWith('SANDBOX_');

/**
 * The path at which a client calls an operation, as it is signed: a sandbox client's is another one on the same host.
 */
export const pathOfOperation = (operation: string, clientId: string): string =>
  `/ams/${isSandbox(clientId) ? 'sandbox/' : ''}api/v1/payments/${operation}`;
