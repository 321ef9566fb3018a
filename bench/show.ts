import { isWithinLimit, median, type Results, type Row } from './ratios.ts';

export const print = (line: string): void => void process.stdout.write(`${line}\n`);

const lineOf = (cells: readonly (string | number)[]): string =>
  cells
    .map((cell) => (typeof cell === 'number' ? cell.toFixed(2) : cell))
    .map((text, index) => (index === 0 ? text.padEnd(48) : text.padStart(11)))
    .join('');

export const printFigures = (results: Results): void => {
  print(lineOf(['', '/s', 'CPU µs', 'p50 ms', 'p99 ms', 'p99.9 ms', 'RSS MiB', 'disk B']));
  for (const [name, { perSecond, cpuUs, p50Ms, p99Ms, p999Ms, peakRssMiB, diskBytes }] of results) {
    print(
      lineOf([
        name,
        Math.round(median(perSecond)).toString(),
        median(cpuUs),
        p50Ms,
        p99Ms,
        p999Ms,
        peakRssMiB,
        diskBytes === null ? '' : Math.round(diskBytes).toString(),
      ]),
    );
  }
};

export const printRows = (rows: readonly Row[]): void => {
  print(`\n${lineOf(['', 'measured', 'limit'])}`);
  for (const row of rows) {
    const limit = row.limit === undefined ? '' : `≤ ${row.limit.toFixed(2)}`;
    print(`${lineOf([row.figure, row.value, limit])}  ${remarkOn(row)}`.trimEnd());
  }
};

const remarkOn = (row: Row): string => {
  const { value, limit, explainAbove } = row;
  if (limit !== undefined) return isWithinLimit(row) ? 'kept' : 'EXCEEDED';
  if (explainAbove === undefined || value <= explainAbove) return '';
  return `above ${explainAbove.toFixed(2)}: explain it in docs/performance.md`;
};
