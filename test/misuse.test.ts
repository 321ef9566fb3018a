import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const misuse = readFileSync(join(ROOT, 'test/misuse.ts'), 'utf8');
const DIRECTIVE = /^\s*\/\/ @ts-expect-error: (.+)$/;

/** Each promise of the file, and the line (from 1) that must not compile. */
const promises = misuse.split('\n').flatMap((line, index) => {
  const promise = DIRECTIVE.exec(line)?.[1];
  return promise === undefined ? [] : [{ promise, line: index + 2 }];
});

interface Checked {
  readonly status: number | null;
  readonly errors: readonly {
    readonly file: string;
    readonly line: number;
    readonly code: string;
    readonly says: string;
  }[];
}

const tsc = (...args: readonly string[]) =>
  spawnSync(join(ROOT, 'node_modules/.bin/tsc'), args, { cwd: ROOT, encoding: 'utf8' });

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'paynotify-misuse-'));
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Checks a text in the place of test/misuse.ts, under the same compiler options. */
const check = (text: string): Checked => {
  writeFileSync(join(directory, 'misuse.ts'), text.replaceAll("'../src/", `'${ROOT}src/`));
  const compilerOptions = { typeRoots: [join(ROOT, 'node_modules/@types')] };
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: ['misuse.ts'] }),
  );
  const { status, stdout } = tsc('--noEmit', '--singleThreaded', '--incremental', '--pretty', 'false', '-p', directory);
  const errors = [...stdout.matchAll(/^(?:.*\/)?([^/\s]+)\((\d+),\d+\): error (TS\d+): (.*(?:\n .*)*)/gm)].map(
    ([, file = '', line, code = '', says = '']) => ({ file, line: Number(line), code, says }),
  );
  return { status, errors };
};

/**
 * Not assignable, not enough, read-only, not there on this type: errors about types. A misspelt name or path is none of
 * them.
 */
const ABOUT_TYPES = new Set([
  'TS2322',
  'TS2339',
  'TS2345',
  'TS2352',
  'TS2353',
  'TS2540',
  'TS2554',
  'TS2739',
  'TS2740',
  'TS2741',
]);

describe('misuse that must not compile', () => {
  test('is checked by npm run typecheck', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    expect(scripts['typecheck']).toMatch(/^tsc --noEmit( |$)/);
    expect(scripts['test']).toContain('npm run -s typecheck');
    expect(tsc('--listFilesOnly').stdout.split('\n')).toContain(join(ROOT, 'test/misuse.ts'));
  });

  test('is every misuse there is a law against', () => {
    expect(promises).toHaveLength(43);
  });

  test('does not compile otherwise: each line for a reason of its types, and no other line', () => {
    const { status, errors } = check(misuse.replaceAll(/^[ ]*\/\/ @ts-expect-error.*$/gm, ''));
    expect(status).not.toBe(0);
    expect(errors.filter(({ code }) => !ABOUT_TYPES.has(code))).toEqual([]);
    expect([...new Set(errors.map(({ file, line }) => `${file}:${line}`))]).toEqual(
      promises.map(({ line }) => `misuse.ts:${line}`),
    );
    const lacking = promises.find(({ promise }) => promise === 'a field of the type is not in the shape');
    expect(errors.filter(({ line }) => line === lacking?.line).map(({ says }) => says)).toEqual([
      expect.stringContaining("Property 'value' is missing"),
    ]);
  });

  test('compiles with every error expected, and fails the check as soon as a misuse would compile', () => {
    const { status, errors } = check(
      `${misuse}\n// @ts-expect-error: nothing is wrong here\nexport const fine = acknowledge(recorded);\n`,
    );
    expect(status).not.toBe(0);
    expect(errors.map(({ code }) => code)).toEqual(['TS2578']);
  });
});
