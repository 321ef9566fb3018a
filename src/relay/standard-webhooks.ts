import { createHmac } from 'node:crypto';

/* https://www.standardwebhooks.com */

const PREFIX = 'whsec_';
const SHORTEST_BYTES = 24;
const LONGEST_BYTES = 64;

/** The key of a secret, or what is wrong with it, without its value. */
export const readSecret = (secret: string): Uint8Array | { readonly flaw: string } => {
  if (!secret.startsWith(PREFIX)) return { flaw: `must begin with ${PREFIX}` };
  const base64 = secret.slice(PREFIX.length);
  const key = Buffer.from(base64, 'base64');
  if (key.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, ''))
    return { flaw: `must be Base64 after ${PREFIX}` };
  return key.length >= SHORTEST_BYTES && key.length <= LONGEST_BYTES
    ? key
    : { flaw: `must hold ${SHORTEST_BYTES} to ${LONGEST_BYTES} bytes, and this one holds ${key.length}` };
};

export interface SignedContent {
  readonly id: string;
  /** Of this attempt, in whole seconds since the epoch. */
  readonly timestamp: number;
  readonly body: string;
}

/** The three headers of a webhook, with one signature for each secret. */
export const webhookHeaders = (
  { id, timestamp, body }: SignedContent,
  secrets: readonly Uint8Array[],
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> => ({
  'webhook-id': id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': secrets
    .map((secret) => `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`)
    .join(' '),
});
