import type { Entry, NotificationEntry, UnverifiedEntry } from '../entry.ts';
import type { BatchResult, RecordedNotification, RecordedUnverified, Refused } from '../store.ts';

/**
 * A batch on its way to the thread. Objects and small buffers are dear to copy between threads, name by name and
 * buffer by buffer: the values go in one flat list, the bodies in one buffer that changes hands.
 */
export interface PackedBatch {
  readonly values: readonly (string | number | null)[];
  readonly bodies: Uint8Array;
}

const NOTIFICATION = 0;
const UNVERIFIED = 1;

export const packBatch = (entries: readonly Entry[]): PackedBatch => {
  const values: (string | number | null)[] = [];
  const bodies = new Uint8Array(entries.reduce((sum, { body }) => sum + body.length, 0));
  let offset = 0;
  for (const entry of entries) {
    bodies.set(entry.body, offset);
    offset += entry.body.length;
    const { method, target, receivedAt, body } = entry;
    if (entry.kind === 'unverified') {
      values.push(UNVERIFIED, body.length, receivedAt, method, target, entry.reason, entry.headers);
      continue;
    }
    values.push(
      NOTIFICATION,
      body.length,
      receivedAt,
      method,
      target,
      entry.clientId,
      entry.requestTime,
      entry.signature,
      entry.notifyType,
      entry.paymentId,
      entry.paymentRequestId,
      entry.captureId,
      entry.outcome,
      entry.facts,
    );
  }
  return { values, bodies };
};

export const unpackBatch = ({ values, bodies }: PackedBatch): readonly Entry[] => {
  const entries: Entry[] = [];
  let at = 0;
  let offset = 0;
  // The list was written by packBatch: each value has the type that its place says.
  const take = <T>(): T => values[at++] as T;
  while (at < values.length) {
    const kind = take<number>();
    const length = take<number>();
    const body = bodies.subarray(offset, offset + length);
    offset += length;
    const common = { body, receivedAt: take<number>(), method: take<string>(), target: take<string>() };
    entries.push(kind === UNVERIFIED ? takeUnverified(common, take) : takeNotification(common, take));
  }
  return entries;
};

type Common = Pick<Entry, 'body' | 'receivedAt' | 'method' | 'target'>;
type Take = <T>() => T;

const takeUnverified = (common: Common, take: Take): UnverifiedEntry => ({
  kind: 'unverified',
  ...common,
  reason: take(),
  headers: take(),
});

const takeNotification = (common: Common, take: Take): NotificationEntry => ({
  kind: 'notification',
  ...common,
  clientId: take(),
  requestTime: take(),
  signature: take(),
  notifyType: take(),
  paymentId: take(),
  paymentRequestId: take(),
  captureId: take(),
  outcome: take(),
  facts: take(),
});

/** A batch's result on its way back, flat for the same reason. */
export interface PackedResult extends Omit<BatchResult, 'results'> {
  readonly values: readonly (string | number | null)[];
}

const REFUSED = 2;

export const packResult = ({ results, ...rest }: BatchResult): PackedResult => {
  const values: (string | number | null)[] = [];
  for (const result of results) {
    if (result.kind === 'notification')
      values.push(NOTIFICATION, result.deliveries, result.outcome, result.notifyType, result.paymentId);
    else if (result.kind === 'unverified') values.push(UNVERIFIED, result.deliveries);
    else values.push(REFUSED);
  }
  return { ...rest, values };
};

export const unpackResult = ({ values, ...rest }: PackedResult): BatchResult => {
  const results: BatchResult['results'][number][] = [];
  let at = 0;
  // As above: written by packResult.
  const take = <T>(): T => values[at++] as T;
  while (at < values.length) {
    const kind = take<number>();
    if (kind === NOTIFICATION) {
      results.push({
        kind: 'notification',
        deliveries: take(),
        outcome: take(),
        notifyType: take(),
        paymentId: take(),
      } as RecordedNotification);
    } else if (kind === UNVERIFIED) results.push({ kind: 'unverified', deliveries: take() } as RecordedUnverified);
    else results.push({ kind: 'refused' } satisfies Refused);
  }
  return { ...rest, results };
};
