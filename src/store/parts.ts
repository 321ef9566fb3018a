import type { Database } from './transaction.ts';

/** Does the work in parts where it has to be (`inParts`); returns the sum of what they return. */
export const sumInParts = async <T>(
  { inParts }: Pick<Database, 'inParts'>,
  items: readonly T[],
  work: (part: readonly T[]) => Promise<number>,
): Promise<number> => (await inParts(items, work)).reduce((sum, one) => sum + one, 0);
