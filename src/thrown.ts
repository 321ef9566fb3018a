/** A property of what was thrown, which may be anything; undefined where it has none of that name. */
export const propertyOf = (thrown: unknown, name: string): unknown =>
  typeof thrown === 'object' && thrown !== null && name in thrown
    ? (thrown as Readonly<Record<string, unknown>>)[name]
    : undefined;

/** The code of an error of the system or of a library, as ENOENT; null for none. */
export const codeOf = (thrown: unknown): string | null => {
  const code = propertyOf(thrown, 'code');
  return typeof code === 'string' ? code : null;
};
