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

/** What stands under a heading, up to the next one of its level or above. */
export const sectionOf = ({ text }: Page, heading: string): string => {
  const found = new RegExp(`^(#+) ${heading}$`, 'm').exec(text);
  if (found === null) throw new Error(`no heading says ${heading}`);
  const [line, level = ''] = found;
  const below = text.slice(found.index + line.length);
  const end = below.search(new RegExp(`^#{1,${level.length}} `, 'm'));
  return end === -1 ? below : below.slice(0, end);
};

/** The cells of each row of its tables, headers left out. */
export const cellsOf = (text: string): readonly (readonly string[])[] =>
  [...text.replaceAll(/^.*\n(?= *\|---)/gm, '').matchAll(/^ *\|(?!---)(.*)\|$/gm)].map(([, row = '']) =>
    row.split('|').map((cell) => cell.trim()),
  );

/** Each command of its `sh` blocks: continued lines are one, comments are left out. */
export const commandsOf = (page: Page): readonly string[] =>
  blocksOf(page, 'sh').flatMap((block) =>
    block
      .replaceAll(/\\\n\s*/g, '')
      .split('\n')
      .map((line) => line.replace(/(^|\s)#\s.*$/, '').trim())
      .filter((line) => line !== ''),
  );
