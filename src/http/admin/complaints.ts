import type { z } from 'zod';

/** Says what is wrong by our own names: no name or value of the request is quoted. */
export const complaints = (error: z.ZodError): string =>
  error.issues
    .map((issue) => {
      const place = issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
      return `${place}${issue.code === 'unrecognized_keys' ? 'there is a name that is not one of ours' : issue.message}`;
    })
    .join('; ');
