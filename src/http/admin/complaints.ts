import { z } from 'zod';

/** The names of an object's members; none where the schema is of something else. */
const namesOf = (schema: unknown): readonly string[] => {
  if (schema instanceof z.ZodPipe) return namesOf(schema.in);
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
};

/** Says what is wrong by our own names: no name or value of the request is quoted. */
export const complaints = (error: z.ZodError, schema: z.ZodType): string => {
  const names = namesOf(schema);
  const stranger = 'there is a name that is not one of ours';
  return error.issues
    .map(({ path, code, message }) => {
      if (code !== 'unrecognized_keys') return path.length > 0 ? `${path.join('.')}: ${message}` : message;
      if (path.length > 0) return `${path.join('.')}: ${stranger}`;
      return names.length === 0 ? stranger : `${stranger}, which are ${names.join(', ')}`;
    })
    .join('; ');
};
