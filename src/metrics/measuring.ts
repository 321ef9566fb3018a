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
}

/** However often somebody scrapes. */
const EVERY_MS = 60_000;
/** How many times as long as a reading took there is none: at most one fiftieth of the time is spent with it. */
const RESTS = 49;
/** A scrape waits no longer; it then has the figures of the time before. */
const WAITS_MS = 2_000;

/**
 * What is stored, counted for a scrape: at most once a minute, and only where somebody scrapes. Returns what was read
 * last; null while nothing was.
 */
export const createMeasuring = ({ measure, onError }: MeasuringOptions): (() => Promise<Measured | null>) => {
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
    restsUntil = now + Math.max(EVERY_MS, RESTS * (now - began));
    underWay = null;
  };

  return async () => {
    if (underWay === null && performance.now() >= restsUntil) {
      const reading = measure();
      underWay = reading === null ? null : read(reading);
    }
    if (underWay !== null) await Promise.race([underWay, patience()]);
    return last;
  };
};

const patience = async (): Promise<void> => await new Promise((resolve) => setTimeout(resolve, WAITS_MS).unref());
