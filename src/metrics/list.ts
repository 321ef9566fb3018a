import { DIAGNOSIS_CODES } from '../antom/diagnosis.ts';
import { UNVERIFIED_REASONS } from '../antom/signature.ts';
import { NOT_ACKNOWLEDGED } from '../http/public-replies.ts';
import { CLOSED_FOR } from '../http/server.ts';
import { ATTENTION_CODES } from '../order/attention-code.ts';
import { NEXT_ACTIONS } from '../order/next-action.ts';
import { KINDS, OUTCOMES } from '../order/reading.ts';
import { ORDER_STATUSES } from '../order/status.ts';

/** Values that a label can have: a closed list, or null where only the configuration bounds them. */
type Labels = Readonly<Record<string, readonly string[] | null>>;

interface Described {
  /** By the conventions of Prometheus: the unit, in its base, and `_total` are in the name. */
  readonly name: string;
  readonly help: string;
  readonly labels?: Labels;
}

export type Metric = Described &
  ({ readonly type: 'counter' | 'gauge' } | { readonly type: 'histogram'; readonly buckets: readonly number[] });

/** Actions that somebody has to take; of the others there is nothing to count. */
const ACTIONS = NEXT_ACTIONS.filter((action) => action !== 'FULFIL' && action !== 'WAIT' && action !== 'NONE');

/** For what stands in no closed list: a version that runs beside this one may store a kind that this one lacks. */
export const OTHER = 'other';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;
const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** What a callback that was not delivered came to: no answer in time, or the class of its status. */
const CALLBACK_FAILURES = ['unreachable', '3xx', '4xx', '5xx'] as const;
export type CallbackFailure = (typeof CALLBACK_FAILURES)[number];

/** Every metric of `GET /metrics`. docs/operating.md has the same table, and a test compares the two. */
export const METRICS = {
  notifications: {
    type: 'counter',
    name: 'paynotify_notifications_total',
    help: 'Verified notifications stored; resends do not count.',
    labels: { kind: [...KINDS, OTHER], outcome: OUTCOMES },
  },
  resends: {
    type: 'counter',
    name: 'paynotify_resends_total',
    help: 'Deliveries of verified notifications that were stored before.',
  },
  unverified: {
    type: 'counter',
    name: 'paynotify_unverified_total',
    help: 'Requests that failed verification and were stored, repeats included.',
    labels: { reason: [...UNVERIFIED_REASONS, OTHER] },
  },
  diagnosed: {
    type: 'counter',
    name: 'paynotify_diagnosed_total',
    help: 'Stored unverified requests that were diagnosed.',
    labels: { diagnosis: DIAGNOSIS_CODES },
  },
  refused: {
    type: 'counter',
    name: 'paynotify_refused_total',
    help: 'Requests to the public listener, and connections, that were refused; unverified ones that are stored do not count.',
    labels: { cause: [...NOT_ACKNOWLEDGED, ...CLOSED_FOR] },
  },
  acknowledge: {
    type: 'histogram',
    name: 'paynotify_acknowledge_seconds',
    help: "From the last byte of a stored request's body until its response was written.",
    buckets: SECONDS,
  },
  batch: {
    type: 'histogram',
    name: 'paynotify_batch_deliveries',
    help: 'Deliveries that shared one transaction.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  },
  commit: {
    type: 'histogram',
    name: 'paynotify_commit_seconds',
    help: 'From handing a batch to the store until its COMMIT had returned.',
    buckets: SECONDS,
  },
  paymentToOrder: {
    type: 'histogram',
    name: 'paynotify_payment_to_order_seconds',
    help: 'From the paymentTime that a notification states until its order was committed, of at most 100 a second.',
    buckets: [0.5, 1, 2, 5, 10, 30, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR],
  },
  queueRequests: {
    type: 'gauge',
    name: 'paynotify_queue_requests',
    help: 'Requests that wait to be verified or stored.',
  },
  queueBytes: {
    type: 'gauge',
    name: 'paynotify_queue_bytes',
    help: 'Bytes of the bodies of waiting requests, those in transactions included.',
  },
  queueOldest: {
    type: 'gauge',
    name: 'paynotify_queue_oldest_seconds',
    help: 'How long the oldest request has waited in the queue; 0 while none waits.',
  },
  ready: {
    type: 'gauge',
    name: 'paynotify_ready',
    help: '1 while /readyz answers 200.',
  },
  lastVerified: {
    type: 'gauge',
    name: 'paynotify_last_verified_timestamp_seconds',
    help: 'When a notification verified last; absent while none ever has.',
  },
  orders: {
    type: 'gauge',
    name: 'paynotify_orders',
    help: 'Orders, placeholders of registrations included.',
    labels: { status: ORDER_STATUSES },
  },
  attention: {
    type: 'gauge',
    name: 'paynotify_orders_with_attention',
    help: 'Orders that have a code of attention, settled or not.',
    labels: { code: ATTENTION_CODES },
  },
  actions: {
    type: 'gauge',
    name: 'paynotify_orders_to_act_on',
    help: 'Orders for which somebody has to do something; REVIEW is what a person has to look at.',
    labels: { action: ACTIONS },
  },
  failed: {
    type: 'gauge',
    name: 'paynotify_failed_notifications',
    help: 'Notifications that could not be applied by a fault of paynotify (FAILED).',
  },
  failedOldest: {
    type: 'gauge',
    name: 'paynotify_failed_oldest_seconds',
    help: 'How long ago the oldest FAILED notification was received; 0 while there is none.',
  },
  unverifiedStored: {
    type: 'gauge',
    name: 'paynotify_unverified_requests',
    help: 'Unverified requests that are stored.',
    labels: { reason: [...UNVERIFIED_REASONS, OTHER] },
  },
  unverifiedBytes: {
    type: 'gauge',
    name: 'paynotify_unverified_bytes',
    help: 'Bytes that stored unverified requests take, by share.',
    labels: { share: ['ALL', 'UNKNOWN', 'OTHER_KEY', 'CONFIGURED_KEY'] },
  },
  unverifiedMaxBytes: {
    type: 'gauge',
    name: 'paynotify_unverified_max_bytes',
    help: 'Bytes that stored unverified requests may take (UNVERIFIED_MAX_BYTES), by share.',
    labels: { share: ['ALL', 'UNKNOWN', 'OTHER_KEY', 'CONFIGURED_KEY'] },
  },
  callbacksDelivered: {
    type: 'counter',
    name: 'paynotify_callbacks_delivered_total',
    help: 'Callbacks that a shop answered 2xx.',
  },
  callbacksFailed: {
    type: 'counter',
    name: 'paynotify_callbacks_failed_total',
    help: 'Callbacks that a shop did not answer 2xx: no answer in time (unreachable), or the class of its status.',
    labels: { class: CALLBACK_FAILURES },
  },
  callbacksWaiting: {
    type: 'gauge',
    name: 'paynotify_callbacks_waiting_orders',
    help: 'Orders that wait to be posted to a shop.',
  },
  callbacksOldest: {
    type: 'gauge',
    name: 'paynotify_callbacks_oldest_seconds',
    help: 'How long the change of an order has waited that a shop is to be told of first; 0 while none waits.',
  },
  callbacksPaused: {
    type: 'gauge',
    name: 'paynotify_callbacks_paused_urls',
    help: 'Callback URLs that are paused until a probe is answered 2xx.',
  },
  feedHeldUp: {
    type: 'gauge',
    name: 'paynotify_feed_held_up_seconds',
    help: 'How long a transaction of PostgreSQL has kept changes of orders from the change feed and from callbacks; 0 where none does.',
  },
  inquiriesHeldBack: {
    type: 'gauge',
    name: 'paynotify_inquiries_held_back_seconds',
    help: 'How long APO has not answered inquiries of a client, or not accepted them, so that they are held back; 0 while it does.',
  },
  movesUnderWay: {
    type: 'gauge',
    name: 'paynotify_moves_under_way',
    help: 'Captures, cancels and refunds of which APO has not said yet what became of them.',
  },
  movesOldest: {
    type: 'gauge',
    name: 'paynotify_moves_oldest_seconds',
    help: 'How long ago the oldest of them was written down; 0 while none is under way.',
  },
  storeBytes: {
    type: 'gauge',
    name: 'paynotify_store_bytes',
    help: 'Bytes of the database.',
  },
  storeFreeBytes: {
    type: 'gauge',
    name: 'paynotify_store_free_bytes',
    help: "Bytes left on the database's disk; only with SQLite.",
  },
  storeDiskBytes: {
    type: 'gauge',
    name: 'paynotify_store_disk_bytes',
    help: "Bytes of the database's disk; only with SQLite.",
  },
  storeRead: {
    type: 'gauge',
    name: 'paynotify_store_read_timestamp_seconds',
    help: 'When the figures about orders, FAILED and unverified ones, callbacks that wait and the database were read; absent until then.',
  },
  key: {
    type: 'gauge',
    name: 'paynotify_key_info',
    help: 'A key of APO that signatures are verified with, by its fingerprint.',
    labels: { client_id: null, key_version: null, fingerprint: null },
  },
  build: {
    type: 'gauge',
    name: 'paynotify_build_info',
    help: 'The running version.',
    labels: { version: null, node: null, database: ['sqlite', 'postgres'] },
  },
  processCpu: {
    type: 'counter',
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process, user and system.',
  },
  processMemory: {
    type: 'gauge',
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the process.',
  },
  processStart: {
    type: 'gauge',
    name: 'process_start_time_seconds',
    help: 'When the process was started.',
  },
} as const satisfies Readonly<Record<string, Metric>>;
