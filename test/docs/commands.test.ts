import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type TestServer } from '../support/postgres.ts';
import { endPrograms, removeDirectories } from '../support/receiver.ts';
import { commandsOf, PAGES } from './blocks.ts';
import { helpOf } from './help.ts';
import { RULES, scripts, type Stage } from './rules.ts';
import { createSite, type Site } from './site.ts';

/** Every command in the `sh` blocks of README and docs/ is run, or is checked as far as this machine allows. */

describe.each(PAGES.map((page) => [page.path, commandsOf(page)] as const).filter(([, { length }]) => length > 0))(
  'the commands of %s',
  (_path, commands) => {
    let site: Promise<Site> | null = null;
    let postgres: Promise<TestServer> | null = null;
    const stage: Stage = { site: () => (site ??= createSite()), postgres: () => (postgres ??= startServer()) };

    beforeAll(() => expect(commands.length).toBeGreaterThan(0));
    afterAll(async () => {
      await endPrograms();
      await (await postgres)?.stop();
    });

    // In the order of the page: later commands use what earlier ones made.
    test.each(commands.map((command, index) => [index + 1, command] as const))('%i: %s', async (_index, command) => {
      for (const [pattern, check] of RULES) {
        const match = pattern.exec(command);
        if (match !== null) return await check(stage, match);
      }
      throw new Error('this command is in no list: say in RULES how it is run or checked');
    });
  },
);

afterAll(removeDirectories);

describe('the commands within the text', () => {
  const spans = PAGES.flatMap(({ path, text }) =>
    [...text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/`+((?:paynotify|npm run|node) [^`…]+?) ?`+/g)].map(
      ([, span = '']) => [path, span] as const,
    ),
  );
  const options = readFileSync(new URL('../../bench/run.ts', import.meta.url), 'utf8');

  test('there are some', () => expect(spans.length).toBeGreaterThan(10));

  test.each(spans)('%s: %s', async (_path, span) => {
    const [program, ...words] = span.split(' ');
    const given = words.filter((word) => /^--\w/.test(word));
    if (program === 'paynotify') {
      const help = await helpOf(words[0] ?? '');
      for (const option of given) expect(help).toContain(option);
    } else if (program === 'npm') {
      expect(Object.keys(scripts)).toContain(words[1]);
      if (words[1] === 'bench')
        for (const option of given) expect(options).toMatch(new RegExp(`^ +'?${option.slice(2)}'?: \\{ type: `, 'm'));
    } else
      expect(existsSync(new URL(`../../${words.find((word) => word.endsWith('.ts'))}`, import.meta.url))).toBe(true);
  });
});
