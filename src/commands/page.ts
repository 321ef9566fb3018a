import type { Page } from '../store/store.ts';
import { morePages } from './options.ts';
import type { Shell } from './shell.ts';

interface Shown<T> {
  /** Said where nothing is on the page. */
  readonly none: string;
  readonly toTable: (items: readonly T[]) => string;
}

/** One page of a list, and how to ask for the next. */
export const printPage = <T>({ out, paint }: Shell, { items, next }: Page<T>, { none, toTable }: Shown<T>): void => {
  out(items.length === 0 ? none : toTable(items));
  if (next !== null) out(`\n${paint('dim', morePages(next))}`);
};
