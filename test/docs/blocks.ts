import { readdirSync, readFileSync } from 'node:fs';

const ROOT = new URL('../../', import.meta.url);

export interface Page {
  /** From the root of the project. */
  readonly path: string;
  readonly text: string;
}

export const readPage = (path: string): Page => ({ path, text: readFileSync(new URL(path, ROOT), 'utf8') });

/** README and every page of docs/. */
export const PAGES: readonly Page[] = [
  'README.md',
  ...readdirSync(new URL('docs/', ROOT)).map((name) => `docs/${name}`),
]
  .filter((path) => path.endsWith('.md'))
  .map(readPage);

/** The fenced blocks of one language, without the indentation of a list that they stand in. */
export const blocksOf = ({ text }: Page, language: string): readonly string[] =>
  [...text.matchAll(/^( *)```(\S*)\n([\s\S]*?)^\1```$/gm)]
    .filter(([, , of]) => of === language)
    .map(([, indent = '', , block = '']) => block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));

/** Each command of its `sh` blocks: continued lines are one, comments are left out. */
export const commandsOf = (page: Page): readonly string[] =>
  blocksOf(page, 'sh').flatMap((block) =>
    block
      .replaceAll(/\\\n\s*/g, '')
      .split('\n')
      .map((line) => line.replace(/(^|\s)#\s.*$/, '').trim())
      .filter((line) => line !== ''),
  );
