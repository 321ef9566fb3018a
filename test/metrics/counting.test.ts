import { expect, test } from '@jest/globals';
import { createCounter, createHistogram, toText } from '../../src/metrics/counting.ts';
import type { Metric } from '../../src/metrics/list.ts';

const counter = (labels: Record<string, readonly string[]> = {}): Metric => ({
  type: 'counter',
  name: 'things_total',
  help: 'Things.',
  labels,
});
const shown = (metric: Metric, add: readonly (readonly string[])[]): readonly string[] => {
  const counting = createCounter(metric);
  for (const values of add) counting.add(...values);
  return toText(metric, counting.samples()).trimEnd().split('\n').slice(2);
};

test('a counter without labels is one number', () => {
  expect(shown(counter(), [[], []])).toEqual(['things_total 2']);
});

test('a counter has a number for each combination of its labels', () => {
  const metric = counter({ colour: ['red', 'blue'], size: ['S', 'M', 'L'] });
  const added = [
    ['blue', 'M'],
    ['red', 'S'],
    ['blue', 'M'],
    ['blue', 'L'],
  ];
  expect(shown(metric, added)).toEqual([
    'things_total{colour="red",size="S"} 1',
    'things_total{colour="red",size="M"} 0',
    'things_total{colour="red",size="L"} 0',
    'things_total{colour="blue",size="S"} 0',
    'things_total{colour="blue",size="M"} 2',
    'things_total{colour="blue",size="L"} 1',
  ]);
});

test('what is in no list counts as other, and makes no label of its own', () => {
  const unknown = Array.from({ length: 1_000 }, (_, number) => [`colour ${number}`]);
  expect(shown(counter({ colour: ['red', 'other'] }), unknown)).toEqual([
    'things_total{colour="red"} 0',
    'things_total{colour="other"} 1000',
  ]);
  expect(shown(counter({ colour: ['red'] }), unknown)).toEqual(['things_total{colour="red"} 0']);
});

test('the buckets of a histogram hold all up to their bound, the bound included', () => {
  const metric = { type: 'histogram', name: 'seconds', help: 'Time.', buckets: [0.5, 1] } as const;
  const histogram = createHistogram(metric);
  for (const value of [0.25, 0.5, 0.75, 4]) histogram.observe(value);
  expect(toText(metric, histogram.samples())).toBe(`# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{le="0.5"} 2
seconds_bucket{le="1"} 3
seconds_bucket{le="+Inf"} 4
seconds_sum 5.5
seconds_count 4
`);
});

test('texts are escaped', () => {
  const metric: Metric = { type: 'gauge', name: 'it', help: 'A \\ and\na line.' };
  expect(toText(metric, [{ labels: { who: 'a "b" \\ c\nd' }, value: 1 }])).toBe(
    '# HELP it A \\\\ and\\na line.\n# TYPE it gauge\nit{who="a \\"b\\" \\\\ c\\nd"} 1\n',
  );
});

test('a metric without samples is not shown', () => {
  expect(toText(counter(), [])).toBe('');
});
