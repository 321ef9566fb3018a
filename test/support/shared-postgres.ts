import { type OwnServer, startOwnServer } from './postgres.ts';

/*
 * One PostgreSQL for a run of all tests, instead of one for each file that needs just a database: making one takes seconds
 * of a core. A run of some files starts what they need themselves.
 */

let server: OwnServer | null = null;

interface Run {
  readonly testPathPatterns: { readonly patterns: readonly string[] };
}

/** Jest calls it before the first test; what it puts into the environment reaches the workers. */
export default async ({ testPathPatterns }: Run): Promise<void> => {
  if (testPathPatterns.patterns.length > 0 || process.env['TEST_DATABASE_URL'] !== undefined) return;
  server = await startOwnServer({ max_connections: '200' });
  process.env['TEST_DATABASE_URL'] = server.url;
};

export const stop = async (): Promise<void> => {
  await server?.stop();
};
