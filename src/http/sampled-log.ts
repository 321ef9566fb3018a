import type { Log } from '../log.ts';

/** What tells one kind of line from another: our own words, of which there are few. */
export interface Kind {
  readonly level: 'info' | 'warn';
  readonly text: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** Logs a line of a kind; `rest` makes its other fields, and is only called where the line is logged. */
export type SampledLog = (kind: Kind, rest: () => object) => void;

const LINES = 10;
const WINDOW_MS = 60_000;

/**
 * For lines that anybody can cause: of each kind ten a minute are logged. The others are counted, and the count is
 * logged when the minute is over.
 */
export const createSampledLog = (log: Log): SampledLog => {
  const counts = new Map<string, number>();
  const tell = (key: string, { level, text, fields }: Kind): void => {
    const more = (counts.get(key) ?? 0) - LINES;
    counts.delete(key);
    if (more > 0) log[level]({ ...fields, count: more }, `${text}: so many more within a minute`);
  };
  return (kind, rest) => {
    const { level, text, fields } = kind;
    const key = [text, ...Object.values(fields)].join(' ');
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (count === 1) setTimeout(() => tell(key, kind), WINDOW_MS).unref();
    if (count <= LINES) log[level]({ ...rest(), ...fields }, text);
  };
};
