import { z } from 'zod';

/** The same type, down to what is optional and what is readonly. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** What F lacks, by its name; `never` for each field that T has not, or has of another type: neither compiles. */
type Matching<T, F> = {
  readonly [Name in keyof T | keyof F]-?: Name extends keyof T
    ? Name extends keyof F
      ? F[Name] extends z.ZodType<infer Output>
        ? Same<Output, T[Name]> extends true
          ? F[Name]
          : never
        : never
      : z.ZodType<T[Name]>
    : never;
};

/**
 * The schema of a type that the program has already, under the name that it has in the OpenAPI document, if any. Type
 * and schema are one shape: a field that only one of them has, or has otherwise, does not compile.
 *
 *     shapeOf<AmountText>('Amount')({ currency: z.string(), value: z.string() })
 */
export const shapeOf =
  <T extends object>(name?: string) =>
  <F extends z.ZodRawShape>(fields: F & Matching<T, F>): z.ZodType<T> => {
    const shape = z.strictObject(fields);
    return (name === undefined ? shape : shape.meta({ id: name })) as unknown as z.ZodType<T>;
  };

export const listOf = <T>(item: z.ZodType<T>): z.ZodType<readonly T[]> => z.array(item);
