import { hash } from 'node:crypto';
import type { CallbackContent, DueCallback } from '../store/store.ts';

/**
 * The same on every attempt, and of no other revision: `evt_` and the first 32 hex digits of the SHA-256 over the JSON
 * text of the list of start, client, order (its `paymentId`; a space and the `paymentRequestId` where it has none) and
 * revision.
 */
export const webhookId = ({ clientId, orderKey }: DueCallback, { start, order }: CallbackContent): string =>
  `evt_${hash('sha256', JSON.stringify([start, clientId, orderKey, order.revision]), 'hex').slice(0, 32)}`;

export const webhookBody = ({ order, previous }: CallbackContent): string =>
  JSON.stringify({ type: 'order.changed', timestamp: order.updatedAt, data: { order, previous } });
