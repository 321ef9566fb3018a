import { NAMES } from './subjects.ts';

/** The figures of one subject. Times in microseconds or milliseconds as named. */
export interface Figures {
  /** One a round. */
  readonly perSecond: readonly number[];
  /** One a round. */
  readonly cpuUs: readonly number[];
  /** Of all rounds together. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly peakRssMiB: number;
  /** Bytes on disk of a notification; null where nothing is stored or it is not measured. */
  readonly diskBytes: number | null;
}

export type Results = ReadonlyMap<string, Figures>;

/** A figure that is reported, and judged where it has a limit. */
export interface Row {
  readonly figure: string;
  readonly value: number;
  /** The command ends with 1 above it. */
  readonly limit?: number;
  /** A larger value needs an explanation in docs/performance.md. */
  readonly explainAbove?: number;
}

export const isWithinLimit = ({ value, limit }: Row): boolean => limit === undefined || value <= limit;

/**
 * CPU per notification, sqlite ÷ floor: 1.10 × 2.09, which this benchmark measured at commit 7a26433 (237.85 µs ÷
 * 113.89 µs). The tenth pays for zod and the table of identifiers, which came later.
 */
const CPU_TO_FLOOR_LIMIT = 2.3;
const RSS_MIB_LIMIT = 160;
const DISK_TO_BODY_EXPLAINED_ABOVE = 2.2;

/** Each ratio is one of two medians over the rounds of the same run. */
export const comparisonRows = (results: Results, bodyBytes: number): readonly Row[] => {
  const figuresOf = (name: string): Figures => {
    const figures = results.get(name);
    if (figures === undefined) throw new Error(`no figures of ${name}`);
    return figures;
  };
  const ratio = (figure: 'cpuUs' | 'perSecond', name: string, to: string): number =>
    median(figuresOf(name)[figure]) / median(figuresOf(to)[figure]);
  const { express, floor, sqlite, postgres, other } = NAMES;
  const { peakRssMiB, diskBytes } = figuresOf(sqlite);
  return [
    {
      figure: 'CPU per notification, sqlite ÷ floor',
      value: ratio('cpuUs', sqlite, floor),
      limit: CPU_TO_FLOOR_LIMIT,
    },
    { figure: 'CPU per notification, sqlite ÷ express', value: ratio('cpuUs', sqlite, express) },
    { figure: 'CPU of the receiver, postgres ÷ sqlite', value: ratio('cpuUs', postgres, sqlite) },
    { figure: 'throughput, sqlite ÷ floor', value: ratio('perSecond', sqlite, floor) },
    { figure: 'throughput, postgres ÷ sqlite', value: ratio('perSecond', postgres, sqlite) },
    ...(results.has(other)
      ? [
          { figure: `CPU per notification, ${other} ÷ floor`, value: ratio('cpuUs', other, floor) },
          { figure: `CPU per notification, sqlite ÷ ${other}`, value: ratio('cpuUs', sqlite, other) },
          { figure: `throughput, sqlite ÷ ${other}`, value: ratio('perSecond', sqlite, other) },
        ]
      : []),
    { figure: 'peak RSS, sqlite (MiB)', value: peakRssMiB, limit: RSS_MIB_LIMIT },
    {
      figure: 'bytes on disk ÷ bytes of the body, sqlite',
      value: (diskBytes ?? Number.NaN) / bodyBytes,
      explainAbove: DISK_TO_BODY_EXPLAINED_ABOVE,
    },
  ];
};

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
