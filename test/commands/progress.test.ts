import { describe, expect, test } from '@jest/globals';
import { createProgressBar } from '../../src/commands/progress.ts';

/** What was written while a clock went on by `step` milliseconds a call of `show`. */
const watch = ({
  terminal,
  step,
  calls,
}: {
  readonly terminal: boolean;
  readonly step: number;
  readonly calls: number;
}) => {
  const lines: string[] = [];
  const drawn: string[] = [];
  let time = 0;
  const bar = createProgressBar(
    { err: (text) => lines.push(text), overwrite: terminal ? (text) => drawn.push(text) : null },
    () => time,
  );
  for (let done = 1; done <= calls; done += 1) {
    time += step;
    bar.show({ text: 'copying orders', done, total: 4 });
  }
  bar.end();
  return { lines, drawn };
};

describe('the progress bar', () => {
  test('is drawn over itself on a terminal, and leaves an empty line', () => {
    const { lines, drawn } = watch({ terminal: true, step: 100, calls: 4 });
    expect(lines).toEqual([]);
    expect(drawn[1]).toBe(`${'█'.repeat(15)}${'░'.repeat(15)}  50 %  copying orders (2 of 4)`);
    expect(drawn.slice(3)).toEqual([`${'█'.repeat(30)} 100 %  copying orders (4 of 4)`, '']);
  });

  test('is drawn no oftener than an eye sees', () => {
    expect(watch({ terminal: true, step: 10, calls: 40 }).drawn).toHaveLength(5);
  });

  test('is a line now and then where nobody looks, and none for what is soon done', () => {
    expect(watch({ terminal: false, step: 1_000, calls: 4 })).toEqual({ lines: [], drawn: [] });
    expect(watch({ terminal: false, step: 1_000, calls: 11 }).lines).toEqual([
      '100 %  copying orders (5 of 4)',
      '100 %  copying orders (10 of 4)',
    ]);
  });

  test('is full where there is nothing to do', () => {
    const drawn: string[] = [];
    createProgressBar({ err: () => {}, overwrite: (text) => drawn.push(text) }).show({
      text: 'copying orders',
      done: 0,
      total: 0,
    });
    expect(drawn).toEqual([`${'█'.repeat(30)} 100 %  copying orders (0 of 0)`]);
  });
});
