import { InvalidArgumentError, Option } from 'commander';
import { IDENTIFIER_RULE, isIdentifier } from '../order/identifier.ts';
import { UsageError } from './failure.ts';

/** A whole number within bounds, for commander's `argParser`. */
export const wholeNumber =
  (from: number, to: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d{1,15}$/.test(text) || value < from || value > to)
      throw new InvalidArgumentError(`It must be a whole number from ${from} to ${to}.`);
    return value;
  };

/** The text of an http or https URL, as it was given. */
export const httpUrl = (text: string): string => {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError('It must be an http or https URL.');
  return text;
};

export interface PageOptions {
  readonly limit: number;
  readonly cursor?: string;
  readonly client?: string;
  readonly json?: true;
}

const MOST = 1_000;
const USUAL = 20;

export const limitOption = (): Option =>
  new Option('--limit <n>', 'at most so many').argParser(wholeNumber(1, MOST)).default(USUAL);
export const cursorOption = (): Option =>
  new Option('--cursor <cursor>', 'go on where an earlier page ended (its `next`)').argParser((text) => {
    if (!/^\P{Cc}{1,1000}$/u.test(text)) throw new InvalidArgumentError('It must be the `next` of an earlier page.');
    return text;
  });
export const AMOUNT_FORM = 'It must be CUR:VALUE in the smallest unit, as JPY:120.';
/** For amounts; what is in it is read where it is used. */
export const amountText = (text: string): { readonly currency: string; readonly value: string } => {
  const [currency = '', value] = text.split(/:(.*)/s);
  if (value === undefined) throw new InvalidArgumentError(AMOUNT_FORM);
  return { currency, value };
};

/** For identifiers: an empty one, as of a variable that is not set, would look for everything, or for nothing. */
export const identifierText = (text: string): string => {
  if (!isIdentifier(text)) throw new InvalidArgumentError(`It must have ${IDENTIFIER_RULE}.`);
  return text;
};

/** Throws a UsageError for options of a list beside the id of one thing. */
export const assertNoneOf = (options: object, names: readonly string[]): void => {
  const given = Object.keys(options).find((name) => names.includes(name));
  if (given === undefined) return;
  const option = given.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new UsageError(`--${option} is for the list: leave it out, or the id`);
};

/** A word of a command line that a person copies into a POSIX shell. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** The last line of a list that another page may follow. */
export const morePages = (next: string): string => `There may be more: --cursor ${shellWord(next)}`;

export const clientOption = (): Option =>
  new Option('--client <client-id>', 'of this client; needed where an id exists under several');
export const jsonOption = (): Option => new Option('--json', 'JSON; what the API gives too is as the API gives it');
