// Verifies a callback by the rules of https://www.standardwebhooks.com, over the bytes as they came.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** An older or newer `webhook-timestamp` is a repeat by somebody else, or a clock that is wrong. */
const TOLERANCE_S = 300;

/** `whsec_…`, comma-separated: one while all is quiet, two while the secret is changed. */
export const readSecrets = (text) =>
  text.split(',').map((secret) => {
    const key = Buffer.from(secret.trim().replace(/^whsec_/, ''), 'base64');
    if (key.length < 24) throw new Error('CALLBACK_SECRETS: whsec_ and at least 24 bytes in Base64, comma-separated');
    return key;
  });

/** Null where the callback is paynotify's, else what is wrong with it. `headers` are Node's; `body` is a Buffer. */
export const problemOf = ({ headers, body }, secrets) => {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (!id || !signatures || !/^\d{1,12}$/.test(timestamp ?? '')) return 'a webhook- header is missing or malformed';
  if (Math.abs(Date.now() / 1_000 - Number(timestamp)) > TOLERANCE_S) return 'webhook-timestamp is not near our clock';
  const expected = secrets.map((secret) =>
    createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest(),
  );
  const given = signatures
    .split(' ')
    .filter((signature) => signature.startsWith('v1,'))
    .map((signature) => Buffer.from(signature.slice(3), 'base64'));
  const matches = given.some((one) => expected.some((mac) => mac.length === one.length && timingSafeEqual(mac, one)));
  return matches ? null : 'webhook-signature fits none of CALLBACK_SECRETS';
};
