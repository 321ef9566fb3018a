import { codeOf, propertyOf } from '../thrown.ts';

/** What an error says, and where another one caused it, what that one says: `fetch failed` alone says nothing. */
export const reasonOf = (error: unknown): string => {
  const message = propertyOf(error, 'message');
  const own = typeof message === 'string' && message !== '' ? message : (codeOf(error) ?? String(error));
  const cause = propertyOf(error, 'cause');
  return cause === undefined ? own : `${own}: ${reasonOf(cause)}`;
};
