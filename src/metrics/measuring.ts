import { setTimeout as pause } from 'node:timers/promises';
import type { Measures } from '../store/store.ts';

export interface Measured {
  readonly measures: Measures;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface MeasuringOptions {
  /** Null while the store is not open. */
  readonly measure: () => Promise<Measures> | null;
  readonly onError: (error: unknown) => void;
  readonly everyMs?: number;
  /** How many times as long as a reading took there is none. */
  readonly rests?: number;
}

/** However often somebody scrapes. */
const EVERY_MS = 60_000;
/** Of the time, at most one fiftieth is spent with it: what takes long is done less often. */
const RESTS = 49;
/** A scrape waits no longer; it then has the figures of the time before. */
const WAITS_MS = 2_000;

/**
 * What is stored, counted for a scrape: at most once a minute, and only where somebody scrapes. Returns what was read
 * last; null while nothing was.
 */
export const createMeasuring = ({
  measure,
  onError,
  everyMs = EVERY_MS,
  rests = RESTS,
}: MeasuringOptions): (() => Promise<Measured | null>) => {
  let last: Measured | null = null;
  let underWay: Promise<void> | null = null;
  let restsUntil = Number.NEGATIVE_INFINITY;

  const read = async (reading: Promise<Measures>): Promise<void> => {
    const began = performance.now();
    try {
      last = { measures: await reading, at: Date.now() };
    } catch (error) {
      onError(error);
    }
    const now = performance.now();
    restsUntil = now + Math.max(everyMs, rests * (now - began));
    underWay = null;
  };

  return async () => {
    if (underWay === null && performance.now() >= restsUntil) {
      const reading = measure();
      underWay = reading === null ? null : read(reading);
    }
    if (underWay !== null) await Promise.race([underWay, pause(WAITS_MS, undefined, { ref: false })]);
    return last;
  };
};
