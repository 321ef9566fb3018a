import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { DIAGNOSIS_CODES } from '../../src/antom/diagnosis.ts';
import { UNVERIFIED_REASONS } from '../../src/antom/signature.ts';
import { readConfig } from '../../src/config.ts';
import type { Readiness } from '../../src/http/readiness.ts';
import { type Metric, METRICS } from '../../src/metrics/list.ts';
import { NEXT_ACTIONS } from '../../src/order/next-action.ts';
import { KINDS, OUTCOMES } from '../../src/order/reading.ts';
import { ORDER_STATUSES } from '../../src/order/status.ts';
import { verdictOf } from '../../src/relay/pauses.ts';
import { blocksOf, cellsOf, PAGES, readPage, sectionOf } from './blocks.ts';
import { helpOf } from './help.ts';
import { keyFixture } from '../support/forge-signer.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const section = (path: string, heading: string): string => sectionOf(readPage(path), heading);

/** The words in code of the first cells of a table, its header left out. */
const firstCells = (text: string): readonly string[] =>
  [...text.replaceAll(/^.*\n(?= *\|---)/gm, '').matchAll(/^ *\| (`[^|]*?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`` (.+?) ``|``(.+?) ``|`([^`]+)`/g)].map(([, a, b, c]) => a ?? b ?? c ?? ''),
  );

describe('README', () => {
  test('goes live by the same commands as docs/deploying.md', () => {
    const recipe = blocksOf({ path: '', text: section('docs/deploying.md', 'One container, SQLite') }, 'sh').slice(
      0,
      2,
    );
    expect(blocksOf({ path: '', text: section('README.md', 'Go live') }, 'sh').slice(0, 2)).toEqual([
      recipe[0],
      recipe[1]?.replace(/^docker exec .*\n/m, ''),
    ]);
  });

  test('is read in seven minutes: at most 1,500 words', () => {
    expect(readPage('README.md').text.split(/\s+/).filter(Boolean).length).toBeLessThanOrEqual(1_500);
  });

  test('leads to every page of docs/', () => {
    const pages = PAGES.map(({ path }) => path).filter((path) => path !== 'README.md');
    expect(pages.filter((path) => !readPage('README.md').text.includes(`](${path})`))).toEqual([]);
  });
});

/** As GitHub makes them. */
const anchorsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(' ', '-'),
  );

describe('links', () => {
  const links = PAGES.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = '']) => [path, to] as const),
  ).filter(([, to]) => !to.startsWith('https:'));

  test.each(links)('of %s: %s leads somewhere', (from, to) => {
    const [path = '', anchor] = to.split('#');
    const file = path === '' ? from : join(dirname(from), path);
    expect(existsSync(join(ROOT, file))).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(readPage(file).text)).toContain(anchor);
  });
});

describe('the files that are named', () => {
  const named = PAGES.flatMap(({ path, text }) =>
    [...text.matchAll(/`((?:src|test|bench|deploy|docs)\/[\w./-]+)`/g)].map(([, file = '']) => [path, file] as const),
  );

  test.each(named)('by %s: %s is there', (_path, file) => {
    expect(existsSync(join(ROOT, file))).toBe(true);
  });
});

describe('the tables hold every word of', () => {
  test('the statuses, in the order in which they are tried', () => {
    expect(firstCells(section('docs/orders.md', 'Status'))).toEqual(ORDER_STATUSES);
  });

  test('the answers of a shop that pause its URL, and none of those that pause one order', () => {
    const pausing = Array.from({ length: 100 }, (_, index) => 400 + index).filter(
      (status) => verdictOf(status) === 'pause the URL',
    );
    const shown = firstCells(section('docs/operating.md', 'Callbacks')).filter((word) => word.startsWith('HTTP'));
    expect([verdictOf(302), verdictOf(500)]).toEqual(['pause the URL', 'pause the URL']);
    expect(shown.toSorted()).toEqual([...pausing, '3xx', '5xx'].map((status) => `HTTP ${status}`).toSorted());
  });

  test('the next actions', () => {
    const shown = firstCells(section('README.md', 'From a notification to your shop'));
    expect([...shown].sort()).toEqual([...NEXT_ACTIONS].sort());
  });

  test('the kinds and the outcomes', () => {
    const cells = firstCells(section('docs/consuming.md', 'The admin API'));
    const words = cells.filter((cell) => /^[A-Z_]+$/.test(cell));
    expect([...words].sort()).toEqual([...KINDS, ...OUTCOMES].sort());
  });

  test('the diagnoses of unverified requests, which are their reasons but for one', () => {
    const shown = section('docs/operating.md', 'Unverified requests');
    expect([...firstCells(shown)].sort()).toEqual([...DIAGNOSIS_CODES].sort());
    const codes: readonly string[] = DIAGNOSIS_CODES;
    expect(UNVERIFIED_REASONS.filter((reason) => !codes.includes(reason))).toEqual(['SIGNATURE_MISMATCH']);
    expect(shown).toContain('`SIGNATURE_MISMATCH`');
  });

  test('the commands', async () => {
    const commands = [...(await helpOf('')).matchAll(/^ {2}([a-z-]+) \[options\]/gm)].map(([, name = '']) => name);
    const [table = ''] = readPage('docs/operating.md').text.split('\n## ');
    expect([...firstCells(table)].sort()).toEqual([...commands].sort());
  });
});

const plain = (text: string): string => text.replaceAll('`', '').trim();

/** A source from an opening parenthesis up to the one that closes it. */
const callAt = (source: string, start: number): string => {
  let depth = 0;
  for (let end = start; end < source.length; end += 1) {
    depth += Number(source[end] === '(') - Number(source[end] === ')');
    if (depth === 0) return source.slice(start, end);
  }
  return source.slice(start);
};

/** What each call in a source logs as an error, or may: its last text, which is written out where it is logged. */
const errorsIn = (source: string): readonly string[] =>
  [...source.matchAll(/\blog(?:\.(?:error|fatal)|\[[^\]]*\berror\b[^\]]*\])(?=\()/g)].map(({ 0: name, index }) => {
    const call = callAt(source, index + name.length);
    return plain([...call.matchAll(/'([^'\n]{4,})'/g)].at(-1)?.[1] ?? `no text in ${call}`);
  });

describe('the alerts', () => {
  const cells = firstCells(section('docs/operating.md', 'Alerts'));
  const listed = cells.map(plain).filter((cell) => cell.includes(' '));
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('commands/'))
    .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'));
  const logged = sources.flatMap(errorsIn);

  test('list every line that is logged as an error, and no other', () => {
    const states: Readonly<Record<Readiness, true>> = {
      ready: true,
      starting: true,
      draining: true,
      'store unavailable': true,
      'store slow': true,
      'queue full': true,
    };
    expect(Object.keys(states).filter((state) => !cells.includes(state))).toEqual([]);
    expect([...new Set(logged)].sort()).toEqual(listed.filter((line) => !Object.hasOwn(states, line)).sort());
  });
});

describe('the metrics', () => {
  test('are a table of all, with their types, labels and help', () => {
    const rows = cellsOf(section('docs/operating.md', 'Metrics'));
    const listed: readonly Metric[] = Object.values(METRICS);
    expect(rows).toEqual(
      listed.map(({ name, type, labels = {}, help }) => [
        `\`${name}\``,
        type,
        Object.keys(labels)
          .map((label) => `\`${label}\``)
          .join(', '),
        help,
      ]),
    );
  });
});

test('the clients file of docs/configuration.md is read', () => {
  const directory = mkdtempSync(join(tmpdir(), 'paynotify-docs-'));
  const [example = ''] = blocksOf(readPage('docs/configuration.md'), 'json');
  const key = keyFixture('throw-away.public.spki.base64.txt').trim();
  const file = join(directory, 'clients.json');
  writeFileSync(file, example.replaceAll(/MII\w+…/g, key).replaceAll('whsec_…', `whsec_${'A'.repeat(32)}`));
  const { keys, callbacks } = readConfig({ ANTOM_CLIENTS_FILE: file });
  expect([...keys].map(([, { length }]) => length)).toEqual([2, 1]);
  expect(callbacks.map(({ origin }) => origin)).toEqual(['https://shop.example']);
  rmSync(directory, { recursive: true });
});
