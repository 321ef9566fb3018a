import type { z } from 'zod';

/** What a query or a body is read by: its members have names. */
export type ObjectSchema<T> = z.ZodType<T> & Pick<z.ZodObject, 'shape'>;

/** Says what is wrong by our own names: no name or value of the request is quoted. */
export const complaints = (error: z.ZodError, { shape }: Pick<z.ZodObject, 'shape'>): string => {
  const names = Object.keys(shape).join(', ');
  const stranger = 'there is a name that is not one of ours';
  return error.issues
    .map(({ path, code, message }) => {
      if (code !== 'unrecognized_keys') return path.length > 0 ? `${path.join('.')}: ${message}` : message;
      if (path.length > 0) return `${path.join('.')}: ${stranger}`;
      return `${stranger}, which are ${names}`;
    })
    .join('; ');
};
