import { type Metric, OTHER } from './list.ts';

/** One line of a metric, without its name. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of a histogram: `_bucket`, `_sum` or `_count`. */
  readonly suffix?: string;
}

export interface Counter {
  /** The values of its labels, in their order. What is in no list counts as `other`, where there is such a value. */
  readonly add: (...values: readonly string[]) => void;
  /** All of them, also at zero: what appears with its first count is no increase to Prometheus. */
  readonly samples: () => readonly Sample[];
}

/** One number for each combination of the values that its labels can have: their lists are closed. */
export const createCounter = ({ labels = {} }: Metric): Counter => {
  const names = Object.keys(labels);
  const lists = Object.values(labels).map((list) => list ?? []);
  const places = lists.map((list) => new Map(list.map((value, place) => [value, place])));
  const counts = new Float64Array(lists.reduce((product, { length }) => product * length, 1));
  return {
    add: (...values) => {
      let index = 0;
      for (let at = 0; at < places.length; at += 1) {
        const place = places[at]?.get(values[at] ?? '') ?? places[at]?.get(OTHER);
        if (place === undefined) return;
        index = index * (lists[at]?.length ?? 1) + place;
      }
      counts[index] = (counts[index] ?? 0) + 1;
    },
    samples: () =>
      combinations(lists).map((values, index) => ({
        labels: Object.fromEntries(names.map((name, at) => [name, values[at] ?? ''])),
        value: counts[index] ?? 0,
      })),
  };
};

/** In the order in which they are counted: the last list changes fastest. */
const combinations = (lists: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  lists.reduce<readonly (readonly string[])[]>(
    (before, list) => before.flatMap((values) => list.map((value) => [...values, value])),
    [[]],
  );

export interface Histogram {
  readonly observe: (value: number) => void;
  readonly samples: () => readonly Sample[];
}

export const createHistogram = ({ buckets }: Pick<Extract<Metric, { type: 'histogram' }>, 'buckets'>): Histogram => {
  const counts = new Float64Array(buckets.length + 1);
  let sum = 0;
  return {
    observe: (value) => {
      let index = 0;
      while (index < buckets.length && value > (buckets[index] as number)) index += 1;
      counts[index] = (counts[index] ?? 0) + 1;
      sum += value;
    },
    samples: () => {
      let count = 0;
      const lines: Sample[] = [...buckets, Number.POSITIVE_INFINITY].map((bound, index) => {
        count += counts[index] ?? 0;
        return { suffix: '_bucket', labels: { le: numeral(bound) }, value: count };
      });
      return [...lines, { suffix: '_sum', labels: {}, value: sum }, { suffix: '_count', labels: {}, value: count }];
    },
  };
};

/** A metric in the text format of Prometheus (0.0.4); empty where it has no samples. */
export const toText = ({ name, type, help }: Metric, samples: readonly Sample[]): string =>
  samples.length === 0
    ? ''
    : [
        `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
        `# TYPE ${name} ${type}`,
        ...samples.map(({ suffix = '', labels, value }) => `${name}${suffix}${inBraces(labels)} ${numeral(value)}`),
        '',
      ].join('\n');

const inBraces = (labels: Sample['labels']): string => {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
};

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const numeral = (value: number): string => (value === Number.POSITIVE_INFINITY ? '+Inf' : String(value));
