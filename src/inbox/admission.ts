import type { Arrival, Queue } from './queue.ts';

/**
 * A group is at most so many, or this part of what waits; then others get their turn, a database's answers above all.
 */
const GROUP_ENTRIES = 64;
const GROUP_PART = 4;
/**
 * While sockets always have more to read, the event loop does not come to the end of its turn: a group ends it after so
 * long.
 */
const TURN_MS = 10;

/**
 * Admits arrivals in groups. Requests that arrive while each turn of the event loop brings more are verified one right
 * after the other, so that the code stays in the processor's cache, and are stored in one transaction. A request that
 * comes alone waits for one empty turn, some microseconds.
 *
 * Returns what is to be called at each arrival.
 */
export const createAdmission = (queue: Queue, admit: (arrival: Arrival) => void): ((now: number) => void) => {
  const { arrivals } = queue;
  let countBefore = 0;
  let isTurnOpen = false;

  const admitGroup = (): void => {
    countBefore = 0;
    for (const arrival of queue.takeArrivals(Math.max(GROUP_ENTRIES, Math.ceil(arrivals.length / GROUP_PART))))
      admit(arrival);
  };

  const endTurn = (): void => {
    const isGrowing = arrivals.length > countBefore;
    countBefore = arrivals.length;
    if (!isGrowing || arrivals.length >= GROUP_ENTRIES) admitGroup();
    isTurnOpen = arrivals.length > 0;
    if (isTurnOpen) setImmediate(endTurn);
  };

  return (now) => {
    const [oldest] = arrivals;
    if (oldest === undefined) return;
    if (now - oldest.arrivedAt > TURN_MS) admitGroup();
    if (!isTurnOpen) setImmediate(endTurn);
    isTurnOpen = true;
  };
};
