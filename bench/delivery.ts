import type { VerifiedNotification } from '../src/antom/signature.ts';
import { readNotification } from '../src/handlers/read.ts';
import type { NotificationDelivery } from '../src/store/store.ts';
import { CLIENT_ID, PATH } from './notifications.ts';

const SIGNATURE = `algorithm=RSA256,keyVersion=1,signature=${encodeURIComponent(Buffer.alloc(256, 0xb5).toString('base64'))}`;

/** For a store that is filled without HTTP. The signature is not real: nothing verifies it there. */
export const deliveryOf = (body: Buffer): NotificationDelivery => {
  const notification = {
    clientId: CLIENT_ID,
    method: 'POST',
    target: PATH,
    requestTime: '2025-02-16T21:48:06-08:00',
    signature: SIGNATURE,
    body,
  } as unknown as VerifiedNotification;
  return { kind: 'notification', read: readNotification(notification), receivedAt: new Date() };
};
