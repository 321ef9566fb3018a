import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One import: `to` is a path below src, or a package. */
interface Edge {
  readonly from: string;
  readonly to: string;
  /** What it takes at run time; empty where it takes only types, `*` for a whole module. */
  readonly values: readonly string[];
}

type Allowance = readonly [from: string, to: string, what: 'all' | 'types' | readonly string[]];

/**
 * The rooms of the house: a name that ends with a slash, or a colon, is all that begins so. Inside its own room a file
 * imports freely.
 */
const ALLOWED: readonly Allowance[] = [
  ...['antom/', 'store/', 'http/', 'relay/', 'environment.ts'].map((from): Allowance => [from, 'thrown.ts', 'all']),

  ['handlers/', 'order/', 'all'],
  ['handlers/', 'antom/result-codes.ts', 'all'],
  ['handlers/', 'antom/', 'types'],
  ['handlers/', 'zod', 'all'],

  ['antom/', 'order/', 'types'],
  ['antom/signature.ts', 'order/time.ts', ['readInstant']],
  ['antom/call-codes.ts', 'order/refund.ts', ['NEVER_REFUNDED']],
  ['antom/', 'zod', 'all'],
  ['antom/keys.ts', 'node-forge', 'all'],

  // What a handler stated is what is stored: the database threads load neither handlers nor zod.
  ['store/', 'order/', 'all'],
  ['store/', 'antom/', 'types'],
  ['store/moving.ts', 'antom/result-codes.ts', ['furtherAction']],
  ['store/postgres/', 'pg', 'all'],

  ['pay-notify.ts', 'antom/', 'all'],
  ['pay-notify.ts', 'handlers/', 'all'],
  ['pay-notify.ts', 'order/', 'all'],
  ['pay-notify.ts', 'store/store.ts', 'all'],
  ['pay-notify.ts', 'inbox/', 'all'],
  ['inbox/', 'order/', 'all'],
  ['inbox/', 'store/store.ts', 'all'],
  ['inbox/report.ts', 'log.ts', 'all'],

  ['feed-watch.ts', 'store/store.ts', 'types'],
  ['feed-watch.ts', 'store/cursor.ts', ['hasPassed', 'readFeedCursor']],

  ['http/', 'pay-notify.ts', 'all'],
  ['http/', 'inbox/', 'types'],
  ['http/', 'feed-watch.ts', 'types'],
  ['http/', 'log.ts', 'all'],
  ['http/', 'loopback.ts', 'all'],
  ['http/', 'version.ts', 'all'],
  ['http/', 'node-http.ts', 'all'],
  ['http/', 'moves/', 'types'],
  ['http/', 'upkeep/', 'types'],
  ['http/', 'antom/', 'types'],
  ['http/', 'antom/acknowledgement.ts', 'all'],
  ['http/', 'antom/signature.ts', ['pathOf', 'UNVERIFIED_REASONS']],
  ['http/', 'antom/diagnosis.ts', ['DIAGNOSIS_CODES']],
  ['http/', 'order/', 'all'],
  ['http/', 'store/store.ts', 'all'],
  ['http/', 'zod', 'all'],
  ['http/', 'express', 'all'],

  ['upkeep/', 'antom/', 'all'],
  ['upkeep/', 'handlers/', 'all'],
  ['upkeep/', 'order/', 'all'],
  ['upkeep/', 'store/store.ts', 'all'],
  ['upkeep/', 'store/setting.ts', 'all'],
  ['upkeep/report.ts', 'log.ts', 'all'],

  ['moves/', 'antom/', 'types'],
  // Inquires as the reconciler does, with its breaker.
  ['moves/', 'reconcile/inquire.ts', 'all'],
  ['moves/', 'reconcile/breaker.ts', 'all'],
  ['moves/', 'reconcile/order-of.ts', 'all'],
  ['moves/', 'nap.ts', 'all'],
  ['moves/', 'order/', 'all'],
  ['moves/', 'store/store.ts', 'all'],
  ['moves/report.ts', 'log.ts', 'all'],

  ['relay/', 'store/store.ts', 'all'],
  ['relay/', 'private-address.ts', 'all'],
  ['relay/', 'node-http.ts', 'all'],
  ['relay/report.ts', 'log.ts', 'all'],

  ['relay/', 'nap.ts', 'all'],

  ['reconcile/', 'antom/', 'all'],
  ['reconcile/', 'handlers/', 'all'],
  ['reconcile/', 'order/', 'all'],
  ['reconcile/', 'store/store.ts', 'all'],
  ['reconcile/', 'store/setting.ts', 'all'],
  ['reconcile/', 'nap.ts', 'all'],
  ['reconcile/report.ts', 'log.ts', 'all'],

  // What the others tell, counted: they know nothing of it.
  ['metrics/', 'antom/', 'types'],
  ['metrics/', 'antom/signature.ts', ['UNVERIFIED_REASONS']],
  ['metrics/', 'antom/diagnosis.ts', ['DIAGNOSIS_CODES']],
  ['metrics/', 'http/', 'types'],
  ['metrics/', 'http/public-replies.ts', ['NOT_ACKNOWLEDGED']],
  ['metrics/', 'http/server.ts', ['CLOSED_FOR']],
  ['metrics/', 'inbox/', 'types'],
  ['metrics/', 'order/', 'all'],
  ['metrics/', 'store/store.ts', 'types'],

  // A stand-in for APO: it knows the wire, and nothing of the receiver.
  ['sandbox/', 'antom/', 'types'],
  ['sandbox/', 'antom/signature.ts', ['pathOf', 'readHead', 'verify']],
  ['sandbox/', 'antom/signing.ts', 'all'],
  ['sandbox/', 'order/', 'types'],
  ['sandbox/', 'order/capture-required.ts', ['normaliseMethod']],
  ['sandbox/', 'loopback.ts', 'all'],
  ['sandbox/', 'express', 'all'],
  ['sandbox/', 'zod', 'all'],

  ['config.ts', 'antom/keys.ts', 'types'],
  ['config.ts', 'api-access.ts', 'all'],
  ['api-access.ts', 'antom/', 'all'],
  ['api-access.ts', 'environment.ts', 'types'],
  ['api-access.ts', 'key-ring.ts', 'types'],
  ['api-access.ts', 'loopback.ts', 'all'],
  ['api-access.ts', 'zod', 'all'],
  ['failure-report.ts', 'log.ts', 'all'],
  ['failure-report.ts', 'store/store.ts', 'all'],
  ...['moves/', 'relay/', 'reconcile/'].map((from): Allowance => [`${from}report.ts`, 'failure-report.ts', 'all']),
  ['key-report.ts', 'config.ts', 'types'],
  ['key-report.ts', 'log.ts', 'types'],
  ['config.ts', 'key-ring.ts', 'all'],
  ['config.ts', 'environment.ts', 'all'],
  ['config.ts', 'callback-config.ts', 'all'],
  ['config.ts', 'relay/target.ts', 'types'],
  ['callback-config.ts', 'antom/keys.ts', 'types'],
  ['callback-config.ts', 'environment.ts', ['parseJson', 'readText']],
  ['callback-config.ts', 'private-address.ts', 'all'],
  // What a secret and a URL are is said once.
  ['callback-config.ts', 'relay/standard-webhooks.ts', ['readSecret']],
  ['callback-config.ts', 'relay/target.ts', 'all'],
  ['callback-config.ts', 'zod', 'all'],
  ['environment.ts', 'zod', 'types'],
  ['config.ts', 'loopback.ts', 'all'],
  ['config.ts', 'inbox/queue.ts', ['QUEUE_BYTES']],
  ['config.ts', 'order/', 'all'],
  // What a URL must not say is said once, before anything starts; it loads no driver.
  ['config.ts', 'store/postgres/url.ts', ['problemOfUrl', 'verifiesTls']],
  ['config.ts', 'zod', 'all'],
  ['secret-files.ts', 'config.ts', 'all'],
  ['key-ring.ts', 'antom/host.ts', ['isSandbox']],
  ['key-ring.ts', 'antom/keys.ts', 'all'],
  ['key-ring.ts', 'environment.ts', ['parseJson', 'readText']],
  ['key-ring.ts', 'zod', 'all'],
  ['log.ts', 'pino', 'all'],
  ['log.ts', 'pino-pretty', 'all'],
];

/** They import everything. */
const OUTERMOST = [
  'main.ts',
  'receiver.ts',
  'opening.ts',
  'relaying.ts',
  'calling.ts',
  'cli.ts',
  'commands/',
  'testing.ts',
] as const;
/** Who may import them: nobody but each other, inwards from the command line. */
const ENTRANCES: readonly Allowance[] = [
  ['main.ts', 'receiver.ts', 'all'],
  ['main.ts', 'opening.ts', 'all'],
  ['receiver.ts', 'opening.ts', 'all'],
  ['receiver.ts', 'relaying.ts', 'all'],
  ['receiver.ts', 'calling.ts', 'all'],
  ['commands/', 'calling.ts', 'all'],
  ['cli.ts', 'main.ts', 'all'],
  ['cli.ts', 'commands/', 'all'],
  ['commands/', 'main.ts', 'all'],
  // What `paynotify send` uses, for the tests of a shop.
  ['testing.ts', 'commands/', 'all'],
];

const ROOMS = [
  'order/',
  'handlers/',
  'antom/',
  'store/',
  'inbox/',
  'http/',
  'upkeep/',
  'relay/',
  'reconcile/',
  'moves/',
  'metrics/',
  'sandbox/',
  'commands/',
];
const FILES = new Set([
  'callback-config.ts',
  'api-access.ts',
  'main.ts',
  'cli.ts',
  'config.ts',
  'environment.ts',
  'failure-report.ts',
  'feed-watch.ts',
  'key-report.ts',
  'key-ring.ts',
  'log.ts',
  'loopback.ts',
  'opening.ts',
  'pay-notify.ts',
  'private-address.ts',
  'receiver.ts',
  'relaying.ts',
  'calling.ts',
  'nap.ts',
  'node-http.ts',
  'secret-files.ts',
  'testing.ts',
  'thrown.ts',
  'version.ts',
]);

const isWithin = (path: string, place: string): boolean =>
  /[/:]$/.test(place) ? path.startsWith(place) : path === place;
const covers = (edge: Edge, [from, to, what]: Allowance): boolean =>
  isWithin(edge.from, from) &&
  isWithin(edge.to, to) &&
  (what === 'all' || edge.values.every((name) => what !== 'types' && what.includes(name)));
const shareRoom = ({ from, to }: Edge): boolean => ROOMS.some((room) => isWithin(from, room) && isWithin(to, room));
const roomOf = (path: string): string => ROOMS.find((room) => isWithin(path, room)) ?? path;
const isOutermost = (path: string): boolean => OUTERMOST.some((place) => isWithin(path, place));

const isAllowed = (edge: Edge): boolean => {
  if (shareRoom(edge)) return true;
  // Node's own modules are free everywhere but in the domain.
  if (edge.to.startsWith('node:')) return !isWithin(edge.from, 'order/');
  if (isOutermost(edge.to)) return ENTRANCES.some((entrance) => covers(edge, entrance));
  return isOutermost(edge.from) || ALLOWED.some((allowance) => covers(edge, allowance));
};

const SRC = new URL('../src/', import.meta.url);
const sources = new Map(
  readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => [path, readFileSync(new URL(path, SRC), 'utf8')]),
);

/** The names that a clause like `fallback, { type A, b as c }` takes at run time. */
const valuesOf = (clause: string): readonly string[] => {
  if (/^type\b/.test(clause)) return [];
  const [, before = '', braces = ''] = /^([^{]*)(?:\{([^}]*)\})?$/.exec(clause) ?? [];
  const names = braces.split(',').map((name) => name.trim().split(/\s+as\s+/)[0] ?? '');
  const whole = before.replace(/,\s*$/, '').trim() === '' ? [] : ['*'];
  return [...whole, ...names.filter((name) => name !== '' && !name.startsWith('type '))];
};

const importsOf = (from: string, source: string): readonly Edge[] => {
  const resolve = (to: string): string => (to.startsWith('.') ? join(dirname(from), to) : to);
  const statements = [
    ...source.matchAll(/^(?:import|export)\s+((?:type\s+)?(?:[\w*$]|\{[^}]*\}|,|\s)+?)\s+from\s+'([^']+)'/gm),
  ];
  const unassigned = [...source.matchAll(/^import\s+'([^']+)'/gm)];
  const onDemand = [
    ...source.matchAll(/\bimport\(\s*['"`]([^'"`]+)['"`]\s*\)/g),
    ...source.matchAll(/\bnew URL\(\s*'([^']+\.ts)',\s*import\.meta\.url\)/g),
  ];
  return [
    ...statements.map(([, clause = '', to = '']) => ({ from, to: resolve(to), values: valuesOf(clause) })),
    ...unassigned.map(([, to = '']) => ({ from, to: resolve(to), values: ['*'] })),
    ...onDemand.map(([, to = '']) => ({ from, to: resolve(/^[\w-]+\.ts$/.test(to) ? `./${to}` : to), values: ['*'] })),
  ];
};

/** The first way that leads back to where it began; null where there is none. */
const cycleIn = (ways: readonly Pick<Edge, 'from' | 'to'>[]): string | null => {
  const done = new Set<string>();
  const visit = (place: string, path: readonly string[]): string | null => {
    const before = path.indexOf(place);
    if (before !== -1) return [...path.slice(before), place].join(' → ');
    if (done.has(place)) return null;
    for (const { from, to } of ways) {
      const found = from === place ? visit(to, [...path, place]) : null;
      if (found !== null) return found;
    }
    done.add(place);
    return null;
  };
  for (const { from } of ways) {
    const found = visit(from, []);
    if (found !== null) return found;
  }
  return null;
};

const edges = [...sources].flatMap(([path, source]) => importsOf(path, source));
const shown = ({ from, to, values }: Edge): string =>
  `${from} imports ${values.length === 0 ? 'types' : values.join(', ')} of ${to}`;

describe('the rooms', () => {
  test('import only what the house allows', () => {
    expect(edges.filter((edge) => !isAllowed(edge)).map(shown)).toEqual([]);
  });

  test('every file stands in one', () => {
    const outside = [...sources.keys()].filter(
      (path) => !FILES.has(path) && !ROOMS.some((room) => isWithin(path, room)),
    );
    expect(outside).toEqual([]);
  });

  test.each([
    ['order/order.ts', 'handlers/index.ts', []],
    ['order/order.ts', 'node:crypto', ['createHash']],
    ['order/order.ts', 'zod', ['z']],
    ['handlers/payment.ts', 'antom/signature.ts', ['verify']],
    ['handlers/payment.ts', 'store/store.ts', []],
    ['antom/signature.ts', 'node-forge', ['*']],
    ['antom/signature.ts', 'store/store.ts', []],
    ['antom/acknowledgement.ts', 'store/store.ts', []],
    ['antom/keys.ts', 'config.ts', []],
    ['store/record.ts', 'handlers/read.ts', ['readBody']],
    ['store/record.ts', 'antom/signature.ts', ['verify']],
    ['store/record.ts', 'zod', ['z']],
    ['store/store.ts', 'log.ts', []],
    ['store/sqlite/worker.ts', 'pg', ['*']],
    ['pay-notify.ts', 'http/public.ts', []],
    ['pay-notify.ts', 'express', ['*']],
    ['inbox/inbox.ts', 'store/sqlite/worker.ts', []],
    ['inbox/inbox.ts', 'pay-notify.ts', []],
    ['http/public.ts', 'antom/signature.ts', ['pathOf', 'verify']],
    ['http/public.ts', 'store/sqlite/worker.ts', []],
    ['http/public.ts', 'config.ts', []],
    ['http/public.ts', 'pg', ['*']],
    ['upkeep/upkeep.ts', 'http/public.ts', []],
    ['upkeep/copy.ts', 'store/sqlite/sqlite-store.ts', []],
    ['http/admin.ts', 'metrics/metrics.ts', []],
    ['inbox/recorder.ts', 'metrics/metrics.ts', []],
    ['metrics/metrics.ts', 'upkeep/upkeep.ts', []],
    ['metrics/metrics.ts', 'config.ts', []],
    ['relay/relay.ts', 'http/public.ts', []],
    ['relay/lane.ts', 'store/callbacks.ts', []],
    ['relay/lane.ts', 'log.ts', []],
    ['store/callbacks.ts', 'relay/relay.ts', []],
    ['sandbox/api.ts', 'store/store.ts', []],
    ['sandbox/courier.ts', 'antom/acknowledgement.ts', ['ACKNOWLEDGEMENT']],
    ['sandbox/sandbox.ts', 'commands/samples.ts', ['findSample']],
    ['http/public.ts', 'sandbox/sandbox.ts', []],
    ['config.ts', 'store/store.ts', []],
    ['log.ts', 'config.ts', []],
    ['http/public.ts', 'main.ts', []],
    ['main.ts', 'commands/serve.ts', ['serve']],
    ['main.ts', 'cli.ts', []],
    ['commands/serve.ts', 'cli.ts', []],
    ['commands/send.ts', 'testing.ts', ['sample']],
  ] as const)('would refuse %s → %s (%j)', (from, to, values) => {
    expect(isAllowed({ from, to, values })).toBe(false);
  });

  test('the imports are read in every form they are written in', () => {
    const source = `import a from 'one';
import { type B, c as d } from './two.ts';
import type { E } from '../f/three.ts';
import * as g from 'node:four';
import h, { i } from 'five';
import {
  j,
  type K,
} from './six.ts';
import 'seven';
export { l } from './eight.ts';
export type { M } from './nine.ts';
export * from './ten.ts';
const n = await import('./eleven.ts');
const o = new Worker(new URL('twelve.ts', import.meta.url));
`;
    expect(importsOf('room/file.ts', source).map(({ to, values }) => [to, values])).toEqual([
      ['one', ['*']],
      ['room/two.ts', ['c']],
      ['f/three.ts', []],
      ['node:four', ['*']],
      ['five', ['*', 'i']],
      ['room/six.ts', ['j']],
      ['room/eight.ts', ['l']],
      ['room/nine.ts', []],
      ['room/ten.ts', ['*']],
      ['seven', ['*']],
      ['room/eleven.ts', ['*']],
      ['room/twelve.ts', ['*']],
    ]);
  });

  test('no import statement of src is left unread', () => {
    for (const [path, source] of sources) {
      const written = source.match(/\bfrom '|^import '|\bimport\('/gm)?.length ?? 0;
      const read =
        importsOf(path, source).length - (source.match(/new URL\('[^']+\.ts', import\.meta\.url\)/g)?.length ?? 0);
      expect([path, read]).toEqual([path, written]);
    }
  });

  test('each import leads to a file that is there', () => {
    const inside = edges.filter(({ to }) => to.endsWith('.ts'));
    expect(inside.filter(({ to }) => !sources.has(to)).map(shown)).toEqual([]);
  });

  test('no module is named at run time', () => {
    expect([...sources].filter(([, source]) => /\bimport\((?!['"`])/.test(source)).map(([path]) => path)).toEqual([]);
  });

  test('no file imports itself in the end, types included', () => {
    expect(cycleIn(edges)).toBeNull();
  });

  test('no room imports itself in the end, types included', () => {
    const between = edges
      .filter(({ to }) => sources.has(to))
      .map(({ from, to }) => ({ from: roomOf(from), to: roomOf(to) }))
      .filter(({ from, to }) => from !== to);
    expect(cycleIn(between)).toBeNull();
  });

  test('a cycle is found, however long', () => {
    const chain = [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
      { from: 'a', to: 'c' },
      { from: 'c', to: 'd' },
    ];
    expect(cycleIn(chain)).toBeNull();
    expect(cycleIn([...chain, { from: 'd', to: 'b' }])).toBe('b → c → d → b');
    expect(cycleIn([{ from: 'a', to: 'a' }])).toBe('a → a');
  });

  test('the twins do not know each other, and each its own driver only', () => {
    const crossing = edges.filter(
      ({ from, to }) =>
        (from.startsWith('store/sqlite/') && (to.startsWith('store/postgres/') || to === 'pg')) ||
        (from.startsWith('store/postgres/') && (to.startsWith('store/sqlite/') || to === 'node:sqlite')),
    );
    expect(crossing.map(shown)).toEqual([]);
    expect(
      edges.filter(({ from, to }) => to === 'node:sqlite' && !from.startsWith('store/sqlite/')).map(shown),
    ).toEqual([]);
  });
});

describe('packages', () => {
  const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const packages = edges.filter(({ to }) => !to.endsWith('.ts') && !to.startsWith('node:'));

  test('src imports only what is installed without the development dependencies, and all of it', () => {
    expect(new Set(packages.map(({ to }) => to))).toEqual(new Set(Object.keys(dependencies)));
  });

  test('each is pinned to one version', () => {
    expect(Object.values(dependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  test('none is needed by what a shop imports for its tests', () => {
    const reached = new Set(['testing.ts']);
    // A set that grows is walked to its end.
    for (const from of reached)
      for (const edge of edges) if (edge.from === from && edge.values.length > 0) reached.add(edge.to);
    const outside = [...reached].filter((to) => !sources.has(to));
    expect(outside.length).toBeGreaterThan(0);
    expect(outside.filter((to) => !to.startsWith('node:'))).toEqual([]);
  });

  test('node-forge reads keys at start, and nothing else', () => {
    expect(packages.filter(({ to }) => to === 'node-forge').map(({ from }) => from)).toEqual(['antom/keys.ts']);
  });
});

describe('the files', () => {
  const names = readdirSync(SRC, { recursive: true, encoding: 'utf8' });

  test('none is named after what it is instead of what it is about', () => {
    const vague = /^(utils?|helpers?|common|services?|controllers?|models?|types?|lib)(\.ts)?$/;
    expect(names.filter((path) => path.split('/').some((name) => vague.test(name)))).toEqual([]);
  });

  test('none is longer than 300 lines', () => {
    const long = [...sources]
      .map(([path, source]) => [path, source.trimEnd().split('\n').length] as const)
      .filter(([, lines]) => lines > 300);
    expect(long).toEqual([]);
  });

  test('no comment is wider than 120 columns: the formatter leaves them as they are', () => {
    const wide = [...sources].flatMap(([path, source]) =>
      source
        .split('\n')
        .flatMap((line, index) =>
          /^.{121}/.test(line) && /^\s*(\*|\/[*/])/.test(line) ? [`${path}:${index + 1}`] : [],
        ),
    );
    expect(wide).toEqual([]);
  });

  test('none steps out of the type checker', () => {
    const escape = /@ts-(ignore|nocheck|expect-error)|\bas any\b|[:<,|&]\s*any\s*(?:[,;>)=|&{]|\[\])/;
    expect([...sources].filter(([, source]) => escape.test(source)).map(([path]) => path)).toEqual([]);
  });
});
