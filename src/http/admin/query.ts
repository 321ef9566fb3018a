import { z } from 'zod';
import { isIdentifier } from '../../order/identifier.ts';
import { InvalidCursorError, OutdatedCursorError, type PageRequest } from '../../store/store.ts';
import type { Reply } from '../reply.ts';
import { ok } from './endpoint.ts';
import { problem } from './problem.ts';

/** For a sentence: `A paymentRequestId has …`. */
export const IDENTIFIER_RULE = '1 to 128 characters, no control characters, and no white space at either end';
export const identifier = z.string().refine(isIdentifier, `must have ${IDENTIFIER_RULE}`);

/** SHA-256 in lower-case hex, which is what names a notification and an unverified request. */
export const isDigest = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

/** Databases refuse U+0000 or alter lone surrogates. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

export const oneOf = <Word extends string>(words: readonly Word[]) =>
  z.enum(words, { error: `must be one of ${words.join(', ')}` });

/** Absent is null. */
export const orNull = <T>(schema: z.ZodType<T, string>) => schema.nullable().default(null);

const LONGEST_PAGE = 1_000;
const USUAL_PAGE = 50;
const cursor = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'must be the `next` of an earlier page');
const limit = z
  .string()
  .regex(/^\d{1,9}$/, 'must be a whole number')
  .transform(Number)
  .pipe(z.number().min(1, 'must be at least 1').max(LONGEST_PAGE, `must be at most ${LONGEST_PAGE}`));

/** What every list takes. */
export const paging = { limit: limit.default(USUAL_PAGE), cursor: orNull(cursor) };

/** Client ids are visible ASCII, of any length. */
const clientId = z.string().regex(/^[\x21-\x7e]+$/, 'must be visible ASCII');
export const clientFilter = { clientId: orNull(clientId) };
export const ofClient = z.strictObject(clientFilter);
export const nothing = z.strictObject({});

/** What a PUT that registers takes. */
export const putOptions = z.strictObject({ replace: oneOf(['true', 'false']).default('false') });

/** Reads a page from the store; a cursor that the store does not know is the client's fault. */
export const pageReply = async (page: PageRequest, read: (page: PageRequest) => Promise<object>): Promise<Reply> => {
  try {
    return ok(await read(page));
  } catch (error) {
    if (error instanceof OutdatedCursorError) return problem('CURSOR_OUTDATED', error.message);
    if (!(error instanceof InvalidCursorError)) throw error;
    return problem('MALFORMED_REQUEST', 'The query is not understood: the cursor is not one that was given here.');
  }
};
