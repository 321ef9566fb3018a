import type { z } from 'zod';

/** A problem is at most this long. */
const LONGEST = 500;

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

/** The error of a field's schema: `must('be an object')`. */
export const must = (be: string) => ({
  error: ({ input }: { readonly input?: unknown }): string => (isAbsent(input) ? 'is missing' : `must ${be}`),
});

/** The same for a schema without an error of its own. Never quotes the value. */
export const describeIssue = (issue: z.core.$ZodRawIssue): string => {
  if (isAbsent(issue.input)) return 'is missing';
  return issue.code === 'invalid_type' ? `must be of type ${issue.expected}` : 'is malformed';
};

/**
 * One sentence that names each wrong field and what is wrong with it:
 * `paymentId is missing; result.resultStatus must be S, F or U.`
 */
export const toProblem = (issues: readonly z.core.$ZodIssue[]): string => {
  const text = issues.map(phraseOf).join('; ');
  return text.length < LONGEST ? `${text}.` : `${text.slice(0, LONGEST - 1)}…`;
};

const phraseOf = ({ path, message }: z.core.$ZodIssue): string => `${nameOf(path)} ${message}`;

/** Plain ASCII, also where the notification itself names the field. */
const nameOf = (path: readonly PropertyKey[]): string =>
  path.length === 0 ? 'the notification' : path.join('.').replace(/[^\w.]/g, '?');
