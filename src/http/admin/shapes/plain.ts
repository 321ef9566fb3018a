import { z } from 'zod';
import type { AmountText } from '../../../order/amount.ts';
import { type Identifier, IDENTIFIER_NAMES } from '../../../order/identifier.ts';
import type { JsonObject, Result } from '../../../order/statement.ts';
import type { Page } from '../../../store/store.ts';
import { listOf, shapeOf } from './shape.ts';

/* What several shapes are made of. */

export const text = z.string();
export const textOrNull = text.nullable();
export const count = z.int().min(0);

/** One of our own times. */
export const ourTime = z.string().meta({ format: 'date-time', description: 'UTC, ISO 8601 with milliseconds.' });
export const ourTimeOrNull = ourTime.nullable();

/** A time that APO or the shop stated. */
export const statedTime = text.nullable().describe('As it was stated: ISO 8601, or 13-digit epoch milliseconds.');

/** SHA-256 in lower-case hex, which is what names a notification and an unverified request. */
export const digest = text.regex(/^[0-9a-f]{64}$/);

export const amount = shapeOf<AmountText>('Amount')({
  currency: text.regex(/^[A-Z]{3}$/),
  value: text.regex(/^[0-9]+$/).describe("Counts the currency's smallest unit, in decimal digits."),
});
export const amountOrNull = amount.nullable();

export const result = shapeOf<Result>('Result')({
  resultStatus: z.enum(['S', 'F', 'U']),
  resultCode: textOrNull,
  resultMessage: textOrNull,
});

/** JSON of APO's, whatever is in it. */
export const anyObject: z.ZodType<JsonObject> = z.record(z.string(), z.unknown()) as unknown as z.ZodType<JsonObject>;

export const identifiers = listOf(shapeOf<Identifier>('Identifier')({ name: z.enum(IDENTIFIER_NAMES), value: text }));

/** One page of a list. */
export const pageOf = <T>(name: string, item: z.ZodType<T>): z.ZodType<Page<T>> =>
  z
    .strictObject({
      items: listOf(item),
      next: textOrNull.describe(
        'Where the next page begins: the `cursor`, or the `after` of a feed. Null after the last one; a feed has no last one.',
      ),
    })
    .meta({ id: name });
