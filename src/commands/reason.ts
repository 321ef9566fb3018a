const property = (value: unknown, name: 'message' | 'code' | 'cause'): unknown =>
  typeof value === 'object' && value !== null && name in value
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;

/** The system's code of an error, as ENOENT. */
export const codeOf = (error: unknown): string | null => {
  const code = property(error, 'code');
  return typeof code === 'string' ? code : null;
};

/** What an error says, and where another one caused it, what that one says: `fetch failed` alone says nothing. */
export const reasonOf = (error: unknown): string => {
  const message = property(error, 'message');
  const own = typeof message === 'string' && message !== '' ? message : (codeOf(error) ?? String(error));
  const cause = property(error, 'cause');
  return cause === undefined ? own : `${own}: ${reasonOf(cause)}`;
};
