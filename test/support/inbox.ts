import type { Place } from '../../src/inbox/queue.ts';
import type { Inbox } from '../../src/inbox/inbox.ts';
import type { NotStored } from '../../src/inbox/not-stored.ts';
import type { Delivery, Recorded } from '../../src/store/store.ts';

export type Result = Recorded | NotStored;

const bytesOf = (delivery: Delivery): number =>
  delivery.kind === 'notification' ? delivery.read.raw.body.length : delivery.request.body.length;

/** The place of a request, in a queue that has room. */
export const admitted = async (inbox: Inbox, bytes = 0): Promise<Place> => {
  const place = await inbox.admit(bytes);
  if (place.kind === 'not stored') throw new Error(place.because);
  return place;
};

const recordAt = async (place: Place, delivery: Delivery): Promise<Result> =>
  delivery.kind === 'notification' ? await place.record(delivery) : await place.recordUnverified(() => delivery);

/** Arrives now, and is recorded as soon as its turn comes. */
export const submit = async (inbox: Inbox, delivery: Delivery): Promise<Result> => {
  const place = await inbox.admit(bytesOf(delivery));
  return place.kind === 'not stored' ? place : await recordAt(place, delivery);
};

/**
 * Records all of them at the same moment, once each has had its turn, in a queue that has room. One turn after the
 * other: a crowd that a halt of the machine holds up is overload.
 */
export const submitTogether = async (inbox: Inbox, deliveries: readonly Delivery[]): Promise<readonly Result[]> => {
  const records: (() => Promise<Result>)[] = [];
  for (const delivery of deliveries) {
    const place = await admitted(inbox, bytesOf(delivery));
    records.push(() => recordAt(place, delivery));
  }
  return await Promise.all(records.map((record) => record()));
};
