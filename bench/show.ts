import { isMet, median, type Results, type Target } from './targets.ts';

export const say = (line: string): void => void process.stdout.write(`${line}\n`);

const row = (cells: readonly (string | number)[]): string =>
  cells
    .map((cell) => (typeof cell === 'number' ? cell.toFixed(2) : cell))
    .map((text, index) => (index === 0 ? text.padEnd(44) : text.padStart(11)))
    .join('');

export const showFigures = (results: Results): void => {
  say(row(['', '/s', 'CPU µs', 'p50 ms', 'p99 ms', 'p99.9 ms', 'RSS MiB', 'disk B']));
  for (const [name, { perSecond, cpuUs, p50Ms, p99Ms, p999Ms, peakRssMiB, diskBytes }] of results) {
    say(
      row([
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

export const showTargets = (targets: readonly Target[]): void => {
  say(`\n${row(['', 'target', 'measured', ''])}`);
  for (const target of targets) {
    say(
      row([
        target.figure,
        `${target.at === 'most' ? '≤' : '≥'} ${target.bound.toFixed(2)}`,
        target.measured,
        isMet(target) ? 'met' : 'MISSED',
      ]),
    );
  }
};
