import type { Endpoint } from './endpoint.ts';
import { find } from './find.ts';
import { health } from './health.ts';
import { showMetrics } from './metrics.ts';
import { cancelOrder, captureOrder, refundOrder } from './moves.ts';
import { findNotification, listNotifications, redriveAll, redriveOne } from './notifications.ts';
import { describeApi } from './openapi.ts';
import { findOrder, listOrders } from './orders.ts';
import { listRefunds, registerRefund } from './refunds.ts';
import { amend, register } from './registrations.ts';
import { decide, withdraw } from './reviews.ts';
import { showStatus } from './status.ts';
import { readTimeline } from './timeline.ts';
import { findUnverified, listUnverified } from './unverified.ts';

/** Every endpoint of the admin listener: the app and the OpenAPI document are made of this list. */
export const ENDPOINTS = [
  listOrders,
  findOrder,
  readTimeline,
  register,
  amend,
  decide,
  withdraw,
  captureOrder,
  cancelOrder,
  refundOrder,
  listRefunds,
  registerRefund,
  find,
  listNotifications,
  findNotification,
  redriveOne,
  redriveAll,
  listUnverified,
  findUnverified,
  showStatus,
  health,
  showMetrics,
  describeApi,
] as const;

/** What all of them need together. */
export type EndpointNeeds = NeedsOf<(typeof ENDPOINTS)[number]>;

/** Of several endpoints: what each of them needs. */
type NeedsOf<Endpoints> = (Endpoints extends Endpoint<infer Needs> ? (needs: Needs) => void : never) extends (
  needs: infer All,
) => void
  ? All
  : never;
