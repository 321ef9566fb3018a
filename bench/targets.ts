import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
  /** Bytes on disk of a notification; null where nothing is stored or it is not asked. */
  readonly diskBytes: number | null;
}

export type Results = ReadonlyMap<string, Figures>;

export interface Target {
  readonly figure: string;
  readonly measured: number;
  readonly bound: number;
  readonly at: 'most' | 'least';
}

export const isMet = ({ measured, bound, at }: Target): boolean =>
  at === 'most' ? measured <= bound : measured >= bound;

const SQLITE = 'paynotify sqlite, 64';
const POSTGRES = 'paynotify postgres, 64';

export const comparisonTargets = (
  results: Results,
  { bodyBytes, fsyncMs }: { readonly bodyBytes: number; readonly fsyncMs: number },
): readonly Target[] => {
  const of = (name: string): Figures => {
    const figures = results.get(name);
    if (figures === undefined) throw new Error(`no figures of ${name}`);
    return figures;
  };
  /** The median of the ratios of each round: its subjects were measured within seconds. */
  const ratio = (figure: 'cpuUs' | 'perSecond', name: string, to: string): number =>
    median(of(name)[figure].map((value, index) => value / (of(to)[figure][index] ?? Number.NaN)));
  return [
    {
      figure: 'CPU per notification, sqlite ÷ express',
      measured: ratio('cpuUs', SQLITE, 'express'),
      bound: 2.3,
      at: 'most',
    },
    {
      figure: 'throughput, sqlite ÷ template',
      measured: ratio('perSecond', SQLITE, 'template'),
      bound: 1.3,
      at: 'least',
    },
    { figure: 'throughput, sqlite ÷ forge', measured: ratio('perSecond', SQLITE, 'forge'), bound: 4, at: 'least' },
    {
      figure: 'throughput, postgres ÷ sqlite',
      measured: ratio('perSecond', POSTGRES, SQLITE),
      bound: 0.7,
      at: 'least',
    },
    {
      figure: 'CPU of the service, postgres ÷ sqlite',
      measured: ratio('cpuUs', POSTGRES, SQLITE),
      bound: 1.2,
      at: 'most',
    },
    {
      figure: 'p99 at 1 connection, sqlite (ms)',
      measured: of('paynotify sqlite, 1').p99Ms,
      bound: 3 * fsyncMs + 2,
      at: 'most',
    },
    { figure: 'peak RSS, sqlite (MiB)', measured: of(SQLITE).peakRssMiB, bound: 150, at: 'most' },
    {
      figure: 'bytes on disk ÷ bytes of the body, sqlite',
      measured: (of(SQLITE).diskBytes ?? Number.NaN) / bodyBytes,
      bound: 2,
      at: 'most',
    },
  ];
};

const PAGE = Buffer.alloc(4_096, 1);

/** What the machine itself needs to make 4 KiB durable, median of many, milliseconds. */
export const measureFsync = (times = 200): number => {
  const directory = mkdtempSync(join(tmpdir(), 'paynotify-fsync-'));
  const file = openSync(join(directory, 'file'), 'w');
  const taken = Array.from({ length: times }, () => {
    const began = performance.now();
    writeSync(file, PAGE);
    fsyncSync(file);
    return performance.now() - began;
  });
  closeSync(file);
  rmSync(directory, { recursive: true });
  return median(taken);
};

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
