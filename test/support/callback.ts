import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

/** What a callback carries besides its body, by the rules of Standard Webhooks, signed by their own package. */
export interface SignedCallback {
  readonly headers: Readonly<Record<'content-type' | 'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>>;
  readonly body: string;
}

export const makeSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** One signature for each of the secrets. */
export const signCallback = (body: string, secrets: readonly string[], at = new Date()): SignedCallback => {
  const id = `evt_${randomBytes(16).toString('hex')}`;
  return {
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
    },
    body,
  };
};
