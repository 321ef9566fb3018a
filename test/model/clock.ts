export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A virtual clock: it stands still but for `run`, which goes from one appointment to the next. */
export interface Clock {
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly after: (delay: number, act: () => void) => void;
  /** Until nobody has an appointment any more. */
  readonly run: () => void;
}

interface Appointment {
  readonly at: number;
  readonly act: () => void;
}

export const createClock = (start: number): Clock => {
  let now = start;
  /** Latest first; of two at one instant the one that was made first acts first. */
  const agenda: Appointment[] = [];
  return {
    now: () => now,
    after: (delay, act) => {
      const at = now + delay;
      const place = agenda.findIndex((one) => one.at <= at);
      agenda.splice(place === -1 ? agenda.length : place, 0, { at, act });
    },
    run: () => {
      for (let next = agenda.pop(); next !== undefined; next = agenda.pop()) {
        now = next.at;
        next.act();
      }
    },
  };
};
