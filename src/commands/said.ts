import { complaints, type ObjectSchema } from '../http/admin/complaints.ts';
import { UsageError } from './failure.ts';

/** What the options say, read as the API reads a body. Throws a UsageError. */
export const said = <T>(schema: ObjectSchema<T>, options: object): T => {
  const read = schema.safeParse(options);
  if (!read.success) throw new UsageError(complaints(read.error, schema));
  return read.data;
};
