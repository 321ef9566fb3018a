import { z } from 'zod';
import { IDENTIFIER_RULE, isIdentifier } from '../../order/identifier.ts';
import { complaints, type ObjectSchema } from './complaints.ts';
import { problem, type Refusal } from './problem.ts';

/**
 * Reads the query of a target by a strict schema, so that a typo is refused and never lists everything; or says why it
 * is refused.
 */
export const readQuery = <T>(
  target: string,
  schema: ObjectSchema<T>,
): { readonly query: T } | { readonly refusal: Refusal<'MALFORMED_REQUEST'> } => {
  const search = new URLSearchParams(/\?(.*)$/s.exec(target)?.[1] ?? '');
  const names = [...search.keys()];
  if (new Set(names).size < names.length)
    return { refusal: problem('MALFORMED_REQUEST', 'A query parameter is given more than once.') };
  const query = schema.safeParse(Object.fromEntries(search));
  if (query.success) return { query: query.data };
  const why = Object.keys(schema.shape).length === 0 ? 'this path takes none' : complaints(query.error, schema);
  return { refusal: problem('MALFORMED_REQUEST', `The query is not understood: ${why}.`) };
};

/** Portable: not every client's regular expressions could say all of it. */
const IDENTIFIER_SHAPE = { minLength: 1, maxLength: 128, description: `An identifier: ${IDENTIFIER_RULE}.` };
const identifierOr = (absent: string) =>
  z.string(absent).refine(isIdentifier, `must have ${IDENTIFIER_RULE}`).meta(IDENTIFIER_SHAPE);
export const identifier = identifierOr('must be a string');
export const requiredIdentifier = identifierOr('is required');

/** Databases refuse U+0000 or alter lone surrogates. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

export const oneOf = <Word extends string>(words: readonly Word[]) =>
  z.enum(words, { error: `must be one of ${words.join(', ')}` });

/** Absent is null. */
export const orNull = <T, Input>(schema: z.ZodType<T, Input>) =>
  schema.optional().transform((value): T | null => value ?? null);

/** A query holds texts: those that mean something else are read as that, and documented as that. */
const read = <T>(reading: (text: string) => unknown, schema: z.ZodType<T>) =>
  z.preprocess((value) => (typeof value === 'string' ? reading(value) : value), schema);

const BOOLEANS = new Map([
  ['true', true],
  ['false', false],
]);
export const trueOrFalse = read((text) => BOOLEANS.get(text) ?? text, z.boolean('must be one of true, false'));

const LONGEST_PAGE = 1_000;
const USUAL_PAGE = 50;
const cursor = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'must be the `next` of an earlier page')
  .describe('The `next` of an earlier page.');
const wholeNumber = (least: number, most: number) =>
  read(
    (text) => (/^\d{1,15}$/.test(text) ? Number(text) : text),
    z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`),
  );
const limit = wholeNumber(1, LONGEST_PAGE).describe('The most items that the page may hold.');

/** What every list takes. */
export const paging = { limit: limit.prefault(USUAL_PAGE), cursor: orNull(cursor) };

const LONGEST_WAIT_SECONDS = 60;
/** What a list takes that can be followed. */
export const following = {
  after: orNull(cursor.describe('Follows the changes from here: `0`, then the `next` of the page before.')),
  wait: orNull(
    wholeNumber(0, LONGEST_WAIT_SECONDS).describe(
      'With `after`: the seconds for which the answer waits while there is nothing.',
    ),
  ),
};

/** Client ids are visible ASCII, of any length. */
export const clientId = z.string('must be a string').regex(/^[\x21-\x7e]+$/, 'must be visible ASCII');
export const clientFilter = { clientId: orNull(clientId.describe('Of this client alone.')) };
export const ofClient = z.strictObject({
  clientId: orNull(clientId.describe('Whose; it may be left out where one client is configured.')),
});
export const nothing = z.strictObject({});

/** What a PUT that registers takes. */
export const putOptions = z.strictObject({
  replace: trueOrFalse.prefault(false).describe('Whether this replaces something else that is registered.'),
});
