import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { type Metric, METRICS } from '../../src/metrics/list.ts';
import { readDeployed } from './typed.ts';

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string; readonly legendFormat?: string }[];
}

const { groups } = parse(readDeployed('prometheus/paynotify.rules.yaml')) as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(readDeployed('grafana/paynotify.json')) as { readonly panels: readonly Panel[] };

const expressions: readonly (readonly [string, string])[] = [
  ...rules.map(({ record, alert, expr }) => [record ?? alert ?? '', expr] as const),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
];

const metrics: readonly Metric[] = Object.values(METRICS);
const byName = new Map(
  metrics.flatMap((metric) =>
    (metric.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).map((suffix) => [
      metric.name + suffix,
      metric,
    ]),
  ),
);
const recorded = new Set(rules.flatMap(({ record }) => record ?? []));
/** What Prometheus adds to every sample. */
const ADDED = ['instance', 'job'];

const namesIn = (expr: string): readonly string[] =>
  expr.match(/\b(?:paynotify|process)[a-z_:]*[a-z]\b(?!\s*=)/g) ?? [];

/** Each `label operator "value"` within the braces of a metric. */
const matchersIn = (expr: string): readonly (readonly [name: string, label: string, value: string])[] =>
  [...expr.matchAll(/([a-z_:]+)\{([^}]*)\}/g)].flatMap(([, name = '', braces = '']) =>
    [...braces.matchAll(/(\w+)\s*=~?\s*"([^"]*)"/g)].flatMap(([, label = '', values = '']) =>
      values.split('|').map((value) => [name, label, value] as const),
    ),
  );

const labelsOf = (names: readonly string[]): ReadonlySet<string> =>
  new Set([
    ...ADDED,
    ...names.flatMap((name) => {
      const metric = byName.get(name);
      return [...Object.keys(metric?.labels ?? {}), ...(metric?.type === 'histogram' ? ['le'] : [])];
    }),
  ]);

/** The labels by which an expression adds up. */
const groupingIn = (expr: string): readonly string[] =>
  [...expr.matchAll(/\b(?:by|on|group_left)\s*\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(',').map((label) => label.trim()),
  );

describe('what the rules and the dashboard ask for', () => {
  test.each(expressions)('%s: every metric is one of ours', (_name, expr) => {
    const names = namesIn(expr);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !byName.has(name) && !recorded.has(name))).toEqual([]);
  });

  test.each(expressions)('%s: every label is one of its metrics, with values that it can have', (_name, expr) => {
    expect(groupingIn(expr).filter((label) => !labelsOf(namesIn(expr)).has(label))).toEqual([]);
    const wrong = matchersIn(expr).filter(([name, label, value]) => {
      const values = byName.get(name)?.labels?.[label];
      return values === undefined || values?.includes(value) === false;
    });
    expect(wrong).toEqual([]);
  });

  test('legends name labels of their metrics', () => {
    const wrong = panels.flatMap(({ title, targets }) =>
      targets.flatMap(({ expr, legendFormat = '' }) =>
        [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].flatMap(([, label = '']) =>
          labelsOf(namesIn(expr)).has(label) ? [] : [[title, label]],
        ),
      ),
    );
    expect(wrong).toEqual([]);
  });

  test('the dashboard shows every metric', () => {
    const shown = new Set(panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => namesIn(expr))));
    const missing = metrics.filter(
      ({ name }) => ![name, `${name}_bucket`, `${name}_sum`].some((one) => shown.has(one)),
    );
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  test('every alert says how urgent it is, what happens and what to do', () => {
    for (const { alert, labels, annotations } of rules.filter((rule) => rule.alert !== undefined)) {
      expect([alert, labels?.['severity']]).toEqual([alert, expect.stringMatching(/^(page|ticket)$/)]);
      expect([alert, annotations]).toEqual([
        alert,
        { summary: expect.stringMatching(/\w/), description: expect.stringMatching(/\w/) },
      ]);
    }
  });
});
